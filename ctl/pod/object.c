/* SPDX-License-Identifier: MIT */
/* Finds the workloads in objects and lists, and checks that they have the shape of one. */
#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "ctl/pod/pod.h"

#define PATH_MAX_PARTS 5

/* Where a kind has its pod template. Other groups have kinds of the same names: those are not ours to touch. */
static const struct kind {
	const char *group;
	const char *name;
	const char *path[PATH_MAX_PARTS];
} kinds[] = {
	{"", "Pod", {NULL}},
	{"", "PodTemplate", {"template"}},
	{"", "ReplicationController", {"spec", "template"}},
	{"apps", "DaemonSet", {"spec", "template"}},
	{"apps", "Deployment", {"spec", "template"}},
	{"apps", "ReplicaSet", {"spec", "template"}},
	{"apps", "StatefulSet", {"spec", "template"}},
	{"batch", "CronJob", {"spec", "jobTemplate", "spec", "template"}},
	{"batch", "Job", {"spec", "template"}},
	{"extensions", "DaemonSet", {"spec", "template"}},
	{"extensions", "Deployment", {"spec", "template"}},
	{"extensions", "ReplicaSet", {"spec", "template"}},
};

const char *pod_result_name(enum pod_result result)
{
	static const char *const names[] = {[POD_PASSED] = "passed",
		[POD_UNCHANGED] = "unchanged",
		[POD_INJECTED] = "injected",
		[POD_RESTORED] = "uninjected",
		[POD_SKIPPED] = "skipped",
		[POD_REFUSED] = "refused",
		[POD_NOT_OURS] = "not ours",
		[POD_BAD] = "bad"};

	return names[result];
}

/* ---- words ---- */

void pod_note(struct pod *pod, const char *format, ...)
{
	struct pod_note *note = tree_alloc(pod->tree, sizeof(*note));
	struct pod_note **end = &pod->report->notes;
	va_list ap;

	if (!note)
		return;
	va_start(ap, format);
	note->text = tree_vprintf(pod->tree, format, ap);
	va_end(ap);
	while (*end)
		end = &(*end)->next;
	*end = note->text ? note : NULL;
}

void pod_end(struct pod *pod, enum pod_result result, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	pod->report->result = result;
	pod->report->why = tree_vprintf(pod->tree, format, ap);
	va_end(ap);
}

const char *pod_name(struct tree *tree, const struct pod_report *report)
{
	return tree_printf(tree, "%s %s%s%s", report->kind, report->space ? report->space : "",
		report->space ? "/" : "", report->name);
}

/* ---- the shape ---- */

static bool wrong(struct pod *pod, const char *where, const char *what)
{
	pod_end(pod, POD_BAD, "%s %s", where, what);
	return false;
}

/* A list of objects each of which has the member key, a string; NULL and null are empty lists. */
static bool is_list(struct pod *pod, const char *where, const struct node *list, const char *key)
{
	if (!list || node_is_null(list))
		return true;
	if (!node_is(list, NODE_ARRAY))
		return wrong(pod, where, "is no list");
	for (const struct node *n = list->first; n; n = n->next) {
		if (!node_is(n, NODE_OBJECT))
			return wrong(pod, where, "has an element that is no object");
		if (!node_string(n, key)) {
			pod_end(pod, POD_BAD, "%s has an element without a \"%s\"", where, key);
			return false;
		}
	}
	return true;
}

static bool is_object(struct pod *pod, const char *where, const struct node *node)
{
	return !node || node_is_null(node) || node_is(node, NODE_OBJECT) || wrong(pod, where, "is no object");
}

static bool check_env(struct pod *pod, const char *where, const struct node *container)
{
	const struct node *preload = pod_preload(container);
	const struct node *value = node_get(preload, "value");

	return !value || node_is_null(value) || node_text(value) ||
		wrong(pod, where, "has an LD_PRELOAD whose value is no string");
}

static bool check_container(struct pod *pod, const char *list, const struct node *container)
{
	const char *where = tree_printf(pod->tree, "container '%s'", node_string(container, "name"));
	const char *env = tree_printf(pod->tree, "%s: env", where ? where : "");
	const char *mounts = tree_printf(pod->tree, "%s: volumeMounts", where ? where : "");
	size_t count = 0;

	if (!where || !env || !mounts)
		return false;
	for (int i = 0; i < 2; i++) {
		const struct node *all = node_get(pod->spec, i ? "containers" : "initContainers");

		for (const struct node *n = node_is(all, NODE_ARRAY) ? all->first : NULL; n; n = n->next) {
			const char *name = node_string(n, "name");

			count += name && strcmp(name, node_string(container, "name")) == 0;
		}
	}
	if (count > 1)
		return wrong(pod, list, tree_printf(pod->tree, "has more than one %s", where));
	return is_list(pod, env, node_get(container, "env"), "name") && check_env(pod, env, container) &&
		is_list(pod, mounts, node_get(container, "volumeMounts"), "mountPath") &&
		is_object(pod, where, node_get(container, "resources")) &&
		is_object(pod, where, node_get(node_get(container, "resources"), "limits"));
}

static bool check_containers(struct pod *pod, const char *key)
{
	const struct node *list = node_get(pod->spec, key);

	if (!is_list(pod, key, list, "name"))
		return false;
	for (const struct node *n = node_is(list, NODE_ARRAY) ? list->first : NULL; n; n = n->next) {
		if (!check_container(pod, key, n))
			return false;
	}
	return true;
}

