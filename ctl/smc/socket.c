/* SPDX-License-Identifier: MIT */
/* Opens sockets of SMC, and waits for their connections. */
#include "config.h"

#include "ctl/smc/socket.h"

#include <errno.h>
#include <poll.h>
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

int smc_connected(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);
	int error = 0;
	socklen_t size = sizeof(error);

	if (poll(&ready, 1, 0) <= 0 || !(ready.revents & (POLLOUT | POLLERR | POLLHUP)))
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	if (error)
		return -error;
	/* The kernel's SMC forgets why a connect that was not blocking failed: all but ECONNREFUSED and EPIPE. */
	if (getpeername(fd, (struct sockaddr *)&peer, &length) < 0)
		return errno == ENOTCONN ? -ETIMEDOUT : -errno;
	return 1;
}
