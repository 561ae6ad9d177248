/* SPDX-License-Identifier: MIT */
/* Decides for one address as the shim does, and says why in words. */
#include "config.h"

#include "ctl/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/apply.h"
#include "ctl/output.h"
#include "ctl/rules.h"

void verdict_clear(struct verdict *v)
{
	policy_explanation_free(v->explanation);
	policy_free(v->policy);
	free(v->info);
	policy_store_close(v->store);
}

static bool program_inside(const struct verdict *v, const char *comm)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a verdict has the one or the other */
	enum policy_program_mode mode = v->info ? v->info->program_mode : v->policy->program_mode;
	size_t count = v->info ? v->info->program_count : v->policy->program_count;
	bool named = false;

	for (size_t i = 0; i < count && i < POLICY_MAX_PROGRAMS; i++)
		named = named || policy_program_matches(v->info ? v->info->programs[i] : v->policy->programs[i], comm);
	return mode == POLICY_PROGRAMS_ALL || named == (mode == POLICY_PROGRAMS_ONLY);
}

/* What stands above rules that say SMC, in the shim's order. */
static void look_above(struct verdict *v)
{
	char comm[POLICY_COMM_LEN];

	if (v->info && v->info->state != POLICY_ON)
		v->above[v->above_count++] = v->info->state == POLICY_OBSERVE
			? "the state is observe: it is only counted"
			: "the state is off";
	if (v->info && !(v->info->kernel & POLICY_KERNEL_SMC))
		v->above[v->above_count++] = "the kernel had no SMC when the policy was applied";
	if (v->program) {
		snprintf(comm, sizeof(comm), "%.15s", v->program);
		if (!program_inside(v, comm))
			v->above[v->above_count++] = "the program is outside \"programs\"";
	}
}

int verdict_find(struct verdict *v)
{
	if (v->policy) {
		int r = policy_explain(v->policy, v->role, &v->address.socket.any, v->address.length, &v->explanation);

		if (r < 0)
			return r;
		v->value = v->explanation->value;
	}
	/* The table in force has the last word. */
	if (v->store)
		v->value = policy_map_decide(
			policy_store_map(v->store), v->role, &v->address.socket.any, v->address.length);
	if (v->value & POLICY_VALUE_SMC)
		look_above(v);
	return 0;
}

static void put_candidates(struct out *out, const struct verdict *v)
{
	const struct policy_explanation *explanation = v->explanation;

	out_list(out, "candidates", NULL);
	for (size_t i = 0; i < explanation->candidate_count; i++) {
		const struct policy_candidate *candidate = &explanation->candidates[i];
		const struct policy_rule *rule = &v->policy->rules[candidate->rule - 1];
		char text[POLICY_CIDR_TEXT];

		out_object(out, NULL, NULL);
		out_uint(out, "rule", "RULE", candidate->rule);
		out_uint(out, "line", "LINE", rule->line);
		out_string(out, "use", "USE", rules_use(rule->use));
		policy_cidr_format(&v->policy->cidrs[candidate->cidr], text);
		out_string(out, "cidr", "MATCHES", text);
		rules_format_range(&candidate->port, text);
		out_string(out, "ports", "PORTS", text);
		out_bool(out, "decides", "DECIDES", i == 0 && explanation->reason == POLICY_REASON_RULE);
		if (rule->note)
			out_string(out, "note", "NOTE", rule->note);
		else
			out_string(out, NULL, "NOTE", "");
		out_close(out);
	}
	out_close(out);
}

