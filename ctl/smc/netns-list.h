/* SPDX-License-Identifier: MIT */
/* All network namespaces that have a name or a process. */
#ifndef SMCSHIM_CTL_SMC_NETNS_LIST_H
#define SMCSHIM_CTL_SMC_NETNS_LIST_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "ctl/util.h"

struct netns_entry {
	dev_t device;
	ino_t inode;
	int fd;
	char name[NAME_MAX + 1]; /* of ip-netns(8); else "PID" of its first process, as --netns takes it */
};

struct netns_list {
	struct netns_entry *item;
	size_t count;
	size_t room;
	size_t denied; /* processes whose namespace we may not see */
};

void netns_list_clear(struct netns_list *list);

/* Fills the empty list: each namespace once, from /run/netns, then /proc/PID/ns/net. Returns 0 or -errno. */
_must_check_ int netns_list_read(struct netns_list *list);

#endif
