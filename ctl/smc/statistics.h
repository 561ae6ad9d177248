/* SPDX-License-Identifier: MIT */
/* The statistics of one network namespace: what SMC carried, and why connections fell back to TCP. */
#ifndef SMCSHIM_CTL_SMC_STATISTICS_H
#define SMCSHIM_CTL_SMC_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/smc/genl.h"
#include "ctl/smc/linkgroups.h"

/* The kernel keeps that many distinct reasons for each side (SMC_MAX_FBACK_RSN_CNT), and leaves others out. */
#define STATISTICS_MAX_REASONS 36

#define STATISTICS_COUNTERS 15
#define STATISTICS_BUFFER_COUNTERS 7
#define STATISTICS_SIZES 9

enum statistics_direction {
	STATISTICS_TX,
	STATISTICS_RX,
	STATISTICS_DIRECTIONS,
};

/* Of SMC-D or of SMC-R; what this kernel does not count is SMC_UNKNOWN. Keys and titles: see the functions below. */
struct statistics_mode {
	uint64_t counter[STATISTICS_COUNTERS];
	uint64_t buffer[STATISTICS_DIRECTIONS][STATISTICS_BUFFER_COUNTERS];
	uint64_t buffer_size[STATISTICS_DIRECTIONS][STATISTICS_SIZES]; /* buffers by size */
	uint64_t payload[STATISTICS_DIRECTIONS][STATISTICS_SIZES];     /* calls by bytes */
};

struct statistics_reason {
	uint32_t code;
	uint32_t count;
};

/* What happened at connect() or at accept(). */
struct statistics_side {
	uint64_t handshake_errors;
	uint64_t fallbacks;
	struct statistics_reason reason[STATISTICS_MAX_REASONS];
	size_t reasons;
	bool at_least; /* the reasons are fewer than the fallbacks: their 16-bit counters wrapped, or there are too many */
};

enum statistics_end {
	STATISTICS_CLIENT,
	STATISTICS_SERVER,
	STATISTICS_ENDS,
};

struct statistics {
	struct statistics_mode smcd;
	struct statistics_mode smcr;
	struct statistics_side side[STATISTICS_ENDS];
};

/*
 * All since the network namespace of genl began, or since the module was loaded (smc_nl_get_stats(),
 * smc_nl_get_fback_stats()). Returns 0 or -errno.
 */
_must_check_ int statistics_get(struct genl *genl, struct statistics *out);

/* The parsers of the two answers, as genl_answer functions; arg is a struct statistics. */
_must_check_ int statistics_add(struct nlattr *const *attrs, void *arg);
_must_check_ int statistics_add_fallback(struct nlattr *const *attrs, void *arg);

/* Sets at_least of both sides; to be called when all answers are there. */
void statistics_complete(struct statistics *statistics);

/*
 * What came between before and now: the kernel's 16-bit counters of reasons may have wrapped once; what is smaller than
 * before has begun anew. Bytes of buffers in use are those of now.
 */
void statistics_delta(const struct statistics *now, const struct statistics *before, struct statistics *out);

/* The key (JSON) and the title (text) of counter[i], of buffer[][i], and of buffer_size[][i] and payload[][i]. */
const char *statistics_counter_key(size_t i);
const char *statistics_counter_title(size_t i);
const char *statistics_buffer_key(size_t i);
const char *statistics_buffer_title(size_t i);
const char *statistics_size_key(size_t i);
const char *statistics_size_title(size_t i);

#endif
