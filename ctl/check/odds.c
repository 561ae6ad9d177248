/* SPDX-License-Identifier: MIT */
/* A median and the exact median test. */
#include "config.h"

#include "ctl/check/odds.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a;
	uint32_t right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static size_t sort_into(uint32_t *sorted, size_t used, const uint32_t *value, size_t count)
{
	if (count > ODDS_MAX - used)
		count = ODDS_MAX - used;
	if (count)
		memcpy(sorted + used, value, count * sizeof(*value));
	qsort(sorted, used + count, sizeof(*sorted), compare);
	return used + count;
}

uint32_t odds_median(const uint32_t *value, size_t count)
{
	uint32_t sorted[ODDS_MAX];
	size_t n = sort_into(sorted, 0, value, count);

	return n ? sorted[n / 2] : ODDS_NEVER;
}

/* "n choose k": exact enough in a double for n up to ODDS_MAX. */
static double choose(size_t n, size_t k)
{
	double result = 1;

	if (k > n)
		return 0;
	for (size_t i = 1; i <= k; i++)
		result = result * (double)(n - k + i) / (double)i;
	return result;
}

static size_t count_above(const uint32_t *value, size_t count, uint32_t cut)
{
	size_t above = 0;

	for (size_t i = 0; i < count; i++)
		above += value[i] > cut;
	return above;
}

double odds_of_above(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
	uint32_t sorted[ODDS_MAX];
	size_t all = sort_into(sorted, sort_into(sorted, 0, a, a_count), b, b_count);
	size_t middle;
	size_t above;
	size_t above_a;
	double odds = 0;

	if (!a_count || !b_count || a_count + b_count > ODDS_MAX)
		return 1;
	/* Where more than half never came, the cut is between those that came and those that did not. */
	for (middle = (all - 1) / 2; middle > 0 && sorted[middle] == ODDS_NEVER; middle--)
		continue;
	above_a = count_above(a, a_count, sorted[middle]);
	above = above_a + count_above(b, b_count, sorted[middle]);
	for (size_t k = above_a; k <= above && k <= a_count; k++)
		odds += choose(a_count, k) * choose(b_count, above - k) / choose(all, above);
	return odds > 1 ? 1 : odds;
}
