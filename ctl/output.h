/* SPDX-License-Identifier: MIT */
/* One writer behind text and JSON: a command walks its data once and names each field for both. */
#ifndef SMCSHIM_CTL_OUTPUT_H
#define SMCSHIM_CTL_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/util.h"

/*
 * JSON: one object on one line; numbers are exact, bytes that are no UTF-8 become U+FFFD.
 * Text: an object's fields are lines "TITLE VALUE"; a list of objects is a table with the titles as its header, so
 * all its rows give the same titles in the same order.
 * Of each field, key is NULL for text only and title is NULL for JSON only.
 * Errors (memory) stick and are returned by out_end(); write errors stay in the stream.
 */
struct out;

_must_check_ int out_begin(FILE *stream, bool json, struct out **out);

/* Ends the document and frees out. Returns 0 or -ENOMEM. */
_must_check_ int out_end(struct out *out);

/* An object inside the document; ends with out_close(). Its title heads a paragraph of the text. */
void out_object(struct out *out, const char *key, const char *title);

/* A list; its elements are objects with key NULL, or out_string() with key NULL. Ends with out_close(). */
void out_list(struct out *out, const char *key, const char *title);

void out_close(struct out *out);

void out_string(struct out *out, const char *key, const char *title, const char *value);
void out_uint(struct out *out, const char *key, const char *title, uint64_t value);
/* With that many digits behind the point. What is no finite number is out_null(). */
void out_decimal(struct out *out, const char *key, const char *title, double value, int digits);
void out_bool(struct out *out, const char *key, const char *title, bool value);

/* JSON null; text "-". */
void out_null(struct out *out, const char *key, const char *title);

/* out_string(), or out_null() when value is NULL or empty. */
void out_optional(struct out *out, const char *key, const char *title, const char *value);

/* For what costs much to gather and stands in one of the formats only. */
bool out_is_json(const struct out *out);

/* Text only: in a table a line below the row; elsewhere a line. */
__attribute__((format(printf, 2, 3))) void out_note(struct out *out, const char *format, ...);

#endif
