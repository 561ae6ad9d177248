/* SPDX-License-Identifier: MIT */
/* Owns the counters object, the one exported thing that is not a function. */
#include "config.h"

#include <stddef.h>

#include "preload/shim.h"

/* The same for programs of every word size: one smcctl reads them all. */
_Static_assert(offsetof(struct smcshim_counters, about.table) == 24 &&
		offsetof(struct smcshim_counters, value) == 4096 && sizeof(struct smcshim_counters) == 8192,
	"struct smcshim_counters");

HOOK struct smcshim_counters smcshim_counters;
extern __typeof__(smcshim_counters) smcshim_own_counters __attribute__((alias("smcshim_counters")));
