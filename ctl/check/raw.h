/* SPDX-License-Identifier: MIT */
/*
 * Raw sockets: SYNs out, answers in.
 *
 * Not AF_PACKET: a raw socket of IP sends through routing, netfilter and the loopback device as TCP itself does, and gets
 * what TCP would get (net/ipv4/ip_input.c: raw sockets first, then TCP, both behind the firewall's input).
 */
#ifndef SMCSHIM_CTL_CHECK_RAW_H
#define SMCSHIM_CTL_CHECK_RAW_H

#include <sys/socket.h>

#include "ctl/check/answer.h"

struct raw {
	int fd;
	bool ipv6;
	uint8_t from[16]; /* IPv4 in the first 4 bytes */
	uint8_t to[16];
	struct sockaddr_storage local; /* without a port */
	socklen_t local_length;
};

/*
 * Opens one for a destination, whose port alone passes the filter. Returns 0, -EPERM without CAP_NET_RAW, or -errno
 * (-ENETUNREACH: no route).
 */
_must_check_ int raw_open(const struct sockaddr *to, socklen_t length, uint16_t port, struct raw *out);
void raw_close(struct raw *raw);

/* A port of the local address that nobody else gets: a bound TCP socket in *fd. Returns 0 or -errno. */
_must_check_ int raw_reserve(const struct raw *raw, int *fd, uint16_t *port);

/* Returns 0 or -errno. */
_must_check_ int raw_send(const struct raw *raw, const void *segment, size_t size);

/*
 * The next answer, with the time it came (CLOCK_REALTIME, microseconds). Returns 1, 0 when there is none, or the -errno
 * that the network reported for one of the SYNs.
 */
_must_check_ int raw_receive(const struct raw *raw, struct answer *out, uint64_t *when);

#endif
