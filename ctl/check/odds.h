/* SPDX-License-Identifier: MIT */
/* Are the SYNs with the option really worse off, or was it chance: exact, without assumptions about delays. */
#ifndef SMCSHIM_CTL_CHECK_ODDS_H
#define SMCSHIM_CTL_CHECK_ODDS_H

#include <stddef.h>
#include <stdint.h>

/* A SYN without an answer, or with an RST: later than everything. */
#define ODDS_NEVER UINT32_MAX

/* Values that can be compared at most, both sides together. */
#define ODDS_MAX 128u

/* The (upper) median; ODDS_NEVER of none. */
uint32_t odds_median(const uint32_t *value, size_t count);

/*
 * Mood's median test, one-sided: how probable it is, if a and b come from the same source, that at least as many of a as
 * here are above the median of both together. 1.0 when one side is empty. (Fisher's exact probability: hypergeometric.)
 */
double odds_of_above(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count);

#endif
