/* SPDX-License-Identifier: MIT */
/* Port groups while a policy is compiled: which rule decides for which ports, where a less specific answer shows through. */
#ifndef SMCSHIM_POLICY_GROUPS_H
#define SMCSHIM_POLICY_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

struct policy_groups;

/* Returns 0 or -ENOMEM; the caller frees *out with policy_groups_free(). */
int policy_groups_new(const struct policy *policy, struct policy_groups **out) __attribute__((warn_unused_result));

void policy_groups_free(struct policy_groups *groups);

/*
 * The table value of a CIDR: what its count rules (indices into policy.rules, rising) say, and below where their
 * ports say nothing. Returns 0, -ENOMEM or -E2BIG (more than half a table of groups).
 */
int policy_groups_over(struct policy_groups *groups, uint32_t below, const uint32_t *rules, size_t count,
	uint32_t *value) __attribute__((warn_unused_result));

/* The table's array so far, valid until the next policy_groups_over(). */
const struct policy_port *policy_groups_ports(const struct policy_groups *groups, size_t *count);

/* The value of a rule that holds for all ports. */
uint32_t policy_rule_value(const struct policy *policy, uint32_t rule);

#endif
