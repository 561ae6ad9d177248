/* SPDX-License-Identifier: MIT */
/* smcctl device: the devices that SMC can use here, and what each of them can serve. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/smc/loopback.h"
#include "ctl/smc/netns.h"
#include "ctl/smc/open.h"
#include "ctl/smc/serve.h"
#include "ctl/smc/sysfs.h"

enum { DEVICE_NETNS, DEVICE_JSON };

const struct ctl_option cmd_device_list_options[] = {
	[DEVICE_NETNS] = CTL_OPTION_NETNS,
	[DEVICE_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

struct view {
	struct smc_system system;
	struct smc_devices smcr;
	struct smc_devices smcd;
	struct smc_linkgroups groups;
	struct pnetids pnetids;
	struct rdma_ports ports;
	char netns_mode[8]; /* of RDMA devices: Y shared, N exclusive, empty: not known */
};

static void cleanup_view(struct view *view)
{
	smc_devices_clear(&view->smcr);
	smc_devices_clear(&view->smcd);
	smc_linkgroups_clear(&view->groups);
	pnetids_clear(&view->pnetids);
	rdma_ports_clear(&view->ports);
}

static enum ctl_exit look(struct ctl *ctl, struct genl *genl, bool entered, struct view *view)
{
	int r = smc_system_get(genl, &view->system);
	int sysfs;

	if (r == 0)
		r = smc_devices_smcr(genl, &view->smcr);
	if (r == 0)
		r = smc_devices_smcd(genl, &view->smcd);
	if (r == 0)
		r = smc_linkgroups_smcd(genl, &view->groups);
	if (r < 0)
		return smc_refused(ctl, "devices", NULL, genl, r);
	r = pnetids_get(&view->pnetids);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "pnet table", NULL, "%s", strerror(-r));
	sysfs = sysfs_open(entered);
	if (sysfs < 0)
		return ctl_error(ctl, ctl_exit_of(sysfs), "sysfs", NULL, "%s", strerror(-sysfs));
	r = rdma_ports_get(sysfs, &view->ports);
	if (r == 0 &&
		sysfs_read(sysfs, view->netns_mode, sizeof(view->netns_mode), "module/ib_core/parameters/netns_mode") <
			0)
		view->netns_mode[0] = '\0';
	close(sysfs);
	return r < 0 ? ctl_error(ctl, ctl_exit_of(r), "RDMA devices", NULL, "%s", strerror(-r)) : CTL_OK;
}

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

static void put_port(struct out *out, const struct view *view, const struct smc_device *device, size_t i)
{
	const struct smc_port *port = &device->port[i];
	const struct rdma_port *rdma = rdma_port_find(&view->ports, device->name, (uint32_t)i + 1);
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
	serve_smcr(&view->system, &view->pnetids, port, rdma, &serve);
	put_serve(out, "SMC-R", &serve);
	out_close(out);
}

/* evidence: how a loopback-ism is known; NULL for what the kernel lists. */
static void put_ism(struct out *out, const struct view *view, const struct smc_device *device, const char *evidence)
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
	serve_smcd(&view->system, &view->pnetids, port, evidence != NULL, &serve);
	put_serve(out, "SMC-D", &serve);
	if (evidence)
		out_note(out, "the kernel does not list it; known by %s", evidence);
	out_close(out);
}

/* The pnet table shows identifiers of devices in the initial network namespace only; a link group shows it everywhere. */
static void put_loopback(struct out *out, const struct view *view, const char *evidence)
{
	struct smc_device device = {.ism = true, .chid = SMC_LOOPBACK_CHID, .name = LOOPBACK_NAME};
	const char *pnetid = pnetid_of_device(&view->pnetids, LOOPBACK_NAME);

	for (size_t i = 0; i < view->groups.count; i++) {
		if (view->groups.item[i].chid != SMC_LOOPBACK_CHID)
			continue;
		device.use++;
		pnetid = view->groups.item[i].pnetid;
	}
	device.critical = device.use > 0;
	device.port[0].pnetid_by_user = pnetid && *pnetid;
	(void)snprintf(device.port[0].pnetid, sizeof(device.port[0].pnetid), "%s", pnetid ? pnetid : "");
	put_ism(out, view, &device, evidence);
}

static void put_head(struct out *out, const struct view *view)
{
	if (!view->netns_mode[0])
		out_null(out, "rdma_netns_mode", "RDMA NETNS");
	else
		out_string(out, "rdma_netns_mode", "RDMA NETNS", view->netns_mode[0] == 'Y' ? "shared" : "exclusive");
	out_uint(out, "ueids", "UEIDS", view->system.ueids);
	out_bool(out, "seid_enabled", NULL, view->system.seid_enabled);
	out_bool(out, "smcd_v2", NULL, view->system.smcd_v2);
	out_bool(out, "smcr_v2", NULL, view->system.smcr_v2);
	out_optional(out, "host", NULL, view->system.host);
}

static int print(struct ctl *ctl, const struct view *view, bool json)
{
	bool unknown;
	const char *evidence = loopback_evidence(&view->system, &view->smcd, &view->groups, &unknown);
	struct out *out;
	int r = out_begin(ctl->out, json, &out);

	if (r < 0)
		return r;
	put_head(out, view);
	if (unknown)
		out_note(out, "whether there is a loopback-ism too cannot be told: no link group shows it");
	out_list(out, "devices", NULL);
	for (size_t i = 0; i < view->smcr.count; i++)
		for (size_t p = 0; p < SMC_MAX_PORTS; p++)
			if (view->smcr.item[i].port[p].present)
				put_port(out, view, &view->smcr.item[i], p);
	for (size_t i = 0; i < view->smcd.count; i++)
		put_ism(out, view, &view->smcd.item[i], NULL);
	if (evidence)
		put_loopback(out, view, evidence);
	out_close(out);
	if (!view->smcr.count && !view->smcd.count && !evidence)
		out_note(out, "SMC has no device: every connection falls back to TCP");
	return out_end(out);
}

enum ctl_exit cmd_device_list(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_genl_ struct genl *genl = NULL;
	_cleanup_(cleanup_view) struct view view = {.netns_mode = ""};
	const char *netns = args->option[DEVICE_NETNS];
	enum ctl_exit code = smc_open(ctl, netns, GENL_SMC, &genl);
	int r;

	if (code == CTL_OK)
		code = look(ctl, genl, netns != NULL, &view);
	if (code != CTL_OK)
		return code;
	r = print(ctl, &view, args->option[DEVICE_JSON] != NULL);
	return r < 0 ? ctl_error(ctl, CTL_FAILED, "devices", NULL, "%s", strerror(-r)) : CTL_OK;
}
