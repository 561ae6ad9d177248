/* SPDX-License-Identifier: MIT */
/* Hooks socket(2): an eligible socket is made SMC if some connect rule says smc; connect() decides which stay so. */
#include "config.h"

#include <netinet/in.h>

#include "preload/shim.h"

static bool is_eligible(int domain, int type, int protocol)
{
	return (domain == AF_INET || domain == AF_INET6) && (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM &&
		(protocol == 0 || protocol == IPPROTO_TCP);
}

/* Whether a program looks after SMC itself. */
static bool asks_for_smc(int domain, int protocol)
{
	return domain == AF_SMC || protocol == IPPROTO_SMC;
}

static __attribute__((noinline)) int socket_smc(unsigned mode, int domain, int type, int protocol)
{
	int saved = errno;
	int fd = make_smc(mode, domain, type);

	if (fd >= 0) {
		count(SMCSHIM_sockets_smc);
		errno = saved;
		return fd;
	}
	errno = saved;
	fd = next_socket(domain, type, protocol);
	if (fd >= 0)
		count(SMCSHIM_sockets_tcp);
	return fd;
}

HOOK int socket(int domain, int type, int protocol)
{
	unsigned mode;

	if (__builtin_expect(!is_eligible(domain, type, protocol), 0)) {
		if (asks_for_smc(domain, protocol))
			table_stand_aside();
		return next_socket(domain, type, protocol);
	}
	mode = table_mode(true);
	if (mode_may_connect(mode) && !table_standing_aside())
		return socket_smc(mode, domain, type, protocol);
	count(SMCSHIM_sockets_tcp);
	return next_socket(domain, type, protocol);
}
