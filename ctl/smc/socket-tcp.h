/* SPDX-License-Identifier: MIT */
/* The TCP socket inside an SMC socket. */
#ifndef SMCSHIM_CTL_SMC_SOCKET_TCP_H
#define SMCSHIM_CTL_SMC_SOCKET_TCP_H

#include "ctl/smc/diag.h"
#include "ctl/smc/owners.h"

#define TCP_DIAG_LISTEN 10

/* Sorts by local and peer port; needed by the others. */
void socket_tcp_sort(struct diag_tcp_list *list);

/* The index of the first with those ports or higher ones. */
size_t socket_tcp_from(const struct diag_tcp_list *list, uint16_t local, uint16_t peer);

/*
 * The one TCP socket that fits an SMC socket: ports, interface, family, listening or not, addresses if the SMC socket
 * has them, and no process holds it. NULL if there is none, or more than one.
 * Measured on 6.12: the TCP socket inside has an inode of its own, other than 0, that no descriptor shows, before and
 * after a fallback; IPPROTO_SMC sockets carry ports, but zeros for addresses.
 */
const struct diag_socket *socket_tcp_find(
	const struct diag_tcp_list *list, const struct diag_socket *smc, bool addresses, const struct owners *owners);

#endif
