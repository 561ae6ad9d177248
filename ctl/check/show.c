/* SPDX-License-Identifier: MIT */
/* One destination in full, or many as a table; both with the same JSON. */
#include "config.h"

#include "ctl/check/show.h"

#include <errno.h>
#include <string.h>

#include "ctl/check/show-parts.h"
#include "ctl/rules.h"

static const char *use_of(const struct target *target)
{
	switch (judge_fit(target->verdict)) {
	case FIT_YES:
		return "smc";
	case FIT_NO:
		return "tcp";
	default:
		return NULL;
	}
}

/* The rule to write, ready to be pasted into a policy. */
static void put_rule(struct out *out, const struct target *target)
{
	const char *use = use_of(target);
	char address[TARGET_TEXT];
	char cidr[TARGET_TEXT + 8];
	char text[300];

	if (!use) {
		if (out_is_json(out))
			out_null(out, "rule", NULL);
		return;
	}
	target_text(target, false, address);
	/* A policy has no interfaces: a link-local address stands for all of them. */
	address[strcspn(address, "%")] = '\0';
	(void)snprintf(cidr, sizeof(cidr), "%s/%d", address, target->to.ss_family == AF_INET6 ? 128 : 32);
	if (!out_is_json(out)) {
		(void)snprintf(text, sizeof(text), "{ \"use\": \"%s\", \"connect\": \"%s\", \"ports\": %u%s%s%s }", use,
			cidr, target->port, *use == 't' ? ", \"note\": \"" : "",
			*use == 't' ? verdict_key(target->verdict) : "", *use == 't' ? "\"" : "");
		out_string(out, NULL, "Rule", text);
		return;
	}
	out_object(out, "rule", NULL);
	out_string(out, "use", NULL, use);
	out_string(out, "connect", NULL, cidr);
	out_uint(out, "ports", NULL, target->port);
	if (*use == 't')
		out_string(out, "note", NULL, verdict_key(target->verdict));
	out_close(out);
}

static void put_json(struct out *out, const struct show *show, const struct target *target)
{
	enum judge_fit fit = judge_fit(target->verdict);
	char text[TARGET_TEXT];

	target_text(target, true, text);
	out_string(out, "destination", NULL, text);
	target_text(target, false, text);
	out_string(out, "address", NULL, text);
	out_uint(out, "port", NULL, target->port);
	if (fit == FIT_YES || fit == FIT_NO)
		out_bool(out, "fit", NULL, fit == FIT_YES);
	else
		out_null(out, "fit", NULL);
	out_string(out, "verdict", NULL, verdict_key(target->verdict));
	out_string(out, "meaning", NULL, verdict_meaning(target->verdict));
	out_optional(out, "remedy", NULL, verdict_remedy(target->verdict));
	show_syns(out, target);
	show_handshake(out, target, show->handshake);
	put_rule(out, target);
	if (show->policy) {
		out_uint(out, "policy_rule", NULL, target->rule);
		out_string(out, "policy_use", NULL, rules_use(show->policy->rules[target->rule - 1].use));
	}
}

static void put_full(struct out *out, const struct show *show, const struct target *target)
{
	const char *remedy = verdict_remedy(target->verdict);
	char text[300];

	(void)snprintf(text, sizeof(text), "%s: %s", verdict_key(target->verdict), verdict_meaning(target->verdict));
	out_string(out, NULL, "Verdict", text);
	if (remedy)
		out_string(out, NULL, "Remedy", remedy);
	show_syns(out, target);
	show_handshake(out, target, show->handshake);
	put_rule(out, target);
}

static void put_row(struct out *out, const struct show *show, const struct target *target)
{
	const char *remedy = verdict_remedy(target->verdict);
	char text[TARGET_TEXT];

	target_text(target, true, text);
	out_string(out, NULL, "DESTINATION", text);
	out_string(out, NULL, "RULE", rules_use(show->policy->rules[target->rule - 1].use));
	out_uint(out, NULL, "LINE", show->policy->rules[target->rule - 1].line);
	out_string(out, NULL, "VERDICT", verdict_key(target->verdict));
	show_row(out, target);
	if (target->verdict != VERDICT_SMC)
		out_note(out, "%s%s%s", verdict_meaning(target->verdict), remedy ? "; " : "", remedy ? remedy : "");
}

static const char *left_text(unsigned left)
{
	if (left & LEFT_NO_PORTS)
		return "no port is named: name the ports, at most 16";
	if (left & LEFT_MANY_PORTS)
		return "more than 16 ports are named: check one with smcctl check HOST:PORT";
	return "networks are named: name a host in them with smcctl check HOST:PORT";
}

