/* SPDX-License-Identifier: MIT */
/* Counts values in buckets that grow with them. */
#include "config.h"

#include "ctl/bench/histogram.h"

#define STEPS (1u << HISTOGRAM_STEP_BITS)
#define VALUE_MAX ((UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1)

size_t histogram_bucket(uint64_t value)
{
	unsigned shift;

	if (value > VALUE_MAX)
		value = VALUE_MAX;
	if (value < STEPS)
		return (size_t)value;
	/* The highest bit and the seven below it say which bucket. */
	shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
	return (size_t)((shift << HISTOGRAM_STEP_BITS) + (value >> shift));
}

uint64_t histogram_low(size_t bucket)
{
	size_t shift;

	if (bucket < (size_t)2 * STEPS)
		return bucket;
	shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
	return (uint64_t)(bucket - (shift << HISTOGRAM_STEP_BITS)) << shift;
}

void histogram_add(struct histogram *histogram, uint64_t value, uint64_t count)
{
	if (!count)
		return;
	if (!histogram->count || value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->count += count;
	histogram->sum += value * count;
	histogram->bucket[histogram_bucket(value)] += count;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (!from->count)
		return;
	if (!into->count || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->count += from->count;
	into->sum += from->sum;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
}

uint64_t histogram_at(const struct histogram *histogram, double share)
{
	double exact = share * (double)histogram->count;
	uint64_t wanted = (uint64_t)exact;
	uint64_t seen = 0;

	if (!histogram->count)
		return 0;
	/* The rank is rounded up: half of three values is not reached by one of them. */
	if ((double)wanted < exact || !wanted)
		wanted++;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->bucket[i];
		if (seen >= wanted) {
			uint64_t high = histogram_low(i + 1) - 1;

			return high < histogram->max ? high : histogram->max;
		}
	}
	return histogram->max;
}

uint64_t histogram_mean(const struct histogram *histogram)
{
	return histogram->count ? histogram->sum / histogram->count : 0;
}
