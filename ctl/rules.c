/* SPDX-License-Identifier: MIT */
/* Writes the rules of a policy file. */
#include "config.h"

#include "ctl/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A rule may name a million CIDRs: people get the first few. */
#define SHOWN 4u

void rules_format_range(const struct policy_port_range *range, char out[static RULES_PORTS_TEXT])
{
	if (range->from == 0 && range->to == 65535)
		snprintf(out, RULES_PORTS_TEXT, "any");
	else if (range->from == range->to)
		snprintf(out, RULES_PORTS_TEXT, "%u", range->from);
	else
		snprintf(out, RULES_PORTS_TEXT, "%u-%u", range->from, range->to);
}

const char *rules_use(enum policy_use use)
{
	return use == POLICY_SMC ? "smc" : "tcp";
}

const char *rules_role(enum policy_role role)
{
	return role == POLICY_LISTEN ? "listen" : "connect";
}

static void put_item(const struct policy *policy, size_t index, bool cidr, FILE *stream)
{
	char text[POLICY_CIDR_TEXT];

	if (cidr)
		policy_cidr_format(&policy->cidrs[index], text);
	else
		rules_format_range(&policy->ports[index], text);
	fputs(text, stream);
}

static int format_items(const struct policy *policy, size_t first, size_t count, bool cidr, char **out)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; i < count && i < SHOWN; i++) {
		fputs(i ? ", " : "", stream);
		put_item(policy, first + i, cidr, stream);
	}
	if (count > SHOWN)
		fprintf(stream, " and %zu more", count - SHOWN);
	if (fclose(stream) != 0) {
		free(text);
		return -ENOMEM;
	}
	*out = text;
	return 0;
}

int rules_format_ports(const struct policy *policy, const struct policy_rule *rule, char **out)
{
	if (rule->port_count == 0) {
		*out = strdup("any");
		return *out ? 0 : -ENOMEM;
	}
	return format_items(policy, rule->port_first, rule->port_count, false, out);
}

int rules_format_cidrs(const struct policy *policy, const struct policy_rule *rule, char **out)
{
	return format_items(policy, rule->cidr_first, rule->cidr_count, true, out);
}

/* JSON has them all, as lists. */
static void list_items(struct out *out, const struct policy *policy, const struct policy_rule *rule)
{
	char text[POLICY_CIDR_TEXT];

	out_list(out, "cidrs", NULL);
	for (size_t i = 0; i < rule->cidr_count; i++) {
		policy_cidr_format(&policy->cidrs[rule->cidr_first + i], text);
		out_string(out, NULL, NULL, text);
	}
	out_close(out);
	out_list(out, "ports", NULL);
	for (size_t i = 0; i < rule->port_count; i++) {
		rules_format_range(&policy->ports[rule->port_first + i], text);
		out_string(out, NULL, NULL, text);
	}
	out_close(out);
}

static int put_rule(struct out *out, const struct policy *policy, size_t index)
{
	const struct policy_rule *rule = &policy->rules[index];
	_cleanup_free_ char *cidrs = NULL;
	_cleanup_free_ char *ports = NULL;

	if (rules_format_cidrs(policy, rule, &cidrs) < 0 || rules_format_ports(policy, rule, &ports) < 0)
		return -ENOMEM;
	out_object(out, NULL, NULL);
	out_uint(out, "rule", "RULE", index + 1);
	out_uint(out, "line", "LINE", rule->line);
	out_string(out, "use", "USE", rules_use(rule->use));
	out_string(out, "role", "FOR", rules_role(rule->role));
	out_string(out, NULL, "ADDRESSES", cidrs);
	out_string(out, NULL, "PORTS", ports);
	if (out_is_json(out))
		list_items(out, policy, rule);
	if (rule->note)
		out_string(out, "note", "NOTE", rule->note);
	else
		out_string(out, NULL, "NOTE", "");
	out_close(out);
	return 0;
}

int rules_list(struct out *out, const struct policy *policy)
{
	out_list(out, "rules", NULL);
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (put_rule(out, policy, i) < 0)
			return -ENOMEM;
	}
	out_close(out);
	return 0;
}
