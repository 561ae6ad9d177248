/* SPDX-License-Identifier: MIT */
/* "rules" of cloud.json: what the security group lets in. */
#include "config.h"

#include <string.h>

#include "ctl/cloud/stack-parse.h"
#include "policy/cidr.h"

static void read_name(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_rule *rule = to;

	stack_read_name(parser, value, where, "name", rule->name);
	if (strcmp(rule->name, STACK_SMC_RULE) == 0)
		policy_report_add(&parser->report, where, "name",
			"is that of the short form; write \"" STACK_SMC_RULE "\" alone as the rule, or another name");
}

static void read_protocol(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	static const char *const words[][2] = {{"tcp", "TCP"}, {"udp", "UDP"}, {"icmp", "ICMP"}, {"all", "ALL"}};
	struct stack_rule *rule = to;
	const char *word = cJSON_GetStringValue(value);

	for (size_t i = 0; word && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i][0], word) == 0) {
			memcpy(rule->protocol, words[i][1], strlen(words[i][1]) + 1);
			return;
		}
	}
	if (word)
		policy_report_add(
			&parser->report, where, "protocol", "is unknown; write \"tcp\", \"udp\", \"icmp\" or \"all\"");
	else
		parse_wrong_type(parser, value, where, "protocol", "write \"tcp\", \"udp\", \"icmp\" or \"all\"");
}

static void read_ports(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_rule *rule = to;
	const char *text = parser->text + where.position;
	size_t length = where.length, head;
	uint64_t from = 0, last = 0;
	char why[160];

	if (!cJSON_IsString(value) && !cJSON_IsNumber(value)) {
		parse_wrong_type(parser, value, where, "ports", "write a port or a range, as in 6379 or \"7000-7005\"");
		return;
	}
	if (cJSON_IsString(value)) {
		text = value->valuestring;
		length = strlen(text);
	}
	head = cJSON_IsString(value) ? strcspn(text, "-") : length;
	if (!parse_uint(text, head, 1, 65535, &from, why, sizeof(why)) ||
		(head < length && !parse_uint(text + head + 1, length - head - 1, 1, 65535, &last, why, sizeof(why)))) {
		policy_report_add(&parser->report, where, "ports", "%s", why);
		return;
	}
	last = head < length ? last : from;
	if (last < from)
		policy_report_add(&parser->report, where, "ports", "is a range that ends before it begins; write %u-%u",
			(unsigned)last, (unsigned)from);
	snprintf(rule->ports, sizeof(rule->ports), "%u/%u", (unsigned)from & 0xffff, (unsigned)last & 0xffff);
}

static void read_source(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_rule *rule = to;
	struct policy_cidr cidr = {.prefix = 0};
	char why[POLICY_CIDR_WHY];
	char text[POLICY_CIDR_TEXT];

	if (!parse_string(parser, value, where, "source", text, sizeof(text)))
		return;
	if (!policy_cidr_parse(text, &cidr, why))
		policy_report_add(&parser->report, where, "source", "%s", why);
	else if (cidr.ipv6)
		policy_report_add(&parser->report, where, "source",
			"is IPv6, which interfaces with eRDMA do not have; write an IPv4 CIDR");
	else
		snprintf(rule->cidr, sizeof(rule->cidr), "%.19s", text);
}

static void read_group(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct stack_rule *rule = to;

	stack_read_id(parser, value, where, "group", "sg-", rule->group);
}

static void check_rule(struct parser *parser, const struct stack_rule *rule, unsigned seen, struct json_token open)
{
	bool with_ports = strcmp(rule->protocol, "TCP") == 0 || strcmp(rule->protocol, "UDP") == 0;

	if (!(seen & 1u))
		policy_report_add(&parser->report, open, "rule", "has no name; write \"name\": \"...\"");
	if (!(seen & 2u))
		policy_report_add(&parser->report, open, "rule", "has no protocol; write \"protocol\": \"tcp\"");
	if (with_ports && !(seen & 4u))
		policy_report_add(&parser->report, open, "rule", "has no ports; write \"ports\": 6379");
	if (!with_ports && rule->protocol[0] && (seen & 4u))
		policy_report_add(&parser->report, open, "rule", "has ports, which its protocol does not; remove them");
	if (!(seen & 8u) == !(seen & 16u))
		policy_report_add(&parser->report, open, "rule",
			"needs either a source or a group; write \"source\": \"10.0.0.0/8\" or \"group\": \"sg-...\"");
}

static void read_rule(struct parser *parser, struct stack *stack, const cJSON *value, struct json_token where)
{
	static const struct parse_key keys[] = {{"name", read_name}, {"protocol", read_protocol}, {"ports", read_ports},
		{"source", read_source}, {"group", read_group}};
	static const struct parse_object object = {
		"a rule", "name, protocol, ports, source, group", keys, sizeof(keys) / sizeof(*keys)};
	struct stack_rule rule = {.name = STACK_SMC_RULE, .protocol = "TCP", .ports = STACK_SMC_PORTS};

	if (cJSON_IsObject(value)) {
		rule = (struct stack_rule){.ports = "-1/-1"};
		check_rule(parser, &rule, parse_object(parser, &object, &rule, value, where),
			(struct json_token){where.position, 1});
	} else if (!cJSON_IsString(value) || strcmp(value->valuestring, STACK_SMC_RULE) != 0) {
		parse_wrong_type(parser, value, where, "rule",
			"write \"" STACK_SMC_RULE
			"\" or { \"name\": ..., \"protocol\": ..., \"ports\": ..., \"source\": ... }");
		return;
	}
	for (size_t i = 0; i < stack->rule_count; i++) {
		if (rule.name[0] && strcmp(stack->rules[i].name, rule.name) == 0)
			policy_report_add(&parser->report, (struct json_token){where.position, 1}, "rule",
				"has the name of another one; rename it");
	}
	if (stack->rule_count == STACK_RULES)
		policy_report_add(&parser->report, (struct json_token){where.position, 1}, "rule",
			"is one more than %u; remove some", STACK_RULES);
	else
		stack->rules[stack->rule_count++] = rule;
}

void stack_read_rules(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	struct stack *stack = to;
	const cJSON *child;

	if (!cJSON_IsArray(value)) {
		parse_wrong_type(parser, value, where, "rules", "write a list, [ \"" STACK_SMC_RULE "\" ]");
		return;
	}
	cJSON_ArrayForEach(child, value) read_rule(parser, stack, child, json_next(&cursor));
}
