/* SPDX-License-Identifier: MIT */
/* Finds devices by name, among those of the kernel's SMC and in sysfs. */
#include "config.h"

#include "ctl/smc/pnet-device.h"

#include <errno.h>
#include <linux/smc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void pnet_devices_clear(struct pnet_devices *devices)
{
	free(devices->ports);
	*devices = (struct pnet_devices){.ports = NULL};
}

/* A port that the device has not is no attribute, and no error. */
static int add_port(
	struct pnet_devices *devices, const struct pnet_port *device, unsigned int port, struct nlattr *nested)
{
	struct nlattr *attrs[SMC_NLA_DEV_PORT_MAX + 1];
	struct pnet_port *larger;
	struct pnet_port *added;

	if (!nested)
		return 0;
	if (genl_nested(nested, SMC_NLA_DEV_PORT_MAX, attrs) < 0)
		return -EBADMSG;
	larger = realloc(devices->ports, (devices->count + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	devices->ports = larger;
	added = &larger[devices->count++];
	*added = *device;
	added->port = port;
	genl_copy_text(attrs[SMC_NLA_DEV_PORT_PNETID], added->id, sizeof(added->id));
	/* An identifier from hardware is padded, and one of blanks is none (smc_pnet_is_pnetid_set()). */
	added->id[strcspn(added->id, " ")] = '\0';
	return 0;
}

static int on_rdma(struct nlattr *const *attrs, void *arg)
{
	struct nlattr *device[SMC_NLA_DEV_MAX + 1];
	struct pnet_port port = {.port = 0};
	int r = genl_nested(attrs[SMC_GEN_DEV_SMCR], SMC_NLA_DEV_MAX, device);

	if (r < 0)
		return r;
	genl_copy_text(device[SMC_NLA_DEV_IB_NAME], port.name, sizeof(port.name));
	genl_copy_text(device[SMC_NLA_DEV_PCI_ID], port.pci, sizeof(port.pci));
	r = add_port(arg, &port, 1, device[SMC_NLA_DEV_PORT]);
	return r < 0 ? r : add_port(arg, &port, 2, device[SMC_NLA_DEV_PORT2]);
}

static int on_ism(struct nlattr *const *attrs, void *arg)
{
	struct nlattr *device[SMC_NLA_DEV_MAX + 1];
	struct pnet_port port = {.port = 0};
	int r = genl_nested(attrs[SMC_GEN_DEV_SMCD], SMC_NLA_DEV_MAX, device);

	if (r < 0)
		return r;
	genl_copy_text(device[SMC_NLA_DEV_PCI_ID], port.pci, sizeof(port.pci));
	memcpy(port.name, port.pci, sizeof(port.name));
	return add_port(arg, &port, 0, device[SMC_NLA_DEV_PORT]);
}

static int on_system(struct nlattr *const *attrs, void *arg)
{
	struct nlattr *system[SMC_NLA_SYS_MAX + 1];
	struct pnet_devices *devices = arg;
	int r = genl_nested(attrs[SMC_GEN_SYS_INFO], SMC_NLA_SYS_MAX, system);

	if (r == 0)
		devices->ism_v2 = genl_number(system[SMC_NLA_SYS_IS_ISM_V2], 0) != 0;
	return r;
}

/* Only one of the three dumps was under way; the attempts before it left what they found. */
struct dump {
	struct pnet_devices *devices;
	size_t before;
	genl_answer *answer;
};

static void restart(void *arg)
{
	struct dump *dump = arg;

	dump->devices->count = dump->before;
}

static int on_answer(struct nlattr *const *attrs, void *arg)
{
	struct dump *dump = arg;

	return dump->answer(attrs, dump->devices);
}

int pnet_devices_load(struct pnet_devices *devices)
{
	static const struct {
		uint8_t command;
		genl_answer *answer;
	} dumps[] = {
		{SMC_NETLINK_GET_SYS_INFO, on_system},
		{SMC_NETLINK_GET_DEV_SMCR, on_rdma},
		{SMC_NETLINK_GET_DEV_SMCD, on_ism},
	};
	_cleanup_genl_ struct genl *genl = NULL;
	int r = genl_open(GENL_SMC, &genl);

	for (size_t i = 0; r == 0 && i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		struct dump dump = {.devices = devices, .before = devices->count, .answer = dumps[i].answer};

		r = genl_dump(genl, dumps[i].command, restart, on_answer, &dump);
	}
	return r;
}

const char *pnet_device_name(const struct pnet_devices *devices, const char *name)
{
	for (size_t i = 0; i < devices->count; i++)
		if (strcmp(devices->ports[i].pci, name) == 0)
			return devices->ports[i].name;
	return name;
}

bool pnet_device_is_ism(const struct pnet_devices *devices, const char *name)
{
	for (size_t i = 0; i < devices->count; i++)
		if (devices->ports[i].port == 0 && strcmp(devices->ports[i].name, name) == 0)
			return true;
	return strcmp(name, PNET_LOOPBACK) == 0 && devices->ism_v2;
}

const char *pnet_device_id(const struct pnet_devices *devices, const char *name, unsigned int port)
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct pnet_port *p = &devices->ports[i];

		if (strcmp(p->name, name) == 0 && (p->port == port || p->port == 0))
			return p->id;
	}
	return "";
}

static bool in_sysfs(const char *name, const char *below)
{
	char path[256];
	int n = snprintf(path, sizeof(path), "/sys/class/infiniband/%s%s", name, below);

	return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

int pnet_device_check(const struct pnet_devices *devices, const char *name, unsigned int port)
{
	char below[32];

	(void)snprintf(below, sizeof(below), "/ports/%u", port);
	if (in_sysfs(name, ""))
		return in_sysfs(name, below) ? 0 : -ENXIO;
	if (pnet_device_is_ism(devices, name))
		return port == 1 ? 0 : -ENXIO;
	return -ENODEV;
}
