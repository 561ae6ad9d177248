/* SPDX-License-Identifier: MIT */
/* The network namespace that a command works in. */
#ifndef SMCSHIM_CTL_SMC_NETNS_H
#define SMCSHIM_CTL_SMC_NETNS_H

#include <stdint.h>

#include "ctl/ctl.h"

#define CTL_OPTION_NETNS \
	{ \
		"netns", 0, "NAME|PID", "in that network namespace: of ip-netns(8), or of that process" \
	}

/*
 * Moves this process into the network namespace of that name (below /run/netns) or of that process; NULL: nothing. Says
 * what is wrong. A name of digits only is a process; "./NAME" and other paths are files.
 */
enum ctl_exit netns_enter(struct ctl *ctl, const char *netns);

/* The number of this process's network namespace, which no other one has until the next boot; 0 before Linux 5.14. */
uint64_t netns_cookie(void);

#endif
