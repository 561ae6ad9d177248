/* SPDX-License-Identifier: MIT */
/* Whether executing a file gains privileges, so that the dynamic loader works in secure-execution mode. */
#ifndef SMCSHIM_CTL_SERVICE_PRIVILEGE_H
#define SMCSHIM_CTL_SERVICE_PRIVILEGE_H

enum privilege {
	PRIVILEGE_NONE = 0,
	PRIVILEGE_SET_ID = 1,
	PRIVILEGE_CAPABILITIES = 2,
};

/* Who executes the file. */
enum privilege_user {
	PRIVILEGE_USER_CALLER = 0,      /* the calling process */
	PRIVILEGE_USER_ANY = 1,         /* somebody without capabilities: both always count */
	PRIVILEGE_USER_ROOT = 2,        /* root with all capabilities: only becoming another user counts */
	PRIVILEGE_USER_BARRED = 3,      /* somebody without capabilities under no_new_privs: nothing is gained */
	PRIVILEGE_USER_ROOT_BARRED = 4, /* root under no_new_privs */
};

/* What executing the open file gains for that user. */
enum privilege privilege_gained(int fd, enum privilege_user user);

/* What makes the dynamic loader work in secure-execution mode when that user executes the open file. */
enum privilege privilege_secure(int fd, enum privilege_user user);

#endif