static void put_left_out(struct out *out, const struct show *show)
{
	out_list(out, "unchecked", NULL);
	for (size_t i = 0; i < show->policy->rule_count; i++) {
		unsigned left = target_left_out(show->policy, &show->policy->rules[i]);

		if (!left)
			continue;
		if (out_is_json(out)) {
			out_object(out, NULL, NULL);
			out_uint(out, "policy_rule", NULL, i + 1);
			out_uint(out, "line", NULL, show->policy->rules[i].line);
			out_string(out, "why", NULL, left_text(left));
			out_close(out);
		}
	}
	out_close(out);
	for (size_t i = 0; i < show->policy->rule_count && !out_is_json(out); i++) {
		unsigned left = target_left_out(show->policy, &show->policy->rules[i]);

		if (left)
			out_note(out, "not checked: rule %zu, line %u: %s", i + 1, show->policy->rules[i].line,
				left_text(left));
	}
}

static void put_summary(struct out *out, const struct show *show)
{
	size_t count[FIT_NO + 1] = {0};
	size_t left = 0;

	for (size_t i = 0; i < show->targets->count; i++)
		count[judge_fit(show->targets->item[i].verdict)]++;
	for (size_t i = 0; i < show->policy->rule_count; i++)
		left += target_left_out(show->policy, &show->policy->rules[i]) != 0;
	out_object(out, "summary", NULL);
	out_uint(out, "fit", NULL, count[FIT_YES]);
	out_uint(out, "unfit", NULL, count[FIT_NO]);
	out_uint(out, "unanswered", NULL, count[FIT_NOBODY]);
	out_uint(out, "unknown", NULL, count[FIT_UNKNOWN]);
	out_uint(out, "unchecked_rules", NULL, left);
	out_close(out);
	out_note(out, "%zu fit, %zu unfit, %zu unanswered, %zu unknown; %zu rule%s not checked", count[FIT_YES],
		count[FIT_NO], count[FIT_NOBODY], count[FIT_UNKNOWN], left, left == 1 ? "" : "s");
}

static void put_target(struct out *out, const struct show *show, const struct target *target)
{
	char title[TARGET_TEXT];

	target_text(target, true, title);
	out_object(out, NULL, title);
	if (show->json)
		put_json(out, show, target);
	else if (show->policy)
		put_row(out, show, target);
	else
		put_full(out, show, target);
	out_close(out);
}

int show_checks(const struct show *show, FILE *stream)
{
	struct out *out;
	bool list = show->json || show->policy;
	int r = out_begin(stream, show->json, &out);

	if (r < 0)
		return r;
	if (list)
		out_list(out, "destinations", NULL);
	for (size_t i = 0; i < show->targets->count; i++) {
		if (i && !list)
			out_note(out, "%s", "");
		put_target(out, show, &show->targets->item[i]);
	}
	if (list)
		out_close(out);
	if (show->policy) {
		put_left_out(out, show);
		put_summary(out, show);
	}
	return out_end(out);
}

static enum ctl_exit exit_of(const struct target *target)
{
	switch (judge_fit(target->verdict)) {
	case FIT_YES:
		return CTL_OK;
	case FIT_NO:
		return CTL_DIFFERENCE;
	case FIT_NOBODY:
		return CTL_FAILED;
	case FIT_UNKNOWN:
		break;
	}
	return target->handshake.result == HANDSHAKE_NO_SMC && target->handshake.error != -EACCES &&
			target->handshake.error != -EPERM
		? CTL_CANNOT
		: CTL_NOT_PERMITTED;
}

enum ctl_exit show_exit(const struct show *show)
{
	/* From the mildest to the worst. */
	static const enum ctl_exit order[] = {CTL_OK, CTL_NOT_PERMITTED, CTL_CANNOT, CTL_FAILED, CTL_DIFFERENCE};
	size_t worst = 0;

	for (size_t i = 0; i < show->targets->count; i++) {
		const struct target *target = &show->targets->item[i];
		enum ctl_exit code = exit_of(target);

		if (show->policy && code == CTL_DIFFERENCE && show->policy->rules[target->rule - 1].use == POLICY_TCP)
			continue;
		for (size_t k = worst; k < sizeof(order) / sizeof(order[0]); k++)
			worst = order[k] == code ? k : worst;
	}
	return order[worst];
}
