/* SPDX-License-Identifier: MIT */
/* Reaches the kernel's SMC for a command, and says what is missing or refused. */
#ifndef SMCSHIM_CTL_SMC_OPEN_H
#define SMCSHIM_CTL_SMC_OPEN_H

#include "ctl/ctl.h"
#include "ctl/smc/genl.h"

/*
 * genl_open() in the network namespace of that name (NULL: ours), which this process stays in. Says what is wrong:
 * CTL_CANNOT when the kernel has no such family. *out is set on CTL_OK only.
 */
enum ctl_exit smc_open(struct ctl *ctl, const char *netns, const char *family, struct genl **out);

/*
 * Says why the request that just failed on genl with error (-errno) failed, as ctl_error() does with what and object:
 * not permitted is CTL_NOT_PERMITTED, a command that this kernel does not know CTL_CANNOT, all else CTL_FAILED with the
 * kernel's text.
 */
enum ctl_exit smc_refused(struct ctl *ctl, const char *what, const char *object, const struct genl *genl, int error);

#endif
