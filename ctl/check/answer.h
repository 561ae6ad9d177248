/* SPDX-License-Identifier: MIT */
/* What came back for a SYN, from hostile bytes: a SYN-ACK with its options, or an RST. No sockets. */
#ifndef SMCSHIM_CTL_CHECK_ANSWER_H
#define SMCSHIM_CTL_CHECK_ANSWER_H

#include "ctl/check/syn.h"
#include "ctl/util.h"

#define ANSWER_OPTIONS 40u

struct answer {
	bool reset; /* else a SYN-ACK */
	uint16_t from_port;
	uint16_t to_port;
	uint32_t acknowledged;
	uint8_t options[ANSWER_OPTIONS];
	uint8_t options_size;
};

/* What the options of an answer hold; bits. */
enum answer_mark {
	ANSWER_SMC = 1 << 0,        /* the option of SMC, as it should be */
	ANSWER_SMC_LENGTH = 1 << 1, /* with the identifier of SMC, or its beginning, but of another length */
	ANSWER_SMC_TWICE = 1 << 2,
	ANSWER_ECHO = 1 << 3,    /* the option that was sent and that nobody has */
	ANSWER_FOREIGN = 1 << 4, /* another option of kind 253 or 254 */
	ANSWER_BROKEN = 1 << 5,  /* an option of no possible length */
};

/*
 * Reads a TCP segment that a SYN can be answered with: SYN and ACK, or RST and ACK (the kernel ignores an RST without
 * ACK, too: net/ipv4/tcp_input.c, tcp_rcv_synsent_state_process()). Returns 0, or -EBADMSG for anything else.
 */
_must_check_ int answer_parse(const void *segment, size_t size, struct answer *out);

/* The same behind an IPv4 header, which raw sockets of IPv4 deliver, and those of IPv6 do not. */
_must_check_ int answer_parse_ipv4(const void *packet, size_t size, struct answer *out);

/* The marks of a SYN-ACK, which answers asked. */
unsigned answer_marks(const struct answer *answer, const struct syn *asked);

#endif
