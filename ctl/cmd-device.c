/* SPDX-License-Identifier: MIT */
/* smcctl device: the devices that SMC can use here, and what each of them can serve. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/smc/inventory.h"
#include "ctl/smc/netns.h"
#include "ctl/smc/open.h"
#include "ctl/smc/serve.h"

enum { DEVICE_NETNS, DEVICE_JSON };

const struct ctl_option cmd_device_list_options[] = {
	[DEVICE_NETNS] = CTL_OPTION_NETNS,
	[DEVICE_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

static void put_gids(struct out *out, const struct rdma_port *port)
{
	char text[64];
	size_t count[RDMA_GID_TYPES];

	for (size_t i = 0; i < RDMA_GID_TYPES; i++)
		count[i] = rdma_count_gids(port, (enum rdma_gid_type)i);
	(void)snprintf(text, sizeof(text), "%zu v1, %zu v2 IPv4, %zu v2 IPv6", count[RDMA_GID_V1],
		count[RDMA_GID_V2_IPV4], count[RDMA_GID_V2_IPV6]);
	out_string(out, NULL, "GIDS", text);
	if (!out_is_json(out))
		return;
	out_list(out, "gids", NULL);
	for (size_t i = 0; i < port->gids; i++) {
		const struct rdma_gid *gid = &port->gid[i];
		char address[INET6_ADDRSTRLEN];

		out_object(out, NULL, NULL);
		out_uint(out, "index", NULL, gid->index);
		out_string(out, "type", NULL, rdma_gid_type_text(gid->type));
		out_string(out, "gid", NULL, inet_ntop(AF_INET6, &gid->gid, address, sizeof(address)));
		out_optional(out, "netdev", NULL, gid->netdev);
		out_close(out);
	}
	out_close(out);
}

static void put_rdma(struct out *out, const struct rdma_port *rdma)
{
	if (!rdma) {
		for (size_t i = 0; i < 5; i++) {
			static const char *const keys[] = {"netdev", "mac", "guid", "guid_matches_mac", "gids"};
			static const char *const titles[] = {"NETDEV", NULL, NULL, "GUID=MAC", "GIDS"};

			out_null(out, keys[i], titles[i]);
		}
		return;
	}
	out_optional(out, "netdev", "NETDEV", rdma->netdev);
	out_optional(out, "mac", NULL, rdma->mac);
	out_optional(out, "guid", NULL, rdma->guid);
	if (rdma->mac[0])
		out_bool(out, "guid_matches_mac", "GUID=MAC", rdma_guid_matches(rdma->guid, rdma->mac));
	else
		out_null(out, "guid_matches_mac", "GUID=MAC");
	put_gids(out, rdma);
}

static void put_serve(struct out *out, const char *mode, const struct serve *serve)
{
	static const char *const versions[] = {"v1", "v2"};
	char text[32] = "";
	bool can[SERVE_VERSIONS];

	for (size_t i = 0; i < SERVE_VERSIONS; i++)
		can[i] = !serve->why[i][0];
	if (can[SERVE_V1] || can[SERVE_V2])
		(void)snprintf(text, sizeof(text), "%s %s", mode,
			can[SERVE_V1] && can[SERVE_V2] ? "v1, v2" : versions[can[SERVE_V2]]);
	out_string(out, NULL, "SERVES", *text ? text : "nothing");
	for (size_t i = 0; i < SERVE_VERSIONS; i++) {
		if (!*text)
			out_note(out, "not %s %s: %s", mode, versions[i], serve->why[i]);
		out_bool(out, i == SERVE_V1 ? "serves_v1" : "serves_v2", NULL, can[i]);
		out_optional(out, i == SERVE_V1 ? "why_not_v1" : "why_not_v2", NULL, serve->why[i]);
	}
}

static void put_port(struct out *out, const struct inventory *inventory, const struct smc_device *device, size_t i)
{
	const struct smc_port *port = &device->port[i];
	const struct rdma_port *rdma = rdma_port_find(&inventory->ports, device->name, (uint32_t)i + 1);
	struct serve serve;

	out_object(out, NULL, NULL);
	out_string(out, "kind", NULL, "smcr");
	out_string(out, "name", "DEVICE", device->name);
	out_uint(out, "port", "PORT", i + 1);
	out_string(out, "state", "STATE", port->active ? "active" : "down");
	out_optional(out, "pci", NULL, device->pci);
	out_bool(out, "in_network_namespace", NULL, rdma != NULL);
	put_rdma(out, rdma);
	out_optional(out, "pnetid", "PNETID", port->pnetid);
	out_bool(out, "pnetid_by_user", NULL, port->pnetid_by_user);
	out_uint(out, "links", "LINKS", port->links);
	out_bool(out, "critical", NULL, device->critical);
	serve_smcr(&inventory->system, &inventory->pnet, port, rdma, &serve);
	put_serve(out, "SMC-R", &serve);
	out_close(out);
}

/* evidence: how a loopback-ism is known; NULL for what the kernel lists. */
static void put_ism(
	struct out *out, const struct inventory *inventory, const struct smc_device *device, const char *evidence)
{
	const struct smc_port *port = &device->port[0];
	struct serve serve;

