/* SPDX-License-Identifier: MIT */
/* The constructor: everything that is done once, before the program's main. */
#include "config.h"

#include <string.h>

#include "preload/shim.h"

__attribute__((constructor)) static void start(void)
{
	int saved = errno;

	next_resolve();
	kernel_wipe_on_fork(smcshim_counters.value, sizeof smcshim_counters - offsetof(struct smcshim_counters, value));
	memcpy(smcshim_counters.about.magic, SMCSHIM_COUNTERS_MAGIC, sizeof smcshim_counters.about.magic);
	smcshim_counters.about.abi = SMCSHIM_COUNTERS_ABI;
	smcshim_counters.about.count = SMCSHIM_COUNTER_MAX;
	table_start();
	errno = saved;
}
