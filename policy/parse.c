/* SPDX-License-Identifier: MIT */
/* A policy file from text to rules: cJSON's tree and the text are walked side by side, for the places of errors. */
#include "config.h"

#include "policy/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"

void *parse_grow(struct parser *parser, void **items, size_t count, size_t *room, size_t size)
{
	if (count == *room) {
		size_t more = *room ? *room * 2 : 16;
		void *bigger = realloc(*items, more * size);

		if (!bigger) {
			parser->no_memory = true;
			return NULL;
		}
		*items = bigger;
		*room = more;
	}
	return (char *)*items + count * size;
}

bool parse_uint(const char *digits, size_t length, uint64_t min, uint64_t max, uint64_t *out, char *why, size_t size)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < length && digits[i] >= '0' && digits[i] <= '9' && value <= max; i++)
		value = value * 10 + (uint64_t)(digits[i] - '0');
	if (value > max || (i == length && length && value < min))
		(void)snprintf(why, size, "is %s %llu; write a number from %llu to %llu",
			value > max ? "over" : "under", (unsigned long long)(value > max ? max : min),
			(unsigned long long)min, (unsigned long long)max);
	else if (i < length || !length)
		(void)snprintf(why, size, "is not a whole number; write digits only, from %llu to %llu",
			(unsigned long long)min, (unsigned long long)max);
	else if (length > 1 && digits[0] == '0')
		(void)snprintf(why, size, "begins with a zero; write %llu", (unsigned long long)value);
	else {
		*out = value;
		return true;
	}
	return false;
}

static const char *type_name(const cJSON *value)
{
	if (cJSON_IsString(value))
		return "a string";
	if (cJSON_IsNumber(value))
		return "a number";
	if (cJSON_IsArray(value))
		return "a list";
	if (cJSON_IsObject(value))
		return "an object";
	return cJSON_IsNull(value) ? "null" : "true or false";
}

void parse_wrong_type(
	struct parser *parser, const cJSON *value, struct json_token where, const char *what, const char *fix)
{
	policy_report_add(&parser->report, where, what, "is %s; %s", type_name(value), fix);
}

static const struct parse_key *find_key(const struct parse_object *kind, const char *name)
{
	for (size_t i = 0; i < kind->key_count; i++)
		if (!strcmp(kind->keys[i].name, name))
			return &kind->keys[i];
	return NULL;
}

unsigned parse_object(
	struct parser *parser, const struct parse_object *kind, void *to, const cJSON *object, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	const cJSON *child;
	unsigned seen = 0;

	cJSON_ArrayForEach(child, object)
	{
		struct json_token name = json_next(&cursor), value = json_next(&cursor);
		const struct parse_key *key = find_key(kind, child->string);
		unsigned bit = key ? 1u << (key - kind->keys) : 0;

		if (!key)
			policy_report_add(&parser->report, name, "key",
				"is unknown in %s; write one of %s, or remove it", kind->name, kind->key_list);
		else if (seen & bit)
			policy_report_add(
				&parser->report, name, "key", "stands twice in one object; remove one of them");
		else
			key->read(parser, to, child, value);
		seen |= bit;
	}
	return seen;
}

void parse_version(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	(void)to;
	if (!cJSON_IsNumber(value))
		parse_wrong_type(parser, value, where, "version", "write the number 1");
	else if (where.length != 1 || parser->text[where.position] != '1')
		policy_report_add(&parser->report, where, "version", "is not one that this program knows; write 1");
}

static void read_rules(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	const cJSON *child;

	(void)to;
	if (!cJSON_IsArray(value)) {
		parse_wrong_type(parser, value, where, "rules", "write a list of rules, [ { ... }, ... ]");
		return;
	}
	if (!value->child)
		policy_report_add(&parser->report, where, "rules",
			"holds no rule; write { \"use\": \"tcp\", \"connect\": \"any\" } to leave everything on TCP");
	cJSON_ArrayForEach(child, value) parse_rule(parser, child, json_next(&cursor));
}

static const struct parse_key policy_keys[] = {
	{"version", parse_version},
	{"rules", read_rules},
	{"programs", parse_programs},
	{"buffers", parse_buffers},
};

static const struct parse_object policy_object = {
	"a policy", "version, rules, programs, buffers", policy_keys, sizeof(policy_keys) / sizeof(*policy_keys)};

static void read_policy(struct parser *parser, const cJSON *tree)
{
	struct json_token root = json_root(parser->text, parser->len);
	struct json_token open = {root.position, 1};
	unsigned seen;

	if (!cJSON_IsObject(tree)) {
		parse_wrong_type(parser, tree, root, "policy", "write { \"version\": 1, \"rules\": [ ... ] }");
		return;
	}
	seen = parse_object(parser, &policy_object, NULL, tree, root);
	if (!(seen & 1u))
		policy_report_add(&parser->report, open, "policy", "has no version; write \"version\": 1");
	if (!(seen & 2u))
		policy_report_add(&parser->report, open, "policy", "has no rules; write \"rules\": [ ... ]");
}

static void free_tree(cJSON **tree)
{
	cJSON_Delete(*tree);
}

static int parse_text(struct parser *parser)
{
	__attribute__((cleanup(free_tree))) cJSON *tree = NULL;
	struct json_fault fault;

	if (!json_check(parser->text, parser->len, &fault)) {
		policy_report_add(&parser->report, fault.where, fault.what, "%s", fault.why);
		return 0;
	}
	tree = cJSON_ParseWithLength(parser->text, parser->len);
	if (!tree)
		return -ENOMEM; /* the grammar is right, so nothing else can be wrong */
	read_policy(parser, tree);
	return 0;
}

int policy_parse(const char *name, const char *text, size_t len, struct policy **out, struct policy_errors *errors)
{
	_cleanup_policy_ struct policy *policy = calloc(1, sizeof(*policy));
	struct parser parser = {.text = text, .len = len, .policy = policy};
	size_t errors_before = errors->count + errors->more;
	int r;

	if (!policy || !(policy->name = strdup(name)))
		return -ENOMEM;
	policy_report_init(&parser.report, name, text, len, errors);
	if (len > POLICY_FILE_MAX) {
		policy_report_add(&parser.report, (struct json_token){0, 0}, "file",
			"is over %u MiB; write fewer rules", (unsigned)(POLICY_FILE_MAX >> 20));
		return parser.report.no_memory ? -ENOMEM : -EINVAL;
	}
	r = parse_text(&parser);
	if (!r && !parser.no_memory)
		r = policy_validate(policy, &parser.report);
	policy_errors_sort(errors);
	if (r || parser.no_memory || parser.report.no_memory)
		return -ENOMEM;
	if (errors->count + errors->more != errors_before)
		return -EINVAL;
	*out = take(policy);
	return 0;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->rule_count; i++)
		free(policy->rules[i].note);
	free(policy->rules);
	free(policy->cidrs);
	free(policy->ports);
	free(policy->name);
	free(policy);
}
