/* SPDX-License-Identifier: MIT */
/* Hooks connect(2): the destination decides what a fresh SMC socket becomes; the kernel's connect is entered once. */
#include "config.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "preload/shim.h"

static int fail(int error)
{
	errno = error;
	return -1;
}

static int file_flags(int fd)
{
	return (int)syscall(SYS_fcntl, fd, F_GETFL);
}

/* ---- outcome ---- */

/*
 * The kernel passes on ECONNREFUSED only (smc_connect_work). What it lost is either the end of the SYN's repetitions
 * or an ICMP error.
 */
static int lost_errno(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;

	if (next_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		return ETIMEDOUT;
	if (info.tcpi_total_retrans >= (unsigned)kind_int_option(fd, IPPROTO_TCP, TCP_SYNCNT, 6) ||
		kind_int_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 0))
		return ETIMEDOUT;
	return EHOSTUNREACH;
}

static void set_sndtimeo(int fd, int ms)
{
	struct timeval tv = {ms / 1000, (suseconds_t)(ms % 1000) * 1000};

	next_setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
}

/* TCP was up and the SMC handshake broke: before that, a reset reads ECONNREFUSED. */
static bool handshake_broke(int fd, int error)
{
	int state = kind_tcp_state(fd);

	return error == EPROTO || error == ECONNRESET || (state != TCP_CLOSE && state != TCP_SYN_SENT);
}

int connect_outcome(int fd, int events, int error, const struct aftermath *after)
{
	if (after->sndtimeo_ms)
		set_sndtimeo(fd, after->sndtimeo_ms);
	if (error == EPIPE || (error == 0 && (events & (POLLOUT | POLLHUP)) == POLLHUP)) {
		error = lost_errno(fd);
		count(SMCSHIM_quirk_so_error);
	}
	if (error) {
		if (handshake_broke(fd, error))
			avoid_add(after->destination);
		count(SMCSHIM_connect_failed);
		return -error;
	}
	if (kind_of(fd) == KIND_SMC) {
		count(SMCSHIM_connect_smc);
		return 0;
	}
	count(SMCSHIM_connect_fallback);
	options_renew_async(fd);
	if (after->linger >= 0) {
		struct linger linger = {1, after->linger};

		next_setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
		count(SMCSHIM_quirk_linger);
	}
	return 0;
}

/* poll(2): a pending error always shows as POLLERR or POLLHUP, so else SO_ERROR need not be asked. */
static int outcome_by(int fd, int events, const struct aftermath *after)
{
	int error = events & (POLLERR | POLLHUP) ? kind_int_option(fd, SOL_SOCKET, SO_ERROR, 0) : 0;

	return connect_outcome(fd, events, error, after);
}

static int outcome_now(int fd, const struct aftermath *after)
{
	return outcome_by(fd, kind_events(fd), after);
}

/* ---- TCP ---- */

static void count_tcp(const struct sockaddr *addr, socklen_t len)
{
	unsigned mode = table_mode(false);

	if ((mode & MODE_OBSERVE) && (mode & MODE_CONNECT) && table_says_smc(POLICY_CONNECT, addr, len))
		count(SMCSHIM_connect_observed);
	else
		count(SMCSHIM_connect_tcp);
}

/* The descriptor is TCP: because of the policy, or because a connect of an SMC socket has fallen back meanwhile. */
/* flags: its F_GETFL flags, -1 if not known. */
static int connect_tcp(int fd, const struct sockaddr *addr, socklen_t len, int flags, int saved)
{
	struct aftermath after;
	int r, error;

	if (pending_any() && pending_take(fd, &after))
		outcome_now(fd, &after);
	errno = saved;
	r = next_connect(fd, addr, len);
	error = errno;
	/* Success of a nonblocking descriptor is its second call: counted when it began. */
	if ((r && error == EINPROGRESS) || (r == 0 && !((flags < 0 ? file_flags(fd) : flags) & O_NONBLOCK)))
		count_tcp(addr, len);
	else if (r && error != EALREADY && error != EISCONN && error != EINTR)
		count(SMCSHIM_connect_failed);
	errno = error;
	return r;
}

