/* SPDX-License-Identifier: MIT */
/* What ss -s and ethtool -S are read for: TIME-WAIT, refused connections, packets of each transmit queue, SMC's sockets. */
#ifndef SMCSHIM_CTL_HOST_COUNTERS_H
#define SMCSHIM_CTL_HOST_COUNTERS_H

#include <net/if.h>

#include "ctl/util.h"

struct counters {
	bool has_time_wait;
	uint64_t time_wait; /* /proc/net/sockstat */
	bool has_limit;
	uint64_t time_wait_limit; /* net.ipv4.tcp_max_tw_buckets */
	bool has_overflows;
	uint64_t listen_overflows; /* TcpExt of /proc/net/netstat */
	uint64_t cookies_sent;
	uint64_t time_wait_overflow;
	bool has_smc;
	uint64_t smc_sockets; /* /proc/net/protocols */
};

void counters_read(struct counters *out);

struct queue_counter {
	unsigned queue;
	uint64_t packets;
};

/*
 * Packets of each transmit queue, as the driver counts them. The caller frees *out. Returns their number, 0 when the driver
 * does not count them, or -errno.
 */
_must_check_ int counters_queues(const char *interface, struct queue_counter **out);

/* ---- for tests ---- */

/* True if a driver's counter of that name is of the packets that a transmit queue has sent. */
bool counters_queue_of(const char *name, unsigned *queue);

/* The number under title in the table of /proc/net/netstat: a line of titles, a line of numbers. */
bool counters_netstat(const char *text, const char *title, uint64_t *out);

#endif
