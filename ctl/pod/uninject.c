/* SPDX-License-Identifier: MIT */
/* Takes the shim away again: by the names of what was added, and by the record of what was there before. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/pod/pod.h"
#include "ctl/preload-list.h"

static void remove_named(struct node *list, const char *name)
{
	struct node *found = node_find(list, "name", name);

	while (found) {
		node_remove(list, found);
		found = node_find(list, "name", name);
	}
}

static bool is_recorded(const struct node *list, const char *text)
{
	for (const struct node *n = list ? list->first : NULL; n; n = n->next) {
		if (strcmp(node_text(n), text) == 0)
			return true;
	}
	return false;
}

/* What was made for us and is empty goes; what was null is null again. */
static void give_back(
	struct tree *tree, const struct pod_record *record, struct node *parent, const char *key, const char *place)
{
	struct node *room = node_get(parent, key);

	if (!room || !place || room->type == NODE_STRING || room->type == NODE_OTHER || room->first)
		return;
	if (is_recorded(record->made, place))
		node_remove(parent, room);
	else if (is_recorded(record->null, place))
		node_replace(parent, room, tree_other(tree, "null"));
}

/* The list without our library; NULL: nothing else was in it. */
static const char *without(struct tree *tree, const char *list)
{
	char *out = tree_alloc(tree, strlen(list) + 1);
	char *end = out;

	for (const char *p = list + strspn(list, ": "); out && *p; p += strspn(p, ": ")) {
		size_t length = strcspn(p, ": ");

		if (length != strlen(POD_LIBRARY) || strncmp(p, POD_LIBRARY, length) != 0) {
			if (end > out)
				*end++ = ':';
			end = mempcpy(end, p, length);
			*end = '\0';
		}
		p += length;
	}
	return end == out ? NULL : out;
}

/* The variable as it was before, if the one that is there now is what was made of it. */
static struct node *before(struct tree *tree, const char *was, const char *value)
{
	_cleanup_free_ char *made = NULL;
	struct tree_style style;
	struct json_fault fault;
	struct node *variable = NULL;
	const char *name;
	size_t at = 0;

	if (!was || tree_parse(tree, was, strlen(was), &at, &variable, &style, &fault) < 0)
		return NULL;
	name = node_string(variable, "name");
	if (!name || strcmp(name, "LD_PRELOAD") != 0)
		return NULL;
	if (preload_list(node_string(variable, "value"), POD_LIBRARY, &made) < 0) {
		tree->error = -ENOMEM;
		return NULL;
	}
	return strcmp(made, value) == 0 ? variable : NULL;
}

static void restore_preload(struct tree *tree, struct node *container, const char *was)
{
	struct node *env = node_get(container, "env");
	struct node *variable = pod_preload(container);
	const char *value = node_string(variable, "value");
	const char *element;
	const char *rest;
	const struct node *old;
	struct node *now;
	size_t length;

	if (!value || !preload_list_find(value, &element, &length))
		return;
	old = before(tree, was, value);
	rest = without(tree, value);
	now = node_get(variable, "value");
	if (old && node_get(old, "value"))
		node_replace(variable, now, node_get(old, "value"));
	else if (old)
		node_remove(variable, now);
	else if (rest)
		node_replace(variable, now, tree_string(tree, rest));
	else
		node_remove(env, variable);
}

static void remove_limit(struct node *container, bool requested)
{
	struct node *limits = node_get(node_get(container, "resources"), "limits");
	struct node *requests = node_get(node_get(container, "resources"), "requests");
	struct node *found = node_get(limits, POD_ERDMA_RESOURCE);

	if (found)
		node_remove(limits, found);
	/* The API server makes requests of limits. */
	found = requested ? NULL : node_get(requests, POD_ERDMA_RESOURCE);
	if (found)
		node_remove(requests, found);
}

static void restore_container(struct pod *pod, const struct pod_record *record, struct node *container)
{
	struct tree *tree = pod->tree;
	const char *name = node_string(container, "name");
	struct node *mounts = node_get(container, "volumeMounts");

	if (is_recorded(record->containers, name)) {
		restore_preload(tree, container, node_string(record->was, name));
		remove_named(mounts, POD_VOLUME_LIBRARY);
		remove_named(mounts, POD_VOLUME_TABLE);
		give_back(tree, record, container, "env", tree_printf(tree, "env:%s", name));
		give_back(tree, record, container, "volumeMounts", tree_printf(tree, "volumeMounts:%s", name));
	}
	if (is_recorded(record->resources, name)) {
		remove_limit(container, is_recorded(record->requests, name));
		give_back(
			tree, record, node_get(container, "resources"), "limits", tree_printf(tree, "limits:%s", name));
		give_back(tree, record, container, "resources", tree_printf(tree, "resources:%s", name));
	}
}

static void restore_parts(struct pod *pod, const struct pod_record *record)
{
	static const char *const volumes[] = {POD_VOLUME_LIBRARY, POD_VOLUME_TABLE, POD_VOLUME_POLICY};
	struct node *init = node_get(pod->spec, "initContainers");

	for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++)
		remove_named(node_get(pod->spec, "volumes"), volumes[i]);
	remove_named(init, POD_INIT);
	remove_named(init, POD_WATCH);
	give_back(pod->tree, record, pod->spec, "volumes", "volumes");
	give_back(pod->tree, record, pod->spec, "initContainers", "initContainers");
}

static void restore_annotations(struct pod *pod, const struct pod_record *record)
{
	struct node *metadata = node_get(pod->template, "metadata");
	struct node *annotations = node_get(metadata, "annotations");

	for (const struct node *n = record->annotations ? record->annotations->first : NULL; n; n = n->next) {
		if (node_get(annotations, node_text(n)))
			node_remove(annotations, node_get(annotations, node_text(n)));
	}
	node_remove(annotations, node_get(annotations, POD_STATUS));
	if (node_get(annotations, POD_VERSION))
		node_remove(annotations, node_get(annotations, POD_VERSION));
	give_back(pod->tree, record, metadata, "annotations", "annotations");
	give_back(pod->tree, record, pod->template, "metadata", "metadata");
}

bool pod_restore(struct pod *pod)
{
	static const char *const lists[] = {"initContainers", "containers"};
	struct pod_record record;

	if (!pod_record_read(pod, &record))
		return false;
	/* Annotation alone: nothing of our names is ours then. */
	if (record.containers) {
		restore_parts(pod, &record);
		for (size_t i = 0; i < 2; i++) {
			struct node *list = node_get(pod->spec, lists[i]);

			for (struct node *n = node_is(list, NODE_ARRAY) ? list->first : NULL; n; n = n->next)
				restore_container(pod, &record, n);
		}
	} else if (record.resources) {
		for (struct node *n = node_get(pod->spec, "containers")->first; n; n = n->next)
			restore_container(pod, &record, n);
	}
	restore_annotations(pod, &record);
	return true;
}

void pod_uninject(struct pod *pod)
{
	if (pod_restore(pod))
		pod_end(pod, POD_RESTORED, "as it was before");
	else if (pod_annotation(pod, POD_STATUS))
		pod_end(pod, POD_NOT_OURS,
			"its annotation " POD_STATUS " is damaged; what it has cannot be told from its own");
	else
		pod_end(pod, POD_UNCHANGED, "it is not injected");
}
