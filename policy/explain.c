/* SPDX-License-Identifier: MIT */
/* A decision straight from the rules, one by one, and the words for it. Shares nothing with the compiled form. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cidr.h"
#include "policy/cleanup.h"
#include "policy/policy.h"

struct question {
	const struct policy *policy;
	enum policy_role role;
	struct policy_key6 address;
	bool ipv6;
	uint16_t port;
	char text[INET6_ADDRSTRLEN];
};

static void set_ipv6(struct question *question, const struct in6_addr *in6, struct policy_explanation *out)
{
	uint64_t half[2] = {0, 0};

	for (size_t i = 0; i < 16; i++)
		half[i / 8] = half[i / 8] << 8 | in6->s6_addr[i];
	question->address = (struct policy_key6){half[0], half[1]};
	out->mapped = IN6_IS_ADDR_V4MAPPED(in6);
	question->ipv6 = !out->mapped;
	if (out->mapped)
		question->address.low &= UINT32_MAX;
}

/* False if the address is of another family. */
static bool read_question(
	const struct sockaddr *address, size_t len, struct question *question, struct policy_explanation *out)
{
	struct sockaddr_in in = {0};
	struct sockaddr_in6 in6 = {0};

	memcpy(&in, address, len < sizeof(in) ? len : sizeof(in));
	memcpy(&in6, address, len < sizeof(in6) ? len : sizeof(in6));
	if (in.sin_family == AF_INET && len >= sizeof(in)) {
		question->address = (struct policy_key6){0, ntohl(in.sin_addr.s_addr)};
		(void)inet_ntop(AF_INET, &in.sin_addr, question->text, sizeof(question->text));
	} else if (in.sin_family == AF_INET6 && len >= sizeof(in6)) {
		set_ipv6(question, &in6.sin6_addr, out);
		(void)inet_ntop(AF_INET6, &in6.sin6_addr, question->text, sizeof(question->text));
	} else {
		return false;
	}
	question->port = ntohs(in.sin_port);
	out->wildcard = question->role == POLICY_LISTEN && !question->address.high && !question->address.low;
	for (size_t i = 0; i < policy_builtin_count; i++)
		if (policy_builtins[i].cidr.ipv6 == question->ipv6 &&
			policy_cidr_holds(&policy_builtins[i].cidr, &question->address))
			out->builtin = policy_builtins[i].text;
	return true;
}

/* The narrowest of the rule's port ranges that holds the port; false if none does. */
static bool find_ports(const struct question *question, const struct policy_rule *rule, struct policy_port_range *out)
{
	bool found = false;

	*out = (struct policy_port_range){0, 65535};
	for (uint32_t i = 0; i < rule->port_count; i++) {
		struct policy_port_range range = question->policy->ports[rule->port_first + i];

		if (range.from > question->port || range.to < question->port)
			continue;
		if (!found || range.to - range.from < out->to - out->from)
			*out = range;
		found = true;
	}
	return found || !rule->port_count;
}

/* The most specific of the rule's CIDRs that holds the address; -1 if none does. */
static int64_t find_cidr(const struct question *question, const struct policy_rule *rule, bool wildcard)
{
	const struct policy_cidr *cidrs = question->policy->cidrs;
	int64_t best = -1;

	for (uint32_t i = rule->cidr_first; i < rule->cidr_first + rule->cidr_count; i++) {
		if (cidrs[i].ipv6 != question->ipv6 || !policy_cidr_holds(&cidrs[i], &question->address))
			continue;
		if ((best < 0 || cidrs[i].prefix > cidrs[best].prefix) && !(wildcard && cidrs[i].prefix))
			best = i;
	}
	return best;
}

/* True if a comes before b: the longer prefix, then the narrower ports, then the earlier rule. */
static bool stronger(const struct policy *policy, const struct policy_candidate *a, const struct policy_candidate *b)
{
	uint8_t prefix[2] = {policy->cidrs[a->cidr].prefix, policy->cidrs[b->cidr].prefix};
	int width[2] = {a->port.to - a->port.from, b->port.to - b->port.from};

	if (prefix[0] != prefix[1])
		return prefix[0] > prefix[1];
	if (width[0] != width[1])
		return width[0] < width[1];
	return a->rule < b->rule;
}

