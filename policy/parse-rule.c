/* SPDX-License-Identifier: MIT */
/* One rule of a policy file: use, connect or listen, ports, note. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "policy/cidr.h"
#include "policy/parse.h"

/* Bits of parse_object() for rule_keys. */
enum {
	SEEN_USE = 1,
	SEEN_CONNECT = 2,
	SEEN_LISTEN = 4,
};

static void read_use(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct policy_rule *rule = to;

	if (!cJSON_IsString(value))
		parse_wrong_type(parser, value, where, "use", "write \"smc\" or \"tcp\"");
	else if (!strcmp(value->valuestring, "smc"))
		rule->use = POLICY_SMC;
	else if (!strcmp(value->valuestring, "tcp"))
		rule->use = POLICY_TCP;
	else
		policy_report_add(&parser->report, where, "use", "is neither smc nor tcp; write \"smc\" or \"tcp\"");
}

static void add_cidr(
	struct parser *parser, struct policy_rule *rule, const struct policy_cidr *cidr, struct json_token where)
{
	struct policy *policy = parser->policy;
	struct policy_cidr *room;

	if (policy->cidr_count == POLICY_MAX_CIDRS) {
		if (!parser->over_capacity)
			policy_report_add(&parser->report, where, rule->role == POLICY_LISTEN ? "listen" : "connect",
				"is one more than the %u CIDRs that a table holds; join neighbours into shorter "
				"prefixes",
				POLICY_MAX_CIDRS);
		parser->over_capacity = true;
		return;
	}
	room = parse_grow(parser, (void **)&policy->cidrs, policy->cidr_count, &parser->cidr_room, sizeof(*room));
	if (!room)
		return;
	*room = *cidr;
	room->position = (uint32_t)where.position;
	policy->cidr_count++;
	rule->cidr_count++;
}

static void read_cidr(struct parser *parser, struct policy_rule *rule, const char *text, struct json_token where)
{
	const char *what = rule->role == POLICY_LISTEN ? "listen" : "connect";
	struct policy_cidr cidr = {0};
	char why[POLICY_CIDR_WHY];

	if (!policy_cidr_parse(text, &cidr, why))
		policy_report_add(&parser->report, where, what, "%s", why);
	else if (rule->role == POLICY_LISTEN && cidr.prefix == (cidr.ipv6 ? 128 : 32) && !cidr.address.high &&
		!cidr.address.low)
		policy_report_add(&parser->report, where, what,
			"is the wildcard, and a wildcard listener is matched by /0 rules only; write %s or \"any\"",
			cidr.ipv6 ? "::/0" : "0.0.0.0/0");
	else
		add_cidr(parser, rule, &cidr, where);
}

static void read_any(struct parser *parser, struct policy_rule *rule, struct json_token where)
{
	add_cidr(parser, rule, &(struct policy_cidr){.ipv6 = false}, where);
	add_cidr(parser, rule, &(struct policy_cidr){.ipv6 = true}, where);
}

static void read_addresses(
	struct parser *parser, struct policy_rule *rule, const cJSON *value, struct json_token where, const char *what)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	const cJSON *child;

	if (cJSON_IsString(value) && !strcmp(value->valuestring, "any"))
		read_any(parser, rule, where);
	else if (cJSON_IsString(value))
		read_cidr(parser, rule, value->valuestring, where);
	else if (!cJSON_IsArray(value))
		parse_wrong_type(parser, value, where, what, "write a CIDR, a list of CIDRs, or \"any\"");
	else if (!value->child)
		policy_report_add(&parser->report, where, what, "is an empty list; write a CIDR, or \"any\" for all");
	else
		cJSON_ArrayForEach(child, value)
		{
			struct json_token item = json_next(&cursor);

			if (!cJSON_IsString(child))
				parse_wrong_type(parser, child, item, what, "write a CIDR in double quotes");
			else if (!strcmp(child->valuestring, "any"))
				policy_report_add(&parser->report, item, what,
					"stands in a list; write \"any\" alone, or 0.0.0.0/0 or ::/0 here");
			else
				read_cidr(parser, rule, child->valuestring, item);
		}
}

static void read_connect(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct policy_rule *rule = to;

	rule->role = POLICY_CONNECT;
	read_addresses(parser, rule, value, where, "connect");
}

static void read_listen(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct policy_rule *rule = to;

	rule->role = POLICY_LISTEN;
	read_addresses(parser, rule, value, where, "listen");
}

static void read_ports(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	parse_ports(parser, to, value, where);
}

static void read_note(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct policy_rule *rule = to;

	if (!cJSON_IsString(value)) {
		parse_wrong_type(parser, value, where, "note", "write a string");
		return;
	}
	rule->note = strdup(value->valuestring);
	if (!rule->note)
		parser->no_memory = true;
}

static const struct parse_key rule_keys[] = {
	{"use", read_use},
	{"connect", read_connect},
	{"listen", read_listen},
	{"ports", read_ports},
	{"note", read_note},
};

static const struct parse_object rule_object = {
	"a rule", "use, connect, listen, ports, note", rule_keys, sizeof(rule_keys) / sizeof(*rule_keys)};

static void check_keys(struct parser *parser, unsigned seen, struct json_token open)
{
	unsigned roles = seen & (SEEN_CONNECT | SEEN_LISTEN);

	if (!(seen & SEEN_USE))
		policy_report_add(
			&parser->report, open, "rule", "has no use; write \"use\": \"smc\" or \"use\": \"tcp\"");
	if (!roles)
		policy_report_add(&parser->report, open, "rule",
			"has neither connect nor listen; write \"connect\": \"CIDR\" or \"listen\": \"CIDR\"");
	if (roles == (SEEN_CONNECT | SEEN_LISTEN))
		policy_report_add(&parser->report, open, "rule", "has both connect and listen; write two rules");
}

void parse_rule(struct parser *parser, const cJSON *value, struct json_token where)
{
	struct policy *policy = parser->policy;
	size_t errors = parser->report.errors->count + parser->report.errors->more;
	struct policy_rule *rule;

	rule = parse_grow(parser, (void **)&policy->rules, policy->rule_count, &parser->rule_room, sizeof(*rule));
	if (!rule)
		return;
	*rule = (struct policy_rule){.line = policy_report_line(&parser->report, where.position),
		.cidr_first = (uint32_t)policy->cidr_count,
		.port_first = (uint32_t)policy->port_count};
	policy->rule_count++; /* also when it is wrong: rule N stays the N-th of the file */
	if (cJSON_IsObject(value))
		check_keys(parser, parse_object(parser, &rule_object, rule, value, where),
			(struct json_token){where.position, 1});
	else
		parse_wrong_type(parser, value, where, "rule", "write { \"use\": \"smc\", \"connect\": \"CIDR\" }");
	if (parser->report.errors->count + parser->report.errors->more != errors)
		rule->cidr_count = 0; /* what it was meant to say is unknown, so it ties with nothing */
}
