/* SPDX-License-Identifier: MIT */
/* One run against one server: both transports in turn, slice by slice. */
#ifndef SMCSHIM_CTL_BENCH_SESSION_H
#define SMCSHIM_CTL_BENCH_SESSION_H

#include "ctl/bench/result.h"

/*
 * Measures what result->params asks; result is zeroed else. Says what makes it impossible. A transport that cannot be measured
 * is no error here: its side says why. progress: a terminal, or NULL.
 */
_must_check_ enum ctl_exit session_run(struct ctl *ctl, FILE *progress, struct bench_result *result);

/* The bytes that a connection sends, for the plan. Returns 0 or -ENOMEM; *out is the caller's to free. (session-request.c) */
_must_check_ int session_request(const struct bench_params *params, struct load_plan *plan, char **out);

#endif
