/* SPDX-License-Identifier: MIT */
/* The grammar of JSON to the letter: what cJSON accepts beyond it (control characters, 01, a BOM, a tail) is refused. */
#include "config.h"

#include "policy/json.h"

#include <string.h>

struct check {
	const char *text;
	size_t len;
	size_t at;
	unsigned depth;
	const struct json_rules *rules;
	struct json_fault *fault;
};

static const struct json_rules policy_rules = {JSON_DEPTH_MAX, JSON_NUMBER_MAX,
	"nests deeper than 16 levels; no file of ours needs so many",
	"JSON has no comments; remove it or use the key \"note\""};

static bool fail(struct check *check, size_t position, size_t length, const char *what, const char *why)
{
	if (position + length > check->len)
		length = check->len - position;
	*check->fault = (struct json_fault){{position, length}, what, why};
	return false;
}

static char peek(const struct check *check)
{
	return check->at < check->len ? check->text[check->at] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || strchr("_+-.", c);
}

/* The piece of text that a message about the current place shows: a word, or one character. */
static size_t word_length(const struct check *check)
{
	size_t end = check->at;

	while (end < check->len && check->text[end] && is_word(check->text[end]))
		end++;
	if (end == check->at && end < check->len)
		for (end++; end < check->len && (check->text[end] & 0xc0) == 0x80; end++)
			;
	return end - check->at;
}

static bool fail_here(struct check *check, const char *what, const char *why)
{
	if (check->at >= check->len)
		return fail(check, check->len, 0, "end of file",
			"the text ends too early; close what is open and write what is missing");
	if (peek(check) == '/' || peek(check) == '#')
		return fail(check, check->at, word_length(check), "comment", check->rules->comment);
	return fail(check, check->at, word_length(check), what, why);
}

static void skip_space(struct check *check)
{
	while (check->at < check->len && strchr(" \t\n\r", peek(check)) && peek(check))
		check->at++;
}

/* The length of the UTF-8 sequence at s, 0 if it is none: no overlong form, no surrogate, at most U+10FFFF. */
static size_t utf8_length(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t need;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	need = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (len < need || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return need;
}

static bool check_bytes(struct check *check)
{
	for (size_t at = 0; at < check->len;) {
		size_t length = utf8_length((const unsigned char *)check->text + at, check->len - at);

		if (!length)
			return fail(check, at, 1, "byte", "is not UTF-8; save the file as UTF-8");
		if (!check->text[at])
			return fail(check, at, 1, "byte", "a NUL byte has no place in a text; remove it");
		at += length;
	}
	if (check->len >= 3 && !memcmp(check->text, "\xef\xbb\xbf", 3))
		return fail(check, 0, 3, "byte order mark", "JSON begins without one; save the file without it");
	return true;
}

/* The four digits behind \u as a number, -1 if they are not there. */
static long hex4(const struct check *check, size_t at)
{
	long value = 0;

	for (size_t i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdefABCDEF", *digit;

		if (at + i >= check->len || !(digit = strchr(digits, check->text[at + i])) || !*digit)
			return -1;
		value = value * 16 + (digit - digits) - (digit - digits > 15 ? 6 : 0);
	}
	return value;
}

/* The length of the escape at the current place, 0 after a fault. */
static size_t escape_length(struct check *check)
{
	long unit, low;

	if (check->at + 1 < check->len && check->text[check->at + 1] &&
		strchr("\"\\/bfnrt", check->text[check->at + 1]))
		return 2;
	if (check->at + 1 >= check->len || check->text[check->at + 1] != 'u' || (unit = hex4(check, check->at + 2)) < 0)
		return (size_t)fail(check, check->at, 2, "escape",
			"JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX; write one of them");
	if (!unit)
		return (size_t)fail(check, check->at, 6, "escape", "a NUL has no place in a text; remove it");
	if (unit < 0xd800 || unit > 0xdfff)
		return 6;
	low = check->at + 7 < check->len && check->text[check->at + 6] == '\\' && check->text[check->at + 7] == 'u'
		? hex4(check, check->at + 8)
		: -1;
	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return (size_t)fail(check, check->at, 6, "escape", "is half a surrogate pair; write both halves");
	return 12;
}

static bool check_string(struct check *check)
{
	size_t start = check->at;

	for (check->at++; check->at < check->len && peek(check) != '"';) {
		size_t length = 1;

		if (peek(check) == '\n')
			break;
		if ((unsigned char)peek(check) < 0x20)
			return fail(check, check->at, 1, "character",
				"a control character has no place in a string; write it as an escape");
		if (peek(check) == '\\' && !(length = escape_length(check)))
			return false;
		check->at += length;
	}
	if (peek(check) != '"')
		return fail(check, start, check->at - start, "string", "has no end; add the closing quote");
	check->at++;
	return true;
}

static bool skip_digits(struct check *check)
{
	size_t start = check->at;

	while (is_digit(peek(check)))
		check->at++;
	return check->at > start;
}

static bool check_number(struct check *check)
{
	size_t start = check->at;
	bool good, zero;

	if (peek(check) == '-')
		check->at++;
	zero = peek(check) == '0';
	if (zero && check->at + 1 < check->len && is_digit(check->text[check->at + 1])) {
		check->at = start;
		return fail(check, start, word_length(check), "number",
			"begins with a zero; write it without leading zeros");
	}
	good = skip_digits(check);
	if (good && peek(check) == '.') {
		check->at++;
		good = skip_digits(check);
	}
	if (good && (peek(check) == 'e' || peek(check) == 'E')) {
		check->at++;
		if (peek(check) == '+' || peek(check) == '-')
			check->at++;
		good = skip_digits(check);
	}
	if (good && check->at - start <= check->rules->number && !is_word(peek(check) ? peek(check) : ' '))
		return true;
	check->at = start;
	return fail(check, start, word_length(check), "number",
		good && word_length(check) > check->rules->number ? "is too long; write a whole number"
								  : "is not a number of JSON; write a whole number");
}

static bool check_literal(struct check *check)
{
	static const char *const literals[] = {"true", "false", "null"};
	size_t length = word_length(check);

	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++) {
		if (length == strlen(literals[i]) && !memcmp(check->text + check->at, literals[i], length)) {
			check->at += length;
			return true;
		}
	}
	if (peek(check) == '\'')
		return fail_here(check, "quote", "JSON has double quotes only; write \"");
	return fail_here(check, "text", "a value must stand here; write a string in double quotes, a number, [ or {");
}

