/* SPDX-License-Identifier: MIT */
/* Opens sockets of SMC. */
#include "config.h"

#include "ctl/smc/socket.h"

#include <errno.h>
#include <sys/socket.h>

/* Headers of the libc may be older than the kernel that runs. */
#define SOCKET_AF_SMC 43
#define SOCKET_IPPROTO_SMC 256

int smc_socket(int family, int flags)
{
	int fd = socket(family, SOCK_STREAM | flags, SOCKET_IPPROTO_SMC);

	/* net/smc/af_smc.c: SMCPROTO_SMC is 0, SMCPROTO_SMC6 is 1. */
	if (fd < 0)
		fd = socket(SOCKET_AF_SMC, SOCK_STREAM | flags, family == AF_INET6);
	return fd < 0 ? -errno : fd;
}
