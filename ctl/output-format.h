/* SPDX-License-Identifier: MIT */
/* Between output.c and the two formats; nobody else includes it. */
#ifndef SMCSHIM_CTL_OUTPUT_FORMAT_H
#define SMCSHIM_CTL_OUTPUT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define OUT_MAX_DEPTH 8u
#define OUT_MAX_COLUMNS 24u

struct out;

enum out_kind {
	OUT_OBJECT = 0,
	OUT_LIST = 1,
};

struct out_level {
	enum out_kind kind;
	bool filled; /* a member stands here already */
};

struct out_row {
	char *cell[OUT_MAX_COLUMNS];
	char *notes; /* lines below the row, each with its newline */
};

/* The table that is being gathered: widths are known at its end. */
struct out_table {
	char *title[OUT_MAX_COLUMNS];
	bool right[OUT_MAX_COLUMNS];
	size_t columns;
	struct out_row *rows;
	size_t count;
	size_t next_column;
};

struct out {
	FILE *stream;
	bool json;
	int error;
	size_t depth;
	struct out_level level[OUT_MAX_DEPTH];
	struct out_table table;
};

void out_json_enter(struct out *out, enum out_kind kind, const char *key);
void out_json_string(struct out *out, const char *key, const char *value);
void out_json_raw(struct out *out, const char *key, const char *value);

void out_text_enter(struct out *out, enum out_kind kind, const char *title);
void out_text_leave(struct out *out, enum out_kind kind);
void out_text_value(struct out *out, const char *title, const char *value, bool number);
void out_text_note(struct out *out, const char *text);
void out_table_free(struct out *out);

#endif
