/* SPDX-License-Identifier: MIT */
/* What was done to a pod, kept in an annotation of it, so that it can be undone to the byte. */
#include "config.h"

#include <string.h>

#include "ctl/pod/pod.h"

void pod_record_new(struct tree *tree, struct pod_record *record)
{
	*record = (struct pod_record){.made = tree_array(tree),
		.null = tree_array(tree),
		.was = tree_object(tree),
		.containers = tree_array(tree),
		.annotations = tree_array(tree),
		.resources = tree_array(tree),
		.requests = tree_array(tree)};
}

struct node *pod_room(struct tree *tree, struct pod_record *record, struct node *parent, const char *key,
	enum node_type type, const char *place)
{
	struct node *there = node_get(parent, key);
	struct node *room;

	if (there && !node_is_null(there))
		return there;
	room = type == NODE_ARRAY ? tree_array(tree) : tree_object(tree);
	if (!room || !parent)
		return NULL;
	node_append(there ? record->null : record->made, tree_string(tree, place));
	if (there)
		node_replace(parent, there, room);
	else
		tree_add(tree, parent, key, room);
	return room;
}

/* Lists that are empty are left out. */
static void put(struct tree *tree, struct node *record, const char *key, struct node *value)
{
	if (value && value->first)
		tree_add(tree, record, key, value);
}

void pod_record_write(struct pod *pod, struct pod_record *record)
{
	struct tree *tree = pod->tree;
	struct node *metadata = pod_room(tree, record, pod->template, "metadata", NODE_OBJECT, "metadata");
	struct node *annotations = pod_room(tree, record, metadata, "annotations", NODE_OBJECT, "annotations");
	struct node *status = tree_object(tree);

	put(tree, status, "annotations", record->annotations);
	put(tree, status, "containers", record->containers);
	put(tree, status, "made", record->made);
	put(tree, status, "null", record->null);
	put(tree, status, "requests", record->requests);
	put(tree, status, "resources", record->resources);
	put(tree, status, "was", record->was);
	if (tree->error || !status)
		return;
	tree_add_string(tree, annotations, POD_STATUS, tree_line(tree, status));
	tree_add_string(tree, annotations, POD_VERSION, PACKAGE_VERSION);
}

static bool is_strings(const struct node *node, enum node_type type)
{
	if (node && node->type != type)
		return false;
	for (const struct node *n = node ? node->first : NULL; n; n = n->next) {
		if (!node_text(n))
			return false;
	}
	return true;
}

bool pod_record_read(struct pod *pod, struct pod_record *record)
{
	const char *text = pod_annotation(pod, POD_STATUS);
	struct tree_style style;
	struct json_fault fault;
	struct node *status;
	size_t at = 0;

	if (!text || tree_parse(pod->tree, text, strlen(text), &at, &status, &style, &fault) < 0 ||
		strspn(text + at, " \n") != strlen(text + at) || !node_is(status, NODE_OBJECT))
		return false;
	*record = (struct pod_record){.made = node_get(status, "made"),
		.null = node_get(status, "null"),
		.was = node_get(status, "was"),
		.containers = node_get(status, "containers"),
		.annotations = node_get(status, "annotations"),
		.resources = node_get(status, "resources"),
		.requests = node_get(status, "requests")};
	return is_strings(record->made, NODE_ARRAY) && is_strings(record->null, NODE_ARRAY) &&
		is_strings(record->was, NODE_OBJECT) && is_strings(record->containers, NODE_ARRAY) &&
		is_strings(record->annotations, NODE_ARRAY) && is_strings(record->resources, NODE_ARRAY) &&
		is_strings(record->requests, NODE_ARRAY);
}
