/* SPDX-License-Identifier: MIT */
/* cloud apply --then-host: from interfaces of the cloud to a profile of this host, which smcctl host applies. */
#ifndef SMCSHIM_CTL_CLOUD_THEN_HOST_H
#define SMCSHIM_CTL_CLOUD_THEN_HOST_H

#include "ctl/cloud/job.h"

struct then_host {
	const char *path; /* of the profile to begin with; NULL: the option was not given */
	cJSON *profile;
};

#define _cleanup_then_host_ _cleanup_(then_host_clear)

void then_host_clear(struct then_host *then);

/* Reads the profile, and refuses where the stack's instance is not this one: before anything is changed. */
enum ctl_exit then_host_open(struct then_host *then, const struct job *job, const char *path);

/*
 * Waits until the stack's interfaces, known by their MAC addresses, are there; adds to the profile what it does not say of
 * them; writes it to /etc/smc/host-STACK.json; replaces this program by smcctl host apply, without the access key in its
 * environment. Returns only when that cannot be.
 */
enum ctl_exit then_host_run(struct then_host *then, struct job *job);

/* ---- the part, for tests ---- */

/*
 * Of interface, with that MAC address and RDMA device (NULL: none): kept out of the network's managers; queues: has several
 * transmit queues, each for the CPU of its interrupt; the pnet identifier that the vendor's nodes have: the address in upper
 * case without its colons. What the profile says already stays. Returns 0 or -ENOMEM.
 */
_must_check_ int then_host_add(cJSON *profile, const char *interface, const char *mac, bool queues, const char *device);

#endif
