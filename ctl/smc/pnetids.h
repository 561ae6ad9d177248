/* SPDX-License-Identifier: MIT */
/* The pnet table as far as devices are concerned: which interfaces and devices have which identifier. */
#ifndef SMCSHIM_CTL_SMC_PNETIDS_H
#define SMCSHIM_CTL_SMC_PNETIDS_H

#include <net/if.h>
#include <stddef.h>

#include "ctl/smc/uapi.h"
#include "ctl/util.h"

/* One row: netdev or device is empty. Rows of interfaces belong to the network namespace, rows of devices to all. */
struct pnetid {
	char name[SMC_PNETID_SIZE];
	char netdev[IF_NAMESIZE];
	char device[SMC_DEVICE_NAME_SIZE];
};

struct pnetids {
	struct pnetid *item;
	size_t count;
};

#define _cleanup_pnetids_ _cleanup_(pnetids_clear)
void pnetids_clear(struct pnetids *pnetids);

/* Asks the kernel (smc_pnet_dump()), in the network namespace of the moment. Returns 0 or -errno. */
_must_check_ int pnetids_get(struct pnetids *out);

/* The identifier of that interface or device, or NULL. */
const char *pnetid_of_netdev(const struct pnetids *pnetids, const char *netdev);
const char *pnetid_of_device(const struct pnetids *pnetids, const char *device);

/* The first interface with that identifier, or NULL. */
const char *pnetid_netdev(const struct pnetids *pnetids, const char *name);

#endif
