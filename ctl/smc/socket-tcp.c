/* SPDX-License-Identifier: MIT */
/* Matches SMC sockets with the TCP sockets inside them. */
#include "config.h"

#include "ctl/smc/socket-tcp.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static uint32_t ports_of(const struct diag_socket *socket)
{
	return (uint32_t)socket->port[DIAG_LOCAL] << 16 | socket->port[DIAG_PEER];
}

static int compare_ports(const void *a, const void *b)
{
	uint32_t x = ports_of(a);
	uint32_t y = ports_of(b);

	return (x > y) - (x < y);
}

void socket_tcp_sort(struct diag_tcp_list *list)
{
	if (list->count)
		qsort(list->item, list->count, sizeof(*list->item), compare_ports);
}

size_t socket_tcp_from(const struct diag_tcp_list *list, uint16_t local, uint16_t peer)
{
	uint32_t ports = (uint32_t)local << 16 | peer;
	size_t from = 0;
	size_t to = list->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (ports_of(&list->item[middle]) < ports)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static bool fits(const struct diag_socket *tcp, const struct diag_socket *smc, bool addresses)
{
	if ((smc->family == AF_INET || smc->family == AF_INET6) && tcp->family != smc->family)
		return false;
	if ((smc->state == TCP_DIAG_LISTEN) != (tcp->state == TCP_DIAG_LISTEN) && smc->state != 2)
		return false;
	return tcp->interface == smc->interface &&
		(!addresses || memcmp(tcp->address, smc->address, sizeof(tcp->address)) == 0);
}

const struct diag_socket *socket_tcp_find(
	const struct diag_tcp_list *list, const struct diag_socket *smc, bool addresses, const struct owners *owners)
{
	const struct diag_socket *found = NULL;

	for (size_t i = socket_tcp_from(list, smc->port[DIAG_LOCAL], smc->port[DIAG_PEER]);
		i < list->count && ports_of(&list->item[i]) == ports_of(smc); i++) {
		size_t holders;

		if (!fits(&list->item[i], smc, addresses) || owners_find(owners, list->item[i].inode, &holders))
			continue;
		if (found)
			return NULL;
		found = &list->item[i];
	}
	return found;
}
