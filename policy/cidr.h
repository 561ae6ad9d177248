/* SPDX-License-Identifier: MIT */
/* Addresses and CIDRs as numbers and as text. */
#ifndef SMCSHIM_POLICY_CIDR_H
#define SMCSHIM_POLICY_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/* Longest "WHY; FIX" of a refused CIDR, with the NUL. */
#define POLICY_CIDR_WHY 256u

/* Reads text as ADDRESS/PREFIX. Returns true, or false with "WHY; FIX" in why; out->position is left alone. */
bool policy_cidr_parse(const char *text, struct policy_cidr *out, char why[static POLICY_CIDR_WHY]);

/* Orders by address, then prefix. */
int policy_key_compare(const struct policy_key6 *a, const struct policy_key6 *b);

/* The last address of cidr. */
struct policy_key6 policy_cidr_last(const struct policy_cidr *cidr);

bool policy_cidr_holds(const struct policy_cidr *cidr, const struct policy_key6 *address);

/* A built-in range: TCP, unless a rule longer than /0 says otherwise. */
struct policy_builtin {
	struct policy_cidr cidr;
	const char *text;
};

extern const struct policy_builtin policy_builtins[];
extern const size_t policy_builtin_count;

#endif
