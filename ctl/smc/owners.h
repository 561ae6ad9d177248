/* SPDX-License-Identifier: MIT */
/* Which processes hold which sockets. */
#ifndef SMCSHIM_CTL_SMC_OWNERS_H
#define SMCSHIM_CTL_SMC_OWNERS_H

#include <stdint.h>
#include <sys/types.h>

#include "ctl/util.h"

struct owner_process {
	pid_t pid;
	char program[64]; /* the kernel's comm */
	char unit[128];   /* of systemd, or the container; "" if unknown */
	bool supervised;  /* by smcctl run: sockets_find_supervised() */
};

struct owner_holding {
	uint64_t inode;
	uint32_t process; /* index */
};

struct owners {
	struct owner_process *process; /* those that hold sockets */
	size_t processes;
	size_t process_room;
	struct owner_holding *holding; /* by inode, then process; each pair once */
	size_t holdings;
	size_t holding_room;
	size_t denied; /* processes whose descriptors we may not see */
};

void owners_clear(struct owners *owners);

/* Walks over the descriptors of all processes in /proc, once. Returns 0 or -errno. */
_must_check_ int owners_read(struct owners *owners);

/* The holdings of that inode; *count of them. None for inode 0. */
const struct owner_holding *owners_find(const struct owners *owners, uint64_t inode, size_t *count);

/*
 * From the text of /proc/PID/cgroup: a container as KIND:ID (12 digits of its ID), or else the innermost service, scope
 * or machine of systemd; "" if there is none.
 */
void owners_unit(const char *cgroup, char *out, size_t size);

/* The same of the file cgroup in that directory, /proc/PID; "" when it cannot be read. Returns 0 or -ENOMEM. */
_must_check_ int owners_unit_of(int directory, char *out, size_t size);

#endif
