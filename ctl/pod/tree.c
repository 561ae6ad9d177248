/* SPDX-License-Identifier: MIT */
/* The tree's memory, and looking at and changing its nodes. */
#include "config.h"

#include "ctl/pod/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct tree_chunk {
	struct tree_chunk *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) char data[];
};

#define CHUNK ((size_t)16384)

void tree_clear(struct tree *tree)
{
	struct tree_chunk *chunk = tree->chunks;

	while (chunk) {
		struct tree_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	tree->chunks = NULL;
}

void *tree_alloc(struct tree *tree, size_t size)
{
	struct tree_chunk *chunk = tree->chunks;
	size_t need = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	char *out;

	if (!chunk || chunk->size - chunk->used < need) {
		size_t room = need > CHUNK ? need : CHUNK;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk) {
			tree->error = -ENOMEM;
			return NULL;
		}
		*chunk = (struct tree_chunk){.next = tree->chunks, .size = room};
		tree->chunks = chunk;
	}
	out = chunk->data + chunk->used;
	chunk->used += need;
	memset(out, 0, need);
	return out;
}

const char *tree_vprintf(struct tree *tree, const char *format, va_list ap)
{
	_cleanup_free_ char *text = NULL;
	char *out;

	if (vasprintf(&text, format, ap) < 0) {
		text = NULL;
		tree->error = -ENOMEM;
		return NULL;
	}
	out = tree_alloc(tree, strlen(text) + 1);
	return out ? memcpy(out, text, strlen(text) + 1) : NULL;
}

const char *tree_printf(struct tree *tree, const char *format, ...)
{
	const char *out;
	va_list ap;

	va_start(ap, format);
	out = tree_vprintf(tree, format, ap);
	va_end(ap);
	return out;
}

/* ---- looking ---- */

bool node_is(const struct node *node, enum node_type type)
{
	return node && node->type == type;
}

struct node *node_get(const struct node *object, const char *key)
{
	for (struct node *n = node_is(object, NODE_OBJECT) ? object->first : NULL; n; n = n->next) {
		if (strcmp(n->key, key) == 0)
			return n;
	}
	return NULL;
}

struct node *node_find(const struct node *array, const char *key, const char *text)
{
	for (struct node *n = node_is(array, NODE_ARRAY) ? array->first : NULL; n; n = n->next) {
		const char *found = node_string(n, key);

		if (found && strcmp(found, text) == 0)
			return n;
	}
	return NULL;
}

const char *node_text(const struct node *node)
{
	return node_is(node, NODE_STRING) ? node->text : NULL;
}

const char *node_string(const struct node *object, const char *key)
{
	return node_text(node_get(object, key));
}

bool node_is_null(const struct node *node)
{
	return node_is(node, NODE_OTHER) && strcmp(node->raw, "null") == 0;
}

bool node_is_true(const struct node *node)
{
	return node_is(node, NODE_OTHER) && strcmp(node->raw, "true") == 0;
}

static bool same_key(const struct node *a, const struct node *b)
{
	return a->key && b->key ? strcmp(a->key, b->key) == 0 : a->key == b->key;
}

bool node_equal(const struct node *a, const struct node *b)
{
	const struct node *m = a->first;
	const struct node *n = b->first;

	if (a->type != b->type)
		return false;
	if (a->type == NODE_STRING)
		return strcmp(a->text, b->text) == 0;
	if (a->type == NODE_OTHER)
		return strcmp(a->raw, b->raw) == 0;
	for (; m && n; m = m->next, n = n->next) {
		if (!same_key(m, n) || !node_equal(m, n))
			return false;
	}
	return !m && !n;
}

/* ---- making ---- */

static struct node *make(struct tree *tree, enum node_type type)
{
	struct node *node = tree_alloc(tree, sizeof(*node));

	if (node)
		node->type = type;
	return node;
}

struct node *tree_object(struct tree *tree)
{
	return make(tree, NODE_OBJECT);
}

struct node *tree_array(struct tree *tree)
{
	return make(tree, NODE_ARRAY);
}

struct node *tree_other(struct tree *tree, const char *raw)
{
	struct node *node = make(tree, NODE_OTHER);

	if (node)
		node->raw = raw;
	return node;
}

