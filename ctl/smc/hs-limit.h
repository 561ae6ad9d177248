/* SPDX-License-Identifier: MIT */
/* The limit of SMC handshakes of a network namespace (net/smc/af_smc.c): plain TCP while too many are under way. */
#ifndef SMCSHIM_CTL_SMC_HS_LIMIT_H
#define SMCSHIM_CTL_SMC_HS_LIMIT_H

#include <stdbool.h>

#include "ctl/smc/genl.h"

/* Both are of genl's network namespace and return 0 or -errno; -EOPNOTSUPP from a kernel before 5.18. */
_must_check_ int hs_limit_get(struct genl *genl, bool *on);
_must_check_ int hs_limit_set(struct genl *genl, bool on);

#endif
