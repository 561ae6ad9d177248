/* SPDX-License-Identifier: MIT */
/* The text writer: lines for objects, aligned tables for lists of objects. */
#include "config.h"

#include "ctl/output-format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/util.h"

#define TITLE_WIDTH 12

static bool in_row(const struct out *out)
{
	return out->depth >= 2 && out->level[out->depth].kind == OUT_OBJECT &&
		out->level[out->depth - 1].kind == OUT_LIST;
}

static bool in_list_of_values(const struct out *out)
{
	return out->level[out->depth].kind == OUT_LIST;
}

static void begin_row(struct out *out)
{
	struct out_table *table = &out->table;
	struct out_row *rows;

	table->next_column = 0;
	rows = realloc(table->rows, (table->count + 1) * sizeof(*rows));
	if (!rows) {
		out->error = -ENOMEM;
		return;
	}
	table->rows = rows;
	table->rows[table->count++] = (struct out_row){.notes = NULL};
}

static bool is_plain(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return !*text;
}

/* text with its dangerous bytes escaped, as text_put() prints it. */
static char *safe_copy(const char *text)
{
	char *copy = NULL;
	size_t size;
	FILE *stream;

	if (is_plain(
		    text)) /* of ten thousands of cells nearly all are, and a stream for each costs more than half of the command */
		return strdup(text);
	stream = open_memstream(&copy, &size);
	if (!stream)
		return NULL;
	text_put(stream, text);
	if (fclose(stream) != 0) {
		free(copy);
		return NULL;
	}
	return copy;
}

static void add_cell(struct out *out, const char *title, const char *value, bool number)
{
	struct out_table *table = &out->table;
	size_t column = table->next_column++;

	if (out->error || column >= OUT_MAX_COLUMNS)
		return;
	if (column >= table->columns) {
		table->title[column] = strdup(title);
		table->columns = column + 1;
		table->right[column] = number;
	}
	table->rows[table->count - 1].cell[column] = safe_copy(value);
	if (!table->title[column] || !table->rows[table->count - 1].cell[column])
		out->error = -ENOMEM;
}

/* Characters, not bytes; wide characters are not worth a table of their widths here. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; text && *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void put_cell(FILE *stream, const char *text, size_t width, bool right, bool last)
{
	size_t missing = width - width_of(text);

	if (right)
		fprintf(stream, "%*s", (int)missing, "");
	fputs(text ? text : "", stream);
	if (!right && !last)
		fprintf(stream, "%*s", (int)missing, "");
	if (!last)
		fputs("  ", stream);
}

static void put_table(struct out *out)
{
	const struct out_table *table = &out->table;
	size_t width[OUT_MAX_COLUMNS] = {0};

	for (size_t c = 0; c < table->columns; c++) {
		width[c] = width_of(table->title[c]);
		for (size_t r = 0; r < table->count; r++) {
			size_t w = width_of(table->rows[r].cell[c]);

			width[c] = w > width[c] ? w : width[c];
		}
	}
	for (size_t c = 0; c < table->columns; c++)
		put_cell(out->stream, table->title[c], width[c], table->right[c], c + 1 == table->columns);
	if (table->columns)
		fputc('\n', out->stream);
	for (size_t r = 0; r < table->count; r++) {
		for (size_t c = 0; c < table->columns; c++)
			put_cell(out->stream, table->rows[r].cell[c], width[c], table->right[c],
				c + 1 == table->columns);
		fputc('\n', out->stream);
		if (table->rows[r].notes)
			fputs(table->rows[r].notes, out->stream);
	}
}

void out_table_free(struct out *out)
{
	struct out_table *table = &out->table;

	for (size_t r = 0; r < table->count; r++) {
		for (size_t c = 0; c < OUT_MAX_COLUMNS; c++)
			free(table->rows[r].cell[c]);
		free(table->rows[r].notes);
	}
	for (size_t c = 0; c < OUT_MAX_COLUMNS; c++)
		free(table->title[c]);
	free(table->rows);
	*table = (struct out_table){.rows = NULL};
}

void out_text_enter(struct out *out, enum out_kind kind, const char *title)
{
	if (kind == OUT_OBJECT && in_list_of_values(out))
		begin_row(out);
	else if (title && kind == OUT_LIST)
		fprintf(out->stream, "%-*s", TITLE_WIDTH, title);
	else if (title)
		fprintf(out->stream, "%s:\n", title);
}

void out_text_leave(struct out *out, enum out_kind kind)
{
	if (kind != OUT_LIST)
		return;
	if (out->table.count && !out->error)
		put_table(out);
	else if (out->level[out->depth].filled)
		fputc('\n', out->stream);
	out_table_free(out);
}

void out_text_value(struct out *out, const char *title, const char *value, bool number)
{
	if (in_list_of_values(out)) {
		struct out_level *level = &out->level[out->depth];

		fputs(level->filled ? ", " : " ", out->stream);
		level->filled = true;
		text_put(out->stream, value);
		return;
	}
	if (!title)
		return;
	if (in_row(out)) {
		add_cell(out, title, value, number);
		return;
	}
	fprintf(out->stream, "%-*s ", TITLE_WIDTH, title);
	text_put(out->stream, value);
	fputc('\n', out->stream);
}

void out_text_note(struct out *out, const char *text)
{
	_cleanup_free_ char *safe = safe_copy(text);
	struct out_row *row;
	char *longer;

	if (!safe) {
		out->error = -ENOMEM;
		return;
	}
	if (!in_row(out)) {
		fprintf(out->stream, "%s\n", safe);
		return;
	}
	if (out->error)
		return;
	row = &out->table.rows[out->table.count - 1];
	if (asprintf(&longer, "%s    %s\n", row->notes ? row->notes : "", safe) < 0) {
		out->error = -ENOMEM;
		return;
	}
	free(row->notes);
	row->notes = longer;
}
