/* SPDX-License-Identifier: MIT */
/* Reads the list of devices from the kernel. */
#include "config.h"

#include "ctl/smc/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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
	return 0;
}

static void restart(void *arg)
{
	smc_devices_clear(arg);
}

int smc_devices_smcr(struct genl *genl, struct smc_devices *out)
{
	return genl_dump(genl, SMC_NETLINK_GET_DEV_SMCR, restart, smc_devices_add, out);
}

int smc_devices_smcd(struct genl *genl, struct smc_devices *out)
{
	return genl_dump(genl, SMC_NETLINK_GET_DEV_SMCD, restart, smc_devices_add, out);
}
