/* SPDX-License-Identifier: MIT */
/* A histogram of latencies in fixed memory, as HdrHistogram keeps them: 128 steps in each octave, so an error below 0.8 %. */
#ifndef SMCSHIM_CTL_BENCH_HISTOGRAM_H
#define SMCSHIM_CTL_BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_STEP_BITS 7u
/* Nanoseconds up to 2^40, 18 minutes; what is longer counts as that. */
#define HISTOGRAM_VALUE_BITS 40u
#define HISTOGRAM_BUCKETS ((HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS)

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* of no value: 0 */
	uint64_t max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* Adds the value count times. */
void histogram_add(struct histogram *histogram, uint64_t value, uint64_t count);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The lowest value that falls into that bucket; of HISTOGRAM_BUCKETS the end of the last one. */
uint64_t histogram_low(size_t bucket);

/* The bucket of a value. */
size_t histogram_bucket(uint64_t value);

/* The value that a share (0..1) of all is not above: the highest of its bucket, and never above the maximum. 0 for none. */
uint64_t histogram_at(const struct histogram *histogram, double share);

uint64_t histogram_mean(const struct histogram *histogram);

#endif
