/* SPDX-License-Identifier: MIT */
/* What the RDMA subsystem knows of its devices in this network namespace: their interfaces, GUIDs and GIDs. */
#ifndef SMCSHIM_CTL_SMC_RDMA_H
#define SMCSHIM_CTL_SMC_RDMA_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/smc/uapi.h"
#include "ctl/util.h"

#define RDMA_GUID_SIZE 20 /* xxxx:xxxx:xxxx:xxxx */
#define RDMA_MAC_SIZE 18

enum rdma_gid_type {
	RDMA_GID_V1,      /* InfiniBand or RoCE v1 */
	RDMA_GID_V2_IPV4, /* RoCE v2 with an IPv4 address in it: what SMC-R version 2 takes */
	RDMA_GID_V2_IPV6,
	RDMA_GID_TYPES,
};

struct rdma_gid {
	uint32_t index;
	enum rdma_gid_type type;
	struct in6_addr gid;
	char netdev[IF_NAMESIZE];
};

/* A port of a device that this network namespace may use. */
struct rdma_port {
	char device[SMC_DEVICE_NAME_SIZE];
	uint32_t index; /* of the device, for RDMA netlink */
	uint32_t number;
	char netdev[IF_NAMESIZE]; /* empty: none, or in another network namespace */
	char guid[RDMA_GUID_SIZE];
	char mac[RDMA_MAC_SIZE]; /* of netdev; empty: none */
	struct rdma_gid *gid;
	size_t gids;
};

struct rdma_ports {
	struct rdma_port *item;
	size_t count;
};

#define _cleanup_rdma_ports_ _cleanup_(rdma_ports_clear)
void rdma_ports_clear(struct rdma_ports *ports);

/*
 * All ports, from RDMA netlink (nldev.c: RDMA_NLDEV_CMD_GET, RDMA_NLDEV_CMD_PORT_GET), which knows network namespaces,
 * and from sysfs, a directory as of sysfs_open(). A kernel without RDMA has none. Returns 0 or -errno; what out holds
 * either way is freed by rdma_ports_clear().
 */
_must_check_ int rdma_ports_get(int sysfs, struct rdma_ports *out);

struct nlattr;

/*
 * Adds what one message of those dumps says, by its attributes (RDMA_NLDEV_ATTR_MAX of them, fill_port_info() and
 * fill_dev_info() in nldev.c). Returns 0, -EBADMSG for names that no device has, or -ENOMEM.
 */
_must_check_ int rdma_ports_add(struct nlattr *const *attrs, struct rdma_ports *ports);

/* The port of that device and number, or NULL. */
const struct rdma_port *rdma_port_find(const struct rdma_ports *ports, const char *device, uint32_t number);

/* GUID, MAC and GIDs of port, of which device, number and netdev are set. Returns 0 or -ENOMEM. */
_must_check_ int rdma_port_read(int sysfs, struct rdma_port *port);

/*
 * Whether the node's GUID is made of the MAC: as EUI-64 with the bit 0x02 of the first byte turned (eRDMA, soft-RoCE)
 * or not turned, its middle whatever it is (mlx5).
 */
bool rdma_guid_matches(const char *guid, const char *mac);

/*
 * True if gid is an IPv4 address, as the kernel takes it (smc_ib_gid_to_ipv4()): ::ffff:a.b.c.d or ::a.b.c.d; not ::1,
 * which the kernel takes for one too.
 */
bool rdma_gid_is_ipv4(const struct in6_addr *gid);

size_t rdma_count_gids(const struct rdma_port *port, enum rdma_gid_type type);

const char *rdma_gid_type_text(enum rdma_gid_type type);

#endif
