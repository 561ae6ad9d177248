/* SPDX-License-Identifier: MIT */
/* Compares sockets with what was asked for. */
#include "config.h"

#include "ctl/smc/socket-filter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "policy/cidr.h"

/* The kernel keeps the first 15 bytes of a program's name. */
#define COMM_LENGTH 15

static bool owner_holds(const struct socket_filter *filter, const struct owner_process *process)
{
	if (filter->pid && process->pid != filter->pid)
		return false;
	return !filter->program || strncmp(process->program, filter->program, COMM_LENGTH) == 0;
}

const struct owner_process *socket_filter_owner(
	const struct socket_filter *filter, const struct sockets *sockets, const struct socket_entry *entry)
{
	for (size_t i = 0; i < entry->holdings; i++) {
		const struct owner_process *process = sockets_owner(sockets, entry, i);

		if (owner_holds(filter, process))
			return process;
	}
	return NULL;
}

static bool cidr_holds(const struct policy_cidr *cidr, const struct socket_entry *entry, enum diag_side side)
{
	const uint8_t *address = entry->smc.socket.address[side];
	bool ipv6 = entry->family == AF_INET6;
	struct policy_key6 key = {0, 0};
	uint32_t part[4];

	if (!entry->family || !entry->smc.socket.port[side])
		return false;
	memcpy(part, address, sizeof(part));
	if (ipv6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)part)) {
		ipv6 = false;
		part[0] = part[3];
	}
	if (ipv6) {
		key.high = (uint64_t)ntohl(part[0]) << 32 | ntohl(part[1]);
		key.low = (uint64_t)ntohl(part[2]) << 32 | ntohl(part[3]);
	} else {
		key.low = ntohl(part[0]);
	}
	return ipv6 == cidr->ipv6 && policy_cidr_holds(cidr, &key);
}

bool socket_filter_holds(
	const struct socket_filter *filter, const struct sockets *sockets, const struct socket_entry *entry)
{
	const uint16_t *port = entry->smc.socket.port;

	if ((filter->pid || filter->program) && !socket_filter_owner(filter, sockets, entry))
		return false;
	if (filter->port && port[DIAG_LOCAL] != filter->port && port[DIAG_PEER] != filter->port)
		return false;
	if (filter->has_cidr && !cidr_holds(&filter->cidr, entry, DIAG_LOCAL) &&
		!cidr_holds(&filter->cidr, entry, DIAG_PEER))
		return false;
	if (filter->has_mode && entry->mode != filter->mode)
		return false;
	return !filter->has_reason ||
		(entry->mode == MODE_TCP &&
			(entry->smc.reason == filter->reason || entry->smc.peer_reason == filter->reason));
}
