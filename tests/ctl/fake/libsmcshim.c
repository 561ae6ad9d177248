/* SPDX-License-Identifier: MIT */
/* A library that carries the counters object and nothing else: what smcctl status reads, with values a test chooses. */
#include "config.h"

#include "preload/counters.h"

__attribute__((visibility("default"))) extern struct smcshim_counters smcshim_counters;

struct smcshim_counters smcshim_counters = {
	.about = {.magic = {'s', 'm', 'c', 'c', 'o', 'u', 'n', 't'},
		.abi = SMCSHIM_COUNTERS_ABI,
		.count = SMCSHIM_COUNTER_MAX,
		.table_state = SMCSHIM_TABLE_MISSING,
		.table = "/fake/table",
		.comm = "fake"},
	.value = {[SMCSHIM_connect_smc] = UINT64_MAX, [SMCSHIM_quirk_retried] = 7},
};
