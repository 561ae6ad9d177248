/* SPDX-License-Identifier: MIT */
/* Puts the two sides of a pnet identifier together: the kernel's table and the identifiers of its devices. */
#include "config.h"

#include "ctl/pnet-view.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/smc/open.h"

static int load_devices(struct pnet_view *view)
{
	_cleanup_genl_ struct genl *genl = NULL;
	int r = genl_open(GENL_SMC, &genl);

	if (r == 0)
		r = smc_system_get(genl, &view->system);
	return r < 0 ? r : smc_devices_get(genl, &view->devices);
}

enum ctl_exit pnet_view_open(struct ctl *ctl, const char *netns, struct pnet_view *view)
{
	enum ctl_exit code = smc_open(ctl, netns, GENL_PNET, &view->genl);
	int r;

	if (code == CTL_OK)
		code = pnet_view_reload(ctl, view);
	if (code != CTL_OK)
		return code;
	/* A sysctl that is in the initial network namespace only (net/core/sysctl_net_core.c). */
	view->elsewhere = access("/proc/sys/net/core/netdev_max_backlog", F_OK) < 0;
	r = load_devices(view);
	/* The family of the device lists came with Linux 5.11; the table is older. */
	if (r < 0 && r != -EPROTONOSUPPORT)
		return ctl_error(ctl, ctl_exit_of(r), "SMC devices", NULL, "%s", strerror(-r));
	return CTL_OK;
}

void pnet_view_clear(struct pnet_view *view)
{
	genl_close(view->genl);
	pnet_table_clear(&view->table);
	smc_devices_clear(&view->devices);
}

enum ctl_exit pnet_view_reload(struct ctl *ctl, struct pnet_view *view)
{
	int r = pnet_load(view->genl, &view->table);

	return r < 0 ? smc_refused(ctl, "pnet table", NULL, view->genl, r) : CTL_OK;
}

static bool is_ism(const struct pnet_view *view, const char *name)
{
	const struct smc_device *device = smc_device_find(&view->devices, name);

	return device ? device->ism : strcmp(name, SMC_LOOPBACK_NAME) == 0 && view->system.smcd_v2;
}

int pnet_view_device(const struct pnet_view *view, const char *name, unsigned int port)
{
	int r = smc_device_in_sysfs(name, port);

	if (r == -ENODEV && is_ism(view, name))
		return port == 1 ? 0 : -ENXIO;
	return r;
}

void pnet_view_name(const struct pnet_view *view, const struct pnet_entry *entry, char out[static PNET_NAME_SIZE])
{
	if (entry->interface[0])
		(void)snprintf(out, PNET_NAME_SIZE, "%s", entry->interface);
	else if (is_ism(view, entry->device))
		(void)snprintf(out, PNET_NAME_SIZE, "%s", entry->device);
	else
		(void)snprintf(out, PNET_NAME_SIZE, "%s port %u", entry->device, entry->port);
}

bool pnet_view_present(const struct pnet_view *view, const struct pnet_entry *entry)
{
	if (entry->interface[0])
		return if_nametoindex(entry->interface) != 0;
	return pnet_view_device(view, smc_device_name(&view->devices, entry->device), entry->port) == 0;
}

bool pnet_view_unsure(const struct pnet_view *view)
{
	return view->elsewhere && view->system.smcd_v2;
}

bool pnet_view_shared(const struct pnet_view *view, const char *id)
{
	bool interface = false;
	bool device = false;

	for (size_t i = 0; i < view->table.count; i++) {
		const struct pnet_entry *entry = &view->table.entries[i];
		bool same = strcmp(entry->id, id) == 0;

		interface = interface || (same && entry->interface[0]);
		device = device || (same && entry->device[0]);
	}
	for (size_t i = 0; i < view->devices.count; i++)
		for (size_t p = 0; p < SMC_MAX_PORTS; p++)
			device = device || strcmp(view->devices.item[i].port[p].pnetid, id) == 0;
	return interface && device;
}

/* What has the identifier from one side, as a list for people. */
struct side {
	FILE *stream;
	char *text;
	size_t size;
	size_t count;
};

static void side_clear(struct side *side)
{
	if (side->stream)
		(void)fclose(side->stream);
	free(side->text);
}

static void add_entry(const struct pnet_view *view, struct side *side, const struct pnet_entry *entry)
{
	char name[PNET_NAME_SIZE];

	pnet_view_name(view, entry, name);
	fputs(side->count++ ? ", " : "", side->stream);
	text_put(side->stream, name);
	fputs(pnet_view_present(view, entry) ? "" : " (not there now)", side->stream);
}

static bool in_table(const struct pnet_view *view, const struct smc_device *device, unsigned int port)
{
	for (size_t i = 0; i < view->table.count; i++) {
		const struct pnet_entry *entry = &view->table.entries[i];

		if (strcmp(smc_device_name(&view->devices, entry->device), device->name) == 0 &&
			(device->ism || port == entry->port))
			return true;
	}
	return false;
}

/* Identifiers from hardware, and in other network namespaces all, are with the devices only. */
static void collect_ports(
	const struct pnet_view *view, const struct smc_device *device, const char *id, struct side *devices)
{
	for (unsigned int port = 1; port <= SMC_MAX_PORTS; port++) {
		struct pnet_entry entry = {.port = port};

		memcpy(entry.device, device->name, sizeof(entry.device));
		if (strcmp(device->port[port - 1].pnetid, id) == 0 && !in_table(view, device, port))
			add_entry(view, devices, &entry);
	}
}

static void collect(const struct pnet_view *view, const char *id, struct side *interfaces, struct side *devices)
{
	for (size_t i = 0; i < view->table.count; i++) {
		const struct pnet_entry *entry = &view->table.entries[i];

		if (strcmp(entry->id, id) == 0)
			add_entry(view, entry->interface[0] ? interfaces : devices, entry);
	}
	for (size_t i = 0; i < view->devices.count; i++)
		collect_ports(view, &view->devices.item[i], id, devices);
}

int pnet_view_print(const struct pnet_view *view, FILE *stream, const char *id)
{
	_cleanup_(side_clear) struct side interfaces = {.text = NULL};
	_cleanup_(side_clear) struct side devices = {.text = NULL};

	interfaces.stream = open_memstream(&interfaces.text, &interfaces.size);
	devices.stream = open_memstream(&devices.text, &devices.size);
	if (!interfaces.stream || !devices.stream)
		return -ENOMEM;
	collect(view, id, &interfaces, &devices);
	if (fflush(interfaces.stream) != 0 || fflush(devices.stream) != 0)
		return -ENOMEM;
	if (interfaces.count && devices.count)
		fprintf(stream, "%s: shared by %s and %s\n", id, interfaces.text, devices.text);
	else if (interfaces.count)
		fprintf(stream, "%s: on %s alone; no RDMA or ISM device has it%s\n", id, interfaces.text,
			pnet_view_unsure(view) ? ", but whether " SMC_LOOPBACK_NAME " has cannot be seen from here"
					       : "");
	else if (devices.count)
		fprintf(stream, "%s: on %s alone; no interface of this network namespace has it\n", id, devices.text);
	else
		fprintf(stream, "%s: nothing has it\n", id);
	return 0;
}
