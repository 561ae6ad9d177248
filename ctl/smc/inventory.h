/* SPDX-License-Identifier: MIT */
/* All that bears on what SMC's devices can serve in the network namespace of the moment. */
#ifndef SMCSHIM_CTL_SMC_INVENTORY_H
#define SMCSHIM_CTL_SMC_INVENTORY_H

#include "ctl/smc/devices.h"
#include "ctl/smc/linkgroups.h"
#include "ctl/smc/pnet.h"
#include "ctl/smc/rdma.h"
#include "ctl/smc/system.h"

struct inventory {
	struct smc_system system;
	struct smc_devices devices;
	struct smc_linkgroups groups; /* of SMC-D */
	struct pnet_table pnet;
	struct rdma_ports ports;
	char netns_mode[8];   /* of RDMA devices: Y shared, N exclusive, empty: not known */
	const char *loopback; /* how a loopback-ism is known; NULL: there is none, or it cannot be told */
	bool loopback_unknown;
};

#define _cleanup_inventory_ _cleanup_(inventory_clear)
void inventory_clear(struct inventory *inventory);

/*
 * Asks the kernel by genl (of GENL_SMC). entered: this process has changed its network namespace, as for sysfs_open().
 * Returns 0 or -errno with *what saying what could not be had; inventory_clear() frees what out holds either way.
 */
_must_check_ int inventory_get(struct genl *genl, bool entered, struct inventory *out, const char **what);

/* loopback-ism as a device; only if inventory->loopback is not NULL. */
void inventory_loopback(const struct inventory *inventory, struct smc_device *out);

#endif
