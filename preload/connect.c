/* SPDX-License-Identifier: MIT */
/* Hooks connect(2): does what connect-smc.c says, and waits as the kernel's blocking connect does. */
#include "config.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "preload/shim.h"

/* This connection has been counted: TCP answers 0 to the first call after that of SMC, which was entered nonblocking. */
static bool has_fallen_back(int fd)
{
	return __atomic_load_n(&smcshim_own_counters.value[SMCSHIM_connect_fallback], __ATOMIC_RELAXED) &&
		kind_tcp_state(fd) != TCP_CLOSE && kind_was_smc(fd);
}

/* The descriptor is TCP: because of the policy, or because a connect of an SMC socket has fallen back meanwhile. */
/* flags: its F_GETFL flags, -1 if not known. */
static int connect_tcp(int fd, const struct sockaddr *addr, socklen_t len, int flags, int saved)
{
	struct aftermath after;
	bool again;
	int r, error;

	if (pending_any() && pending_take(fd, &after))
		connect_outcome_now(fd, &after);
	again = flags < 0 && has_fallen_back(fd);
	errno = saved;
	r = next_connect(fd, addr, len);
	error = errno;
	/* Success of a nonblocking descriptor is its second call: counted when it began. AF_UNSPEC ends a connection. */
	if ((r && error == EINPROGRESS) ||
		(r == 0 && !again && addr->sa_family != AF_UNSPEC &&
			!((flags < 0 ? (int)syscall(SYS_fcntl, fd, F_GETFL) : flags) & O_NONBLOCK)))
		connect_count_tcp(addr, len);
	else if (r && error != EALREADY && error != EISCONN && error != EINTR)
		count(SMCSHIM_connect_failed);
	errno = error;
	return r;
}

static int connect_smc_socket(int fd, const struct sockaddr *addr, socklen_t len, int saved)
{
	struct connect_call call = {.fd = fd, .addr = addr, .len = len};
	enum connect_step step;

	if (len < sizeof addr->sa_family || len > sizeof(struct sockaddr_storage) || !kind_readable(addr, len)) {
		errno = saved;
		return next_connect(fd, addr, len); /* EINVAL or EFAULT, before anything else */
	}
	step = connect_begin(&call);
	if (step == CONNECT_WAIT)
		step = connect_end(&call, wait_for_outcome(fd, call.after.sndtimeo_ms));
	if (step == CONNECT_REAL)
		return connect_tcp(fd, addr, len, call.flags, saved);
	errno = call.answer ? -call.answer : saved;
	return call.answer ? -1 : 0;
}

static int connect_here(int fd, const struct sockaddr *addr, socklen_t len)
{
	int saved = errno;

	if (table_mapped() && !table_standing_aside()) {
		switch (kind_of(fd)) {
		case KIND_TCP:
			return connect_tcp(fd, addr, len, -1, saved);
		case KIND_SMC:
			return connect_smc_socket(fd, addr, len, saved);
		case KIND_OTHER:
			break;
		}
		errno = saved;
	}
	return next_connect(fd, addr, len);
}

HOOK int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return connect_here(fd, addr, len);
}

/* glibc's other public name of it, which some libraries call. */
HOOK int __connect(int fd, const struct sockaddr *addr, socklen_t len);

HOOK int __connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return connect_here(fd, addr, len);
}
