/* SPDX-License-Identifier: MIT */
/* The CIDRs of one role and family in the order of the address space: what validation and compilation walk. */
#ifndef SMCSHIM_POLICY_ENTRIES_H
#define SMCSHIM_POLICY_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/* Values of policy_entry.rule that are no index into policy.rules. */
#define POLICY_ENTRY_BUILTIN UINT32_MAX        /* a built-in range begins here */
#define POLICY_ENTRY_WILDCARD (UINT32_MAX - 1) /* the wildcard address of a listener */

struct policy_entry {
	struct policy_key6 address;
	uint32_t rule; /* index into policy.rules */
	uint32_t cidr; /* index into policy.cidrs */
	uint8_t prefix;
	bool ipv6;
};

struct policy_entries {
	struct policy_entry *items;
	size_t count;
	size_t room;
};

/*
 * All CIDRs of that role and family, by address, prefix, rule, each rule once per CIDR; special adds the entries that
 * no rule made. The caller frees out->items with free(). Returns 0 or -ENOMEM.
 */
int policy_entries_collect(const struct policy *policy, enum policy_role role, bool ipv6, bool special,
	struct policy_entries *out) __attribute__((warn_unused_result));

/* The number of entries from first on that share its CIDR. */
size_t policy_entries_group(const struct policy_entries *entries, size_t first);

#endif
