/* SPDX-License-Identifier: MIT */
/* Gathers the SMC sockets and what belongs to them. */
#include "config.h"

#include "ctl/smc/sockets.h"

#include <errno.h>
#include <linux/smc_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/process/supervised.h"
#include "ctl/smc/socket-tcp.h"

#define SMC_ACTIVE 1
#define SMC_INIT 2
#define SMC_LISTEN 10

void sockets_clear(struct sockets *sockets)
{
	free(sockets->item);
	for (size_t i = 0; i < sockets->namespaces; i++)
		diag_tcp_clear(&sockets->tcp[i]);
	free(sockets->tcp);
	owners_clear(&sockets->owners);
	smc_linkgroups_clear(&sockets->groups);
	*sockets = (struct sockets){.item = NULL};
}

/* The kernel says SMC-R of whatever is neither fallen back nor SMC-D, new and listening sockets included. */
static enum socket_mode mode_of(const struct diag_smc *smc)
{
	if (smc->mode == SMC_DIAG_MODE_FALLBACK_TCP)
		return MODE_TCP;
	if (smc->socket.state == SMC_INIT || smc->socket.state == SMC_LISTEN)
		return MODE_NONE;
	if (smc->mode == SMC_DIAG_MODE_SMCD)
		return MODE_SMC_D;
	return smc->has_link || smc->socket.state == SMC_ACTIVE ? MODE_SMC_R : MODE_NONE;
}

static int add_entries(struct sockets *sockets, const struct diag_smc_list *list)
{
	struct socket_entry *larger;

	if (!list->count)
		return 0;
	larger = realloc(sockets->item, (sockets->count + list->count) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	sockets->item = larger;
	for (size_t i = 0; i < list->count; i++)
		sockets->item[sockets->count++] = (struct socket_entry){
			.smc = list->item[i], .mode = mode_of(&list->item[i]), .netns = (uint32_t)sockets->namespaces};
	return 0;
}

static bool has_ports(const struct diag_smc_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->item[i].socket.port[DIAG_LOCAL])
			return true;
	return false;
}

int sockets_add_namespace(struct sockets *sockets)
{
	struct diag_smc_list list = {.item = NULL};
	struct diag_tcp_list *larger;
	int r = diag_dump_smc(&list);

	if (r == 0)
		r = add_entries(sockets, &list);
	if (r == 0) {
		larger = realloc(sockets->tcp, (sockets->namespaces + 1) * sizeof(*larger));
		if (larger) {
			sockets->tcp = larger;
			sockets->tcp[sockets->namespaces] = (struct diag_tcp_list){.item = NULL};
		} else {
			r = -ENOMEM;
		}
	}
	if (r == 0 && has_ports(&list)) {
		int error = diag_dump_tcp(&sockets->tcp[sockets->namespaces]);

		sockets->tcp_error = error < 0 ? error : sockets->tcp_error;
	}
	sockets->namespaces += r == 0;
	diag_smc_clear(&list);
	return r;
}

static bool has_addresses(const struct diag_socket *socket)
{
	static const uint8_t zero[sizeof(socket->address)];

	return memcmp(socket->address, zero, sizeof(zero)) != 0;
}

static bool listens(const struct sockets *sockets, uint32_t netns, uint16_t port)
{
	const struct diag_tcp_list *tcp = &sockets->tcp[netns];

	for (size_t i = socket_tcp_from(tcp, port, 0);
		i < tcp->count && tcp->item[i].port[DIAG_LOCAL] == port && tcp->item[i].port[DIAG_PEER] == 0; i++)
		if (tcp->item[i].state == TCP_DIAG_LISTEN)
			return true;
	return false;
}

/*
 * The roles of a link group are those of its connections (smc_conn_create() looks for one of the same role). An accepted
 * socket is of AF_SMC, whatever its listener is; those that carry no addresses come from one with IPPROTO_SMC.
 */
static enum socket_role role_of(const struct sockets *sockets, const struct socket_entry *entry, bool addresses)
{
	const struct diag_socket *socket = &entry->smc.socket;

	if (socket->state == SMC_LISTEN || !socket->port[DIAG_PEER])
		return ROLE_UNKNOWN;
	if (entry->smc.has_link)
		return entry->smc.link_role ? ROLE_SERVER : ROLE_CLIENT;
	if (socket->family == AF_INET || socket->family == AF_INET6)
		return ROLE_CLIENT;
	if (!addresses || listens(sockets, entry->netns, socket->port[DIAG_LOCAL]))
		return ROLE_SERVER;
	return ROLE_UNKNOWN;
}

/* Without a TCP socket, the addresses of AF_SMC tell the family when there is more in them than IPv4 has room for. */
static int family_of(const struct diag_socket *socket)
{
	static const uint8_t zero[12];

	if (memcmp(socket->address[DIAG_LOCAL] + 4, zero, sizeof(zero)) != 0 ||
		memcmp(socket->address[DIAG_PEER] + 4, zero, sizeof(zero)) != 0)
		return AF_INET6;
	return 0;
}

static void join_one(struct sockets *sockets, struct socket_entry *entry)
{
	struct diag_socket *socket = &entry->smc.socket;
	bool addresses = has_addresses(socket);
	const struct diag_socket *tcp = NULL;

	entry->holding = owners_find(&sockets->owners, socket->inode, &entry->holdings);
	entry->group = smc_linkgroups_find(&sockets->groups, &entry->smc);
	if (socket->port[DIAG_LOCAL])
		tcp = socket_tcp_find(&sockets->tcp[entry->netns], socket, addresses, &sockets->owners);
	entry->role = role_of(sockets, entry, addresses);
	if (tcp) {
		entry->family = tcp->family;
		entry->tcp_state = tcp->state;
		memcpy(socket->address, tcp->address, sizeof(socket->address));
	} else if (addresses) {
		entry->family = family_of(socket);
	}
}

int sockets_join(struct sockets *sockets)
{
	bool grouped = false;
	int r = owners_read(&sockets->owners);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sockets->namespaces; i++)
		socket_tcp_sort(&sockets->tcp[i]);
	for (size_t i = 0; i < sockets->count; i++)
		grouped = grouped || sockets->item[i].smc.has_link || sockets->item[i].smc.has_dmb;
	if (grouped)
		sockets->group_error = smc_linkgroups_get(&sockets->groups);
	for (size_t i = 0; i < sockets->count; i++)
		join_one(sockets, &sockets->item[i]);
	return 0;
}

int sockets_find_supervised(struct sockets *sockets)
{
	_cleanup_process_reports_ struct process_reports supervised = {.item = NULL};
	_cleanup_free_ bool *asked = calloc(sockets->owners.processes + 1, sizeof(*asked));
	int r = asked ? supervised_read(&supervised) : -ENOMEM;

	for (size_t i = 0; r == 0 && supervised.count && i < sockets->count; i++) {
		const struct socket_entry *entry = &sockets->item[i];

		for (size_t k = 0; k < entry->holdings; k++) {
			uint32_t index = entry->holding[k].process;
			struct owner_process *process = &sockets->owners.process[index];

			if (!asked[index])
				process->supervised = supervised_find(&supervised, process->pid) != NULL;
			asked[index] = true;
		}
	}
	return r;
}

const struct owner_process *sockets_owner(const struct sockets *sockets, const struct socket_entry *entry, size_t index)
{
	return index < entry->holdings ? &sockets->owners.process[entry->holding[index].process] : NULL;
}
