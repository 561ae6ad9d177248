/* SPDX-License-Identifier: MIT */
/* What files of every kind are made of: strings, numbers, truth values, objects of names, the document itself. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "policy/parse.h"

#define WHY_SIZE 160u

bool parse_string(
	struct parser *parser, const cJSON *value, struct json_token where, const char *what, char *out, size_t size)
{
	const char *text = cJSON_GetStringValue(value);

	if (!text)
		parse_wrong_type(parser, value, where, what, "write it in double quotes");
	else if (!*text)
		policy_report_add(&parser->report, where, what, "is empty; write it, or remove the key");
	else if (strlen(text) >= size)
		policy_report_add(&parser->report, where, what, "is over %zu bytes; write it shorter", size - 1);
	else
		memcpy(out, text, strlen(text) + 1);
	return text && *text && strlen(text) < size;
}

void parse_number(struct parser *parser, const cJSON *value, struct json_token where, const char *what, uint32_t min,
	uint32_t max, uint32_t *out)
{
	uint64_t number;
	char why[WHY_SIZE];

	if (!cJSON_IsNumber(value)) {
		parse_wrong_type(parser, value, where, what, "write a whole number");
		return;
	}
	if (parse_uint(parser->text + where.position, where.length, min, max, &number, why, sizeof(why)))
		*out = (uint32_t)number;
	else
		policy_report_add(&parser->report, where, what, "%s", why);
}

void parse_bool(struct parser *parser, const cJSON *value, struct json_token where, const char *what, bool *out)
{
	if (cJSON_IsBool(value))
		*out = cJSON_IsTrue(value);
	else
		parse_wrong_type(parser, value, where, what, "write true or false");
}

static bool stands_before(const cJSON *object, const cJSON *member)
{
	for (const cJSON *child = object->child; child != member; child = child->next) {
		if (strcmp(child->string, member->string) == 0)
			return true;
	}
	return false;
}

void parse_map(struct parser *parser, parse_member *read, void *to, const cJSON *object, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	const cJSON *child;

	cJSON_ArrayForEach(child, object)
	{
		struct json_token name = json_next(&cursor), value = json_next(&cursor);

		if (stands_before(object, child))
			policy_report_add(
				&parser->report, name, "key", "stands twice in one object; remove one of them");
		else
			read(parser, to, child, name, value);
	}
}

int parse_document(struct parser *parser, const char *name, struct policy_errors *errors,
	void (*read)(struct parser *parser, void *to, const cJSON *tree), void *to)
{
	struct json_fault fault;
	size_t before = errors->count + errors->more;

	policy_report_init(&parser->report, name, parser->text, parser->len, errors);
	if (!json_check(parser->text, parser->len, &fault)) {
		policy_report_add(&parser->report, fault.where, fault.what, "%s", fault.why);
	} else {
		cJSON *tree = cJSON_ParseWithLength(parser->text, parser->len);

		if (!tree)
			return -ENOMEM; /* the grammar is right, so nothing else can be wrong */
		read(parser, to, tree);
		cJSON_Delete(tree);
	}
	policy_errors_sort(errors);
	if (parser->no_memory || parser->report.no_memory)
		return -ENOMEM;
	return errors->count + errors->more != before ? -EINVAL : 0;
}
