/* SPDX-License-Identifier: MIT */
/* Waiting, deadlines and interruption; against a test double on loopback the clock can run faster. */
#ifndef SMCSHIM_CTL_CLOUD_CLOCK_H
#define SMCSHIM_CTL_CLOUD_CLOCK_H

#include "ctl/util.h"

struct cloud_clock {
	unsigned speed;    /* seconds of ours in one second; 1 but in tests */
	uint64_t deadline; /* in milliseconds of ours */
	bool interrupted;  /* SIGINT or SIGTERM came */
};

/* Milliseconds of ours since some moment. */
uint64_t clock_now(const struct cloud_clock *clock);

/* Seconds of ours since 1970 (times the speed): what outlives the program is dated by it. */
uint64_t clock_wall(const struct cloud_clock *clock);

/* Sets the deadline that many seconds from now. */
void clock_limit(struct cloud_clock *clock, uint64_t seconds);

/* From now on SIGINT and SIGTERM end waits instead of the program: between two calls everything is on the disk. */
void clock_hold_signals(void);

/* Undoes that; a signal that came meanwhile has its effect now. */
void clock_release_signals(void);

/* Waits. False when the deadline would be over then (without waiting) or a held signal came. */
_must_check_ bool clock_wait(struct cloud_clock *clock, uint64_t milliseconds);

/* The time before attempt n (from 0): full jitter below base * 2^n, at most cap; never under a tenth of it. */
uint64_t clock_backoff(unsigned attempt, uint64_t base, uint64_t cap);

#endif
