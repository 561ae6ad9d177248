/* SPDX-License-Identifier: MIT */
/* Hooks listen(2): the last moment at which a listener can get the kind that the listen rules say. */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "preload/shim.h"

static _Atomic(bool) smc_listeners;

bool listen_smc_any(void)
{
	return atomic_load_explicit(&smc_listeners, memory_order_relaxed);
}

static bool local_says_smc(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in6 in6;
	} name;
	socklen_t len = sizeof name;

	return kernel_getsockname(fd, &name.any, &len) == 0 && table_says_smc(POLICY_LISTEN, &name.any, len);
}

static enum kind wanted_kind(int fd, unsigned mode)
{
	return mode_may_listen(mode) && local_says_smc(fd) ? KIND_SMC : KIND_TCP;
}

static void count_listener(int fd, unsigned mode)
{
	if (kind_of(fd) == KIND_SMC) {
		count(SMCSHIM_listen_smc);
		atomic_store_explicit(&smc_listeners, true, memory_order_relaxed);
	} else if ((mode & MODE_OBSERVE) && (mode & MODE_LISTEN) && local_says_smc(fd)) {
		count(SMCSHIM_listen_observed);
	} else {
		count(SMCSHIM_listen_tcp);
	}
}

/* After a failed connect a TCP socket shows a port that it holds no longer: it gets one. EINVAL where it holds one. */
static void hold_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in6 in6;
	} name = {.in6 = {.sin6_family = (sa_family_t)kind_family(fd)}};

	next_bind(fd, &name.any, name.any.sa_family == AF_INET6 ? sizeof name.in6 : sizeof(struct sockaddr_in));
}

/*
 * A socket that became TCP in place must not listen: what it accepts would never be woken (kernel-smc, "Child hang on
 * listeners"). So it is replaced whatever the rule says, and where that fails, listen() has to fail. Returns 0 or -errno.
 */
static int fit_kind(int fd, enum kind kind, unsigned mode)
{
	enum kind wanted = wanted_kind(fd, mode);
	bool spoiled = kind == KIND_TCP && kind_was_smc(fd);
	int r;

	if (kind == wanted && !spoiled)
		return 0;
	if (spoiled)
		hold_port(fd);
	r = make_replacement(fd, wanted, mode, true);
	if (r == 0)
		return 0;
	count(SMCSHIM_own_errors);
	if (spoiled && wanted == KIND_SMC)
		r = make_replacement(fd, KIND_TCP, mode, true);
	return spoiled ? r : 0;
}

/*
 * A fresh socket instead of one whose connect failed. The address that shows is the program's own, or the failed
 * connect's, and then its port may be somebody else's by now.
 */
static bool make_anew(int fd, unsigned mode)
{
	int r = -EADDRINUSE;

	if (bind_smc_any())
		r = make_replacement(fd, KIND_SMC, mode, true);
	if (r != -EADDRINUSE)
		return r == 0;
	if (make_replacement(fd, KIND_SMC, mode, false))
		return false;
	if (fit_kind(fd, KIND_SMC, mode))
		count(SMCSHIM_own_errors);
	return true;
}

int listen_with(int fd, int backlog, unsigned mode)
{
	enum kind kind = kind_of(fd);
	int saved = errno, r = 0;
	bool fresh;

	if (kind == KIND_OTHER)
		return next_listen(fd, backlog);
	fresh = kind_tcp_state(fd) == TCP_CLOSE;
	if (fresh)
		r = fit_kind(fd, kind, mode);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	if (fresh && (mode & MODE_BUFFERS) && kind_of(fd) == KIND_SMC)
		options_lock_buffers(fd);
	errno = saved;
	r = next_listen(fd, backlog);
	/* After a connect that failed, TCP can listen and SMC cannot: sock->state stays SS_CONNECTING (smc_listen). */
	if (r && fresh && errno == EINVAL && kind_of(fd) == KIND_SMC && make_anew(fd, mode)) {
		errno = saved;
		r = next_listen(fd, backlog);
	}
	if (r == 0 && fresh) {
		count_listener(fd, mode);
		errno = saved;
	}
	return r;
}

HOOK int listen(int fd, int backlog)
{
	return table_standing_aside() || !table_mapped() ? next_listen(fd, backlog)
							 : listen_with(fd, backlog, table_mode(false));
}
