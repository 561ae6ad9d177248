/* SPDX-License-Identifier: MIT */
/* CIDRs: strict reading with a fix for each mistake, comparison, and the ranges that are built in. */
#include "config.h"

#include "policy/cidr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define IPV6_HEAD(high) \
	{ \
		(uint64_t)(high) << 48, 0 \
	}

const struct policy_builtin policy_builtins[] = {
	{{.address = {0, 0xa9fe0000}, .prefix = 16}, "169.254.0.0/16 (link-local)"},
	{{.address = {0, 0xe0000000}, .prefix = 4}, "224.0.0.0/4 (multicast)"},
	{{.address = {0, 0x646464c8}, .prefix = 32}, "100.100.100.200/32 (cloud metadata)"},
	{{.address = IPV6_HEAD(0xfe80), .prefix = 10, .ipv6 = true}, "fe80::/10 (link-local)"},
	{{.address = IPV6_HEAD(0xff00), .prefix = 8, .ipv6 = true}, "ff00::/8 (multicast)"},
};
const size_t policy_builtin_count = sizeof(policy_builtins) / sizeof(*policy_builtins);

int policy_key_compare(const struct policy_key6 *a, const struct policy_key6 *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return a->low == b->low ? 0 : a->low < b->low ? -1 : 1;
}

/* The bits of an address behind a prefix. */
static struct policy_key6 host_mask(bool ipv6, unsigned prefix)
{
	if (!ipv6)
		return (struct policy_key6){0, UINT32_MAX & (prefix ? (UINT64_C(1) << (32 - prefix)) - 1 : UINT32_MAX)};
	if (prefix >= 64)
		return (struct policy_key6){0, prefix == 64 ? UINT64_MAX : (UINT64_C(1) << (128 - prefix)) - 1};
	return (struct policy_key6){prefix ? (UINT64_C(1) << (64 - prefix)) - 1 : UINT64_MAX, UINT64_MAX};
}

struct policy_key6 policy_cidr_last(const struct policy_cidr *cidr)
{
	struct policy_key6 mask = host_mask(cidr->ipv6, cidr->prefix);

	return (struct policy_key6){cidr->address.high | mask.high, cidr->address.low | mask.low};
}

bool policy_cidr_holds(const struct policy_cidr *cidr, const struct policy_key6 *address)
{
	struct policy_key6 mask = host_mask(cidr->ipv6, cidr->prefix);

	return (address->high & ~mask.high) == cidr->address.high && (address->low & ~mask.low) == cidr->address.low;
}

void policy_cidr_format(const struct policy_cidr *cidr, char out[static POLICY_CIDR_TEXT])
{
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	for (size_t i = 0; i < 8; i++) {
		bytes[i] = (unsigned char)(cidr->address.high >> (56 - 8 * i));
		bytes[i + 8] = (unsigned char)(cidr->address.low >> (56 - 8 * i));
	}
	if (!inet_ntop(cidr->ipv6 ? AF_INET6 : AF_INET, cidr->ipv6 ? bytes : bytes + 12, address, sizeof(address)))
		address[0] = '\0';
	(void)snprintf(out, POLICY_CIDR_TEXT, "%s/%u", address, (unsigned)cidr->prefix);
}

static bool __attribute__((format(printf, 2, 3))) refuse(char why[static POLICY_CIDR_WHY], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it loses va_start() when it reads several files */
	(void)vsnprintf(why, POLICY_CIDR_WHY, format, arguments);
	va_end(arguments);
	return false;
}

/* The prefix behind the slash; -1 if it is none, with the reason. */
static int read_prefix(const char *text, int max, char why[static POLICY_CIDR_WHY])
{
	int prefix = 0;

	if (!*text || strspn(text, "0123456789") != strlen(text)) {
		(void)refuse(why, "the prefix is not a number; write /0 to /%d", max);
		return -1;
	}
	for (size_t i = 0; text[i] && prefix <= max; i++)
		prefix = prefix * 10 + (text[i] - '0');
	if (prefix > max) {
		(void)refuse(why, "the prefix is over %d; write /0 to /%d", max, max);
		return -1;
	}
	if (text[0] == '0' && text[1]) {
		(void)refuse(why, "the prefix begins with a zero; write /%d", prefix);
		return -1;
	}
	return prefix;
}

