/* SPDX-License-Identifier: MIT */
/*
 * JSON as a tree that gives back what it was made of: every scalar keeps the text it had (1.0 stays 1.0, \u003c stays
 * \u003c), every object its order, and what was read the blanks around it. cJSON keeps none of them.
 */
#ifndef SMCSHIM_CTL_POD_TREE_H
#define SMCSHIM_CTL_POD_TREE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "ctl/util.h"
#include "policy/json.h"

enum node_type { NODE_OBJECT, NODE_ARRAY, NODE_STRING, NODE_OTHER /* a number, true, false, null */ };

struct node {
	enum node_type type;
	const char *key;     /* in an object: decoded */
	const char *key_raw; /* the same as it stands in the text, with its quotes */
	size_t key_at;       /* where that is */
	const char *raw;     /* of a scalar: as it stands in the text */
	const char *text;    /* of a string: decoded */
	/* The blanks around it, as they were read; NULL: it is laid out like its neighbours. */
	const char *before;
	const char *colon; /* between key and value, with the colon */
	const char *after; /* where a comma follows */
	const char *close; /* of a container: before its last bracket */
	struct node *first;
	struct node *last;
	struct node *next;
};

/* How a text is laid out. */
struct tree_style {
	bool as_read; /* the nodes that were read have their own blanks, and the rest is for the others */
	bool lines;
	bool carriage_return; /* at the end of a line, as in files of Windows */
	char indent[17];
	bool blank_after_colon;
	bool blank_after_comma;
};

/*
 * Owns all nodes made in it. Want of memory sticks in error: functions that make something return NULL then, and
 * those that are given NULL to add do nothing; who needs the result looks at error before using it.
 */
struct tree {
	struct tree_chunk *chunks;
	int error; /* 0 or -ENOMEM */
};

void tree_clear(struct tree *tree);
#define _cleanup_tree_ _cleanup_(tree_clear)

/* Memory that lives as long as the tree; NULL without. */
void *tree_alloc(struct tree *tree, size_t size);
__attribute__((format(printf, 2, 3))) const char *tree_printf(struct tree *tree, const char *format, ...);
__attribute__((format(printf, 2, 0))) const char *tree_vprintf(struct tree *tree, const char *format, va_list ap);

/*
 * The value at *at of text, whose bytes have been checked; *at is then behind it. An object with two members of one
 * name is a fault. Returns 0, -EBADMSG with *fault filled, or -ENOMEM.
 */
_must_check_ int tree_parse(struct tree *tree, const char *text, size_t len, size_t *at, struct node **out,
	struct tree_style *style, struct json_fault *fault);

/* Prints the value, without a newline at its end. */
void tree_print(FILE *stream, const struct node *node, const struct tree_style *style);

/* The value as one line in the tree's memory; NULL without memory. */
const char *tree_line(struct tree *tree, const struct node *node);

/* ---- looking: all take NULL and other types for "nothing there" ---- */

struct node *node_get(const struct node *object, const char *key);
struct node *node_find(const struct node *array, const char *key, const char *text); /* the element whose key is text */
const char *node_text(const struct node *node);                                      /* NULL: no string */
const char *node_string(const struct node *object, const char *key);                 /* NULL: no such string */
bool node_is(const struct node *node, enum node_type type);
bool node_is_null(const struct node *node);
bool node_is_true(const struct node *node);

/* Whether two values have the same text but for blanks and the escapes of strings; members in the same order. */
bool node_equal(const struct node *a, const struct node *b);

/* ---- making and changing ---- */

struct node *tree_object(struct tree *tree);
struct node *tree_array(struct tree *tree);
struct node *tree_string(struct tree *tree, const char *text);
struct node *tree_other(struct tree *tree, const char *raw);
struct node *tree_copy(struct tree *tree, const struct node *node);

/* Adds a member: at its place where the object is sorted by name, as what kubectl prints is; else at the end. */
void tree_add(struct tree *tree, struct node *object, const char *key, struct node *value);
void tree_add_string(struct tree *tree, struct node *object, const char *key, const char *text);

/*
 * These move blanks so that removing what was inserted, even after printing and parsing, gives back the text that was there:
 * what is first in a container has the blanks of what was first before, and what is alone those of the empty container.
 */
void node_append(struct node *array, struct node *value);

/* Puts value behind after, or at the front where after is NULL. */
void node_insert(struct node *array, struct node *after, struct node *value);
void node_remove(struct node *parent, struct node *child);

/* Puts the new value where the old one is, under its key and between its blanks. */
void node_replace(struct node *parent, struct node *old, struct node *value);

#endif
