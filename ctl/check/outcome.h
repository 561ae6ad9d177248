/* SPDX-License-Identifier: MIT */
/* What a connected socket of SMC became, from the kernel. */
#ifndef SMCSHIM_CTL_CHECK_OUTCOME_H
#define SMCSHIM_CTL_CHECK_OUTCOME_H

#include "ctl/check/judge.h"

/* Fills result, reason and peer_reason. Returns 0 or -errno (the socket could not be asked). */
_must_check_ int outcome_find(int fd, struct handshake *out);

#endif
