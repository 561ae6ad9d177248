/* SPDX-License-Identifier: MIT */
/* getsockopt(2) and setsockopt(2): what SMC says or does otherwise than TCP. */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "ctl/supervise/call.h"
#include "ctl/supervise/target.h"

/* ---- getsockopt ---- */

static int read_length(const struct call *call, socklen_t *len)
{
	int r = target_read((pid_t)call->notif->pid, call->notif->data.args[4], len, sizeof(*len));

	return r == 0 && (int)*len < 0 ? -EINVAL : r;
}

/* As the kernel: the value is cut to the buffer. Returns 0 or -errno. */
static int write_int(const struct call *call, int value, socklen_t room)
{
	pid_t tid = (pid_t)call->notif->pid;
	socklen_t len = room < sizeof(value) ? room : sizeof(value);
	int r = len ? target_write(tid, call->notif->data.args[3], &value, len) : 0;

	return r == 0 ? target_write(tid, call->notif->data.args[4], &len, sizeof(len)) : r;
}

/* Whether the shim's getsockopt() would say something else than the kernel about our copy. */
static bool differs(const struct call *call, int fd, int name)
{
	if (name != SO_ERROR)
		return kind_of(fd) == KIND_SMC;
	/* After a supervisor was killed the error may have been read already, and the note of the connect with it. */
	return pending_has(fd) || (call->in_doubt && kind_of(fd) == KIND_SMC);
}

/* SO_ERROR of a connect whose outcome the supervisor before this one had taken. */
static int lost_twice(int fd, int value)
{
	const struct aftermath none = {-1, 0, 0};
	int events = kind_events(fd);

	return value == 0 && (events & (POLLOUT | POLLHUP)) == POLLHUP ? -connect_outcome(fd, events, 0, &none) : value;
}

void call_getsockopt(const struct call *call)
{
	int name = (int)call->notif->data.args[2];
	int value = 0;
	socklen_t room, len = sizeof(value);
	int fd, r;

	if (!table_mapped() || (name == SO_ERROR && !pending_any() && !call->in_doubt) ||
		read_length(call, &room) < 0) {
		call_continue(call);
		return;
	}
	fd = call_take_fd(call);
	if (fd < 0)
		return;
	if (!differs(call, fd, name)) {
		call_continue(call);
	} else {
		bool pending = name == SO_ERROR && pending_has(fd);

		r = getsockopt(fd, SOL_SOCKET, name, &value, &len) ? -errno : 0; /* the shim's */
		if (r == 0 && name == SO_ERROR && !pending)
			value = lost_twice(fd, value);
		call_answer(call, r == 0 ? write_int(call, value, room) : r);
	}
	syscall(SYS_close, fd);
}

/* ---- setsockopt ---- */

static void count_option(int level, int name, uint64_t len)
{
	if (options_collide(name) && level != SOL_SOCKET)
		count(level == IPPROTO_TCP ? SMCSHIM_quirk_fastopen : SMCSHIM_quirk_optname);
	else if (level != SOL_SOCKET && len < sizeof(int))
		count(SMCSHIM_quirk_optlen);
	else
		count(SMCSHIM_quirk_refused_option);
}

/*
 * The program sets the option itself, with its own privileges, on a socket that is TCP by then. Only a connected one
 * cannot become that.
 */
static void set_on_smc(const struct call *call, int fd)
{
	int level = (int)call->notif->data.args[1], name = (int)call->notif->data.args[2];
	bool fresh = kind_tcp_state(fd) == TCP_CLOSE;
	const struct original original = call_original(fd);

	count_option(level, name, call->notif->data.args[4] & UINT32_MAX);
	/* Fast open is an offer: without it the peer does an ordinary handshake. */
	if (!fresh && level == IPPROTO_TCP && options_collide(name)) {
		call_answer(call, 0);
		return;
	}
	/* A filter cannot be carried over by a later replacement of a socket that became TCP in place. */
	if (fresh && options_unreadable(level, name) && make_replacement(fd, KIND_TCP, 0, true) == 0) {
		if (call_replace_fd(call, fd, &original) < 0)
			count(SMCSHIM_own_errors);
	} else if (fresh && make_tcp_in_place(fd) < 0) {
		count(SMCSHIM_own_errors);
	}
	call_continue(call);
}

void call_setsockopt(const struct call *call)
{
	int level = (int)call->notif->data.args[1], name = (int)call->notif->data.args[2];
	bool refused; /* by SMC; on AF_SMC sockets SO_REUSEPORT is too, but they stand in for IPPROTO_SMC before Linux 6.11 only */
	int fd;

	/* From now on it is among those that are read when they must be kept, or is known to be one that cannot be. */
	if (level == SOL_SOCKET)
		options_seen(name);
	refused = options_unreadable(level, name) || (level == SOL_SOCKET && name == SO_ZEROCOPY);
	if (!table_mapped() || (level == SOL_SOCKET && !refused)) {
		call_continue(call);
		return;
	}
	fd = call_take_fd(call);
	if (fd < 0)
		return;
	if (kind_of(fd) == KIND_SMC)
		set_on_smc(call, fd);
	else
		call_continue(call);
	syscall(SYS_close, fd);
}
