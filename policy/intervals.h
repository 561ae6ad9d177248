/* SPDX-License-Identifier: MIT */
/* The disjoint intervals of one list of a table, while a policy is compiled. */
#ifndef SMCSHIM_POLICY_INTERVALS_H
#define SMCSHIM_POLICY_INTERVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/groups.h"
#include "policy/policy.h"

struct policy_intervals {
	struct policy_key6 *keys; /* where each begins, rising; the first is the lowest address */
	uint32_t *values;
	size_t count;
};

/*
 * Cuts the address space of one role and family into intervals of one value each. The caller frees with
 * policy_intervals_free(), also after a failure. Returns 0, -ENOMEM or -E2BIG.
 */
int policy_intervals_make(const struct policy *policy, enum policy_role role, bool ipv6, struct policy_groups *groups,
	struct policy_intervals *out) __attribute__((warn_unused_result));

void policy_intervals_free(struct policy_intervals *intervals);

#endif
