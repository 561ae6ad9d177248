/* SPDX-License-Identifier: MIT */
/* Checks many destinations at a time. */
#ifndef SMCSHIM_CTL_CHECK_RUN_H
#define SMCSHIM_CTL_CHECK_RUN_H

#include "ctl/check/target.h"

/* How many destinations are looked at at once. */
#define RUN_AT_ONCE 16u

struct run_options {
	uint64_t limit; /* microseconds, for the SYNs and for the handshake each */
	bool handshake;
	FILE *progress; /* a terminal, or NULL */
};

/* Fills in what is found of each target. Returns 0 or -errno: this could not be carried out at all. */
_must_check_ int run_checks(struct targets *targets, const struct run_options *options);

#endif