static bool check_annotations(struct pod *pod)
{
	const struct node *annotations = node_get(node_get(pod->template, "metadata"), "annotations");

	if (!is_object(pod, "metadata", node_get(pod->template, "metadata")) ||
		!is_object(pod, "metadata.annotations", annotations))
		return false;
	for (const struct node *n = annotations ? annotations->first : NULL; n; n = n->next) {
		if (!node_text(n))
			return wrong(pod, tree_printf(pod->tree, "annotation '%s'", n->key), "is no string");
	}
	return true;
}

bool pod_check(struct pod *pod)
{
	const struct node *containers = node_get(pod->spec, "containers");

	if (!node_is(pod->template, NODE_OBJECT))
		return wrong(pod, "the pod's template", "is missing");
	if (!node_is(pod->spec, NODE_OBJECT))
		return wrong(pod, "the pod's spec", "is missing");
	if (!node_is(containers, NODE_ARRAY) || !containers->first)
		return wrong(pod, "spec.containers", "is missing or empty");
	return check_annotations(pod) && is_list(pod, "volumes", node_get(pod->spec, "volumes"), "name") &&
		check_containers(pod, "containers") && check_containers(pod, "initContainers");
}

/* ---- looking ---- */

const char *pod_annotation(const struct pod *pod, const char *name)
{
	return node_string(node_get(node_get(pod->template, "metadata"), "annotations"), name);
}

bool pod_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	while (list && *list) {
		size_t end;

		list += strspn(list, ", ");
		end = strcspn(list, ", ");
		if (end == length && end && strncmp(list, name, end) == 0)
			return true;
		list += end;
	}
	return false;
}

struct node *pod_preload(const struct node *container)
{
	const struct node *env = node_get(container, "env");
	struct node *found = NULL;

	for (struct node *n = node_is(env, NODE_ARRAY) ? env->first : NULL; n; n = n->next) {
		const char *name = node_string(n, "name");

		if (name && strcmp(name, "LD_PRELOAD") == 0)
			found = n;
	}
	return found;
}

bool pod_is_sidecar(const struct node *container)
{
	const char *policy = node_string(container, "restartPolicy");

	return policy && strcmp(policy, "Always") == 0;
}

/* ---- finding ---- */

struct walk {
	struct tree *tree;
	const struct pod_options *options;
	pod_function *function;
	struct pod_report **end;
};

static bool is_group(const char *version, const char *group)
{
	const char *slash = version ? strchr(version, '/') : NULL;

	if (!version || !slash)
		return version && !*group;
	return strlen(group) == (size_t)(slash - version) && starts_with(version, group);
}

static const struct kind *kind_of(const char *version, const char *name, size_t length)
{
	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) == length && strncmp(kinds[i].name, name, length) == 0 &&
			is_group(version, kinds[i].group))
			return &kinds[i];
	}
	return NULL;
}

static struct pod_report *report_of(struct walk *walk, const struct node *object, const char *kind)
{
	const struct node *metadata = node_get(object, "metadata");
	struct pod_report *report = tree_alloc(walk->tree, sizeof(*report));
	const char *name = node_string(metadata, "name");

	if (!report)
		return NULL;
	report->kind = kind ? kind : "object";
	report->space = node_string(metadata, "namespace");
	name = name ? name : node_string(metadata, "generateName");
	report->name = name ? name : "(no name)";
	report->containers = tree_array(walk->tree);
	*walk->end = report;
	walk->end = &report->next;
	return report;
}

/* version and kind of a list's element may be those that the list names. */
static void walk_object(struct walk *walk, struct node *object, const char *version, const char *kind, size_t length)
{
	const char *own_version = node_string(object, "apiVersion");
	const char *own_kind = node_string(object, "kind");
	const char *list = own_kind && !kind ? own_kind : NULL;
	struct node *items = node_get(object, "items");
	const struct kind *known;
	struct pod *pod;

	if (list && strlen(list) >= 4 && strcmp(list + strlen(list) - 4, "List") == 0 && node_is(items, NODE_ARRAY)) {
		for (struct node *n = items->first; n; n = n->next)
			walk_object(walk, n, own_version, strcmp(list, "List") == 0 ? "" : list, strlen(list) - 4);
		return;
	}
	if (own_kind) {
		kind = own_kind;
		length = strlen(own_kind);
	}
	known = kind_of(own_version ? own_version : version, kind, length);
	pod = tree_alloc(walk->tree, sizeof(*pod));
	if (!pod)
		return;
	*pod = (struct pod){.tree = walk->tree, .options = walk->options, .object = object, .template = object};
	pod->report = report_of(walk, object, known ? known->name : own_kind);
	if (!pod->report || !known)
		return;
	pod->kind = known->name;
	for (size_t i = 0; i < PATH_MAX_PARTS && known->path[i]; i++)
		pod->template = node_get(pod->template, known->path[i]);
	pod->spec = node_get(pod->template, "spec");
	if (!pod_check(pod))
		return;
	pod->report->pod = pod;
	if (walk->options->clean)
		pod_clean(object);
	walk->function(pod);
}

int pod_each(struct tree *tree, const struct pod_options *options, struct node *object, pod_function *function,
	struct pod_report **reports)
{
	struct walk walk = {.tree = tree, .options = options, .function = function, .end = reports};

	while (*walk.end)
		walk.end = &(*walk.end)->next;
	walk_object(&walk, object, NULL, NULL, 0);
	return tree->error;
}

void pod_clean(struct node *object)
{
	static const char *const owned[] = {
		"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"};
	struct node *metadata = node_get(object, "metadata");
	struct node *status = node_get(object, "status");

	if (status)
		node_remove(object, status);
	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
		struct node *member = node_get(metadata, owned[i]);

		if (member)
			node_remove(metadata, member);
	}
}
