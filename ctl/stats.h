/* SPDX-License-Identifier: MIT */
/* Prints statistics of SMC. */
#ifndef SMCSHIM_CTL_STATS_H
#define SMCSHIM_CTL_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/smc/statistics.h"

/* seconds: the interval that they are of; 0: all since the network namespace began. Returns 0 or -ENOMEM. */
_must_check_ int stats_print(FILE *stream, const struct statistics *statistics, uint64_t seconds, bool json);

#endif
