/* SPDX-License-Identifier: MIT */
/* A socket of SMC, of whichever kind this kernel has. */
#ifndef SMCSHIM_CTL_SMC_SOCKET_H
#define SMCSHIM_CTL_SMC_SOCKET_H

#include "ctl/util.h"

/*
 * family: AF_INET or AF_INET6; flags: SOCK_CLOEXEC, SOCK_NONBLOCK. One with IPPROTO_SMC, else one of AF_SMC (kernels before
 * 6.11). Returns it or -errno.
 */
_must_check_ int smc_socket(int family, int flags);

/*
 * A connect() that did not block, of SMC or TCP: 1, connected; 0, not yet; or -errno. Polls instead of a second connect(),
 * which would spoil the stream of SMC.
 */
_must_check_ int smc_connected(int fd);

#endif
