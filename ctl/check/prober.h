/* SPDX-License-Identifier: MIT */
/* Sends SYNs to one destination until the answers settle what the path does with the option of SMC. */
#ifndef SMCSHIM_CTL_CHECK_PROBER_H
#define SMCSHIM_CTL_CHECK_PROBER_H

#include "ctl/check/judge.h"
#include "ctl/check/raw.h"

/* One by one, the next when the last one was answered or has had its time; each from a port of its own, reserved. */
struct prober;

/* What came back, for people: the options of the last answer to each kind of SYN. */
struct prober_seen {
	struct answer answer[SYN_KINDS]; /* options_size 0: no SYN-ACK, or one without options */
	struct syn asked[SYN_KINDS];
	int error; /* the last one that sending or the network reported, or 0 */
};

/*
 * Opens the sockets; limit is in microseconds. Returns 0, -EPERM without CAP_NET_RAW, or another -errno; *out is to be
 * freed with prober_free().
 */
_must_check_ int prober_new(
	const struct sockaddr *to, socklen_t length, uint16_t port, uint64_t limit, struct prober **out);
void prober_free(struct prober *prober); /* NULL is fine */

int prober_fd(const struct prober *prober);

/*
 * Reads what has come and sends what is due. now and *next are CLOCK_MONOTONIC in microseconds. Returns true when it is
 * finished; else it wants to be called again when its descriptor is readable, and at *next.
 */
_must_check_ bool prober_step(struct prober *prober, uint64_t now, uint64_t *next);

void prober_judge(const struct prober *prober, struct judge_syns *syns, struct prober_seen *seen);

#endif
