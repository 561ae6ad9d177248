/* SPDX-License-Identifier: MIT */
/* The SYNs of smcctl check, as bytes: like those of Linux, with and without the option of SMC. No sockets. */
#ifndef SMCSHIM_CTL_CHECK_SYN_H
#define SMCSHIM_CTL_CHECK_SYN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The option (net/ipv4/tcp_output.c, smc_options_write()): an experiment of RFC 6994 with the identifier "SMCR" in EBCDIC. */
#define SYN_OPTION_KIND 254u
#define SYN_OPTION_OTHER_KIND 253u
#define SYN_OPTION_LENGTH 6u
#define SYN_IDENTIFIER 4u
extern const uint8_t syn_smc_identifier[SYN_IDENTIFIER];

enum syn_kind {
	SYN_PLAIN = 0,  /* no option of SMC */
	SYN_SMC,        /* the option of SMC */
	SYN_OTHER_ID,   /* kind 254 with an identifier that nobody has */
	SYN_OTHER_KIND, /* kind 253 with an identifier that nobody has */
	SYN_KINDS,
};

struct syn {
	enum syn_kind kind;
	bool ipv6;
	uint8_t from[16]; /* IPv4 in the first 4 bytes */
	uint8_t to[16];
	uint16_t from_port;
	uint16_t to_port;
	uint32_t sequence;
	uint32_t clock;                     /* of the timestamp option */
	uint8_t identifier[SYN_IDENTIFIER]; /* of SYN_OTHER_ID and SYN_OTHER_KIND: of syn_identifier() */
};

#define SYN_MAX 60u

#define SYN_RESET_SIZE 20u

/* Writes the RST that takes the SYN back (RFC 9293, section 3.10.7.4: sequence number SYN + 1): SYN_RESET_SIZE bytes. */
void syn_build_reset(const struct syn *syn, uint8_t out[static SYN_RESET_SIZE]);

/* Writes the TCP segment, checksum included; returns its length. */
size_t syn_build(const struct syn *syn, uint8_t out[static SYN_MAX]);

/* Makes of four random bytes an identifier that is neither that of SMC nor that of TCP Fast Open (0xf989). */
void syn_identifier(uint32_t random, uint8_t out[static SYN_IDENTIFIER]);

#endif
