/* SPDX-License-Identifier: MIT */
/* The baseline: a preloaded library that makes every TCP socket an SMC socket and does nothing else. */
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

#ifndef IPPROTO_SMC
#define IPPROTO_SMC 256
#endif

static int (*next)(int domain, int type, int protocol);

__attribute__((constructor)) static void start(void)
{
	next = (__typeof__(next))dlsym(RTLD_NEXT, "socket");
}

int socket(int domain, int type, int protocol)
{
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	if ((domain == AF_INET || domain == AF_INET6) && kind == SOCK_STREAM &&
		(protocol == 0 || protocol == IPPROTO_TCP))
		protocol = IPPROTO_SMC;
	return next(domain, type, protocol);
}
