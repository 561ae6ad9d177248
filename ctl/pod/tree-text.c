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
	bool opened, coloned, comma; /* the layout is that of the first bracket, colon and comma within a line */
	const char *blank, *colon;   /* what stood there last: most stands there again and again */
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

/* The text from there to the current place; *last is shared if it is the same. */
static const char *taken(struct parser *p, size_t from, const char **last)
{
	const char *text = p->text + from;
	size_t length = p->at - from;

	if (!length)
		return "";
	if (!*last || strncmp(*last, text, length) != 0 || (*last)[length])
		*last = piece(p->tree, text, length);
	return *last;
}

static const char *take_blanks(struct parser *p)
{
	size_t from = p->at;

	p->at += blanks(p);
	return taken(p, from, &p->blank);
}

/* The indentation at the end of blanks; NULL: they have no new line. */
static const char *indentation(const char *space)
{
	const char *line = space ? strrchr(space, '\n') : NULL;

	return line ? line + 1 : NULL;
}

static void note_open(struct parser *p, const char *space)
{
	const char *indent = indentation(space);

	if (p->opened || strchr("]}", p->text[p->at]))
		return;
	p->opened = true;
	p->style->lines = indent != NULL;
	if (indent && strlen(indent) < sizeof(p->style->indent))
		memcpy(p->style->indent, indent, strlen(indent) + 1);
}

/* *colon: what stands between key and value. */
static int parse_member(struct parser *p, struct node **out, const char **colon)
{
	const char *raw;
	const char *key;
	size_t at = p->at;
	size_t from;
	int r;

	take_string(p, &raw, &key);
	from = p->at;
	p->at += blanks(p) + 1;
	if (!p->coloned) {
		p->coloned = true;
		p->style->blank_after_colon = blanks(p) > 0;
	}
	p->at += blanks(p);
	*colon = taken(p, from, &p->colon);
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
	const char *space;

	p->at++;
	space = take_blanks(p);
	note_open(p, space);
	while (p->text[p->at] != ']' && p->text[p->at] != '}') {
		struct node *child = NULL;
		const char *colon = NULL;
		int r = node->type == NODE_OBJECT ? parse_member(p, &child, &colon) : parse_value(p, &child);

		if (r < 0 || !child)
			return r;
		node_append(node, child);
		child->before = space;
		child->colon = colon;
		count++;
		space = take_blanks(p);
		if (p->text[p->at] == ',') {
			child->after = space;
			p->at++;
			space = take_blanks(p);
			if (!p->comma && !indentation(space)) {
				p->comma = true;
				p->style->blank_after_comma = space && *space;
			}
		}
	}
	node->close = space;
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
	const char *line;
	int r;

	if (!json_check_value(text, len, &end, &rules, fault))
		return -EBADMSG;
	*style = (struct tree_style){.as_read = true};
	p.at += blanks(&p);
	line = memchr(text + p.at, '\n', end - p.at);
	style->carriage_return = line && line[-1] == '\r';
	r = parse_value(&p, out);
	if (r < 0)
		return r;
	if (!p.opened)
		style->lines = true;
	if (!p.comma)
		style->blank_after_comma = style->blank_after_colon;
	if (!style->indent[0])
		memcpy(style->indent, "    ", 5);
	*at = end;
	return 0;
}

/* ---- and back ---- */

/* Where a value stands. */
struct place {
	bool lines;         /* what is new beside it gets lines of its own, */
	const char *indent; /* that begin with this */
	unsigned deeper;    /* and so many steps */
};

static void new_line(FILE *stream, const struct tree_style *style, const struct place *place)
{
	if (!place->lines)
		return;
	fputs(style->carriage_return ? "\r\n" : "\n", stream);
	fputs(place->indent, stream);
	for (unsigned i = 0; i < place->deeper; i++)
		fputs(style->indent, stream);
}

/* Where the children of a container stand: as the first that was read; else one step deeper than itself. */
static struct place inside(const struct node *node, const struct tree_style *style, const struct place *place)
{
	const struct node *child = style->as_read ? node->first : NULL;
	const char *indent;

	while (child && !child->before)
		child = child->next;
	if (!child)
		return (struct place){place->lines, place->indent, place->deeper + 1};
	indent = indentation(child->before);
	return indent ? (struct place){true, indent, 0} : (struct place){false, place->indent, place->deeper};
}

static void print(FILE *stream, const struct node *node, const struct tree_style *style, const struct place *place)
{
	struct place in;

	if (node->type == NODE_STRING || node->type == NODE_OTHER) {
		fputs(node->raw, stream);
		return;
	}
	in = inside(node, style, place);
	fputc(node->type == NODE_OBJECT ? '{' : '[', stream);
	for (const struct node *n = node->first; n; n = n->next) {
		if (style->as_read && n->before)
			fputs(n->before, stream);
		else if (in.lines)
			new_line(stream, style, &in);
		else if (n != node->first && style->blank_after_comma)
			fputc(' ', stream);
		if (node->type == NODE_OBJECT) {
			fputs(n->key_raw, stream);
			fputs(style->as_read && n->colon ? n->colon : style->blank_after_colon ? ": " : ":", stream);
		}
		print(stream, n, style, &in);
		if (n->next && style->as_read && n->after)
			fputs(n->after, stream);
		if (n->next)
			fputc(',', stream);
	}
	if (style->as_read && node->close)
		fputs(node->close, stream);
	else if (node->first)
		new_line(stream, style, place);
	fputc(node->type == NODE_OBJECT ? '}' : ']', stream);
}

void tree_print(FILE *stream, const struct node *node, const struct tree_style *style)
{
	print(stream, node, style, &(struct place){style->lines, "", 0});
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
