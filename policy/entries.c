/* SPDX-License-Identifier: MIT */
/* Collecting and sorting the CIDRs of one role and family. */
#include "config.h"

#include "policy/entries.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/cidr.h"
#include "policy/cleanup.h"

static int compare_entries(const void *a, const void *b)
{
	const struct policy_entry *x = a, *y = b;
	int order = policy_key_compare(&x->address, &y->address);

	if (order)
		return order;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return x->cidr < y->cidr ? -1 : x->cidr > y->cidr;
}

static bool same_cidr(const struct policy_entry *a, const struct policy_entry *b)
{
	return a->prefix == b->prefix && !policy_key_compare(&a->address, &b->address);
}

size_t policy_entries_group(const struct policy_entries *entries, size_t first)
{
	size_t end = first + 1;

	while (end < entries->count && same_cidr(&entries->items[first], &entries->items[end]))
		end++;
	return end - first;
}

static void add(struct policy_entries *entries, const struct policy_cidr *cidr, uint32_t rule, uint32_t index)
{
	entries->items[entries->count++] = (struct policy_entry){
		.address = cidr->address, .rule = rule, .cidr = index, .prefix = cidr->prefix, .ipv6 = cidr->ipv6};
}

static size_t count_cidrs(const struct policy *policy, enum policy_role role)
{
	size_t count = 0;

	for (size_t r = 0; r < policy->rule_count; r++)
		count += policy->rules[r].role == role ? policy->rules[r].cidr_count : 0;
	return count;
}

static void add_special(struct policy_entries *entries, enum policy_role role, bool ipv6)
{
	struct policy_cidr wildcard = {.prefix = ipv6 ? 128 : 32, .ipv6 = ipv6};

	for (size_t i = 0; i < policy_builtin_count; i++)
		if (policy_builtins[i].cidr.ipv6 == ipv6)
			add(entries, &policy_builtins[i].cidr, POLICY_ENTRY_BUILTIN, 0);
	if (role == POLICY_LISTEN)
		add(entries, &wildcard, POLICY_ENTRY_WILDCARD, 0);
}

static void drop_repetitions(struct policy_entries *entries)
{
	size_t kept = 0;

	for (size_t i = 0; i < entries->count; i++) {
		const struct policy_entry *entry = &entries->items[i];

		if (kept && entries->items[kept - 1].rule == entry->rule && same_cidr(&entries->items[kept - 1], entry))
			continue;
		entries->items[kept++] = *entry;
	}
	entries->count = kept;
}

int policy_entries_collect(
	const struct policy *policy, enum policy_role role, bool ipv6, bool special, struct policy_entries *out)
{
	struct policy_entries entries = {.room = count_cidrs(policy, role) + policy_builtin_count + 1};

	entries.items = malloc(entries.room * sizeof(*entries.items));
	if (!entries.items)
		return -ENOMEM;
	for (uint32_t r = 0; r < policy->rule_count; r++) {
		const struct policy_rule *rule = &policy->rules[r];

		for (uint32_t c = rule->cidr_first; rule->role == role && c < rule->cidr_first + rule->cidr_count; c++)
			if (policy->cidrs[c].ipv6 == ipv6)
				add(&entries, &policy->cidrs[c], r, c);
	}
	if (special)
		add_special(&entries, role, ipv6);
	if (entries.count)
		qsort(entries.items, entries.count, sizeof(*entries.items), compare_entries);
	drop_repetitions(&entries);
	*out = entries;
	return 0;
}
