/* SPDX-License-Identifier: MIT */
/* cloud.json from text to a stack: the policy's reader of JSON with places, and the keys of a stack. */
#include "config.h"

#include "ctl/cloud/stack.h"

#include <errno.h>
#include <string.h>

#include "ctl/cloud/endpoint.h"
#include "ctl/cloud/stack-parse.h"

bool stack_name_valid(const char *name)
{
	size_t length = strlen(name);

	return length && length < STACK_NAME && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length &&
		name[0] != '-' && name[length - 1] != '-';
}

void stack_read_name(struct parser *parser, const cJSON *value, struct json_token where, const char *what, char *out)
{
	if (parse_string(parser, value, where, what, out, STACK_NAME) && !stack_name_valid(out))
		policy_report_add(&parser->report, where, what,
			"is not 1 to 32 of a-z, 0-9 and '-'; write such a name, as in \"redis-1\"");
}

void stack_read_id(struct parser *parser, const cJSON *value, struct json_token where, const char *what,
	const char *prefix, char *out)
{
	size_t length;

	if (!parse_string(parser, value, where, what, out, STACK_ID))
		return;
	length = strlen(out);
	if (!starts_with(out, prefix) || length == strlen(prefix) ||
		strspn(out, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
		policy_report_add(
			&parser->report, where, what, "is not an identifier that begins with %s; write one", prefix);
}

static void read_stack(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack *stack = to;

	stack_read_name(parser, value, where, "stack", stack->name);
}

static void read_region(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack *stack = to;

	if (parse_string(parser, value, where, "region", stack->region, sizeof(stack->region)) &&
		!endpoint_region_valid(stack->region))
		policy_report_add(&parser->report, where, "region",
			"is not the name of a region; write one, as in \"cn-hangzhou\"");
}

static void read_group(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack *stack = to;

	stack_read_id(parser, value, where, "security_group", "sg-", stack->group);
}

static void read_bandwidth(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_address *address = to;

	parse_number(parser, value, where, "bandwidth", 1, 500, &address->bandwidth);
}

static void read_charge(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_address *address = to;
	const char *word = cJSON_GetStringValue(value);

	if (!word)
		parse_wrong_type(parser, value, where, "charge", "write \"traffic\" or \"bandwidth\"");
	else if (strcmp(word, "traffic") != 0 && strcmp(word, "bandwidth") != 0)
		policy_report_add(&parser->report, where, "charge", "is unknown; write \"traffic\" or \"bandwidth\"");
	else
		address->by_bandwidth = strcmp(word, "bandwidth") == 0;
}

static void read_on(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_address *address = to;

	if (cJSON_IsString(value) && strcmp(value->valuestring, "instance") == 0)
		return;
	stack_read_name(parser, value, where, "on", address->on);
}

static const struct parse_key address_keys[] = {
	{"bandwidth", read_bandwidth},
	{"charge", read_charge},
	{"on", read_on},
};

static const struct parse_object address_object = {
	"\"public_address\"", "bandwidth, charge, on", address_keys, sizeof(address_keys) / sizeof(*address_keys)};

static void read_address(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack *stack = to;

	if (!cJSON_IsObject(value)) {
		parse_wrong_type(parser, value, where, "public_address", "write { \"bandwidth\": 5 }");
		return;
	}
	stack->address.wanted = true;
	if (!(parse_object(parser, &address_object, &stack->address, value, where) & 1u))
		policy_report_add(&parser->report, (struct json_token){where.position, 1}, "public_address",
			"has no bandwidth; write \"bandwidth\": and a number of Mbit/s");
	if (!stack->address.by_bandwidth && stack->address.bandwidth > STACK_TRAFFIC_MAX)
		policy_report_add(&parser->report, (struct json_token){where.position, 1}, "public_address",
			"has over %u Mbit/s by traffic; write a smaller \"bandwidth\", or \"charge\": \"bandwidth\"",
			STACK_TRAFFIC_MAX);
}

static const struct parse_key stack_keys[] = {
	{"version", parse_version},
	{"stack", read_stack},
	{"region", read_region},
	{"instance", stack_read_instance},
	{"security_group", read_group},
	{"rules", stack_read_rules},
	{"interfaces", stack_read_interfaces},
	{"public_address", read_address},
};

static const struct parse_object stack_object = {"a stack",
	"version, stack, region, instance, security_group, rules, interfaces, public_address", stack_keys,
	sizeof(stack_keys) / sizeof(*stack_keys)};

/* What one key alone cannot know. */
static void check_whole(struct parser *parser, const struct stack *stack, unsigned seen, struct json_token open)
{
	bool interface = !stack->address.on[0];

	for (unsigned i = 0; i < 4; i++) {
		if (!(seen & 1u << i))
			policy_report_add(&parser->report, open, "stack", "has no %s; write \"%s\": ...",
				stack_keys[i].name, stack_keys[i].name);
	}
	if ((stack->rule_count || stack->interface_count || stack->instance == STACK_RUN) && !(seen & 1u << 4))
		policy_report_add(&parser->report, open, "stack",
			"has no security_group, which rules, interfaces and a new instance need; write "
			"\"security_group\": \"sg-...\"");
	if (stack->instance == STACK_RUN && strlen(stack->name) == 1)
		policy_report_add(&parser->report, open, "stack",
			"runs an instance, whose name it is, and that takes 2 characters at least; write a longer "
			"\"stack\"");
	for (size_t i = 0; i < stack->interface_count; i++)
		interface = interface || strcmp(stack->interfaces[i].name, stack->address.on) == 0;
	if (!interface)
		policy_report_add(&parser->report, open, "stack",
			"has a public address on '%s', which is none of its interfaces; write \"instance\" or an "
			"interface's name",
			stack->address.on);
}

static void read_file(struct parser *parser, void *to, const cJSON *tree)
{
	struct stack *stack = to;
	struct json_token root = json_root(parser->text, parser->len);

	if (!cJSON_IsObject(tree)) {
		parse_wrong_type(parser, tree, root, "stack", "write { \"version\": 1, \"stack\": ... }");
		return;
	}
	check_whole(parser, stack, parse_object(parser, &stack_object, stack, tree, root),
		(struct json_token){root.position, 1});
}

int stack_parse(const char *name, const char *text, size_t len, struct stack **out, struct policy_errors *errors)
{
	_cleanup_free_ struct stack *stack = calloc(1, sizeof(*stack));
	struct parser parser = {.text = text, .len = len};
	int r;

	if (!stack)
		return -ENOMEM;
	r = parse_document(&parser, name, errors, read_file, stack);
	if (r < 0)
		return r;
	/* The short form lets in who is in the group. */
	for (size_t i = 0; i < stack->rule_count; i++) {
		if (!stack->rules[i].cidr[0] && !stack->rules[i].group[0])
			memcpy(stack->rules[i].group, stack->group, sizeof(stack->group));
	}
	stack->digest = policy_digest(text, len);
	*out = take(stack);
	return 0;
}
