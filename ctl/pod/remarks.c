/* SPDX-License-Identifier: MIT */
/* What can be told from a manifest about a workload's connections, and what cannot. */
#include "config.h"

#include <string.h>

#include "ctl/pod/pod.h"

bool pod_is_windows(const struct pod *pod)
{
	const char *os = node_string(node_get(pod->spec, "os"), "name");
	const char *node = node_string(node_get(pod->spec, "nodeSelector"), "kubernetes.io/os");

	return (os && strcmp(os, "windows") == 0) || (node && strcmp(node, "windows") == 0);
}

const char *pod_sandbox(const struct pod *pod)
{
	static const char *const known[] = {"gvisor", "runsc", "kata", "firecracker", "runv"};
	const char *name = node_string(pod->spec, "runtimeClassName");

	for (size_t i = 0; name && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strstr(name, known[i]))
			return name;
	}
	return NULL;
}

bool pod_is_proxy(const struct node *container)
{
	const char *name = node_string(container, "name");

	return name && (strcmp(name, "istio-proxy") == 0 || strcmp(name, "linkerd-proxy") == 0);
}

const struct node *pod_proxy(const struct pod *pod)
{
	static const char *const lists[] = {"containers", "initContainers"};

	for (size_t i = 0; i < 2; i++) {
		const struct node *list = node_get(pod->spec, lists[i]);

		for (const struct node *n = node_is(list, NODE_ARRAY) ? list->first : NULL; n; n = n->next) {
			if (pod_is_proxy(n))
				return n;
		}
	}
	return NULL;
}

const char *pod_awaits_proxy(const struct pod *pod)
{
	static const char *const asked[] = {"sidecar.istio.io/inject", "linkerd.io/inject"};
	const struct node *labels = node_get(node_get(pod->template, "metadata"), "labels");

	for (size_t i = 0; !pod_proxy(pod) && i < sizeof(asked) / sizeof(asked[0]); i++) {
		const char *value = pod_annotation(pod, asked[i]);

		value = value ? value : node_string(labels, asked[i]);
		if (value && (strcmp(value, "true") == 0 || strcmp(value, "enabled") == 0))
			return asked[i];
	}
	return NULL;
}

/* ---- the dialects of others ---- */

bool pod_wants_asm(const struct pod *pod)
{
	const char *value = pod_annotation(pod, POD_ASM);

	return value && strcmp(value, "true") == 0;
}

bool pod_has_limit(const struct pod *pod)
{
	const struct node *all = node_get(pod->spec, "containers");

	for (const struct node *n = all->first; n; n = n->next) {
		if (node_get(node_get(node_get(n, "resources"), "limits"), POD_ERDMA_RESOURCE))
			return true;
	}
	return false;
}

bool pod_is_erdma(const struct pod *pod)
{
	return pod_annotation(pod, POD_ERDMA) && pod_has_limit(pod);
}

/* ---- a container by its image and command ---- */

/* "REGISTRY/library/NAME:TAG@DIGEST": NAME. */
static bool is_image(const char *image, const char *name)
{
	const char *base = path_base(image);
	size_t length = strcspn(base, ":@");

	return length == strlen(name) && strncmp(base, name, length) == 0;
}

/* Well-known programs in Go, which makes its system calls itself, past the C library. */
static bool is_go(const char *image)
{
	static const char *const names[] = {"alertmanager", "caddy", "cloudflared", "cockroach", "consul", "coredns",
		"dex", "etcd", "golang", "grafana", "influxdb", "k3s", "kube-apiserver", "kube-controller-manager",
		"kube-proxy", "kube-scheduler", "loki", "minio", "nats", "node-exporter", "prometheus", "registry",
		"tempo", "thanos", "traefik", "vault"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_image(image, names[i]))
			return true;
	}
	return false;
}

static bool mentions(const struct node *list, const char *text)
{
	for (const struct node *n = node_is(list, NODE_ARRAY) ? list->first : NULL; n; n = n->next) {
		if (node_text(n) && strstr(node_text(n), text))
			return true;
	}
	return false;
}

/* Its command is smcctl run: by itself that preloads or supervises, as the program needs it. */
static bool is_supervised(const struct node *container)
{
	const struct node *command = node_get(container, "command");
	const struct node *first = node_is(command, NODE_ARRAY) ? command->first : NULL;
	const struct node *second = first && first->next ? first->next : NULL;

	if (first && !second && node_is(node_get(container, "args"), NODE_ARRAY))
		second = node_get(container, "args")->first;
	return first && second && node_text(first) && node_text(second) &&
		strcmp(path_base(node_text(first)), "smcctl") == 0 && strcmp(node_text(second), "run") == 0;
}

/* The usual profiles of container runtimes allow pidfd_getfd(2) to who has CAP_SYS_PTRACE. */
static bool may_supervise(const struct node *container)
{
	const struct node *context = node_get(container, "securityContext");
	const struct node *add = node_get(node_get(context, "capabilities"), "add");
	const char *profile = node_string(node_get(context, "seccompProfile"), "type");

	return node_is_true(node_get(context, "privileged")) || mentions(add, "SYS_PTRACE") || mentions(add, "ALL") ||
		(profile && strcmp(profile, "Unconfined") == 0);
}

