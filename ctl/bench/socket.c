/* SPDX-License-Identifier: MIT */
/* Makes sockets and asks the kernel about them. */
#include "config.h"

#include "ctl/bench/socket.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctl/smc/socket.h"

int bench_socket(enum bench_transport transport, int family)
{
	int fd;

	if (transport == BENCH_SMC)
		return smc_socket(family, SOCK_CLOEXEC | SOCK_NONBLOCK);
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	return fd < 0 ? -errno : fd;
}

bool bench_is_smc(int fd)
{
	int protocol = IPPROTO_TCP;
	socklen_t size = sizeof(protocol);

	/* A socket of AF_SMC says 0 or 1, one with IPPROTO_SMC 256; fallen back they are TCP's. */
	return syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol != IPPROTO_TCP;
}

void bench_no_delay(int fd)
{
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}
