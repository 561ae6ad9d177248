/* SPDX-License-Identifier: MIT */
/* JSON text beside cJSON's tree: what cJSON lets pass is refused, and each value gets its place in the text. */
#ifndef SMCSHIM_POLICY_JSON_H
#define SMCSHIM_POLICY_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* A policy nests four deep. */
#define JSON_DEPTH_MAX 16u
/* cJSON silently cuts a number after 63 characters. */
#define JSON_NUMBER_MAX 32u

/* A piece of the text: a value or a key, a string with its quotes. */
struct json_token {
	size_t position;
	size_t length;
};

struct json_fault {
	struct json_token where;
	const char *what; /* static texts: WHAT 'TEXT': WHY; FIX */
	const char *why;
};

/*
 * True if text is one value as RFC 8259 wants it: UTF-8 without NUL, no comment, nothing behind the value, not
 * deeper than JSON_DEPTH_MAX. Otherwise *fault says where it stops being that.
 */
bool json_check(const char *text, size_t len, struct json_fault *fault);

/* What json_check() is to a policy file, for other texts: their limits, and the words that name them. */
struct json_rules {
	unsigned depth;
	size_t number; /* the longest number */
	const char *too_deep;
	const char *comment;
};

/* True if all of text is UTF-8 without NUL and byte order mark. */
bool json_check_bytes(const char *text, size_t len, struct json_fault *fault);

/*
 * True if at *at, behind blanks, stands one value as RFC 8259 wants it; *at is then behind it. The bytes have been
 * checked before. Otherwise *fault says where it stops being that.
 */
bool json_check_value(
	const char *text, size_t len, size_t *at, const struct json_rules *rules, struct json_fault *fault);

/* Walks the children of a value in text that json_check() accepted, in the order of cJSON's tree. */
struct json_cursor {
	const char *text;
	size_t len;
	size_t at;
};

/* The value that the whole text is. */
struct json_token json_root(const char *text, size_t len);

/* A cursor before the first child of the object or array at token. */
struct json_cursor json_children(const char *text, size_t len, struct json_token token);

/* The next token: an array's items one by one; an object's keys and values by turns. There must be one. */
struct json_token json_next(struct json_cursor *cursor);

#endif
