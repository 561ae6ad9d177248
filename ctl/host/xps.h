/* SPDX-License-Identifier: MIT */
/* Which CPUs send through which transmit queue (XPS, Documentation/networking/scaling.rst): the policies, and their dangers. */
#ifndef SMCSHIM_CTL_HOST_XPS_H
#define SMCSHIM_CTL_HOST_XPS_H

#include "ctl/host/profile.h"
#include "ctl/host/topology.h"

/*
 * The set of each transmit queue: of CPUs, or with XPS_RXQS of receive queues. out has room for all queues. Returns 0,
 * -EOPNOTSUPP (irq: it is not known where the interrupts of the queues go) or -E2BIG (not as many masks as queues).
 */
_must_check_ int xps_plan(const struct topology *topology, const struct profile_xps *xps, struct cpus *out);

/* Why queues with these sets of CPUs would do harm: NULL, or one sentence in buffer. */
const char *xps_danger(
	const struct topology *topology, const struct cpus *sets, size_t count, char *buffer, size_t size);

/* The first CPU that this machine cannot have, CPUS_MAX: none. The kernel answers EOVERFLOW to it. */
unsigned xps_impossible(const struct topology *topology, const struct cpus *sets, size_t count);

/* The pattern for the interface: its own name, else the first that matches; NULL: none. */
const struct profile_xps *xps_for(const struct profile *profile, const char *interface);

#endif
