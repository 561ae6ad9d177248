/* SPDX-License-Identifier: MIT */
/* One writer behind text and JSON: tracks where in the document we are and calls the writer of the format. */
#include "config.h"

#include "ctl/output.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/output-format.h"

int out_begin(FILE *stream, bool json, struct out **out)
{
	struct out *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->stream = stream;
	o->json = json;
	if (json)
		fputc('{', stream);
	*out = o;
	return 0;
}

int out_end(struct out *out)
{
	int error = out->error;

	assert(out->depth == 0);
	if (out->json)
		fputs("}\n", out->stream);
	out_table_free(out);
	free(out);
	return error;
}

bool out_is_json(const struct out *out)
{
	return out->json;
}

static void enter(struct out *out, enum out_kind kind, const char *key, const char *title)
{
	assert(out->depth + 1 < OUT_MAX_DEPTH);
	if (out->json)
		out_json_enter(out, kind, key);
	else
		out_text_enter(out, kind, title);
	out->level[++out->depth] = (struct out_level){.kind = kind};
}

void out_object(struct out *out, const char *key, const char *title)
{
	enter(out, OUT_OBJECT, key, title);
}

void out_list(struct out *out, const char *key, const char *title)
{
	enter(out, OUT_LIST, key, title);
}

void out_close(struct out *out)
{
	enum out_kind kind = out->level[out->depth].kind;

	assert(out->depth > 0);
	if (out->json)
		fputc(kind == OUT_LIST ? ']' : '}', out->stream);
	else
		out_text_leave(out, kind);
	out->depth--;
}

void out_string(struct out *out, const char *key, const char *title, const char *value)
{
	if (out->json)
		out_json_string(out, key, value);
	else
		out_text_value(out, title, value, false);
}

void out_uint(struct out *out, const char *key, const char *title, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	if (out->json)
		out_json_raw(out, key, text);
	else
		out_text_value(out, title, text, true);
}

void out_decimal(struct out *out, const char *key, const char *title, double value, int digits)
{
	char text[340];

	if (!isfinite(value)) {
		out_null(out, key, title);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.*f", digits, value);
	if (out->json)
		out_json_raw(out, key, text);
	else
		out_text_value(out, title, text, true);
}

void out_bool(struct out *out, const char *key, const char *title, bool value)
{
	if (out->json)
		out_json_raw(out, key, value ? "true" : "false");
	else
		out_text_value(out, title, value ? "yes" : "no", false);
}

void out_null(struct out *out, const char *key, const char *title)
{
	if (out->json)
		out_json_raw(out, key, "null");
	else
		out_text_value(out, title, "-", false);
}

void out_optional(struct out *out, const char *key, const char *title, const char *value)
{
	if (value && *value)
		out_string(out, key, title, value);
	else
		out_null(out, key, title);
}

void out_note(struct out *out, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int r;

	if (out->json)
		return;
	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0) {
		text = NULL;
		out->error = -ENOMEM;
		return;
	}
	out_text_note(out, text);
}
