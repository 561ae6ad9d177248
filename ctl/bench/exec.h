/* SPDX-License-Identifier: MIT */
/* Runs a program, keeps what it prints, and takes a number out of it. */
#ifndef SMCSHIM_CTL_BENCH_EXEC_H
#define SMCSHIM_CTL_BENCH_EXEC_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/util.h"

/* More output than that is an error. */
#define EXEC_OUTPUT_MAX (16u << 20)

/*
 * Runs argv (ends with NULL, found by $PATH) in that environment, without standard input, until it ends or for limit
 * nanoseconds at most, when it is killed. *output gets what it printed on both streams, NUL and carriage returns as newlines;
 * the caller frees it, and that after an error, too. Returns its exit code, 128 + the number of the signal that ended it,
 * -ETIMEDOUT, -EFBIG or another -errno.
 */
_must_check_ int exec_capture(char *const *argv, char *const *environment, uint64_t limit, char **output);

/* The number of the last match: of the first group, or where there is none, of all of it. False: there is no number. */
bool exec_number(const regex_t *metric, const char *output, double *out);

#endif
