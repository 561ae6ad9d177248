/* SPDX-License-Identifier: MIT */
/* getsockopt(2) and setsockopt(2): what SMC says or does otherwise than TCP. */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

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
	/* A supervisor that was killed over this call may have read the error already, and the note of the connect with it. */
	return pending_has(fd) || pending_forgotten_any() ||
		(call->in_doubt && call->supervisor->shared->before.pending);
}

/* SO_ERROR of a connect whose outcome the supervisor before this one had taken. */
static int lost_twice(int fd, int value)
{
	const struct aftermath none = {-1, 0, 0};
	int events = kind_events(fd);

	return value == 0 && connect_has_failed(events) ? -connect_outcome(fd, events, 0, &none) : value;
}

/* An error that has been read, but that nobody may have been told. */
static bool has_untold_error(const struct call *call, int fd, int *error)
{
	int answer;

	if (!untold_answer(call, fd, &answer) || answer == 0)
		return false;
	if (answer == -EINPROGRESS) { /* it has found that out */
		untold_drop(call, fd);
		return false;
	}
	*error = -answer;
	return true;
}

static void answer_error(const struct call *call, int fd, int error, socklen_t room)
{
	if (error)
		untold_keep(call, fd, -error);
	call_answer_kept(call, write_int(call, error, room));
}

static void answer_option(const struct call *call, int fd, int name, socklen_t room)
{
	bool pending = name == SO_ERROR && pending_has(fd);
	int value = 0, r;
	socklen_t len = sizeof(value);

	if (pending)
		__atomic_store_n(&call->supervisor->shared->before.pending, true, __ATOMIC_RELEASE);
	r = getsockopt(fd, SOL_SOCKET, name, &value, &len) ? -errno : 0; /* the shim's */
	if (r < 0)
		call_answer(call, r);
	else if (name == SO_ERROR)
		answer_error(call, fd, pending ? value : lost_twice(fd, value), room);
	else
		call_answer(call, write_int(call, value, room));
}

void call_getsockopt(const struct call *call)
{
	int name = (int)call->notif->data.args[2];
	int fd, error;
	socklen_t room;

	if (!table_mapped() ||
		(name == SO_ERROR && !pending_any() && !pending_forgotten_any() &&
			!untold_any(call->supervisor->shared) && !call->in_doubt) ||
		read_length(call, &room) < 0) {
		call_continue(call);
		return;
	}
	fd = call_take_fd(call);
	if (fd < 0)
		return;
	if (name == SO_ERROR && has_untold_error(call, fd, &error))
		answer_error(call, fd, error, room);
	else if (differs(call, fd, name))
		answer_option(call, fd, name, room);
	else
		call_continue(call);
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