static int add_candidate(
	const struct policy *policy, struct policy_explanation *out, const struct policy_candidate *candidate)
{
	size_t place = out->candidate_count;
	struct policy_candidate *candidates = realloc(out->candidates, (place + 1) * sizeof(*candidates));

	if (!candidates)
		return -ENOMEM;
	out->candidates = candidates;
	for (; place && stronger(policy, candidate, &candidates[place - 1]); place--)
		candidates[place] = candidates[place - 1];
	candidates[place] = *candidate;
	out->candidate_count++;
	return 0;
}

static int collect(const struct question *question, struct policy_explanation *out)
{
	for (uint32_t i = 0; i < question->policy->rule_count; i++) {
		const struct policy_rule *rule = &question->policy->rules[i];
		struct policy_candidate candidate = {.rule = i + 1};
		int64_t cidr;

		if (rule->role != question->role || !find_ports(question, rule, &candidate.port))
			continue;
		cidr = find_cidr(question, rule, out->wildcard);
		if (cidr < 0)
			continue;
		candidate.cidr = (uint32_t)cidr;
		if (add_candidate(question->policy, out, &candidate))
			return -ENOMEM;
	}
	return 0;
}

static void decide(const struct policy *policy, struct policy_explanation *out)
{
	const struct policy_candidate *first = out->candidates;

	if (first && (policy->cidrs[first->cidr].prefix || !out->builtin)) {
		out->reason = POLICY_REASON_RULE;
		out->value = first->rule | (policy->rules[first->rule - 1].use == POLICY_SMC ? POLICY_VALUE_SMC : 0);
	} else if (out->builtin) {
		out->reason = POLICY_REASON_BUILTIN;
		out->value = POLICY_RULE_BUILTIN;
	}
}

static int word_rule(const struct question *question, struct policy_explanation *out)
{
	const struct policy_candidate *first = out->candidates;
	const struct policy_rule *rule = &question->policy->rules[first->rule - 1];
	const struct policy_cidr *cidr = &question->policy->cidrs[first->cidr];
	char text[POLICY_CIDR_TEXT], ports[48] = "all ports";
	const char *why = "the only rule that holds it";
	uint8_t next;

	policy_cidr_format(cidr, text);
	if (rule->port_count)
		(void)snprintf(ports, sizeof(ports), first->port.from == first->port.to ? "port %u" : "ports %u-%u",
			(unsigned)first->port.from, (unsigned)first->port.to);
	if (out->candidate_count > 1) {
		next = question->policy->cidrs[first[1].cidr].prefix;
		if (cidr->prefix != next)
			why = "the most specific CIDR that holds it";
		else if (first[1].port.to - first[1].port.from != first->port.to - first->port.from)
			why = "the narrowest ports in the most specific CIDR";
		else
			why = "the first of the rules that say the same";
	}
	return asprintf(&out->why, "rule %u (line %u) says %s for %s, %s: %s%s", first->rule, rule->line,
		rule->use == POLICY_SMC ? "smc" : "tcp", text, ports, why,
		out->wildcard ? "; a wildcard listener is matched by /0 rules only" : "");
}

static int word(const struct question *question, struct policy_explanation *out)
{
	int r;

	if (out->reason == POLICY_REASON_RULE)
		r = word_rule(question, out);
	else if (out->reason == POLICY_REASON_BUILTIN)
		r = asprintf(&out->why, "built in: %s is in %s, which stays TCP unless a rule longer than /0 holds it",
			question->text, out->builtin);
	else if (out->reason == POLICY_REASON_FAMILY)
		r = asprintf(&out->why, "neither an IPv4 nor an IPv6 address");
	else
		r = asprintf(&out->why, "no rule holds %s port %u%s", question->text, (unsigned)question->port,
			out->wildcard ? "; a wildcard listener is matched by /0 rules only" : "");
	if (r < 0)
		out->why = NULL;
	return out->why ? 0 : -ENOMEM;
}

int policy_explain(const struct policy *policy, enum policy_role role, const struct sockaddr *address, size_t len,
	struct policy_explanation **out)
{
	_cleanup_policy_explanation_ struct policy_explanation *explanation = calloc(1, sizeof(*explanation));
	struct question question = {.policy = policy, .role = role};

	if (!explanation)
		return -ENOMEM;
	if (!read_question(address, len, &question, explanation))
		explanation->reason = POLICY_REASON_FAMILY;
	else if (collect(&question, explanation))
		return -ENOMEM;
	else
		decide(policy, explanation);
	if (word(&question, explanation))
		return -ENOMEM;
	*out = take(explanation);
	return 0;
}

void policy_explanation_free(struct policy_explanation *explanation)
{
	if (!explanation)
		return;
	free(explanation->candidates);
	free(explanation->why);
	free(explanation);
}
