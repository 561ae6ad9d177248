/* SPDX-License-Identifier: MIT */
/* Sets of CPUs (or of receive queues), as the kernel's files write them: lists "0-3,8" and masks "ff,00000000". */
#ifndef SMCSHIM_CTL_HOST_CPUS_H
#define SMCSHIM_CTL_HOST_CPUS_H

#include "ctl/util.h"

#define CPUS_MAX 8192u /* NR_CPUS of the largest configuration (MAXSMP) */

struct cpus {
	uint64_t word[CPUS_MAX / 64];
};

bool cpus_has(const struct cpus *set, unsigned cpu);
void cpus_add(struct cpus *set, unsigned cpu); /* nothing from CPUS_MAX on */
void cpus_join(struct cpus *set, const struct cpus *other);
bool cpus_equal(const struct cpus *a, const struct cpus *b);
bool cpus_meet(const struct cpus *a, const struct cpus *b); /* they share one */
bool cpus_within(const struct cpus *set, const struct cpus *whole);
unsigned cpus_count(const struct cpus *set);

/* The first one from that number on; CPUS_MAX: none. */
unsigned cpus_next(const struct cpus *set, unsigned from);

/* "0-3,8", as bitmap_parselist() of the kernel; blanks at the end are nothing. Returns 0, -EINVAL or -ERANGE. */
_must_check_ int cpus_parse_list(const char *text, struct cpus *out);

/* A mask of hexadecimal digits, with commas before each group of eight or with none. Returns 0, -EINVAL or -ERANGE. */
_must_check_ int cpus_parse_mask(const char *text, struct cpus *out);

/* As bitmap_parse() of the kernel takes it: lower case, groups of 32 bits, the highest first. */
#define CPUS_MASK_TEXT (CPUS_MAX / 4 + CPUS_MAX / 32)
void cpus_mask(const struct cpus *set, char out[static CPUS_MASK_TEXT]);

#endif
