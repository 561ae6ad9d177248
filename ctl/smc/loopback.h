/* SPDX-License-Identifier: MIT */
/* Whether the kernel has loopback-ism, which it does not list. */
#ifndef SMCSHIM_CTL_SMC_LOOPBACK_H
#define SMCSHIM_CTL_SMC_LOOPBACK_H

#include "ctl/smc/devices.h"
#include "ctl/smc/linkgroups.h"
#include "ctl/smc/system.h"

/*
 * How we know that there is a loopback-ism, in words; NULL: there is none, or *unknown is set. A link group with its
 * channel proves it; so does SMC-D of version 2 when no other device could bring that (smc_lo_dev_probe() sets it);
 * beside ISM devices the kernel's configuration /boot/config-RELEASE says it (CONFIG_SMC_LO).
 */
const char *loopback_evidence(const struct smc_system *system, const struct smc_devices *devices,
	const struct smc_linkgroups *groups, bool *unknown);

#endif
