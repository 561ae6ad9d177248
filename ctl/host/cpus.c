/* SPDX-License-Identifier: MIT */
/* Sets of CPUs and their two notations. */
#include "config.h"

#include "ctl/host/cpus.h"

#include <errno.h>
#include <string.h>

#define WORDS (CPUS_MAX / 64)

bool cpus_has(const struct cpus *set, unsigned cpu)
{
	return cpu < CPUS_MAX && (set->word[cpu / 64] >> cpu % 64 & 1);
}

void cpus_add(struct cpus *set, unsigned cpu)
{
	if (cpu < CPUS_MAX)
		set->word[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

void cpus_join(struct cpus *set, const struct cpus *other)
{
	for (size_t i = 0; i < WORDS; i++)
		set->word[i] |= other->word[i];
}

bool cpus_equal(const struct cpus *a, const struct cpus *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool cpus_meet(const struct cpus *a, const struct cpus *b)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (a->word[i] & b->word[i])
			return true;
	}
	return false;
}

bool cpus_within(const struct cpus *set, const struct cpus *whole)
{
	for (size_t i = 0; i < WORDS; i++) {
		if (set->word[i] & ~whole->word[i])
			return false;
	}
	return true;
}

unsigned cpus_count(const struct cpus *set)
{
	unsigned count = 0;

	for (size_t i = 0; i < WORDS; i++)
		count += (unsigned)__builtin_popcountll(set->word[i]);
	return count;
}

unsigned cpus_next(const struct cpus *set, unsigned from)
{
	while (from < CPUS_MAX && !cpus_has(set, from))
		from++;
	return from;
}

static int read_cpu(const char **text, unsigned *out)
{
	const char *start = *text;
	unsigned value = 0;

	for (; **text >= '0' && **text <= '9'; (*text)++) {
		value = value * 10 + (unsigned)(**text - '0');
		if (value >= CPUS_MAX)
			return -ERANGE;
	}
	*out = value;
	return *text == start ? -EINVAL : 0;
}

int cpus_parse_list(const char *text, struct cpus *out)
{
	struct cpus set = {.word = {0}};
	const char *p = text;

	if (!*p || *p == '\n') {
		*out = set;
		return 0;
	}
	for (;; p++) {
		unsigned from = 0, to;
		int r = read_cpu(&p, &from);

		to = from;
		if (r == 0 && *p == '-') {
			p++;
			r = read_cpu(&p, &to);
		}
		if (r == 0 && to < from)
			r = -EINVAL;
		if (r < 0)
			return r;
		for (unsigned cpu = from; cpu <= to; cpu++)
			cpus_add(&set, cpu);
		if (*p != ',')
			break;
	}
	if (p[strspn(p, " \n")])
		return -EINVAL;
	*out = set;
	return 0;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int cpus_parse_mask(const char *text, struct cpus *out)
{
	struct cpus set = {.word = {0}};
	size_t length = strcspn(text, " \n");
	bool commas = memchr(text, ',', length) != NULL;
	unsigned group = 0;
	unsigned bit = 0;

	if (!length || text[length + strspn(text + length, " \n")])
		return -EINVAL;
	for (const char *p = text + length; p-- > text;) {
		int digit = digit_of(*p);

		if (*p == ',' && group == 8 && p > text) {
			group = 0;
			continue;
		}
		if (digit < 0 || (commas && ++group > 8))
			return -EINVAL;
		if (digit && bit + 4 > CPUS_MAX)
			return -ERANGE;
		if (bit < CPUS_MAX)
			set.word[bit / 64] |= (uint64_t)digit << bit % 64;
		bit += 4;
	}
	*out = set;
	return 0;
}

void cpus_mask(const struct cpus *set, char out[static CPUS_MASK_TEXT])
{
	size_t used = 0;

	for (unsigned i = 0; i < CPUS_MAX / 32; i++) {
		unsigned group = CPUS_MAX / 32 - 1 - i;
		unsigned bits = (unsigned)(set->word[group / 2] >> (group % 2 ? 32 : 0) & 0xffffffffu);

		if (used)
			used += (size_t)snprintf(out + used, CPUS_MASK_TEXT - used, ",%08x", bits);
		else if (bits || !group)
			used = (size_t)snprintf(out, CPUS_MASK_TEXT, "%x", bits);
	}
}