/* As kubectl writes it (Go's encoding/json): only what must be escaped is. */
static const char *quote(struct tree *tree, const char *text)
{
	char *out = tree_alloc(tree, strlen(text) * 6 + 3);
	char *to = out;

	if (!out)
		return NULL;
	*to++ = '"';
	for (const char *p = text; *p; p++) {
		const char *pair = strchr("\"\\\nn\tt\rr", *p);

		if (*p == '"' || *p == '\\') {
			*to++ = '\\';
			*to++ = *p;
		} else if (*p == '\n' || *p == '\t' || *p == '\r') {
			*to++ = '\\';
			*to++ = pair[1];
		} else if ((unsigned char)*p < 0x20) {
			to += snprintf(to, 7, "\\u%04x", (unsigned)*p);
		} else {
			*to++ = *p;
		}
	}
	*to++ = '"';
	*to = '\0';
	return out;
}

struct node *tree_string(struct tree *tree, const char *text)
{
	struct node *node = text ? make(tree, NODE_STRING) : NULL;

	if (!node)
		return NULL;
	node->text = tree_printf(tree, "%s", text);
	node->raw = quote(tree, text);
	return node->text && node->raw ? node : NULL;
}

struct node *tree_copy(struct tree *tree, const struct node *node)
{
	struct node *copy = make(tree, node->type);

	if (!copy)
		return NULL;
	*copy = *node; /* the texts are never changed, so both may have them */
	copy->first = copy->last = copy->next = NULL;
	copy->close = NULL;
	for (const struct node *n = node->first; n; n = n->next)
		node_append(copy, tree_copy(tree, n));
	return copy;
}

/* ---- changing ---- */

void node_insert(struct node *array, struct node *after, struct node *value)
{
	if (!array || !value)
		return;
	value->before = value->colon = value->after = NULL;
	if (!array->first) {
		bool blank = array->close && *array->close;

		value->before = blank ? array->close : NULL;
		array->close = blank ? "" : NULL;
	} else if (!after) {
		value->before = array->first->before;
		array->first->before = NULL;
	}
	value->next = after ? after->next : array->first;
	if (after)
		after->next = value;
	else
		array->first = value;
	if (!value->next)
		array->last = value;
}

void node_append(struct node *array, struct node *value)
{
	if (array)
		node_insert(array, array->last, value);
}

void tree_add(struct tree *tree, struct node *object, const char *key, struct node *value)
{
	struct node *after = NULL;

	if (!object || !value)
		return;
	value->key = tree_printf(tree, "%s", key);
	value->key_raw = quote(tree, key);
	if (!value->key || !value->key_raw)
		return;
	for (struct node *n = object->first; n && n->next; n = n->next) {
		if (strcmp(n->key, n->next->key) > 0) {
			node_append(object, value);
			return;
		}
	}
	for (struct node *n = object->first; n && strcmp(n->key, key) < 0; n = n->next)
		after = n;
	node_insert(object, after, value);
}

void tree_add_string(struct tree *tree, struct node *object, const char *key, const char *text)
{
	tree_add(tree, object, key, tree_string(tree, text));
}

static struct node *before(const struct node *parent, const struct node *child)
{
	struct node *n = parent->first;

	while (n && n->next != child)
		n = n->next;
	return n;
}

void node_remove(struct node *parent, struct node *child)
{
	struct node *previous = parent->first == child ? NULL : before(parent, child);

	if (!previous && child->next)
		child->next->before = child->before;
	else if (!previous)
		parent->close = parent->close && *parent->close ? "" : child->before;
	if (previous)
		previous->next = child->next;
	else
		parent->first = child->next;
	if (parent->last == child)
		parent->last = previous;
	child->next = NULL;
}

void node_replace(struct node *parent, struct node *old, struct node *value)
{
	struct node *previous = parent->first == old ? NULL : before(parent, old);

	if (!value)
		return;
	value->key = old->key;
	value->key_raw = old->key_raw;
	value->before = old->before;
	value->colon = old->colon;
	value->after = old->after;
	value->next = old->next;
	if (previous)
		previous->next = value;
	else
		parent->first = value;
	if (parent->last == old)
		parent->last = value;
	old->next = NULL;
}
