/* SPDX-License-Identifier: MIT */
/* IPsec, which SMC passes by: what the kernel says of its policies. */
#ifndef SMCSHIM_CTL_SMC_XFRM_H
#define SMCSHIM_CTL_SMC_XFRM_H

#include <linux/netlink.h>
#include <stdint.h>

#include "ctl/util.h"

/*
 * How many IPsec policies this network namespace has (XFRM_MSG_GETSPDINFO). Returns 0, -EPERM without CAP_NET_ADMIN,
 * -EPROTONOSUPPORT where the kernel has no IPsec, or -errno.
 */
_must_check_ int xfrm_count_policies(uint64_t *count);

/* Those that are in the answer (xfrm_get_spdinfo()), a message as nlmsg_ok() accepts it; 0 if it does not say. */
uint64_t xfrm_policies_in(const struct nlmsghdr *answer);

#endif