const char *pod_container_remark(const struct node *container)
{
	const char *image = node_string(container, "image");

	if (mentions(node_get(container, "command"), "LD_PRELOAD=") ||
		mentions(node_get(container, "args"), "LD_PRELOAD="))
		return "its command sets LD_PRELOAD itself, which replaces ours";
	if (is_supervised(container))
		return may_supervise(container)
			? NULL
			: "smcctl run supervises it, which needs CAP_SYS_PTRACE in the container "
			  "where its seccomp profile forbids pidfd_getfd";
	if (image && is_go(image))
		return "by its image it is probably a Go program, which no preloaded library reaches; smcctl run "
		       "before "
		       "its command, in its image, supervises it";
	if (image && (strstr(image, "distroless/static") || is_image(image, "scratch") || is_image(image, "pause")))
		return "by its image it is probably a static program, which loads no library; smcctl run before its "
		       "command, in its image, supervises it";
	return NULL;
}

/* ---- the workload ---- */

static void remark_mesh(struct pod *pod)
{
	const struct node *proxy = pod_proxy(pod);
	const char *asked = pod_awaits_proxy(pod);

	if (proxy)
		pod_note(pod, "in a mesh the proxy carries the traffic between pods: what counts is container '%s'",
			node_string(proxy, "name"));
	if (asked)
		pod_note(pod,
			"it asks for a mesh's proxy (%s), which is added when the pod is made and carries its traffic: "
			"only the webhook of smcctl pod manifest can reach it, by the annotation " POD_CONTAINERS,
			asked);
}

static void remark_erdma(struct pod *pod)
{
	const char *value = pod_annotation(pod, POD_ERDMA);

	if (!value)
		return;
	if (strcmp(value, "true") != 0)
		pod_note(pod,
			"annotation " POD_ERDMA
			" is \"%s\": the eRDMA controller ignores the value and acts all the same; "
			"remove the annotation",
			value);
	/* Mostly the manifest was made of a pod that exists. */
	if (!pod->options->review && node_find(node_get(pod->spec, "initContainers"), "name", POD_ERDMA_INIT))
		pod_note(pod,
			"it has an init container '" POD_ERDMA_INIT
			"' already: the eRDMA controller adds another one all the same, and two of one name are "
			"refused; remove it");
	if (!pod_is_erdma(pod))
		pod_note(pod, "annotation " POD_ERDMA " without a limit " POD_ERDMA_RESOURCE " does nothing");
	else
		pod_note(pod,
			"annotation " POD_ERDMA ": the eRDMA controller puts every connection of the pod on SMC, past "
			"the policy, and turns IPv6 off in it");
}

static void remark_asm(struct pod *pod)
{
	const char *value = pod_annotation(pod, POD_ASM);

	if (pod_wants_asm(pod))
		pod_note(pod,
			"annotation " POD_ASM ": the mesh (ASM) puts the proxy's connections on SMC where its own "
			"switch is on too, and falls back to TCP without a word");
	else if (value)
		pod_note(pod, "annotation " POD_ASM " is \"%s\"", value);
}

static void remark_life(struct pod *pod)
{
	const struct node *metadata = node_get(pod->object, "metadata");
	const struct node *owners = node_get(metadata, "ownerReferences");

	for (const struct node *n = node_is(owners, NODE_ARRAY) ? owners->first : NULL; n; n = n->next) {
		if (node_is_true(node_get(n, "controller")) && node_string(n, "kind") && node_string(n, "name")) {
			pod_note(pod, "it is made by %s '%s', which will make the next ones as they were: inject that",
				node_string(n, "kind"), node_string(n, "name"));
			break;
		}
	}
	if (strcmp(pod->kind, "Pod") == 0 && node_get(metadata, "uid"))
		pod_note(pod, "a pod that exists cannot be changed so: delete it and create it anew");
	if (strcmp(pod->kind, "Job") == 0 && node_get(metadata, "uid"))
		pod_note(pod, "a Job that exists cannot be changed so: delete it and create it anew");
}

static void remark_method(struct pod *pod)
{
	if (pod->options->dialect != POD_SPEAKS_SMCSHIM)
		return;
	if (pod->options->method == POD_BY_HOSTPATH)
		pod_note(pod,
			"hostPath volumes are forbidden where the Pod Security Standard is baseline or restricted");
	if (pod->options->method == POD_BY_IMAGE_VOLUME)
		pod_note(pod,
			"image volumes need Kubernetes 1.31 and a container runtime that does not mount them noexec; "
			"where it does, the library cannot be loaded and all stays TCP");
}

void pod_remarks(struct pod *pod)
{
	static const char *const lists[] = {"initContainers", "containers"};

	if (node_is_true(node_get(pod->spec, "hostNetwork")))
		pod_note(pod, "hostNetwork: the node's network namespace, its devices and pnet identifiers apply");
	if (pod_sandbox(pod))
		pod_note(pod,
			"runtimeClassName '%s' is a sandbox with a network stack or kernel of its own: all stays TCP",
			pod_sandbox(pod));
	remark_mesh(pod);
	remark_erdma(pod);
	remark_asm(pod);
	/* The API server asks of pods that are being made, mostly by an owner. */
	if (!pod->options->review)
		remark_life(pod);
	remark_method(pod);
	/* What others do is in the kernel, or in a proxy: it is all the same what these containers load. */
	if (pod->options->dialect != POD_SPEAKS_SMCSHIM || pod_is_erdma(pod))
		return;
	for (size_t i = 0; i < 2; i++) {
		const struct node *list = node_get(pod->spec, lists[i]);

		for (const struct node *n = node_is(list, NODE_ARRAY) ? list->first : NULL; n; n = n->next) {
			const char *remark = pod_container_remark(n);

			if (remark && pod_is_chosen(pod, n, i == 0))
				pod_note(pod, "container '%s': %s", node_string(n, "name"), remark);
		}
	}
}
