/* SPDX-License-Identifier: MIT */
/* Hooks bind(2): with a port given the socket most likely listens next, and gets the kind that the listen rules say. */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "preload/shim.h"

static _Atomic(bool) smc_bound;

void bind_assume_smc(void)
{
	atomic_store_explicit(&smc_bound, true, memory_order_relaxed);
}

bool bind_smc_any(void)
{
	return atomic_load_explicit(&smc_bound, memory_order_relaxed);
}

static bool has_port(const struct sockaddr *addr, socklen_t len)
{
	if (len < sizeof(struct sockaddr_in) || !kind_readable(addr, len))
		return false;
	/* sin_port and sin6_port stand at the same place (RFC 3493, 3.3). */
	return (addr->sa_family == AF_INET || addr->sa_family == AF_INET6) &&
		((const struct sockaddr_in *)addr)->sin_port != 0;
}

void bind_fit(int fd, const struct sockaddr *addr, socklen_t len)
{
	unsigned mode = table_mode(false);
	enum kind kind = kind_of(fd), wanted;

	if (kind == KIND_SMC)
		atomic_store_explicit(&smc_bound, true, memory_order_relaxed);
	if (kind == KIND_OTHER || (kind == KIND_TCP && !(mode & MODE_LISTEN)) || !has_port(addr, len))
		return;
	wanted = mode_may_listen(mode) && table_says_smc(POLICY_LISTEN, addr, len) ? KIND_SMC : KIND_TCP;
	if (kind == wanted || kind_tcp_state(fd) != TCP_CLOSE || kind_local_port(fd))
		return;
	if (make_replacement(fd, wanted, mode, false))
		count(SMCSHIM_own_errors);
}

HOOK int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	int saved = errno, r;

	if (!table_standing_aside() && table_mapped()) {
		bind_fit(fd, addr, len);
		errno = saved;
	}
	r = next_bind(fd, addr, len);
	/* What can be bound has not been connected: a connect that is remembered by this number and port was another's. */
	if (r == 0 && pending_any()) {
		pending_forget(fd);
		errno = saved;
	}
	return r;
}
