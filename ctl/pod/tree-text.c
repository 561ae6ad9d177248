/* SPDX-License-Identifier: MIT */
/* From JSON text to the tree and back. */
#include "config.h"

#include "ctl/pod/tree.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The deepest object of Kubernetes' own has about 25 levels (managedFields of a CronJob). */
static const struct json_rules rules = {
	100, 4096, "nests deeper than 100 levels; no object of Kubernetes does", "JSON has no comments; remove it"};

struct parser {
	struct tree *tree;
	const char *text;
	size_t len;
	size_t at;
	struct tree_style *style;
	bool opened, coloned, comma; /* the layout is that of the first bracket, colon and comma */
	struct json_fault *fault;
};

static size_t blanks(const struct parser *p)
{
	return strspn(p->text + p->at, " \t\r\n");
}

static unsigned hex4(const char *text)
{
	char digits[5] = "";

	memcpy(digits, text, 4);
	return (unsigned)strtoul(digits, NULL, 16);
}

static char *put_utf8(char *to, unsigned c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
		} else {
			*to++ = (char)(0xf0 | c >> 18);
			*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

/* The text between two quotes, its grammar checked: no half surrogates, no \u0000. */
static char *decode(struct tree *tree, const char *from, size_t length)
{
	static const char escapes[] = "b\bf\fn\nr\rt\t";
	char *out = tree_alloc(tree, length + 1);
	char *to = out;

	for (const char *end = from + length; out && from < end; from++) {
		if (*from != '\\') {
			*to++ = *from;
		} else if (*++from == 'u') {
			unsigned c = hex4(from + 1);

			from += 4;
			if (c >= 0xd800 && c < 0xdc00) {
				c = 0x10000 + ((c - 0xd800) << 10) + (hex4(from + 3) - 0xdc00);
				from += 6;
			}
			to = put_utf8(to, c);
		} else {
			const char *escape = strchr(escapes, *from);

			*to++ = escape ? escape[1] : *from;
		}
	}
	return out;
}

static const char *piece(struct tree *tree, const char *from, size_t length)
{
	char *out = tree_alloc(tree, length + 1);

	return out ? memcpy(out, from, length) : NULL;
}

/* Takes the string at the current place: with its quotes, and decoded. */
static void take_string(struct parser *p, const char **raw, const char **text)
{
	size_t end = p->at + 1;

	while (p->text[end] != '"')
		end += p->text[end] == '\\' ? 2 : 1;
	*raw = piece(p->tree, p->text + p->at, end + 1 - p->at);
	*text = decode(p->tree, p->text + p->at + 1, end - p->at - 1);
	p->at = end + 1;
}

struct member {
	const struct node *node;
};

static int by_key(const void *a, const void *b)
{
	const struct node *m = ((const struct member *)a)->node;
	const struct node *n = ((const struct member *)b)->node;
	int order = strcmp(m->key, n->key);

	return order ? order : m->key_at < n->key_at ? -1 : 1;
}

/* Kubernetes refuses a doubled member, or takes the last one silently: neither may be edited by guess. */
static int check_doubled(struct parser *p, const struct node *object, size_t count)
{
	_cleanup_free_ struct member *sorted = calloc(count + 1, sizeof(*sorted));
	size_t i = 0;

	if (!sorted)
		return -ENOMEM;
	for (const struct node *n = object->first; n; n = n->next)
		sorted[i++].node = n;
	qsort(sorted, count, sizeof(*sorted), by_key);
	for (i = 1; i < count; i++) {
		if (strcmp(sorted[i - 1].node->key, sorted[i].node->key) == 0) {
			*p->fault = (struct json_fault){{sorted[i].node->key_at, strlen(sorted[i].node->key_raw)},
				"key", "stands twice in one object; remove one of them"};
			return -EBADMSG;
		}
	}
	return 0;
}

static int parse_value(struct parser *p, struct node **out);

static void note_open(struct parser *p, size_t length)
{
	struct tree_style *style = p->style;
	const char *space = p->text + p->at;

	if (p->opened || strchr("]}", space[length]))
		return;
	p->opened = true;
	style->lines = length > 0 && space[0] == '\n';
	if (style->lines && length > 1 && length - 1 < sizeof(style->indent) && !memchr(space + 1, '\n', length - 1)) {
		memcpy(style->indent, space + 1, length - 1);
		style->indent[length - 1] = '\0';
	}
}

static int parse_member(struct parser *p, struct node **out)
{
	const char *raw;
	const char *key;
	size_t at = p->at;
	int r;

	take_string(p, &raw, &key);
	p->at += blanks(p) + 1;
	if (!p->coloned) {
		p->coloned = true;
		p->style->blank_after_colon = blanks(p) > 0;
	}
	p->at += blanks(p);
	r = parse_value(p, out);
	if (r < 0 || !*out)
		return r;
	(*out)->key = key;
	(*out)->key_raw = raw;
	(*out)->key_at = at;
	return p->tree->error;
}

static int parse_container(struct parser *p, struct node *node)
{
	size_t count = 0;

	p->at++;
	note_open(p, blanks(p));
	p->at += blanks(p);
	while (p->text[p->at] != ']' && p->text[p->at] != '}') {
		struct node *child = NULL;
		int r = node->type == NODE_OBJECT ? parse_member(p, &child) : parse_value(p, &child);

		if (r < 0)
			return r;
		node_append(node, child);
		count++;
		p->at += blanks(p);
		if (p->text[p->at] == ',') {
			p->at++;
			if (!p->comma) {
				p->comma = true;
				p->style->blank_after_comma = blanks(p) > 0;
			}
			p->at += blanks(p);
		}
	}
	p->at++;
	return node->type == NODE_OBJECT ? check_doubled(p, node, count) : 0;
}

static int parse_value(struct parser *p, struct node **out)
{
	char c = p->text[p->at];
	struct node *node = c == '{' ? tree_object(p->tree)
		: c == '['           ? tree_array(p->tree)
				     : tree_other(p->tree, NULL);
	int r = 0;

	if (!node)
		return -ENOMEM;
	if (c == '{' || c == '[') {
		r = parse_container(p, node);
	} else if (c == '"') {
		node->type = NODE_STRING;
		take_string(p, &node->raw, &node->text);
	} else {
		size_t length = strcspn(p->text + p->at, " \t\r\n,]}");

		node->raw = piece(p->tree, p->text + p->at, length);
		p->at += length;
	}
	if (r == 0)
		r = p->tree->error;
	if (r == 0)
		*out = node;
	return r;
}

int tree_parse(struct tree *tree, const char *text, size_t len, size_t *at, struct node **out, struct tree_style *style,
	struct json_fault *fault)
{
	struct parser p = {.tree = tree, .text = text, .len = len, .at = *at, .style = style, .fault = fault};
	size_t end = *at;
	int r;

	if (!json_check_value(text, len, &end, &rules, fault))
		return -EBADMSG;
	*style = (struct tree_style){.lines = false};
	p.at += blanks(&p);
	r = parse_value(&p, out);
	if (r < 0)
		return r;
	if (!p.opened)
		style->lines = true;
	if (style->lines && !style->indent[0])
		memcpy(style->indent, "    ", 5);
	*at = end;
	return 0;
}

/* ---- and back ---- */

static void new_line(FILE *stream, const struct tree_style *style, unsigned depth)
{
	if (!style->lines)
		return;
	fputc('\n', stream);
	while (depth--)
		fputs(style->indent, stream);
}

static void print(FILE *stream, const struct node *node, const struct tree_style *style, unsigned depth)
{
	if (node->type == NODE_STRING || node->type == NODE_OTHER) {
		fputs(node->raw, stream);
		return;
	}
	fputc(node->type == NODE_OBJECT ? '{' : '[', stream);
	for (const struct node *n = node->first; n; n = n->next) {
		new_line(stream, style, depth + 1);
		if (node->type == NODE_OBJECT)
			fprintf(stream, "%s:%s", n->key_raw, style->blank_after_colon ? " " : "");
		print(stream, n, style, depth + 1);
		if (n->next)
			fputs(style->blank_after_comma && !style->lines ? ", " : ",", stream);
	}
	if (node->first)
		new_line(stream, style, depth);
	fputc(node->type == NODE_OBJECT ? '}' : ']', stream);
}

void tree_print(FILE *stream, const struct node *node, const struct tree_style *style)
{
	print(stream, node, style, 0);
}

const char *tree_line(struct tree *tree, const struct node *node)
{
	static const struct tree_style line = {.lines = false};
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	if (!stream) {
		tree->error = -ENOMEM;
		return NULL;
	}
	tree_print(stream, node, &line);
	if (fclose(stream) != 0) {
		tree->error = -ENOMEM;
		return NULL;
	}
	return tree_printf(tree, "%s", text);
}