static void put_rule(struct out *out, const struct verdict *v)
{
	static const char *const reasons[] = {[POLICY_REASON_NONE] = "none",
		[POLICY_REASON_RULE] = "rule",
		[POLICY_REASON_BUILTIN] = "builtin",
		[POLICY_REASON_FAMILY] = "family"};
	uint32_t rule = v->value & POLICY_VALUE_RULE;
	unsigned reason = rule == POLICY_RULE_BUILTIN ? POLICY_REASON_BUILTIN
		: rule                                ? POLICY_REASON_RULE
						      : POLICY_REASON_NONE;

	if (v->explanation && v->explanation->reason <= POLICY_REASON_FAMILY)
		reason = v->explanation->reason;
	out_string(out, "reason", NULL, reasons[reason]);
	if (reason == POLICY_REASON_RULE)
		out_uint(out, "rule", NULL, rule);
	else
		out_null(out, "rule", NULL);
	if (v->explanation) {
		if (reason == POLICY_REASON_RULE && rule <= v->policy->rule_count)
			out_uint(out, "line", NULL, v->policy->rules[rule - 1].line);
		out_string(out, "why", "why", v->explanation->why);
	} else if (reason == POLICY_REASON_RULE) {
		out_note(out, "%-12s rule %" PRIu32 " of the policy in force", "why", rule);
	} else {
		out_note(out, "%-12s %s", "why",
			reason == POLICY_REASON_BUILTIN ? "a built-in rule" : "no rule matches");
	}
}

static void put_source(struct out *out, const struct verdict *v)
{
	if (v->table) {
		out_string(out, "table", "table", v->table);
		out_string(out, "state", "state", apply_state_name(v->info->state));
	}
	out_string(out, "file", "file", v->file);
	out_bool(out, "in_force", NULL, v->table != NULL);
	if (!v->table)
		out_note(out, "%-12s not what is in force, but what this file says", "");
	else if (!v->policy)
		out_note(out, "%-12s has changed since: its lines and candidates cannot be told", "");
}

static void put_notes(struct out *out, const struct verdict *v)
{
	const struct policy_explanation *explanation = v->explanation;
	enum policy_program_mode mode = v->info ? v->info->program_mode : v->policy->program_mode;

	if (!v->address.has_port)
		out_note(out, "No port given: rules that name ports were not asked. Try %s%s%s:PORT.",
			strchr(v->address.host, ':') ? "[" : "", v->address.host,
			strchr(v->address.host, ':') ? "]" : "");
	if (!v->program && mode != POLICY_PROGRAMS_ALL)
		out_note(out, "Holds for programs inside \"programs\" only: ask with --program NAME.");
	if (explanation && explanation->mapped)
		out_note(out, "An IPv4-mapped address follows the IPv4 rules.");
}

int verdict_print(const struct verdict *v, FILE *stream, bool json)
{
	bool smc = (v->value & POLICY_VALUE_SMC) && !v->above_count;
	struct out *out;
	char target[INET6_ADDRSTRLEN + 16];
	bool brackets = strchr(v->address.host, ':') != NULL && v->address.has_port;
	int r = out_begin(stream, json, &out);

	if (r < 0)
		return r;
	snprintf(target, sizeof(target), "%s%s%s", brackets ? "[" : "", v->address.host, brackets ? "]" : "");
	if (v->address.has_port)
		snprintf(target + strlen(target), 8, ":%u", v->address.port);
	out_note(out, "%s %s: %s", rules_role(v->role), target, smc ? "SMC" : "TCP");
	out_string(out, "address", NULL, v->address.host);
	if (v->address.has_port)
		out_uint(out, "port", NULL, v->address.port);
	out_string(out, "role", NULL, rules_role(v->role));
	out_string(out, "use", NULL, smc ? "smc" : "tcp");
	out_string(out, "rules_say", NULL, v->value & POLICY_VALUE_SMC ? "smc" : "tcp");
	out_list(out, "above", v->above_count ? "but" : NULL);
	for (size_t i = 0; i < v->above_count; i++)
		out_string(out, NULL, NULL, v->above[i]);
	out_close(out);
	put_rule(out, v);
	put_source(out, v);
	put_notes(out, v);
	if (v->explanation)
		put_candidates(out, v);
	return out_end(out);
}
