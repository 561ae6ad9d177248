/* SPDX-License-Identifier: MIT */
/* What each container of a workload would be, and why. */
#include "config.h"

#include <string.h>

#include "ctl/output.h"
#include "ctl/pod/pod.h"

enum verdict { VERDICT_TCP, VERDICT_UNKNOWN, VERDICT_SMC };

static enum verdict judge_pod(struct pod *pod, const char **why)
{
	const char *wanted = pod_annotation(pod, POD_WANTED);

	if (pod_is_windows(pod))
		*why = "the pod is for Windows";
	else if (wanted && strcmp(wanted, "false") == 0)
		*why = "the annotation " POD_WANTED " is \"false\"";
	else if (pod_sandbox(pod))
		*why = tree_printf(
			pod->tree, "sandbox '%s' has a network stack or kernel of its own", pod_sandbox(pod));
	else
		return VERDICT_SMC;
	return VERDICT_TCP;
}

/* The controller sets the pod up after its init containers, whatever smcctl is told. */
static bool is_switched(const struct pod *pod)
{
	return pod_is_erdma(pod) && !pod_is_windows(pod) && !pod_sandbox(pod);
}

/* Who carries the traffic of containers that are no proxy; NULL: they themselves. */
static const char *judge_mesh(struct pod *pod)
{
	if (pod_proxy(pod))
		return tree_printf(pod->tree, "in a mesh it talks to '%s' over loopback, which carries its traffic",
			node_string(pod_proxy(pod), "name"));
	if (pod_awaits_proxy(pod) || pod_wants_asm(pod))
		return "in a mesh it talks over loopback to a proxy that is yet to come, which carries its traffic";
	return NULL;
}

static enum verdict judge_container(struct pod *pod, const struct node *container, bool init, const char **why)
{
	enum verdict verdict = judge_pod(pod, why);

	if (is_switched(pod) && (!init || pod_is_sidecar(container))) {
		*why = "the eRDMA controller puts every connection of the pod on SMC, whatever a policy says";
		return VERDICT_SMC;
	}
	if (verdict != VERDICT_SMC)
		return verdict;
	if (!pod_is_chosen(pod, container, init)) {
		*why = init && !pod->options->containers && !pod_annotation(pod, POD_CONTAINERS)
			? "an init container; name it to have it accelerated"
			: "not among the chosen containers";
		return VERDICT_TCP;
	}
	*why = pod_obstacle(container);
	if (*why)
		return VERDICT_TCP;
	if (!pod_is_proxy(container)) {
		*why = judge_mesh(pod);
		if (*why)
			return VERDICT_TCP;
	}
	*why = pod_container_remark(container);
	if (*why)
		return VERDICT_UNKNOWN;
	*why = "for the peers and ports that the policy names, where both ends have SMC";
	return VERDICT_SMC;
}

unsigned pod_explain(struct pod *pod, struct out *out)
{
	static const char *const lists[] = {"initContainers", "containers"};
	static const char *const words[] = {
		[VERDICT_TCP] = "TCP", [VERDICT_UNKNOWN] = "unknown", [VERDICT_SMC] = "SMC"};
	const char *name = pod_name(pod->tree, pod->report);
	unsigned smc = 0;

	for (size_t i = 0; i < 2; i++) {
		const struct node *list = node_get(pod->spec, lists[i]);

		for (const struct node *n = node_is(list, NODE_ARRAY) ? list->first : NULL; n; n = n->next) {
			const char *why = NULL;
			enum verdict verdict = judge_container(pod, n, i == 0, &why);

			out_object(out, NULL, NULL);
			out_string(out, "workload", "WORKLOAD", name ? name : "");
			out_string(out, "container", "CONTAINER", node_string(n, "name"));
			out_string(out, "verdict", "WOULD BE", words[verdict]);
			out_string(out, "why", "WHY", why ? why : "");
			out_close(out);
			smc += verdict == VERDICT_SMC;
		}
	}
	return smc;
}
