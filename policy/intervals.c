/* SPDX-License-Identifier: MIT */
/* One sweep over the sorted CIDRs with a stack of those that are open: nested CIDRs in, disjoint intervals out. */
#include "config.h"

#include "policy/intervals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cidr.h"
#include "policy/cleanup.h"
#include "policy/entries.h"

#define OPEN_MAX 132u /* prefixes 0 .. 128, and the address space itself */

/*
 * A built-in range stands between the rules for /0 and all longer ones. So a CIDR around such a range has two answers:
 * where its ports say nothing, the rules for /0 show through outside, and TCP inside.
 */
struct open {
	struct policy_key6 last;
	uint32_t plain;   /* over the rules for /0 */
	uint32_t builtin; /* over the built-in answer; unset where no built-in range is near */
	bool inside;      /* a built-in range */
};

struct sweep {
	const struct policy *policy;
	struct policy_groups *groups;
	struct policy_entries entries;
	struct policy_intervals *out;
	struct open open[OPEN_MAX];
	size_t depth;
	uint32_t *rules; /* of one CIDR */
};

static void emit(struct policy_intervals *out, const struct policy_key6 *key, uint32_t value)
{
	if (out->count && !policy_key_compare(&out->keys[out->count - 1], key))
		out->count--; /* a more specific CIDR begins at the same address */
	if (out->count && out->values[out->count - 1] == value)
		return;
	out->keys[out->count] = *key;
	out->values[out->count++] = value;
}

static void emit_open(struct sweep *sweep, const struct policy_key6 *key)
{
	const struct open *open = &sweep->open[sweep->depth - 1];

	emit(sweep->out, key, open->inside ? open->builtin : open->plain);
}

/* Closes what ends before key; NULL: everything but the address space itself. */
static void close_before(struct sweep *sweep, const struct policy_key6 *key)
{
	const struct policy_key6 *end = &sweep->open[0].last;

	while (sweep->depth > 1) {
		struct policy_key6 after = sweep->open[sweep->depth - 1].last;

		if (key && policy_key_compare(&after, key) >= 0)
			return;
		sweep->depth--;
		if (!policy_key_compare(&after, end))
			continue;
		after.high += ++after.low == 0;
		emit_open(sweep, &after);
	}
}

static bool near_builtin(const struct policy_cidr *cidr)
{
	for (size_t i = 0; i < policy_builtin_count; i++) {
		const struct policy_cidr *builtin = &policy_builtins[i].cidr;

		if (builtin->ipv6 == cidr->ipv6 &&
			(policy_cidr_holds(builtin, &cidr->address) || policy_cidr_holds(cidr, &builtin->address)))
			return true;
	}
	return false;
}

/* Opens the CIDR of a group of entries: what its rules say over what is open. */
static int open_cidr(struct sweep *sweep, const struct policy_entry *first, size_t group)
{
	struct policy_cidr cidr = {.address = first->address, .prefix = first->prefix, .ipv6 = first->ipv6};
	struct open *parent = &sweep->open[sweep->depth - 1], open = *parent;
	size_t count = 0;
	int r = 0;

	open.last = policy_cidr_last(&cidr);
	for (size_t i = 0; i < group; i++) {
		if (first[i].rule == POLICY_ENTRY_WILDCARD) {
			/* Only the rules for /0, which are in the first place of the stack. */
			open.plain = sweep->open[0].plain;
			open.inside = false;
			count = 0;
			break;
		}
		if (first[i].rule == POLICY_ENTRY_BUILTIN)
			open.inside = true;
		else
			sweep->rules[count++] = first[i].rule;
	}
	if (!cidr.prefix)
		return policy_groups_over(sweep->groups, parent->plain, sweep->rules, count, &parent->plain);
	if (!open.inside)
		r = policy_groups_over(sweep->groups, open.plain, sweep->rules, count, &open.plain);
	if (!r && near_builtin(&cidr))
		r = policy_groups_over(sweep->groups, open.builtin, sweep->rules, count, &open.builtin);
	sweep->open[sweep->depth++] = open;
	return r;
}

static int run(struct sweep *sweep)
{
	const struct policy_entry *items = sweep->entries.items;

	for (size_t first = 0, group; first < sweep->entries.count; first += group) {
		int r;

		group = policy_entries_group(&sweep->entries, first);
		close_before(sweep, &items[first].address);
		r = open_cidr(sweep, &items[first], group);
		if (r)
			return r;
		emit_open(sweep, &items[first].address);
	}
	close_before(sweep, NULL);
	return 0;
}

static int allocate(struct sweep *sweep)
{
	size_t most = 2 * sweep->entries.count + 1; /* each CIDR begins one interval and ends one */

	sweep->out->keys = malloc(most * sizeof(*sweep->out->keys));
	sweep->out->values = malloc(most * sizeof(*sweep->out->values));
	sweep->rules = malloc((sweep->entries.count + 1) * sizeof(*sweep->rules));
	return sweep->out->keys && sweep->out->values && sweep->rules ? 0 : -ENOMEM;
}

int policy_intervals_make(const struct policy *policy, enum policy_role role, bool ipv6, struct policy_groups *groups,
	struct policy_intervals *out)
{
	struct policy_cidr all = {.ipv6 = ipv6};
	_cleanup_free_ struct sweep *sweep = calloc(1, sizeof(*sweep));
	int r;

	if (!sweep)
		return -ENOMEM;
	sweep->policy = policy;
	sweep->groups = groups;
	sweep->out = out;
	sweep->depth = 1;
	sweep->open[0] = (struct open){.last = policy_cidr_last(&all), .builtin = POLICY_RULE_BUILTIN};
	r = policy_entries_collect(policy, role, ipv6, true, &sweep->entries);
	if (!r)
		r = allocate(sweep);
	if (!r) {
		emit_open(sweep, &all.address);
		r = run(sweep);
	}
	free(sweep->entries.items);
	free(sweep->rules);
	return r;
}

void policy_intervals_free(struct policy_intervals *intervals)
{
	free(take(intervals->keys));
	free(take(intervals->values));
	intervals->count = 0;
}
