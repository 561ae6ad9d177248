/* SPDX-License-Identifier: MIT */
/* Gives a workload the shim: as if it had not been injected before, so that twice is once. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/pod/pod.h"
#include "ctl/preload-list.h"

/* ---- which containers ---- */

bool pod_is_chosen(const struct pod *pod, const struct node *container, bool init)
{
	const char *name = node_string(container, "name");
	const char *wanted = pod->options->containers ? pod->options->containers : pod_annotation(pod, POD_CONTAINERS);

	if (pod_listed(pod_annotation(pod, POD_EXCLUDE), name))
		return false;
	return wanted ? pod_listed(wanted, name) : !init || pod_is_sidecar(container);
}

static void warn_of_unknown(struct pod *pod, const char *list)
{
	while (list && *list) {
		size_t end;
		const char *name;

		list += strspn(list, ", ");
		end = strcspn(list, ", ");
		name = tree_printf(pod->tree, "%.*s", (int)end, list);
		if (end && name && !node_find(node_get(pod->spec, "containers"), "name", name) &&
			!node_find(node_get(pod->spec, "initContainers"), "name", name))
			pod_note(pod, "there is no container '%s'", name);
		list += end;
	}
}

/* A container that cannot be done is left out with a word, or with strict the object is refused. */
static bool leave_out(struct pod *pod, const struct node *container, const char *why)
{
	const char *name = node_string(container, "name");

	if (pod->options->strict)
		pod_end(pod, POD_REFUSED, "container '%s': %s", name, why);
	else
		pod_note(pod, "container '%s' is left out: %s", name, why);
	return false;
}

/* ---- LD_PRELOAD ---- */

static const char *place_of(struct pod *pod, const char *what, const struct node *container)
{
	return tree_printf(pod->tree, "%s:%s", what, node_string(container, "name"));
}

/* Ours before theirs. */
static const char *joined(struct pod *pod, const char *theirs)
{
	_cleanup_free_ char *list = NULL;

	if (preload_list(theirs, POD_LIBRARY, &list) < 0) {
		pod->tree->error = -ENOMEM;
		return NULL;
	}
	return tree_printf(pod->tree, "%s", list);
}

static void set_preload(struct pod *pod, struct pod_record *record, struct node *container)
{
	struct tree *tree = pod->tree;
	struct node *env = pod_room(tree, record, container, "env", NODE_ARRAY, place_of(pod, "env", container));
	struct node *variable = pod_preload(container);
	const char *theirs = node_string(variable, "value");
	const char *value = joined(pod, theirs);
	struct node *old = node_get(variable, "value");

	if (!value)
		return;
	if (!variable) {
		variable = tree_object(tree);
		tree_add_string(tree, variable, "name", "LD_PRELOAD");
		tree_add_string(tree, variable, "value", value);
		node_append(env, variable);
		return;
	}
	tree_add_string(tree, record->was, node_string(container, "name"), tree_line(tree, variable));
	if (old)
		node_replace(variable, old, tree_string(tree, value));
	else
		tree_add_string(tree, variable, "value", value);
	if (theirs && *theirs)
		pod_note(pod, "container '%s': LD_PRELOAD was '%s' and is '%s' now", node_string(container, "name"),
			theirs, value);
}

static bool same_path(const char *a, const char *b)
{
	size_t m = strlen(a);
	size_t n = strlen(b);

	while (m > 1 && a[m - 1] == '/')
		m--;
	while (n > 1 && b[n - 1] == '/')
		n--;
	return m == n && strncmp(a, b, m) == 0;
}

static bool is_mounted_on(const struct node *container, const char *path)
{
	const struct node *mounts = node_get(container, "volumeMounts");

	for (const struct node *n = node_is(mounts, NODE_ARRAY) ? mounts->first : NULL; n; n = n->next) {
		if (same_path(node_string(n, "mountPath"), path))
			return true;
	}
	return false;
}

