/* SPDX-License-Identifier: MIT */
/* Ties: two rules that answer differently for one CIDR with equally narrow, overlapping ports. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/cleanup.h"
#include "policy/entries.h"
#include "policy/parse.h"

struct span {
	uint32_t from;
	uint32_t to;
	uint32_t entry; /* of the group, with the rule it belongs to */
};

struct validation {
	const struct policy *policy;
	struct policy_report *report;
	struct policy_entries entries;
	struct span *spans;
	size_t span_room;
	/* Pairs of rules that have been reported: one message each, however many CIDRs they share. */
	uint32_t (*pairs)[2];
	size_t pair_count;
	/* The group that was checked last: lists in two rules make long runs of the same. */
	size_t last_first, last_count;
};

static const struct policy_rule *rule_of(const struct validation *validation, uint32_t entry)
{
	return &validation->policy->rules[validation->entries.items[entry].rule];
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->to - x->from != y->to - y->from)
		return x->to - x->from < y->to - y->from ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static void format_span(const struct span *span, char out[static 24])
{
	if (span->to - span->from == 65535)
		(void)snprintf(out, 24, "all ports");
	else if (span->from == span->to)
		(void)snprintf(out, 24, "port %u", span->from);
	else
		(void)snprintf(out, 24, "ports %u-%u", (uint16_t)span->from, (uint16_t)span->to);
}

/* True if the pair is new. */
static bool remember(struct validation *validation, uint32_t low, uint32_t high)
{
	for (size_t i = 0; i < validation->pair_count; i++)
		if (validation->pairs[i][0] == low && validation->pairs[i][1] == high)
			return false;
	if (validation->pair_count < POLICY_ERRORS_KEPT) {
		validation->pairs[validation->pair_count][0] = low;
		validation->pairs[validation->pair_count++][1] = high;
	}
	return true;
}

static void report_tie(struct validation *validation, const struct span *a, const struct span *b)
{
	const struct policy_entry *x = &validation->entries.items[a->entry], *y = &validation->entries.items[b->entry];
	const struct span *earlier = x->rule < y->rule ? a : b, *later = x->rule < y->rule ? b : a;
	const struct policy_rule *first = rule_of(validation, earlier->entry),
				 *second = rule_of(validation, later->entry);
	const struct policy *policy = validation->policy;
	const struct policy_entry *entry = &validation->entries.items[later->entry];
	struct json_cursor place = {
		validation->report->text, validation->report->len, policy->cidrs[entry->cidr].position};
	char cidr[POLICY_CIDR_TEXT], ports[2][24];

	if (!remember(validation, validation->entries.items[earlier->entry].rule, entry->rule))
		return;
	policy_cidr_format(&policy->cidrs[entry->cidr], cidr);
	format_span(earlier, ports[0]);
	format_span(later, ports[1]);
	policy_report_add(validation->report, json_next(&place), second->role == POLICY_LISTEN ? "listen" : "connect",
		"rule %u (line %u) says %s for %s of %s, and rule %u (line %u) says %s for %s; "
		"make the CIDR or the ports of one of them narrower, or remove it",
		entry->rule + 1, second->line, second->use == POLICY_SMC ? "smc" : "tcp", ports[1], cidr,
		validation->entries.items[earlier->entry].rule + 1, first->line,
		first->use == POLICY_SMC ? "smc" : "tcp", ports[0]);
}

/*
 * Among equally wide spans in rising order, the nearest before of the other answer is the one that reaches farthest:
 * if it does not overlap, none does.
 */
static void find_ties(struct validation *validation, size_t count)
{
	const struct span *last[2] = {NULL, NULL};

	for (size_t i = 0; i < count; i++) {
		const struct span *span = &validation->spans[i], *other;
		enum policy_use use = rule_of(validation, span->entry)->use;

		if (i && span->to - span->from != span[-1].to - span[-1].from)
			last[POLICY_TCP] = last[POLICY_SMC] = NULL;
		other = last[use == POLICY_SMC ? POLICY_TCP : POLICY_SMC];
		if (other && other->to >= span->from)
			report_tie(validation, other, span);
		last[use] = span;
	}
}

static int add_span(struct validation *validation, size_t count, const struct span *span)
{
	if (count == validation->span_room) {
		size_t room = validation->span_room ? validation->span_room * 2 : 64;
		struct span *spans = realloc(validation->spans, room * sizeof(*spans));

		if (!spans)
			return -ENOMEM;
		validation->spans = spans;
		validation->span_room = room;
	}
	validation->spans[count] = *span;
	return 0;
}

static int check_group(struct validation *validation, size_t first, size_t group)
{
	const struct policy *policy = validation->policy;
	size_t count = 0;
	int r;

	for (size_t e = first; e < first + group; e++) {
		const struct policy_rule *rule = rule_of(validation, (uint32_t)e);

		if (!rule->port_count) {
			r = add_span(validation, count++, &(struct span){0, 65535, (uint32_t)e});
			if (r)
				return r;
		}
		for (uint32_t p = rule->port_first; p < rule->port_first + rule->port_count; p++) {
			r = add_span(validation, count++,
				&(struct span){policy->ports[p].from, policy->ports[p].to, (uint32_t)e});
			if (r)
				return r;
		}
	}
	qsort(validation->spans, count, sizeof(*validation->spans), compare_spans);
	find_ties(validation, count);
	return 0;
}

/* True if the rules of a group differ in their answers and are not the ones that have just been checked. */
static bool must_check(const struct validation *validation, size_t first, size_t group)
{
	const struct policy_entry *items = validation->entries.items;
	bool differ = false, same = group == validation->last_count;

	for (size_t i = 0; i < group; i++) {
		differ |= rule_of(validation, (uint32_t)(first + i))->use != rule_of(validation, (uint32_t)first)->use;
		same = same && items[first + i].rule == items[validation->last_first + i].rule;
	}
	return differ && !same;
}

static int validate_list(struct validation *validation, enum policy_role role, bool ipv6)
{
	int r = policy_entries_collect(validation->policy, role, ipv6, false, &validation->entries);

	validation->last_first = validation->last_count = 0;
	for (size_t first = 0, group; !r && first < validation->entries.count; first += group) {
		group = policy_entries_group(&validation->entries, first);
		if (group < 2 || !must_check(validation, first, group))
			continue;
		r = check_group(validation, first, group);
		validation->last_first = first;
		validation->last_count = group;
	}
	free(take(validation->entries.items));
	return r;
}

int policy_validate(const struct policy *policy, struct policy_report *report)
{
	struct validation validation = {.policy = policy, .report = report};
	int r = 0;

	validation.pairs = calloc(POLICY_ERRORS_KEPT, sizeof(*validation.pairs));
	if (!validation.pairs)
		return -ENOMEM;
	for (unsigned list = 0; list < POLICY_LISTS && !r; list++)
		r = validate_list(&validation, list < 2 ? POLICY_CONNECT : POLICY_LISTEN, list % 2);
	free(validation.pairs);
	free(validation.spans);
	return r;
}
