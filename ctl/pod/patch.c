/* SPDX-License-Identifier: MIT */
/* The difference of two values as a JSON patch: what one has and the other has not, nothing of how it came about. */
#include "config.h"

#include <string.h>

#include "ctl/pod/pod.h"

struct diff {
	struct tree *tree;
	struct node *operations;
};

/* RFC 6901: ~ and / in a name are ~0 and ~1. */
static const char *below(struct tree *tree, const char *path, const char *key)
{
	char *out = path ? tree_alloc(tree, strlen(path) + 2 * strlen(key) + 2) : NULL;
	char *to;

	if (!out)
		return NULL;
	to = mempcpy(out, path, strlen(path));
	*to++ = '/';
	for (; *key; key++) {
		if (*key == '~' || *key == '/')
			*to++ = '~';
		*to++ = *key == '~' ? '0' : *key == '/' ? '1' : *key;
	}
	*to = '\0';
	return out;
}

static const char *element(struct tree *tree, const char *path, size_t index)
{
	return path ? tree_printf(tree, "%s/%zu", path, index) : NULL;
}

static void put(struct diff *diff, const char *what, const char *path, const struct node *value)
{
	struct node *operation = tree_object(diff->tree);

	if (!path)
		return;
	tree_add_string(diff->tree, operation, "op", what);
	tree_add_string(diff->tree, operation, "path", path);
	if (value)
		tree_add(diff->tree, operation, "value", tree_copy(diff->tree, value));
	node_append(diff->operations, operation);
}

static void compare(struct diff *diff, const char *path, const struct node *a, const struct node *b);

static void compare_objects(struct diff *diff, const char *path, const struct node *a, const struct node *b)
{
	for (const struct node *n = a->first; n; n = n->next) {
		const char *at = below(diff->tree, path, n->key);
		const struct node *other = node_get(b, n->key);

		if (other)
			compare(diff, at, n, other);
		else
			put(diff, "remove", at, NULL);
	}
	for (const struct node *n = b->first; n; n = n->next) {
		if (!node_get(a, n->key))
			put(diff, "add", below(diff->tree, path, n->key), n);
	}
}

static size_t length_of(const struct node *array)
{
	size_t length = 0;

	for (const struct node *n = array->first; n; n = n->next)
		length++;
	return length;
}

static bool same_name(const struct node *a, const struct node *b)
{
	const char *m = node_string(a, "name");
	const char *n = node_string(b, "name");

	return node_equal(a, b) || (m && n && strcmp(m, n) == 0);
}

static const struct node *skip(const struct node *n, size_t count)
{
	while (count--)
		n = n->next;
	return n;
}

/* How many of the first elements, and then of the last, are pairs of one name: what is new stands before or behind. */
static size_t pairs(const struct node *a, const struct node *b, size_t most)
{
	size_t count = 0;

	for (; count < most && same_name(a, b); count++) {
		a = a->next;
		b = b->next;
	}
	return count;
}

static void compare_arrays(struct diff *diff, const char *path, const struct node *a, const struct node *b)
{
	size_t m = length_of(a);
	size_t n = length_of(b);
	size_t least = m < n ? m : n;
	size_t front = pairs(a->first, b->first, least);
	size_t back = least - front;
	const struct node *left = a->first;
	const struct node *right;

	while (back && pairs(skip(a->first, m - back), skip(b->first, n - back), back) != back)
		back--;
	for (size_t i = front + back; i < m; i++)
		put(diff, "remove", element(diff->tree, path, front), NULL);
	right = skip(b->first, front);
	for (size_t i = front; i < n - back; i++, right = right->next)
		put(diff, "add", element(diff->tree, path, i), right);
	right = b->first;
	for (size_t i = 0; i < front; i++, left = left->next, right = right->next)
		compare(diff, element(diff->tree, path, i), left, right);
	left = skip(a->first, m - back);
	right = skip(b->first, n - back);
	for (size_t i = n - back; i < n; i++, left = left->next, right = right->next)
		compare(diff, element(diff->tree, path, i), left, right);
}

static void compare(struct diff *diff, const char *path, const struct node *a, const struct node *b)
{
	if (a->type == NODE_OBJECT && b->type == NODE_OBJECT) {
		compare_objects(diff, path, a, b);
		return;
	}
	if (a->type == NODE_ARRAY && b->type == NODE_ARRAY) {
		compare_arrays(diff, path, a, b);
		return;
	}
	if (a->type != b->type ||
		strcmp(a->type == NODE_STRING ? a->text : a->raw, b->type == NODE_STRING ? b->text : b->raw) != 0)
		put(diff, "replace", path, b);
}

struct node *pod_patch(struct tree *tree, const struct node *a, const struct node *b)
{
	struct diff diff = {.tree = tree, .operations = tree_array(tree)};

	compare(&diff, "", a, b);
	return diff.operations;
}
