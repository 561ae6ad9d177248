/* SPDX-License-Identifier: MIT */
/* Two results of bench --json, read again and set side by side. */
#ifndef SMCSHIM_CTL_BENCH_COMPARE_H
#define SMCSHIM_CTL_BENCH_COMPARE_H

#include <stdio.h>

#include "ctl/bench/result.h"

/* What a file says, as far as it is compared. */
struct compare_run {
	bool measured[BENCH_TRANSPORTS];
	bool known[BENCH_TRANSPORTS][METRICS];
	double value[BENCH_TRANSPORTS][METRICS];
	/* Of the slices. */
	double low[BENCH_TRANSPORTS][METRICS];
	double high[BENCH_TRANSPORTS][METRICS];
	char parameters[400]; /* all that has to be equal, as JSON */
};

/*
 * Reads what bench_show() has written as JSON. Returns 0, -EBADMSG with *why when it is something else, -ENOMEM.
 */
_must_check_ int compare_parse(const char *text, struct compare_run *out, const char **why);

/* Returns 0 or -ENOMEM. */
_must_check_ int compare_show(FILE *stream, bool json, const struct compare_run *a, const struct compare_run *b);

#endif
