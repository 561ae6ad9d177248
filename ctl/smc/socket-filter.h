/* SPDX-License-Identifier: MIT */
/* Which sockets the user wants to see. */
#ifndef SMCSHIM_CTL_SMC_SOCKET_FILTER_H
#define SMCSHIM_CTL_SMC_SOCKET_FILTER_H

#include "ctl/smc/sockets.h"
#include "policy/policy.h"

/* Start with {.has_mode = false}; all that is set must hold. */
struct socket_filter {
	pid_t pid; /* 0: all */
	const char *program;
	uint16_t port; /* local or peer; 0: all */
	bool has_cidr;
	bool has_mode;
	bool has_reason;
	struct policy_cidr cidr; /* local or peer; IPv4-mapped addresses count as IPv4 */
	enum socket_mode mode;
	uint32_t reason; /* local or peer, of sockets that fell back */
};

bool socket_filter_holds(
	const struct socket_filter *filter, const struct sockets *sockets, const struct socket_entry *entry);

/* The process to show: the first holder that the filter asks for; NULL if nobody holds the socket. */
const struct owner_process *socket_filter_owner(
	const struct socket_filter *filter, const struct sockets *sockets, const struct socket_entry *entry);

#endif
