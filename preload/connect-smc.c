/* SPDX-License-Identifier: MIT */
/* Decides what connect(2) does to an SMC socket, and what became of it. The kernel's connect is entered once. */
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

static enum connect_step answer(struct connect_call *call, int error)
{
	call->answer = error;
	return CONNECT_ANSWER;
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

bool connect_has_failed(int events)
{
	return (events & (POLLOUT | POLLHUP)) == POLLHUP;
}

int connect_outcome(int fd, int events, int error, const struct aftermath *after)
{
	connect_restore(fd, after);
	if (error == EPIPE || (error == 0 && connect_has_failed(events))) {
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

int connect_lost_error(int fd, int events)
{
	if (!connect_has_failed(events) || kind_of(fd) != KIND_SMC || kind_tcp_state(fd) != TCP_CLOSE)
		return 0;
	count(SMCSHIM_quirk_so_error);
	return lost_errno(fd);
}

int connect_outcome_now(int fd, const struct aftermath *after)
{
	return outcome_by(fd, kind_events(fd), after);
}

/* ---- a first connect ---- */

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

static bool is_dead(int fd)
{
	return kind_tcp_state(fd) == TCP_CLOSE && (kind_events(fd) & POLLHUP);
}

struct aftermath connect_aftermath(int fd, uint32_t destination)
{
	return (struct aftermath){read_linger(fd), read_sndtimeo_ms(fd), destination};
}

void connect_restore(int fd, const struct aftermath *after)
{
	if (after->sndtimeo_ms)
		set_sndtimeo(fd, after->sndtimeo_ms);
}

static enum connect_step begin_smc(struct connect_call *call, uint32_t destination)
{
	int fd = call->fd, r;

	call->after = connect_aftermath(fd, destination);
	call->bound = bind_smc_any() && kind_local_port(fd) != 0;
	call->flags = file_flags(fd);
	/* The kernel's worker would end even a nonblocking connect by it. */
	if (call->after.sndtimeo_ms)
		set_sndtimeo(fd, 0);
	r = enter_kernel(fd, call->addr, call->len, call->flags);
	if (r && errno == ECONNABORTED && is_dead(fd) && make_replacement(fd, KIND_SMC, table_mode(false), false) == 0)
		r = enter_kernel(fd, call->addr, call->len, call->flags);
	if (r && errno != EINPROGRESS) {
		int error = errno;

		connect_restore(fd, &call->after);
		count(SMCSHIM_connect_failed);
		return answer(call, -error);
	}
	if (r && (call->flags & O_NONBLOCK)) {
		pending_add(fd, &call->after);
		return answer(call, -EINPROGRESS);
	}
	return r ? CONNECT_WAIT : connect_end(call, kind_events(fd));
}

/* The handshake of a blocking connect broke: TCP would have connected, so it does now. */
static enum connect_step retry_as_tcp(struct connect_call *call, int error)
{
	if (make_replacement(call->fd, KIND_TCP, 0, false))
		return answer(call, error);
	count(SMCSHIM_quirk_retried);
	uncount(SMCSHIM_connect_failed);
	call->flags = -1;
	return CONNECT_REAL;
}

/* ---- a connect that is not the first ---- */

static bool has_peer(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;

	return kernel_getpeername(fd, (struct sockaddr *)&name, &len) == 0;
}

/* Only now does the kernel answer itself: 0 to the first call, EISCONN to the next. */
static enum connect_step ask_kernel_again(struct connect_call *call)
{
	if (next_connect(call->fd, call->addr, call->len) == 0)
		return answer(call, 0);
	/* Connected, and closed by the peer since: SMC says EINVAL. */
	if (errno == EINVAL)
		return answer(call, call->first_again ? 0 : -EISCONN);
	return answer(call, -errno);
}

static enum connect_step begin_again(struct connect_call *call)
{
	int fd = call->fd, r;

	call->again = true;
	call->after = (struct aftermath){-1, 0, 0};
	call->first_again = pending_take(fd, &call->after);
	if (!has_peer(fd) && kind_events(fd) == 0) {
		count(SMCSHIM_quirk_reconnect);
		if (file_flags(fd) & O_NONBLOCK) {
			if (call->first_again)
				pending_add(fd, &call->after);
			return answer(call, -EALREADY);
		}
		call->after.sndtimeo_ms = read_sndtimeo_ms(fd);
		return CONNECT_WAIT;
	}
	if (call->first_again) {
		r = connect_outcome_now(fd, &call->after);
		if (r)
			return answer(call, r);
	} else if (!(file_flags(fd) & O_NONBLOCK)) {
		/* A blocking connect has succeeded: TCP says so at once, SMC, which was entered nonblocking, only next time. */
		return answer(call, -EISCONN);
	}
	return ask_kernel_again(call);
}

/* connect(2): AF_UNSPEC dissolves the association. SMC says EINVAL, so a new socket takes the place of one in use. */
static enum connect_step disconnect(struct connect_call *call, int state)
{
	struct aftermath after;
	int fd = call->fd;

	count(SMCSHIM_quirk_disconnect);
	pending_take(fd, &after);
	if (state != TCP_CLOSE || is_dead(fd)) {
		int r = make_replacement(fd, KIND_SMC, table_mode(false), false);

		if (r && make_replacement(fd, KIND_TCP, 0, false))
			return answer(call, -EINVAL);
	}
	return answer(call, 0);
}

/* ---- what connect() does ---- */

/* A dead socket, or a kernel on which the downgrade does not work: whatever stands there now gives way to TCP. */
static int replace_by_tcp(int fd)
{
	int r = make_replacement(fd, KIND_TCP, 0, kind_events(fd) == 0);

	if (r)
		count(SMCSHIM_own_errors);
	return r;
}

enum connect_step connect_begin(struct connect_call *call)
{
	unsigned mode = table_mode(false);
	uint32_t destination = avoid_name(call->addr, call->len);
	int r = 0, state;
	bool smc;

	call->flags = -1;
	call->again = false;
	smc = mode_may_connect(mode) && table_says_smc(POLICY_CONNECT, call->addr, call->len) &&
		!avoid_has(destination);
	/* Works on a fresh socket only, and so tells whether it is one. */
	if (!smc && call->addr->sa_family != AF_UNSPEC && (r = make_tcp_in_place(call->fd)) >= 0) {
		call->flags = r;
		return CONNECT_REAL;
	}
	state = kind_tcp_state(call->fd);
	if (call->addr->sa_family == AF_UNSPEC)
		return disconnect(call, state);
	if (state == TCP_LISTEN)
		return answer(call, -EISCONN); /* inet_stream_connect; SMC says EINVAL */
	if (state != TCP_CLOSE || pending_has(call->fd))
		return begin_again(call);
	/* With a mark that may not be set again (-EPERM) it stays SMC, whose own fallback keeps the mark. */
	if (!smc && r != -EPERM && replace_by_tcp(call->fd) == 0)
		return CONNECT_REAL;
	return begin_smc(call, destination);
}

enum connect_step connect_end(struct connect_call *call, int events)
{
	int r;

	if (events < 0) {
		/* By now the kernel's worker has read the timeout, which must be the program's again. */
		connect_restore(call->fd, &call->after);
		pending_add(call->fd, &call->after);
		/* The second: the timeout of a call that is not the first. */
		return answer(call, call->again && events == -EINPROGRESS ? -EALREADY : events);
	}
	r = outcome_by(call->fd, events, &call->after);
	if (call->again)
		return r ? answer(call, r) : ask_kernel_again(call);
	if (r && !call->bound && handshake_broke(call->fd, -r) && kind_of(call->fd) == KIND_SMC)
		return retry_as_tcp(call, r);
	return answer(call, r);
}

void connect_count_tcp(const struct sockaddr *addr, socklen_t len)
{
	unsigned mode = table_mode(false);

	if ((mode & MODE_OBSERVE) && (mode & MODE_CONNECT) && table_says_smc(POLICY_CONNECT, addr, len))
		count(SMCSHIM_connect_observed);
	else
		count(SMCSHIM_connect_tcp);
}
