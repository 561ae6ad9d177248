/* SPDX-License-Identifier: MIT */
/* What happens to one address and why: the rules, and all that stands above them. */
#ifndef SMCSHIM_CTL_VERDICT_H
#define SMCSHIM_CTL_VERDICT_H

#include "ctl/address.h"
#include "ctl/util.h"
#include "policy/policy.h"
#include "policy/store.h"

#define VERDICT_ABOVE 3u

struct verdict {
	/* The question. */
	struct address address;
	enum policy_role role;
	const char *program; /* or NULL: not asked for */
	/* The sources: a table with what it says of itself, the rules, or both. */
	struct policy_store *store;
	struct policy_info *info;
	struct policy *policy;
	const char *table;
	const char *file;
	/* The answer of verdict_find(). */
	struct policy_explanation *explanation; /* NULL without policy */
	uint32_t value;                         /* what the rules say */
	const char *above[VERDICT_ABOVE];       /* what overrules them to TCP, in words; static texts */
	size_t above_count;
};

void verdict_clear(struct verdict *v);

/* Decides. Returns 0 or -ENOMEM. */
_must_check_ int verdict_find(struct verdict *v);

/* Writes it. Returns 0 or -ENOMEM. */
_must_check_ int verdict_print(const struct verdict *v, FILE *stream, bool json);

#endif
