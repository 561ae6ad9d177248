/* SPDX-License-Identifier: MIT */
/* Owns the counters object, the one exported thing that is not a function. */
#include "config.h"

#include "preload/shim.h"

HOOK struct smcshim_counters smcshim_counters;
extern __typeof__(smcshim_counters) smcshim_own_counters __attribute__((alias("smcshim_counters")));
