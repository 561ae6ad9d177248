/* SPDX-License-Identifier: MIT */
/* What the kernel's SMC as a whole can do, and the EIDs it has. */
#ifndef SMCSHIM_CTL_SMC_SYSTEM_H
#define SMCSHIM_CTL_SMC_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/smc/genl.h"
#include "ctl/smc/uapi.h"

/* All machine-wide, whatever the network namespace (smc_nl_get_sys_info(), smc_nl_dump_ueid(), smc_nl_dump_seid()). */
struct smc_system {
	unsigned version; /* of the protocol; 0: the kernel did not say */
	unsigned release;
	bool smcd_v2; /* there is a device for SMC-D version 2 */
	bool smcr_v2; /* the kernel's code knows SMC-R version 2 */
	bool seid_enabled;
	size_t ueids;
	char host[SMC_HOST_SIZE];
	char seid[SMC_EID_SIZE];
};

/* Asks the kernel. A kernel without UEIDs (before 5.16) has 0 of them. Returns 0 or -errno. */
_must_check_ int smc_system_get(struct genl *genl, struct smc_system *out);

/* The parsers of the three answers, as genl_answer functions; arg is a struct smc_system. */
_must_check_ int smc_system_info(struct nlattr *const *attrs, void *arg);
_must_check_ int smc_system_ueid(struct nlattr *const *attrs, void *arg);
_must_check_ int smc_system_seid(struct nlattr *const *attrs, void *arg);

/* genl_copy_text() without the blanks that pad names of hosts and EIDs. */
void smc_padded_text(const struct nlattr *attr, char *out, size_t size);

#endif