	out_object(out, NULL, NULL);
	out_string(out, "kind", NULL, "smcd");
	out_string(out, "name", "DEVICE", device->name);
	out_null(out, "port", "PORT");
	out_string(out, "state", "STATE", "active");
	out_optional(out, "pci", NULL, device->pci);
	out_uint(out, "chid", NULL, device->chid);
	out_optional(out, "known_by", NULL, evidence);
	out_null(out, NULL, "NETDEV");
	out_null(out, NULL, "GUID=MAC");
	out_null(out, NULL, "GIDS");
	out_optional(out, "pnetid", "PNETID", port->pnetid);
	out_bool(out, "pnetid_by_user", NULL, port->pnetid_by_user);
	out_uint(out, "linkgroups", "LINKS", device->use);
	out_bool(out, "critical", NULL, device->critical);
	serve_smcd(&inventory->system, &inventory->pnet, port, evidence != NULL, &serve);
	put_serve(out, "SMC-D", &serve);
	if (evidence)
		out_note(out, "the kernel does not list it; known by %s", evidence);
	out_close(out);
}

static void put_head(struct out *out, const struct inventory *inventory)
{
	if (!inventory->netns_mode[0])
		out_null(out, "rdma_netns_mode", "RDMA NETNS");
	else
		out_string(
			out, "rdma_netns_mode", "RDMA NETNS", inventory->netns_mode[0] == 'Y' ? "shared" : "exclusive");
	out_uint(out, "ueids", "UEIDS", inventory->system.ueids);
	out_bool(out, "seid_enabled", NULL, inventory->system.seid_enabled);
	out_bool(out, "smcd_v2", NULL, inventory->system.smcd_v2);
	out_bool(out, "smcr_v2", NULL, inventory->system.smcr_v2);
	out_optional(out, "host", NULL, inventory->system.host);
}

static int print(struct ctl *ctl, const struct inventory *inventory, bool json)
{
	struct out *out;
	int r = out_begin(ctl->out, json, &out);

	if (r < 0)
		return r;
	put_head(out, inventory);
	if (inventory->loopback_unknown)
		out_note(out, "whether there is a loopback-ism too cannot be told: no link group shows it");
	out_list(out, "devices", NULL);
	for (size_t i = 0; i < inventory->devices.count; i++) {
		const struct smc_device *device = &inventory->devices.item[i];

		if (device->ism)
			put_ism(out, inventory, device, NULL);
		for (size_t p = 0; !device->ism && p < SMC_MAX_PORTS; p++)
			if (device->port[p].present)
				put_port(out, inventory, device, p);
	}
	if (inventory->loopback) {
		struct smc_device device;

		inventory_loopback(inventory, &device);
		put_ism(out, inventory, &device, inventory->loopback);
	}
	out_close(out);
	if (!inventory->devices.count && !inventory->loopback)
		out_note(out, "SMC has no device: every connection falls back to TCP");
	return out_end(out);
}

enum ctl_exit cmd_device_list(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_genl_ struct genl *genl = NULL;
	_cleanup_inventory_ struct inventory inventory = {.loopback = NULL};
	const char *netns = args->option[DEVICE_NETNS];
	const char *what;
	enum ctl_exit code = smc_open(ctl, netns, GENL_SMC, &genl);
	int r;

	if (code != CTL_OK)
		return code;
	r = inventory_get(genl, netns != NULL, &inventory, &what);
	if (r == -EOPNOTSUPP)
		return smc_refused(ctl, what, NULL, genl, r);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), what, NULL, "%s", strerror(-r));
	r = print(ctl, &inventory, args->option[DEVICE_JSON] != NULL);
	return r < 0 ? ctl_error(ctl, CTL_FAILED, "devices", NULL, "%s", strerror(-r)) : CTL_OK;
}
