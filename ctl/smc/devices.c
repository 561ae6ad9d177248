/* SPDX-License-Identifier: MIT */
/* Reads the list of devices from the kernel. */
#include "config.h"

#include "ctl/smc/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void smc_devices_clear(struct smc_devices *devices)
{
	free(devices->item);
	*devices = (struct smc_devices){.item = NULL};
}

static int parse_port(struct nlattr *nest, bool ism, struct smc_port *port)
{
	struct nlattr *attrs[SMC_NLA_DEV_PORT_MAX + 1];
	int r = genl_nested(nest, SMC_NLA_DEV_PORT_MAX, attrs);

	if (r < 0)
		return r;
	port->present = nest && (ism || genl_number(attrs[SMC_NLA_DEV_PORT_VALID], 0));
	port->active = ism || genl_number(attrs[SMC_NLA_DEV_PORT_STATE], 0);
	port->pnetid_by_user = genl_number(attrs[SMC_NLA_DEV_PORT_PNET_USR], 0) != 0;
	port->ifindex = (uint32_t)genl_number(attrs[SMC_NLA_DEV_PORT_NETDEV], 0);
	port->links = (uint32_t)genl_number(attrs[SMC_NLA_DEV_PORT_LNK_CNT], 0);
	genl_copy_text(attrs[SMC_NLA_DEV_PORT_PNETID], port->pnetid, sizeof(port->pnetid));
	/* An identifier from hardware is padded, and one of blanks is none (smc_pnet_is_pnetid_set()). */
	port->pnetid[strcspn(port->pnetid, " ")] = '\0';
	return 0;
}

static int parse_device(struct nlattr *nest, struct smc_device *device)
{
	struct nlattr *attrs[SMC_NLA_DEV_MAX + 1];
	int r = genl_nested(nest, SMC_NLA_DEV_MAX, attrs);

	if (r == 0)
		r = parse_port(attrs[SMC_NLA_DEV_PORT], device->ism, &device->port[0]);
	if (r == 0)
		r = parse_port(attrs[SMC_NLA_DEV_PORT2], device->ism, &device->port[1]);
	if (r < 0)
		return r;
	device->critical = genl_number(attrs[SMC_NLA_DEV_IS_CRIT], 0) != 0;
	device->use = (uint32_t)genl_number(attrs[SMC_NLA_DEV_USE_CNT], 0);
	device->fid = (uint32_t)genl_number(attrs[SMC_NLA_DEV_PCI_FID], 0);
	device->chid = (uint16_t)genl_number(attrs[SMC_NLA_DEV_PCI_CHID], 0);
	genl_copy_text(attrs[SMC_NLA_DEV_PCI_ID], device->pci, sizeof(device->pci));
	genl_copy_text(attrs[SMC_NLA_DEV_IB_NAME], device->name, sizeof(device->name));
	/* An ISM device has no name but its place on the bus. */
	if (device->ism)
		(void)snprintf(device->name, sizeof(device->name), "%s", device->pci);
	return 0;
}

int smc_devices_add(struct nlattr *const *attrs, void *arg)
{
	struct smc_devices *devices = arg;
	struct smc_device device = {.ism = attrs[SMC_GEN_DEV_SMCD] != NULL};
	struct smc_device *items;
	int r;

	if (!attrs[SMC_GEN_DEV_SMCD] && !attrs[SMC_GEN_DEV_SMCR])
		return -EBADMSG;
	r = parse_device(attrs[device.ism ? SMC_GEN_DEV_SMCD : SMC_GEN_DEV_SMCR], &device);
	if (r < 0)
		return r;
	items = realloc(devices->item, (devices->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	devices->item = items;
	devices->item[devices->count++] = device;
	devices->isms += device.ism;
	return 0;
}

/* Of the two dumps one is under way: an attempt before it left what it found. */
struct dump {
	struct smc_devices *devices;
	size_t before;
};

static void restart(void *arg)
{
	const struct dump *dump = arg;

	dump->devices->count = dump->before;
	dump->devices->isms = 0;
}

static int on_answer(struct nlattr *const *attrs, void *arg)
{
	const struct dump *dump = arg;

	return smc_devices_add(attrs, dump->devices);
}

int smc_devices_get(struct genl *genl, struct smc_devices *out)
{
	static const uint8_t commands[] = {SMC_NETLINK_GET_DEV_SMCR, SMC_NETLINK_GET_DEV_SMCD};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(commands); i++) {
		struct dump dump = {.devices = out, .before = out->count};

		r = genl_dump(genl, commands[i], restart, on_answer, &dump);
	}
	return r;
}

const char *smc_device_name(const struct smc_devices *devices, const char *name)
{
	for (size_t i = 0; i < devices->count; i++)
		if (strcmp(devices->item[i].pci, name) == 0)
			return devices->item[i].name;
	return name;
}

const struct smc_device *smc_device_find(const struct smc_devices *devices, const char *name)
{
	for (size_t i = 0; i < devices->count; i++)
		if (strcmp(devices->item[i].name, name) == 0)
			return &devices->item[i];
	return NULL;
}

const char *smc_device_pnetid(const struct smc_devices *devices, const char *name, unsigned int port)
{
	const struct smc_device *device = smc_device_find(devices, name);

	if (device && device->ism)
		return device->port[0].pnetid;
	return device && port >= 1 && port <= SMC_MAX_PORTS ? device->port[port - 1].pnetid : "";
}

static bool in_sysfs(const char *name, const char *below)
{
	char path[256];
	int n = snprintf(path, sizeof(path), "/sys/class/infiniband/%s%s", name, below);

	return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

int smc_device_in_sysfs(const char *name, unsigned int port)
{
	char below[32];

	(void)snprintf(below, sizeof(below), "/ports/%u", port);
	if (!in_sysfs(name, ""))
		return -ENODEV;
	return in_sysfs(name, below) ? 0 : -ENXIO;
}
