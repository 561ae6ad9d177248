/* SPDX-License-Identifier: MIT */
/* Hooks accept(2) and accept4(2): counts what was accepted. */
#include "config.h"

#include "preload/shim.h"

static void count_accepted(int listener, int fd)
{
	unsigned mode = table_mode(false);
	int saved = errno;

	/* Without a listen rule nothing can have been accepted over SMC, and TCP accepts cost nothing. */
	if (!(mode & MODE_LISTEN) && !listen_smc_any())
		return;
	switch (kind_of(fd)) {
	case KIND_SMC:
		count(SMCSHIM_accept_smc);
		break;
	case KIND_TCP:
		count(SMCSHIM_accept_tcp);
		if (mode & MODE_BUFFERS)
			options_unlock_buffers(listener, fd);
		break;
	default:
		break;
	}
	errno = saved;
}

HOOK int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	int r = next_accept(fd, addr, len);

	if (r >= 0 && table_mapped())
		count_accepted(fd, r);
	return r;
}

HOOK int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	int r = next_accept4(fd, addr, len, flags);

	if (r >= 0 && table_mapped())
		count_accepted(fd, r);
	return r;
}
