/* SPDX-License-Identifier: MIT */
/* The table of kernels whose SMC is known to be bad, and the reading of kernels' numbers. */
#include "config.h"

#include "ctl/doctor/kernels.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_MENDED 9

struct release {
	unsigned part[3];
};

/*
 * since: the first release with the defect. mended: the first without it in each stable series that got the correction,
 * the lowest first; a series that is not named has it if it is older than the last one named.
 * Source: the affected versions in the records of the Linux kernel's CVE team (cve.org, assigner kernel.org).
 */
static const struct {
	struct kernel_defect defect;
	struct release since;
	struct release mended[MAX_MENDED];
} defects[] = {
	{{"CVE-2023-53382",
		 "it crashes when SMC-R of version 2 is declined late (seen with nginx and two RDMA devices)", true},
		{{5, 16, 0}}, {{{6, 1, 31}}, {{6, 3, 5}}}},
	{{"CVE-2023-54237", "it crashes when a second link is added to a link group", true}, {{5, 8, 0}},
		{{{6, 1, 16}}, {{6, 2, 3}}}},
	{{"CVE-2023-53110", "it crashes when data is sent on a connection that is being closed", true}, {{5, 5, 0}},
		{{{5, 10, 176}}, {{5, 15, 104}}, {{6, 1, 21}}, {{6, 2, 8}}}},
	{{"CVE-2023-52775", "data is corrupted when one side declines late", true}, {{5, 8, 0}},
		{{{5, 10, 203}}, {{5, 15, 141}}, {{6, 1, 65}}, {{6, 6, 4}}}},
	{{"CVE-2024-26615",
		 "it crashes when SMC-D connections are listed while others are closed (smcctl sockets, smcss)", true},
		{{4, 19, 0}},
		{{{4, 19, 307}}, {{5, 4, 269}}, {{5, 10, 210}}, {{5, 15, 149}}, {{6, 1, 76}}, {{6, 6, 15}},
			{{6, 7, 3}}}},
	{{"CVE-2024-56640", "a link group may be used after it was freed", true}, {{4, 18, 0}},
		{{{5, 15, 174}}, {{6, 1, 120}}, {{6, 6, 66}}, {{6, 12, 5}}}},
	{{"CVE-2024-57791", "a peer can keep a worker of the kernel busy for ever", false}, {{5, 8, 0}},
		{{{5, 10, 233}}, {{5, 15, 176}}, {{6, 1, 122}}, {{6, 6, 68}}, {{6, 12, 7}}}},
	{{"CVE-2024-47408", "a peer's proposal can make it read beyond the message", false}, {{5, 10, 0}},
		{{{5, 15, 176}}, {{6, 1, 122}}, {{6, 6, 68}}, {{6, 12, 7}}}},
	{{"CVE-2026-23450", "it crashes when a listener is closed while connections arrive", false}, {{5, 15, 0}},
		{{{5, 15, 203}}, {{6, 1, 167}}, {{6, 6, 130}}, {{6, 12, 78}}, {{6, 18, 20}}, {{6, 19, 10}}}},
	{{"CVE-2026-46027", "a peer's early decline makes it use a link group that is not there", false}, {{4, 11, 0}},
		{{{5, 10, 258}}, {{5, 15, 209}}, {{6, 1, 175}}, {{6, 6, 140}}, {{6, 12, 86}}, {{6, 18, 27}},
			{{7, 0, 4}}}},
	{{"CVE-2026-64541", "a connection may be used after it was freed, when data arrives while it is closed", false},
		{{4, 18, 0}},
		{{{5, 10, 261}}, {{5, 15, 212}}, {{6, 1, 178}}, {{6, 6, 145}}, {{6, 12, 97}}, {{6, 18, 40}},
			{{7, 1, 5}}}},
	{{"CVE-2026-74493", "a connection may be used after it was freed, when its link group ends", false},
		{{5, 5, 0}},
		{{{5, 10, 265}}, {{5, 15, 216}}, {{6, 1, 183}}, {{6, 6, 151}}, {{6, 12, 103}}, {{6, 18, 44}},
			{{7, 1, 8}}}},
};

static int compare(const unsigned a[3], const unsigned b[3], size_t parts)
{
	for (size_t i = 0; i < parts; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static bool affected(const struct kernel_version *version, size_t row)
{
	const struct release *mended = defects[row].mended;
	const struct release *last = mended;

	if (compare(version->part, defects[row].since.part, 3) < 0)
		return false;
	for (size_t i = 0; i < MAX_MENDED && mended[i].part[0]; i++) {
		if (compare(version->part, mended[i].part, 2) == 0)
			return compare(version->part, mended[i].part, 3) < 0;
		last = &mended[i];
	}
	return compare(version->part, last->part, 2) < 0;
}

size_t kernel_defects(void)
{
	return sizeof(defects) / sizeof(defects[0]);
}

const struct kernel_defect *kernel_defect_next(const struct kernel_version *version, size_t *next)
{
	while (*next < kernel_defects()) {
		size_t row = (*next)++;

		if (affected(version, row))
			return &defects[row].defect;
	}
	return NULL;
}

/* The numbers that text begins with, divided by dots; how many there are. */
static size_t numbers(const char *text, unsigned *out, size_t max)
{
	size_t count = 0;

	while (count < max && isdigit((unsigned char)*text)) {
		uint64_t value = 0;

		for (; isdigit((unsigned char)*text); text++)
			value = value < 1000000 ? value * 10 + (uint64_t)(*text - '0') : value;
		out[count++] = (unsigned)value;
		if (*text != '.')
			break;
		text++;
	}
	return count;
}

/* What stands behind the three numbers of a kernel that somebody keeps at one release of kernel.org and mends himself. */
static bool kept_back(const char *release)
{
	static const char *const marks[] = {
		".el", ".al", ".an", ".oe", "-generic", "-aws", "-azure", "-gcp", "-oracle", "-default", "uek"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strstr(release, marks[i]))
			return true;
	return false;
}

int kernel_version_parse(const char *release, const char *version, struct kernel_version *out)
{
	const char *debian = strstr(version, " Debian ");
	const char *dash = strchr(release, '-');

	*out = (struct kernel_version){.follows = !kept_back(release)};
	if (numbers(release, out->part, 3) < 2)
		return -EINVAL;
	/* Debian's releases are all 6.1.0; what it is made of stands in the version. */
	if (debian && numbers(debian + strlen(" Debian "), out->part, 3) < 2)
		return -EINVAL;
	out->alibaba = strstr(release, ".al") || strstr(release, ".an");
	if (out->alibaba && dash)
		(void)numbers(dash + 1, out->patch, 2);
	return 0;
}