const char *pod_obstacle(const struct node *container)
{
	const struct node *from = node_get(pod_preload(container), "valueFrom");
	const struct node *mounts = node_get(container, "volumeMounts");

	if (from && !node_is_null(from))
		return "its LD_PRELOAD comes from elsewhere (valueFrom) and cannot be added to; give it a value";
	if (is_mounted_on(container, POD_LIBRARY_DIRECTORY) || is_mounted_on(container, POD_TABLE_DIRECTORY))
		return "it has a volume of its own at " POD_LIBRARY_DIRECTORY " or " POD_TABLE_DIRECTORY;
	/* They could not be told from ours again. */
	if (node_find(mounts, "name", POD_VOLUME_LIBRARY) || node_find(mounts, "name", POD_VOLUME_TABLE))
		return "it mounts a volume " POD_VOLUME_LIBRARY " or " POD_VOLUME_TABLE " itself";
	return NULL;
}

static bool can_inject(struct pod *pod, const struct node *container)
{
	const char *why = pod_obstacle(container);

	return !why || leave_out(pod, container, why);
}

static void inject_container(struct pod *pod, struct pod_record *record, struct node *container)
{
	struct tree *tree = pod->tree;
	struct node *mounts =
		pod_room(tree, record, container, "volumeMounts", NODE_ARRAY, place_of(pod, "volumeMounts", container));
	const struct node *from = node_get(container, "envFrom");

	set_preload(pod, record, container);
	node_append(mounts, pod_mount(tree, POD_VOLUME_LIBRARY, POD_LIBRARY_DIRECTORY, true));
	node_append(mounts, pod_mount(tree, POD_VOLUME_TABLE, POD_TABLE_DIRECTORY, true));
	node_append(record->containers, tree_string(tree, node_string(container, "name")));
	if (node_is(from, NODE_ARRAY) && from->first && !node_get(record->was, node_string(container, "name")))
		pod_note(pod, "container '%s': an LD_PRELOAD in its envFrom would be replaced by ours",
			node_string(container, "name"));
}

/* ---- the dialects of others ---- */

/* The devices are the pod's, through its network namespace: one container's limit is enough. */
static void add_resource(struct pod *pod, struct pod_record *record, struct node *container)
{
	struct tree *tree = pod->tree;
	struct node *resources;
	struct node *limits;

	resources = pod_room(tree, record, container, "resources", NODE_OBJECT, place_of(pod, "resources", container));
	limits = pod_room(tree, record, resources, "limits", NODE_OBJECT, place_of(pod, "limits", container));
	tree_add_string(tree, limits, POD_ERDMA_RESOURCE, "1");
	node_append(record->resources, tree_string(tree, node_string(container, "name")));
	if (node_get(node_get(resources, "requests"), POD_ERDMA_RESOURCE))
		node_append(record->requests, tree_string(tree, node_string(container, "name")));
}

static void annotate(struct pod *pod, struct pod_record *record)
{
	bool erdma = pod->options->dialect == POD_SPEAKS_ERDMA;
	const char *name = erdma ? POD_ERDMA : POD_ASM;
	const char *there = pod_annotation(pod, name);
	struct tree *tree = pod->tree;
	struct node *metadata;
	struct node *annotations;

	if (there && strcmp(there, "true") != 0) {
		pod_end(pod, POD_SKIPPED, "its annotation %s is \"%s\"", name, there);
		return;
	}
	if (there && (!erdma || pod_has_limit(pod))) {
		pod_end(pod, POD_UNCHANGED, "it has the annotation %s", name);
		return;
	}
	if (!there) {
		metadata = pod_room(tree, record, pod->template, "metadata", NODE_OBJECT, "metadata");
		annotations = pod_room(tree, record, metadata, "annotations", NODE_OBJECT, "annotations");
		tree_add_string(tree, annotations, name, "true");
		node_append(record->annotations, tree_string(tree, name));
	}
	if (erdma && !pod_has_limit(pod))
		add_resource(pod, record, node_get(pod->spec, "containers")->first);
	pod_record_write(pod, record);
	pod_end(pod, POD_INJECTED, "annotation %s", name);
}

/* ---- all of it ---- */