static bool has_leading_zero(const char *address)
{
	for (const char *part = address; *part; part++)
		if (*part == '0' && isdigit((unsigned char)part[1]) && (part == address || part[-1] == '.'))
			return true;
	return false;
}

static bool refuse_address(const char *address, char why[static POLICY_CIDR_WHY])
{
	if (!*address)
		return refuse(why, "there is no address; write one before the slash");
	if (strchr(address, '%'))
		return refuse(why, "a CIDR has no zone; write it without '%%' and what follows");
	if (!strchr(address, ':') && has_leading_zero(address))
		return refuse(
			why, "a part begins with a zero, which some read as octal; write it without leading zeros");
	if (!strchr(address, ':') && strspn(address, "0123456789.") == strlen(address))
		return refuse(why, "is not an IPv4 address; write four numbers from 0 to 255, as in 10.0.0.0/8");
	if (!strchr(address, ':'))
		return refuse(why,
			"is not an address, and names are not resolved; write a CIDR such as 10.0.0.0/8, or \"any\"");
	return refuse(why, "is not an IPv6 address; write it as in fd00:7::/64");
}

static uint64_t read_be64(const unsigned char *bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

static bool read_address(const char *text, struct policy_cidr *out)
{
	struct in_addr in;
	struct in6_addr in6;

	if (inet_pton(AF_INET, text, &in) == 1) {
		*out = (struct policy_cidr){.address = {0, ntohl(in.s_addr)}, .position = out->position};
		return true;
	}
	if (inet_pton(AF_INET6, text, &in6) != 1)
		return false;
	*out = (struct policy_cidr){.address = {read_be64(in6.s6_addr), read_be64(in6.s6_addr + 8)},
		.position = out->position,
		.ipv6 = true};
	return true;
}

static bool is_mapped(const struct policy_cidr *cidr)
{
	return cidr->ipv6 && cidr->prefix >= 96 && !cidr->address.high && cidr->address.low >> 32 == 0xffff;
}

/* Clears the host bits; false if there were some. */
static bool clear_host_bits(struct policy_cidr *cidr)
{
	struct policy_key6 mask = host_mask(cidr->ipv6, cidr->prefix), was = cidr->address;

	cidr->address.high &= ~mask.high;
	cidr->address.low &= ~mask.low;
	return !policy_key_compare(&was, &cidr->address);
}

bool policy_cidr_parse(const char *text, struct policy_cidr *out, char why[static POLICY_CIDR_WHY])
{
	struct policy_cidr cidr = {.position = out->position};
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN], fix[POLICY_CIDR_TEXT];
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	bool clean;
	int prefix;

	if (length >= sizeof(address))
		return refuse(why, "is too long for an address; write a CIDR such as 10.0.0.0/8");
	memcpy(address, text, length);
	address[length] = '\0';
	if (!read_address(address, &cidr))
		return refuse_address(address, why);
	if (!slash)
		return refuse(
			why, "has no prefix length; write %s/%d for this one address", address, cidr.ipv6 ? 128 : 32);
	prefix = read_prefix(slash + 1, cidr.ipv6 ? 128 : 32, why);
	if (prefix < 0)
		return false;
	cidr.prefix = (uint8_t)prefix;
	clean = clear_host_bits(&cidr);
	policy_cidr_format(&cidr, fix);
	if (is_mapped(&cidr)) {
		struct policy_cidr plain = {.address = {0, cidr.address.low & UINT32_MAX}, .prefix = cidr.prefix - 96};

		policy_cidr_format(&plain, fix);
		return refuse(why, "is IPv4-mapped, and such addresses follow the IPv4 rules; write %s", fix);
	}
	if (!clean)
		return refuse(why, "has host bits set behind the prefix; write %s or a longer prefix", fix);
	*out = cidr;
	return true;
}
