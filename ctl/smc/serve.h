/* SPDX-License-Identifier: MIT */
/* What a device can serve in a network namespace, and if not, why. Pure: it asks nobody. */
#ifndef SMCSHIM_CTL_SMC_SERVE_H
#define SMCSHIM_CTL_SMC_SERVE_H

#include <stdbool.h>

#include "ctl/smc/devices.h"
#include "ctl/smc/pnet.h"
#include "ctl/smc/rdma.h"
#include "ctl/smc/system.h"

enum serve_version {
	SERVE_V1,
	SERVE_V2,
	SERVE_VERSIONS,
};

/* why[0] == '\0': it can. Otherwise what stands in the way, as half a sentence with the remedy where there is one. */
struct serve {
	char why[SERVE_VERSIONS][200];
};

/*
 * SMC-R over that port, as the kernel chooses ports (smc_pnet_find_roce_resource(), smc_ib_determine_gid()). rdma is
 * what the network namespace knows of the port; NULL: it may not use the device.
 */
void serve_smcr(const struct smc_system *system, const struct pnet_table *pnet, const struct smc_port *port,
	const struct rdma_port *rdma, struct serve *out);

/*
 * SMC-D over an ISM device (smc_find_ism_device(), smc_find_ism_v2_device_clnt(), smc_pnet_is_ndev_pnetid()).
 * loopback: the kernel's loopback-ism, which knows version 2 only.
 */
void serve_smcd(const struct smc_system *system, const struct pnet_table *pnet, const struct smc_port *port,
	bool loopback, struct serve *out);

#endif
