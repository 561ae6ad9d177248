/* SPDX-License-Identifier: MIT */
/* Messages about a policy text, with line, column and a quotation that is safe on a terminal. */
#include "config.h"

#include "policy/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"

/* Characters of the text that a message quotes. */
#define QUOTED 48u

void policy_report_init(
	struct policy_report *report, const char *name, const char *text, size_t len, struct policy_errors *errors)
{
	*report = (struct policy_report){.errors = errors, .name = name, .text = text, .len = len, .line = 1};
}

uint32_t policy_report_line(struct policy_report *report, size_t position)
{
	const char *newline;

	if (position < report->at) {
		report->at = report->line_start = 0;
		report->line = 1;
	}
	while (report->at < position && (newline = memchr(report->text + report->at, '\n', position - report->at))) {
		report->at = report->line_start = (size_t)(newline - report->text) + 1;
		report->line++;
	}
	report->at = position;
	return report->line;
}

static uint32_t column_of(const struct policy_report *report, size_t position)
{
	uint32_t column = 1;

	for (size_t i = report->line_start; i < position; i++)
		column += (report->text[i] & 0xc0) != 0x80;
	return column;
}

/* Copies what can be shown: control characters and what is not ASCII as \xNN, the end of long texts as "...". */
static void quote(const struct policy_report *report, struct json_token where, char out[static 4 * QUOTED + 4])
{
	const char *from = report->text + where.position;
	size_t length = where.length, used = 0;

	if (length >= 2 && from[0] == '"' && from[length - 1] == '"') {
		from++;
		length -= 2;
	}
	for (size_t i = 0; i < length && i < QUOTED; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c >= 0x20 && c < 0x7f)
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(out + used, 5, "\\x%02x", c);
	}
	memcpy(out + used, "...", length > QUOTED ? 4 : 0);
	out[length > QUOTED ? used + 3 : used] = '\0';
}

bool policy_errors_add(struct policy_errors *errors, const struct policy_error *error, const char *text)
{
	struct policy_error *items;

	if (errors->count == POLICY_ERRORS_KEPT) {
		errors->more++;
		return true;
	}
	items = realloc(errors->items, (errors->count + 1) * sizeof(*items));
	if (!items)
		return false;
	errors->items = items;
	items[errors->count] = *error;
	items[errors->count].text = strdup(text);
	if (!items[errors->count].text)
		return false;
	errors->count++;
	return true;
}

void policy_report_add(struct policy_report *report, struct json_token where, const char *what, const char *format, ...)
{
	_cleanup_free_ char *why = NULL, *text = NULL;
	char quoted[4 * QUOTED + 4];
	struct policy_error error = {.position = where.position};
	va_list arguments;
	int r;

	if (report->errors->count == POLICY_ERRORS_KEPT) {
		report->errors->more++;
		return;
	}
	error.line = policy_report_line(report, where.position);
	error.column = column_of(report, where.position);
	quote(report, where, quoted);
	va_start(arguments, format);
	r = vasprintf(&why, format, arguments);
	va_end(arguments);
	if (r < 0)
		why = NULL;
	if (!why ||
		asprintf(&text, "%s:%u:%u: %s '%s': %s", report->name, error.line, error.column, what, quoted, why) < 0)
		text = NULL;
	if (!text || !policy_errors_add(report->errors, &error, text))
		report->no_memory = true;
}

static int compare_errors(const void *a, const void *b)
{
	const struct policy_error *x = a, *y = b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return strcmp(x->text, y->text);
}

void policy_errors_sort(struct policy_errors *errors)
{
	if (errors->count > 1)
		qsort(errors->items, errors->count, sizeof(*errors->items), compare_errors);
}

void policy_errors_clear(struct policy_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++)
		free(errors->items[i].text);
	free(errors->items);
	*errors = (struct policy_errors){0};
}
