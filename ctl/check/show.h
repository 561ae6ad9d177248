/* SPDX-License-Identifier: MIT */
/* What smcctl check found, for people and for programs. */
#ifndef SMCSHIM_CTL_CHECK_SHOW_H
#define SMCSHIM_CTL_CHECK_SHOW_H

#include "ctl/check/target.h"

struct show {
	const struct targets *targets;
	const struct policy *policy; /* NULL: one destination, shown in full */
	bool handshake;              /* was wanted */
	bool json;
};

/* Writes everything. Returns 0 or -ENOMEM. */
_must_check_ int show_checks(const struct show *show, FILE *stream);

/* The exit code: of the worst destination; of those that a rule keeps on TCP the verdict is no difference. */
enum ctl_exit show_exit(const struct show *show);

/* "smc", "replayed", ...; what it means; what to do (NULL: nothing). Static texts. (check/words.c) */
const char *verdict_key(enum verdict_path verdict);
const char *verdict_meaning(enum verdict_path verdict);
const char *verdict_remedy(enum verdict_path verdict);
const char *handshake_key(enum handshake_result result);

#endif
