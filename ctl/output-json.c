/* SPDX-License-Identifier: MIT */
/* The JSON writer. */
#include "config.h"

#include "ctl/output-format.h"

#include <string.h>

#include "ctl/util.h"

static void put_string(FILE *stream, const char *text)
{
	fputc('"', stream);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the public functions take no NULL */
	while (*text) {
		unsigned char c = (unsigned char)*text;
		size_t n = text_utf8(text);

		if (n == 0) {
			fputs("\\ufffd", stream);
			n = 1;
		} else if (c == '"' || c == '\\') {
			fprintf(stream, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			fprintf(stream, "\\u%04x", c);
		} else {
			fwrite(text, 1, n, stream);
		}
		text += n;
	}
	fputc('"', stream);
}

/* The comma and the key before a member. Returns false for a field that JSON does not have. */
static bool put_key(struct out *out, const char *key)
{
	struct out_level *level = &out->level[out->depth];

	if (!key && level->kind == OUT_OBJECT)
		return false;
	if (level->filled)
		fputc(',', out->stream);
	level->filled = true;
	if (level->kind == OUT_OBJECT) {
		put_string(out->stream, key);
		fputc(':', out->stream);
	}
	return true;
}

void out_json_enter(struct out *out, enum out_kind kind, const char *key)
{
	(void)put_key(out, key);
	fputc(kind == OUT_LIST ? '[' : '{', out->stream);
}

void out_json_string(struct out *out, const char *key, const char *value)
{
	if (put_key(out, key))
		put_string(out->stream, value);
}

void out_json_raw(struct out *out, const char *key, const char *value)
{
	if (put_key(out, key))
		fputs(value, out->stream);
}
