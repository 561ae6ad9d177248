/* SPDX-License-Identifier: MIT */
/* The rules of a policy file as people and programs read them. */
#ifndef SMCSHIM_CTL_RULES_H
#define SMCSHIM_CTL_RULES_H

#include "ctl/output.h"
#include "policy/policy.h"

/* "3306", "7000-7005", "any". */
#define RULES_PORTS_TEXT 16u
void rules_format_range(const struct policy_port_range *range, char out[static RULES_PORTS_TEXT]);

/* All of a rule's ports ("any", "6379, 7000-7005") or CIDRs in *out, for the caller to free. 0 or -ENOMEM. */
_must_check_ int rules_format_ports(const struct policy *policy, const struct policy_rule *rule, char **out);
_must_check_ int rules_format_cidrs(const struct policy *policy, const struct policy_rule *rule, char **out);

/* "smc", "tcp"; "connect", "listen". */
const char *rules_use(enum policy_use use);
const char *rules_role(enum policy_role role);

/* The list "rules" of all rules. Returns 0 or -ENOMEM. */
_must_check_ int rules_list(struct out *out, const struct policy *policy);

#endif
