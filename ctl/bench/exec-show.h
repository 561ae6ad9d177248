/* SPDX-License-Identifier: MIT */
/* What bench exec found out, for people and for programs. */
#ifndef SMCSHIM_CTL_BENCH_EXEC_SHOW_H
#define SMCSHIM_CTL_BENCH_EXEC_SHOW_H

#include <stdio.h>

#include "ctl/bench/params.h"

enum exec_kind {
	EXEC_WITHOUT = 0,
	EXEC_WITH,
	EXEC_KINDS,
};

#define EXEC_MAX_PAIRS 200u

/* Connections that programs of this network namespace made meanwhile. */
struct exec_kernel {
	uint64_t smcd;
	uint64_t smcr;
	uint64_t fallbacks;
	uint32_t reason; /* the most frequent one of the fallbacks; 0: none */
	uint32_t reason_count;
};

struct exec_result {
	const char *program;
	size_t pairs;
	double value[EXEC_KINDS][EXEC_MAX_PAIRS];
	struct exec_kernel kernel[EXEC_KINDS];
};

const char *exec_kind_text(enum exec_kind kind); /* "without" */

/* True if the runs with the shim made connections over SMC, and those without made none. */
bool exec_was_smc(const struct exec_result *result);

/* Without the ratio where that is not so. Returns 0 or -ENOMEM. */
_must_check_ int exec_show(FILE *stream, bool json, const struct exec_result *result);

#endif
