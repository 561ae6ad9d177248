/* SPDX-License-Identifier: MIT */
/* Builds SYNs, and the RSTs that take them back. */
#include "config.h"

#include "ctl/check/syn.h"

#include <string.h>

#define TCP_HEADER 20u
#define FLAG_SYN 0x02u
#define FLAG_RST 0x04u
#define WINDOW 64240u
#define MSS_IPV4 1460u
#define MSS_IPV6 1440u
#define PROTOCOL_TCP 6u

const uint8_t syn_smc_identifier[SYN_IDENTIFIER] = {0xe2, 0xd4, 0xc3, 0xd9};

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value & 0xffff);
}

static uint32_t sum(uint32_t start, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		start += (uint32_t)data[i] << 8 | data[i + 1];
	return start;
}

/* RFC 9293 section 3.1; the segments here have an even length. */
static uint16_t checksum(const struct syn *syn, const uint8_t *segment, size_t size)
{
	size_t length = syn->ipv6 ? 16 : 4;
	uint32_t total = sum(0, syn->from, length);

	total = sum(total, syn->to, length) + PROTOCOL_TCP + (uint32_t)size;
	total = sum(total, segment, size);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

/* In the order of tcp_options_write(): MSS, SACK permitted with timestamps, window scale, and the one of SMC last. */
static size_t put_options(const struct syn *syn, uint8_t *to)
{
	static const uint8_t sack_and_timestamp[] = {4, 2, 8, 10};
	static const uint8_t window_scale[] = {1, 3, 3, 7};
	uint8_t *p = to;

	p[0] = 2;
	p[1] = 4;
	put16(p + 2, syn->ipv6 ? MSS_IPV6 : MSS_IPV4);
	p += 4;
	memcpy(p, sack_and_timestamp, sizeof(sack_and_timestamp));
	put32(p + 4, syn->clock);
	put32(p + 8, 0);
	p += 12;
	memcpy(p, window_scale, sizeof(window_scale));
	p += 4;
	if (syn->kind != SYN_PLAIN) {
		p[0] = 1;
		p[1] = 1;
		p[2] = syn->kind == SYN_OTHER_KIND ? SYN_OPTION_OTHER_KIND : SYN_OPTION_KIND;
		p[3] = SYN_OPTION_LENGTH;
		memcpy(p + 4, syn->kind == SYN_SMC ? syn_smc_identifier : syn->identifier, SYN_IDENTIFIER);
		p += 8;
	}
	return (size_t)(p - to);
}

/* The options are there already. */
static void put_header(const struct syn *syn, uint32_t sequence, uint8_t flags, uint8_t *out, size_t size)
{
	memset(out, 0, TCP_HEADER);
	put16(out, syn->from_port);
	put16(out + 2, syn->to_port);
	put32(out + 4, sequence);
	out[12] = (uint8_t)(size / 4 << 4);
	out[13] = flags;
	put16(out + 14, flags == FLAG_SYN ? WINDOW : 0);
	put16(out + 16, checksum(syn, out, size));
}

size_t syn_build(const struct syn *syn, uint8_t out[static SYN_MAX])
{
	size_t size = TCP_HEADER + put_options(syn, out + TCP_HEADER);

	put_header(syn, syn->sequence, FLAG_SYN, out, size);
	return size;
}

void syn_build_reset(const struct syn *syn, uint8_t out[static SYN_RESET_SIZE])
{
	put_header(syn, syn->sequence + 1, FLAG_RST, out, SYN_RESET_SIZE);
}

void syn_identifier(uint32_t random, uint8_t out[static SYN_IDENTIFIER])
{
	put32(out, random);
	/* The first two bytes alone make an identifier, too (RFC 6994): one that no standard has is 0x5x.. here. */
	out[0] = (uint8_t)(0x50 | (out[0] & 0x0f));
}
