/* SPDX-License-Identifier: MIT */
/* The transmit queues of an interface and the CPUs they can be spread over, from sysfs and proc. */
#ifndef SMCSHIM_CTL_HOST_TOPOLOGY_H
#define SMCSHIM_CTL_HOST_TOPOLOGY_H

#include "ctl/host/cpus.h"

#define TOPOLOGY_QUEUES 4096u /* dev->num_tx_queues is at most that in drivers known to us */
#define TOPOLOGY_NO_CPU CPUS_MAX

struct topology {
	struct cpus online;
	struct cpus possible;
	struct cpus local; /* of the device's NUMA node; all when it has none */
	size_t transmit;   /* queues */
	size_t receive;
	unsigned *irq;       /* of each transmit queue its interrupt; 0: unknown */
	unsigned *irq_cpu;   /* and where that goes; TOPOLOGY_NO_CPU: unknown */
	struct cpus *shares; /* of each transmit queue with such a CPU: what shares its last cache with that */
	bool irqs;           /* of every transmit queue it is known */
};

#define _cleanup_topology_ _cleanup_(topology_clear)
void topology_clear(struct topology *topology);

/*
 * sys and proc are descriptors of /sys and /proc, or of trees like them. Returns 0 or -errno; -ENODEV: no such interface;
 * -EOPNOTSUPP: it has no queues in sysfs. out begins empty, and is to be cleared either way.
 */
_must_check_ int topology_read(int sys, int proc, const char *interface, struct topology *out);

#endif
