/* SPDX-License-Identifier: MIT */
/* A real connection over SMC, beside one of plain TCP, and what the kernel says of it. */
#ifndef SMCSHIM_CTL_CHECK_HANDSHAKE_H
#define SMCSHIM_CTL_CHECK_HANDSHAKE_H

#include <poll.h>
#include <sys/socket.h>

#include "ctl/check/judge.h"

#define HANDSHAKE_FDS 2u

struct handshake_run;

/*
 * Begins; limit is in microseconds. beside: with a connection of plain TCP first, which tells what SMC changes: it is needed
 * when the SYNs did not tell that the peer listens, or that it speaks SMC. Returns 0 or -ENOMEM; *out is to be freed with
 * handshake_free().
 */
_must_check_ int handshake_new(
	const struct sockaddr *to, socklen_t length, uint64_t limit, bool beside, struct handshake_run **out);
void handshake_free(struct handshake_run *run); /* NULL is fine */

/*
 * Goes on as far as it can. now and *next are CLOCK_MONOTONIC in microseconds. Returns true when it is finished; else it
 * wants to be called again when one of the *count descriptors in fds is ready, and at *next.
 */
_must_check_ bool handshake_step(struct handshake_run *run, uint64_t now, uint64_t *next,
	struct pollfd fds[static HANDSHAKE_FDS], size_t *count);

const struct handshake *handshake_of(const struct handshake_run *run);

#endif
