/* SPDX-License-Identifier: MIT */
/* "instance" and "interfaces" of cloud.json. */
#include "config.h"

#include <string.h>

#include "ctl/cloud/stack-parse.h"

static void read_image(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_run *run = to;

	(void)parse_string(parser, value, where, "image", run->image, sizeof(run->image));
}

static void read_type(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_run *run = to;

	if (parse_string(parser, value, where, "type", run->type, sizeof(run->type)) && !starts_with(run->type, "ecs."))
		policy_report_add(&parser->report, where, "type",
			"is not an instance type; write one, as in \"ecs.g8ise.2xlarge\"");
}

static void read_run_vswitch(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_run *run = to;

	stack_read_id(parser, value, where, "vswitch", "vsw-", run->vswitch);
}

static void read_key_pair(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_run *run = to;

	(void)parse_string(parser, value, where, "key_pair", run->key_pair, sizeof(run->key_pair));
}

static void read_jumbo(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_run *run = to;

	parse_bool(parser, value, where, "jumbo_frames", &run->jumbo_frames);
}

static void read_category(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_run *run = to;

	(void)parse_string(parser, value, where, "category", run->disk, sizeof(run->disk));
}

static void read_size(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_run *run = to;

	parse_number(parser, value, where, "size", 20, 2048, &run->disk_size);
}

static void read_disk(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	static const struct parse_key keys[] = {{"category", read_category}, {"size", read_size}};
	static const struct parse_object object = {"\"disk\"", "category, size", keys, sizeof(keys) / sizeof(*keys)};

	if (cJSON_IsObject(value))
		(void)parse_object(parser, &object, to, value, where);
	else
		parse_wrong_type(parser, value, where, "disk", "write { \"category\": \"cloud_essd\", \"size\": 40 }");
}

static void read_tags(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	struct stack_run *run = to;
	const cJSON *child;

	if (!cJSON_IsObject(value)) {
		parse_wrong_type(parser, value, where, "tags", "write { \"KEY\": \"VALUE\" }");
		return;
	}
	cJSON_ArrayForEach(child, value)
	{
		struct json_token name = json_next(&cursor), place = json_next(&cursor);
		struct stack_tag *tag = &run->tags[run->tag_count];

		if (run->tag_count == STACK_TAGS) {
			policy_report_add(&parser->report, name, "tag", "is one more than %u; remove some", STACK_TAGS);
			return;
		}
		for (size_t i = 0; i < run->tag_count; i++) {
			if (strcmp(run->tags[i].key, child->string) == 0)
				policy_report_add(&parser->report, name, "tag", "stands twice; remove one of them");
		}
		if (!child->string[0] || strlen(child->string) >= sizeof(tag->key) ||
			starts_with(child->string, "smcctl:") || starts_with(child->string, "acs:") ||
			starts_with(child->string, "aliyun"))
			policy_report_add(&parser->report, name, "tag",
				"cannot be a key: empty, too long, or one of smcctl's or the service's own; write "
				"another");
		else if (parse_string(parser, child, place, "tag", tag->value, sizeof(tag->value))) {
			memcpy(tag->key, child->string, strlen(child->string) + 1);
			run->tag_count++;
		}
	}
}

static void read_run(struct parser *parser, struct stack *stack, const cJSON *value, struct json_token where)
{
	static const struct parse_key keys[] = {{"image", read_image}, {"type", read_type},
		{"vswitch", read_run_vswitch}, {"key_pair", read_key_pair}, {"disk", read_disk},
		{"jumbo_frames", read_jumbo}, {"tags", read_tags}};
	static const struct parse_object object = {"an instance to be run",
		"image, type, vswitch, key_pair, disk, jumbo_frames, tags", keys, sizeof(keys) / sizeof(*keys)};
	unsigned seen = parse_object(parser, &object, &stack->run, value, where);

	stack->instance = STACK_RUN;
	for (unsigned i = 0; i < 3; i++) {
		if (!(seen & 1u << i))
			policy_report_add(&parser->report, (struct json_token){where.position, 1}, "instance",
				"has no %s; write \"%s\": \"...\"", keys[i].name, keys[i].name);
	}
}

void stack_read_instance(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack *stack = to;

	if (cJSON_IsObject(value)) {
		read_run(parser, stack, value, where);
	} else if (cJSON_IsString(value) && strcmp(value->valuestring, "this") == 0) {
		stack->instance = STACK_THIS;
	} else if (cJSON_IsString(value)) {
		stack_read_id(parser, value, where, "instance", "i-", stack->instance_id);
	} else {
		parse_wrong_type(parser, value, where, "instance",
			"write \"this\", \"i-...\", or { \"image\": ..., \"type\": ..., \"vswitch\": ... } to run one");
	}
}

static void read_name(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_interface *interface = to;

	stack_read_name(parser, value, where, "name", interface->name);
}

static void read_erdma(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_interface *interface = to;

	parse_bool(parser, value, where, "erdma", &interface->erdma);
}

static void read_queue_pairs(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_interface *interface = to;

	parse_number(parser, value, where, "queue_pairs", 1, 1048576, &interface->queue_pairs);
}

static void read_vswitch(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_interface *interface = to;

	stack_read_id(parser, value, where, "vswitch", "vsw-", interface->vswitch);
}

static void read_interface(struct parser *parser, struct stack *stack, const cJSON *value, struct json_token where)
{
	static const struct parse_key keys[] = {{"name", read_name}, {"erdma", read_erdma},
		{"queue_pairs", read_queue_pairs}, {"vswitch", read_vswitch}};
	static const struct parse_object object = {
		"an interface", "name, erdma, queue_pairs, vswitch", keys, sizeof(keys) / sizeof(*keys)};
	struct json_token open = {where.position, 1};
	struct stack_interface read = {.erdma = false};
	unsigned seen;

	if (!cJSON_IsObject(value)) {
		parse_wrong_type(parser, value, where, "interface", "write { \"name\": \"smc\", \"erdma\": true }");
		return;
	}
	seen = parse_object(parser, &object, &read, value, where);
	if (!(seen & 1u))
		policy_report_add(&parser->report, open, "interface", "has no name; write \"name\": \"...\"");
	if (read.queue_pairs && !read.erdma)
		policy_report_add(&parser->report, open, "interface",
			"has queue pairs without eRDMA; write \"erdma\": true, or remove queue_pairs");
	for (size_t i = 0; i < stack->interface_count; i++) {
		if (read.name[0] && strcmp(stack->interfaces[i].name, read.name) == 0)
			policy_report_add(&parser->report, open, "interface", "has the name of another one; rename it");
	}
	if (strcmp(read.name, "instance") == 0)
		policy_report_add(&parser->report, open, "interface", "cannot have the name \"instance\"; rename it");
	if (stack->interface_count == STACK_INTERFACES)
		policy_report_add(
			&parser->report, open, "interface", "is one more than %u; remove some", STACK_INTERFACES);
	else
		stack->interfaces[stack->interface_count++] = read;
}

void stack_read_interfaces(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	const cJSON *child;

	if (!cJSON_IsArray(value))
		parse_wrong_type(
			parser, value, where, "interfaces", "write a list, [ { \"name\": \"smc\", \"erdma\": true } ]");
	else
		cJSON_ArrayForEach(child, value) read_interface(parser, to, child, json_next(&cursor));
}
