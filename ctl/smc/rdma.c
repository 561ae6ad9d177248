/* SPDX-License-Identifier: MIT */
/* GUIDs and GIDs of RDMA ports, from sysfs. */
#include "config.h"

#include "ctl/smc/rdma.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/smc/sysfs.h"

void rdma_ports_clear(struct rdma_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		free(ports->item[i].gid);
	free(ports->item);
	*ports = (struct rdma_ports){.item = NULL};
}

const struct rdma_port *rdma_port_find(const struct rdma_ports *ports, const char *device, uint32_t number)
{
	for (size_t i = 0; i < ports->count; i++)
		if (ports->item[i].number == number && strcmp(ports->item[i].device, device) == 0)
			return &ports->item[i];
	return NULL;
}

bool rdma_guid_matches(const char *guid, const char *mac)
{
	unsigned g[8];
	unsigned m[6];

	if (sscanf(guid, "%2x%2x:%2x%2x:%2x%2x:%2x%2x", &g[0], &g[1], &g[2], &g[3], &g[4], &g[5], &g[6], &g[7]) != 8 ||
		sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
		return false;
	return (g[0] | 2u) == (m[0] | 2u) && g[1] == m[1] && g[2] == m[2] && g[5] == m[3] && g[6] == m[4] &&
		g[7] == m[5];
}

bool rdma_gid_is_ipv4(const struct in6_addr *gid)
{
	return IN6_IS_ADDR_V4MAPPED(gid) || IN6_IS_ADDR_V4COMPAT(gid);
}

size_t rdma_count_gids(const struct rdma_port *port, enum rdma_gid_type type)
{
	size_t count = 0;

	for (size_t i = 0; i < port->gids; i++)
		count += port->gid[i].type == type;
	return count;
}

const char *rdma_gid_type_text(enum rdma_gid_type type)
{
	static const char *const words[] = {"RoCE v1", "RoCE v2, IPv4", "RoCE v2, IPv6"};

	return words[type];
}

#define PORT "class/infiniband/%s/ports/%" PRIu32

static int add_gid(int sysfs, struct rdma_port *port, uint32_t index, const struct in6_addr *gid)
{
	struct rdma_gid *gids;
	struct rdma_gid new = {.index = index, .gid = *gid, .type = RDMA_GID_V1};
	char type[32];

	/* A GID that goes away meanwhile is none. */
	if (sysfs_read(sysfs, type, sizeof(type), PORT "/gid_attrs/types/%" PRIu32, port->device, port->number, index) <
		0)
		return 0;
	if (strcmp(type, "RoCE v2") == 0)
		new.type = rdma_gid_is_ipv4(gid) ? RDMA_GID_V2_IPV4 : RDMA_GID_V2_IPV6;
	if (sysfs_read(sysfs, new.netdev, sizeof(new.netdev), PORT "/gid_attrs/ndevs/%" PRIu32, port->device,
		    port->number, index) < 0)
		new.netdev[0] = '\0';
	gids = realloc(port->gid, (port->gids + 1) * sizeof(*gids));
	if (!gids)
		return -ENOMEM;
	port->gid = gids;
	port->gid[port->gids++] = new;
	return 0;
}

int rdma_port_read(int sysfs, struct rdma_port *port)
{
	char text[INET6_ADDRSTRLEN];
	int r = 0;

	if (sysfs_read(sysfs, port->guid, sizeof(port->guid), "class/infiniband/%s/node_guid", port->device) < 0)
		port->guid[0] = '\0';
	if (!port->netdev[0] ||
		sysfs_read(sysfs, port->mac, sizeof(port->mac), "class/net/%s/address", port->netdev) < 0)
		port->mac[0] = '\0';
	for (uint32_t i = 0; r == 0; i++) {
		struct in6_addr gid;

		/* The table ends where there is no file. */
		if (sysfs_read(sysfs, text, sizeof(text), PORT "/gids/%" PRIu32, port->device, port->number, i) < 0)
			return 0;
		if (inet_pton(AF_INET6, text, &gid) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&gid))
			r = add_gid(sysfs, port, i, &gid);
	}
	return r;
}