static bool is_ours_to_make(struct pod *pod)
{
	static const char *const volumes[] = {POD_VOLUME_LIBRARY, POD_VOLUME_TABLE, POD_VOLUME_POLICY};
	static const char *const containers[] = {POD_INIT, POD_WATCH};

	for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
		if (node_find(node_get(pod->spec, "volumes"), "name", volumes[i])) {
			pod_end(pod, POD_NOT_OURS,
				"it has a volume '%s' that smcctl has not made (its annotation " POD_STATUS
				" is missing or damaged)",
				volumes[i]);
			return false;
		}
	}
	for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
		if (node_find(node_get(pod->spec, "initContainers"), "name", containers[i]) ||
			node_find(node_get(pod->spec, "containers"), "name", containers[i])) {
			pod_end(pod, POD_NOT_OURS, "it has a container '%s' that smcctl has not made", containers[i]);
			return false;
		}
	}
	return true;
}

/* Whether it is one that is never injected, or did not ask for it. */
static bool is_skipped(struct pod *pod)
{
	const char *wanted = pod_annotation(pod, POD_WANTED);

	if (wanted && strcmp(wanted, "true") != 0 && strcmp(wanted, "false") != 0)
		pod_note(pod, "its annotation " POD_WANTED " is \"%s\"; known are \"true\" and \"false\"", wanted);
	if (wanted && strcmp(wanted, "false") == 0)
		pod_end(pod, POD_SKIPPED, "its annotation " POD_WANTED " is \"false\"");
	else if (pod->options->review && (!wanted || strcmp(wanted, "true") != 0))
		pod_end(pod, POD_SKIPPED, "it has no annotation " POD_WANTED ": \"true\"");
	else if (pod_is_windows(pod))
		pod_end(pod, POD_SKIPPED, "it is for Windows");
	else
		return false;
	return true;
}

static void inject_containers(struct pod *pod, struct pod_record *record)
{
	static const char *const lists[] = {"initContainers", "containers"};

	for (size_t i = 0; i < 2; i++) {
		struct node *list = node_get(pod->spec, lists[i]);

		for (struct node *n = node_is(list, NODE_ARRAY) ? list->first : NULL; n; n = n->next) {
			if (pod_is_chosen(pod, n, i == 0) && can_inject(pod, n))
				inject_container(pod, record, n);
		}
	}
}

static void add_parts(struct pod *pod, struct pod_record *record)
{
	struct tree *tree = pod->tree;
	struct node *volumes = pod_room(tree, record, pod->spec, "volumes", NODE_ARRAY, "volumes");
	struct node *made = pod_volumes(pod);
	struct node *init = pod_init_containers(pod);
	struct node *list = NULL;
	struct node *after = NULL;

	if (tree->error)
		return;
	if (init->first)
		list = pod_room(tree, record, pod->spec, "initContainers", NODE_ARRAY, "initContainers");
	for (struct node *n = made->first, *next; n; n = next) {
		next = n->next;
		node_append(volumes, n);
	}
	/* Before all others, so that those can be accelerated too. */
	for (struct node *n = init->first, *next; n; n = next) {
		next = n->next;
		node_insert(list, after, n);
		after = n;
	}
}

void pod_inject(struct pod *pod)
{
	struct pod_record record;
	bool was = pod_restore(pod);

	pod_record_new(pod->tree, &record);
	if (pod->tree->error || is_skipped(pod))
		return;
	if (pod_annotation(pod, POD_STATUS) || pod_annotation(pod, POD_VERSION)) {
		pod_end(pod, POD_NOT_OURS,
			"its annotations " POD_STATUS " and " POD_VERSION
			" are not as smcctl writes them; remove what was "
			"injected, and them");
		return;
	}
	if (pod->options->dialect != POD_SPEAKS_SMCSHIM) {
		annotate(pod, &record);
		pod_remarks(pod);
		return;
	}
	if (!is_ours_to_make(pod))
		return;
	warn_of_unknown(pod, pod->options->containers);
	warn_of_unknown(pod, pod_annotation(pod, POD_EXCLUDE));
	if (!pod->options->containers)
		warn_of_unknown(pod, pod_annotation(pod, POD_CONTAINERS));
	inject_containers(pod, &record);
	if (pod->report->result == POD_REFUSED || pod->tree->error)
		return;
	if (!record.containers->first) {
		pod_end(pod, POD_SKIPPED, "none of its containers is to be or can be accelerated%s",
			was ? "; it was injected before, that is undone" : "");
		return;
	}
	add_parts(pod, &record);
	pod_record_write(pod, &record);
	pod->report->containers = record.containers;
	pod->report->result = POD_INJECTED;
	pod_remarks(pod);
}
