/* SPDX-License-Identifier: MIT */
/* What ss -s and ethtool -S are read for: TIME-WAIT, refused connections, packets of each transmit queue, SMC's sockets. */
#ifndef SMCSHIM_CTL_HOST_COUNTERS_H
#define SMCSHIM_CTL_HOST_COUNTERS_H

#include <net/if.h>
#include <netlink/attr.h>

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
 * Packets of each transmit queue, as the driver counts them, by number. The caller frees *out. Returns how many they are, 0
 * when the driver does not count them, or -errno.
 */
_must_check_ int counters_queues(const char *interface, struct queue_counter **out);

/*
 * The same by netlink (netdev_nl_qstats_get_dumpit()): since Linux 6.9, and since 6.10 the only place for virtio_net. Returns 0
 * also where the kernel has no such thing.
 */
_must_check_ int counters_qstats(const char *interface, struct queue_counter **out);

/* ---- for tests ---- */

/* True if a driver's counter of that name is of the packets that a transmit queue has sent. */
bool counters_queue_of(const char *name, unsigned *queue);

/* What a dump of one interface's queues gathers. */
struct qstats {
	uint32_t interface; /* its index */
	struct queue_counter *queues;
	size_t count;
};

/* The parser of one answer, a genl_answer: adds a transmit queue with a count to the struct qstats arg. Returns 0 or -ENOMEM. */
_must_check_ int counters_qstats_add(struct nlattr *const *attrs, void *arg);

/* The sockets of SMC over IPv4 and IPv6 in the text of /proc/net/protocols; false: the kernel has no SMC. */
bool counters_smc(const char *text, uint64_t *out);

/* The number under title in the table of /proc/net/netstat: a line of titles, a line of numbers. */
bool counters_netstat(const char *text, const char *title, uint64_t *out);

#endif