/* ---- SMC ---- */

static int read_sndtimeo_ms(int fd)
{
	struct timeval tv = {0};
	socklen_t len = sizeof tv;

	if (!options_were_seen(SO_SNDTIMEO) || next_getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len))
		return 0;
	if (tv.tv_sec > INT32_MAX / 1000 - 1)
		return INT32_MAX;
	return (int)(tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000);
}

static int read_linger(int fd)
{
	struct linger linger = {0};
	socklen_t len = sizeof linger;

	if (!options_were_seen(SO_LINGER) || next_getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len))
		return -1;
	return linger.l_onoff ? linger.l_linger : -1;
}

/*
 * Enters the kernel's connect, nonblocking whatever the descriptor is: a second entry or a signal would put bytes of
 * the handshake into the stream (kernel-smc, 4.1). The flag belongs to the open file, so it is changed for this one
 * call only, in which no cancellation can happen.
 */
static int enter_kernel(int fd, const struct sockaddr *addr, socklen_t len, int flags)
{
	int cancel, r, error;

	if (flags & O_NONBLOCK)
		return next_connect(fd, addr, len);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	syscall(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
	r = next_connect(fd, addr, len);
	error = errno;
	syscall(SYS_fcntl, fd, F_SETFL, flags);
	pthread_setcancelstate(cancel, NULL);
	errno = error;
	return r;
}

/* The handshake of a blocking connect broke: TCP would have connected, so it does now. */
static int retry_as_tcp(int fd, const struct sockaddr *addr, socklen_t len, int error, int saved)
{
	if (make_replacement(fd, KIND_TCP, 0, false))
		return fail(error);
	count(SMCSHIM_quirk_retried);
	uncount(SMCSHIM_connect_failed);
	return connect_tcp(fd, addr, len, -1, saved);
}

static int wait_blocking(int fd, const struct aftermath *after)
{
	int r = wait_for_outcome(fd, after->sndtimeo_ms);

	if (r < 0) {
		/* By now the kernel's worker has read the timeout, which must be the program's again. */
		if (after->sndtimeo_ms)
			set_sndtimeo(fd, after->sndtimeo_ms);
		pending_add(fd, after);
		return r;
	}
	return outcome_by(fd, r, after);
}

static bool is_dead(int fd)
{
	return kind_tcp_state(fd) == TCP_CLOSE && (kind_events(fd) & POLLHUP);
}

static int connect_smc(int fd, const struct sockaddr *addr, socklen_t len, uint32_t destination, int saved)
{
	struct aftermath after = {read_linger(fd), read_sndtimeo_ms(fd), destination};
	bool bound = bind_smc_any() && kind_local_port(fd) != 0;
	int flags = file_flags(fd), r;

	/* The kernel's worker would end even a nonblocking connect by it. */
	if (after.sndtimeo_ms)
		set_sndtimeo(fd, 0);
	r = enter_kernel(fd, addr, len, flags);
	if (r && errno == ECONNABORTED && is_dead(fd) && make_replacement(fd, KIND_SMC, table_mode(false), false) == 0)
		r = enter_kernel(fd, addr, len, flags);
	if (r && errno != EINPROGRESS) {
		int error = errno;

		if (after.sndtimeo_ms)
			set_sndtimeo(fd, after.sndtimeo_ms);
		count(SMCSHIM_connect_failed);
		return fail(error);
	}
	if (r && (flags & O_NONBLOCK)) {
		pending_add(fd, &after);
		return fail(EINPROGRESS);
	}
	r = r ? wait_blocking(fd, &after) : outcome_now(fd, &after);
	if (r == -EINTR || r == -EINPROGRESS)
		return fail(-r);
	if (r && !bound && handshake_broke(fd, -r) && kind_of(fd) == KIND_SMC)
		return retry_as_tcp(fd, addr, len, -r, saved);
	if (r)
		return fail(-r);
	errno = saved;
	return 0;
}

/* ---- a connect that is not the first ---- */

static bool has_peer(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;

	return kernel_getpeername(fd, (struct sockaddr *)&name, &len) == 0;
}

static int connect_again(int fd, const struct sockaddr *addr, socklen_t len, int saved)
{
	struct aftermath after = {-1, 0, 0};
	bool first = pending_take(fd, &after);
	int r = 0;

	if (!has_peer(fd) && kind_events(fd) == 0) {
		count(SMCSHIM_quirk_reconnect);
		if (file_flags(fd) & O_NONBLOCK) {
			if (first)
				pending_add(fd, &after);
			return fail(EALREADY);
		}
		after.sndtimeo_ms = read_sndtimeo_ms(fd);
		r = wait_blocking(fd, &after);
		if (r == -EINPROGRESS) /* the timeout of a call that is not the first */
			r = -EALREADY;
	} else if (first) {
		r = outcome_now(fd, &after);
	} else if (!(file_flags(fd) & O_NONBLOCK)) {
		/* A blocking connect has succeeded: TCP says so at once, SMC, which was entered nonblocking, only next time. */
		return fail(EISCONN);
	}
	if (r)
		return fail(-r);
	/* Only now does the kernel answer itself: 0 to the first call, EISCONN to the next. */
	errno = saved;
	r = next_connect(fd, addr, len);
	/* Connected, and closed by the peer since: SMC says EINVAL. */
	if (r && errno == EINVAL)
		return first ? (errno = saved, 0) : fail(EISCONN);
	return r;
}

/* connect(2): AF_UNSPEC dissolves the association. SMC says EINVAL, so a new socket takes the place of one in use. */
static int disconnect(int fd, int state, int saved)
{
	struct aftermath after;

	count(SMCSHIM_quirk_disconnect);
	pending_take(fd, &after);
	if (state != TCP_CLOSE || is_dead(fd)) {
		int r = make_replacement(fd, KIND_SMC, table_mode(false), false);

		if (r && make_replacement(fd, KIND_TCP, 0, false))
			return fail(EINVAL);
	}
	errno = saved;
	return 0;
}

/* A dead socket, or a kernel on which the downgrade does not work: whatever stands there now gives way to TCP. */
static int replace_by_tcp(int fd)
{
	int r = make_replacement(fd, KIND_TCP, 0, kind_events(fd) == 0);

	if (r)
		count(SMCSHIM_own_errors);
	return r;
}

static int connect_smc_socket(int fd, const struct sockaddr *addr, socklen_t len, int saved)
{
	unsigned mode = table_mode(false);
	uint32_t destination;
	int r = 0, state;
	bool smc;

	if (len < sizeof addr->sa_family || len > sizeof(struct sockaddr_storage) || !kind_readable(addr, len)) {
		errno = saved;
		return next_connect(fd, addr, len); /* EINVAL or EFAULT, before anything else */
	}
	destination = avoid_name(addr, len);
	smc = mode_may_connect(mode) && table_says_smc(POLICY_CONNECT, addr, len) && !avoid_has(destination);
	/* Works on a fresh socket only, and so tells whether it is one. */
	if (!smc && addr->sa_family != AF_UNSPEC && (r = make_tcp_in_place(fd)) >= 0)
		return connect_tcp(fd, addr, len, r, saved);

	state = kind_tcp_state(fd);
	if (addr->sa_family == AF_UNSPEC)
		return disconnect(fd, state, saved);
	if (state == TCP_LISTEN)
		return fail(EISCONN); /* inet_stream_connect; SMC says EINVAL */
	if (state != TCP_CLOSE || pending_has(fd))
		return connect_again(fd, addr, len, saved);
	/* With a mark that may not be set again (-EPERM) it stays SMC, whose own fallback keeps the mark. */
	if (!smc && r != -EPERM && replace_by_tcp(fd) == 0)
		return connect_tcp(fd, addr, len, -1, saved);
	return connect_smc(fd, addr, len, destination, saved);
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
