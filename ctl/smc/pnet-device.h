/* SPDX-License-Identifier: MIT */
/* The RDMA and ISM devices that the kernel's SMC can use, with the pnet identifiers that they have at the moment. */
#ifndef SMCSHIM_CTL_SMC_PNET_DEVICE_H
#define SMCSHIM_CTL_SMC_PNET_DEVICE_H

#include "ctl/smc/pnet.h"

/* A device of SMC-D in the kernel's memory; no PCI device, so in none of the kernel's lists (net/smc/smc_loopback.c). */
#define PNET_LOOPBACK "loopback-ism"

struct pnet_port {
	char name[PNET_DEVICE_SIZE]; /* of an ISM device that of its PCI device */
	char pci[PNET_DEVICE_SIZE];
	char id[PNET_ID_SIZE]; /* from the table or from hardware; empty: none */
	unsigned int port;     /* from 1; 0: an ISM device */
};

struct pnet_devices {
	struct pnet_port *ports;
	size_t count;
	bool ism_v2; /* some ISM device is there, maybe loopback-ism */
};

void pnet_devices_clear(struct pnet_devices *devices);
#define _cleanup_pnet_devices_ _cleanup_(pnet_devices_clear)

/* Of the whole machine, from any network namespace (smcr_nl_get_device(), smcd_nl_get_device()). Returns 0 or -errno. */
_must_check_ int pnet_devices_load(struct pnet_devices *devices);

/* The name of the device that name or its PCI name means; name itself when it means none. */
const char *pnet_device_name(const struct pnet_devices *devices, const char *name);

bool pnet_device_is_ism(const struct pnet_devices *devices, const char *name);

/* The identifier of that port now; "" if it has none or is not known. */
const char *pnet_device_id(const struct pnet_devices *devices, const char *name, unsigned int port);

/* Returns 0; -ENODEV if there is no such device; -ENXIO if it has no such port. */
_must_check_ int pnet_device_check(const struct pnet_devices *devices, const char *name, unsigned int port);

#endif
