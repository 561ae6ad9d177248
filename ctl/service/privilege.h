/* SPDX-License-Identifier: MIT */
/* Whether executing a file gains privileges, so that the dynamic loader works in secure-execution mode. */
#ifndef SMCSHIM_CTL_SERVICE_PRIVILEGE_H
#define SMCSHIM_CTL_SERVICE_PRIVILEGE_H

#include <stdbool.h>

enum privilege {
	PRIVILEGE_NONE = 0,
	PRIVILEGE_SET_ID = 1,
	PRIVILEGE_CAPABILITIES = 2,
};

/* What executing the open file gains for the calling process; any_user: for whoever executes it. */
enum privilege privilege_gained(int fd, bool any_user);

#endif