static bool check_one(struct check *check);

static bool check_member(struct check *check)
{
	if (peek(check) != '"')
		return fail_here(check, "text",
			peek(check) == '}' ? "a key must follow the comma; remove the comma before it"
					   : "a key must stand here; write it in double quotes");
	if (!check_string(check))
		return false;
	skip_space(check);
	if (peek(check) != ':')
		return fail_here(check, "text", "a colon must follow the key; write ':'");
	check->at++;
	skip_space(check);
	return check_one(check);
}

static bool check_container(struct check *check, char close)
{
	if (check->depth == check->rules->depth)
		return fail(check, check->at, 1, "bracket", check->rules->too_deep);
	check->depth++;
	check->at++;
	skip_space(check);
	if (peek(check) != close) {
		for (;;) {
			if (close == ']' && peek(check) == ']')
				return fail_here(
					check, "text", "a value must follow the comma; remove the comma before it");
			if (close == '}' ? !check_member(check) : !check_one(check))
				return false;
			skip_space(check);
			if (peek(check) != ',')
				break;
			check->at++;
			skip_space(check);
		}
	}
	if (peek(check) != close)
		return fail_here(check, "text",
			close == ']' ? "a list goes on with a comma or ends with ']'; write one of them"
				     : "an object goes on with a comma or ends with '}'; write one of them");
	check->at++;
	check->depth--;
	return true;
}

static bool check_one(struct check *check)
{
	char c = peek(check);

	if (c == '{' || c == '[')
		return check_container(check, c == '{' ? '}' : ']');
	if (c == '"')
		return check_string(check);
	if (c == '-' || is_digit(c))
		return check_number(check);
	return check_literal(check);
}

bool json_check_bytes(const char *text, size_t len, struct json_fault *fault)
{
	struct check check = {.text = text, .len = len, .rules = &policy_rules, .fault = fault};

	return check_bytes(&check);
}

bool json_check_value(
	const char *text, size_t len, size_t *at, const struct json_rules *rules, struct json_fault *fault)
{
	struct check check = {.text = text, .len = len, .at = *at, .rules = rules, .fault = fault};

	skip_space(&check);
	if (!check_one(&check))
		return false;
	*at = check.at;
	return true;
}

bool json_check(const char *text, size_t len, struct json_fault *fault)
{
	struct check check = {.text = text, .len = len, .rules = &policy_rules, .fault = fault};

	if (!check_bytes(&check))
		return false;
	skip_space(&check);
	if (check.at == len)
		return fail(&check, len, 0, "end of file", "there is nothing in it; write { \"version\": 1, ... }");
	if (!check_one(&check))
		return false;
	skip_space(&check);
	if (check.at < len)
		return fail_here(&check, "text", "follows the end of the policy; remove it");
	return true;
}
