/* SPDX-License-Identifier: MIT */
/* The places of JSON values: steps over tokens of text whose grammar has been checked. */
#include "config.h"

#include "policy/json.h"

#include <string.h>

static bool is_between(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ':';
}

static size_t end_of_string(const char *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at + 1;
}

static size_t end_of_container(const char *text, size_t len, size_t at)
{
	size_t depth = 0;

	while (at < len) {
		char c = text[at];

		if (c == '"') {
			at = end_of_string(text, len, at);
			continue;
		}
		at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	return at;
}

static size_t end_of_word(const char *text, size_t len, size_t at)
{
	while (at < len && !is_between(text[at]) && text[at] != ']' && text[at] != '}')
		at++;
	return at;
}

struct json_token json_next(struct json_cursor *cursor)
{
	struct json_token token;
	size_t end;
	char c;

	while (cursor->at < cursor->len && is_between(cursor->text[cursor->at]))
		cursor->at++;
	c = cursor->at < cursor->len ? cursor->text[cursor->at] : '\0';
	if (c == '"')
		end = end_of_string(cursor->text, cursor->len, cursor->at);
	else if (c == '{' || c == '[')
		end = end_of_container(cursor->text, cursor->len, cursor->at);
	else
		end = end_of_word(cursor->text, cursor->len, cursor->at);
	if (end > cursor->len)
		end = cursor->len;
	token = (struct json_token){cursor->at, end - cursor->at};
	cursor->at = end;
	return token;
}

struct json_token json_root(const char *text, size_t len)
{
	struct json_cursor cursor = {text, len, 0};

	return json_next(&cursor);
}

struct json_cursor json_children(const char *text, size_t len, struct json_token token)
{
	return (struct json_cursor){text, len, token.position + 1};
}
