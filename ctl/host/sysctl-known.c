/* SPDX-License-Identifier: MIT */
/* What is known of single keys: their ranges, what the kernel takes in silence though it does harm, what surprises. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "ctl/host/sysctl.h"

struct range {
	const char *key;
	unsigned fields; /* that go up: minimum, default, maximum */
	int64_t min;
	int64_t max;
	const char *wrong; /* when it is out of the range */
};

/* Documentation/networking/ip-sysctl.rst and smc-sysctl.rst; net/smc/smc_sysctl.c. */
static const struct range ranges[] = {
	{"net.ipv4.tcp_mem", 3, 0, INT64_MAX, "is out of range; write three numbers of pages"},
	{"net.ipv4.tcp_rmem", 3, 1, INT32_MAX, "is out of range; write three numbers from 1 to 2147483647"},
	{"net.ipv4.tcp_wmem", 3, 1, INT32_MAX, "is out of range; write three numbers from 1 to 2147483647"},
	{"net.ipv4.tcp_tw_reuse", 1, 0, 2, "is not 0, 1 or 2; write 2 (loopback only, the kernel's default), 1 or 0"},
	{"net.ipv4.tcp_max_tw_buckets", 1, 0, INT32_MAX,
		"is below 0 (the kernel takes that in silence); write a number, as large as what is there"},
	{"net.smc.autocorking_size", 1, 0, UINT32_MAX, "is out of range; write a number from 0 to 4294967295"},
	{"net.smc.rmem", 1, 16384, INT32_MAX,
		"is out of range; write 16384 to 2147483647 (1048576 is what SMC-D uses at most)"},
	{"net.smc.wmem", 1, 16384, INT32_MAX,
		"is out of range; write 16384 to 2147483647 (1048576 is what SMC-D uses at most)"},
	{"net.smc.smcr_buf_type", 1, 0, 2,
		"is not 0, 1 or 2; write 0 (physically contiguous), 1 (virtual) or 2 (mixed)"},
	{"net.smc.smcr_max_conns_per_lgr", 1, 16, 255, "is out of range; write a number from 16 to 255"},
	{"net.smc.smcr_max_links_per_lgr", 1, 1, 2, "is not 1 or 2; write one of them"},
	{"net.smc.smcr_testlink_time", 1, 0, INT32_MAX, "is out of range; write seconds, or 0 for never"},
};

const char *sysctl_wrong(const char *key, const char *value)
{
	int64_t before = INT64_MIN;

	if (strcmp(key, "net.ipv4.tcp_tw_recycle") == 0)
		return "is a key that Linux 4.12 removed, for it broke connections through NAT; remove it";
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		const struct range *range = &ranges[i];

		if (strcmp(range->key, key) != 0)
			continue;
		if (sysctl_fields(value) != range->fields)
			return range->fields == 3 ? "has not three numbers, and the kernel would set a part; write "
						    "\"MINIMUM DEFAULT MAXIMUM\""
						  : "has not one number; write one";
		for (unsigned field = 0; field < range->fields; field++) {
			int64_t number;

			if (!sysctl_number(value, field, &number))
				return "is not made of whole numbers; write digits";
			if (number < range->min || number > range->max)
				return range->wrong;
			if (number < before)
				return "goes down; write \"MINIMUM DEFAULT MAXIMUM\", none smaller than that before it";
			before = number;
		}
	}
	return NULL;
}

const char *sysctl_note(const char *key, const char *value)
{
	if (strcmp(key, "net.ipv4.tcp_tw_reuse") == 0 && strcmp(value, "1") == 0)
		return "helps only the side that connects, and only with TCP timestamps; new network namespaces (pods) "
		       "have 2 whatever this is";
	if (strcmp(key, "net.ipv4.tcp_rmem") == 0 || strcmp(key, "net.ipv4.tcp_wmem") == 0)
		return "changes every TCP socket of the namespace, not those of SMC alone";
	return NULL;
}

const char *sysctl_danger(const char *key, const char *from, const char *to)
{
	int64_t before, after;

	if (sysctl_fields(from) && sysctl_fields(from) != sysctl_fields(to))
		return "has not as many numbers as there are: the kernel would set a part of them";
	if (strcmp(key, "net.ipv4.tcp_max_tw_buckets") == 0 && sysctl_number(from, 0, &before) &&
		sysctl_number(to, 0, &after) && after < before)
		return "lowers a limit that exists against attacks only and \"must not\" be lowered (ip-sysctl.rst): "
		       "connections in TIME-WAIT would be dropped at once";
	return NULL;
}
