/* SPDX-License-Identifier: MIT */
/* connect(2): the shim's decision, on our copy of the program's socket. */
#include "config.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "ctl/supervise/call.h"

/*
 * As the kernel's own connect says it when a signal has come: the handler's SA_RESTART then decides, but with a timeout
 * there is no restart (net/socket.h, sock_intr_errno). The number is not for programs: the kernel's way back to the
 * program, where the signal is taken, turns it into EINTR or into the same call again.
 */
#define ERESTARTSYS 512

static int interrupted(const struct connect_call *connect)
{
	return connect->after.sndtimeo_ms ? -EINTR : -ERESTARTSYS;
}

/* What the same call would not be answered once more. */
static bool is_told_once(int answer)
{
	return answer != -EINTR && answer != -EALREADY && answer != -EISCONN;
}

static void answer(const struct call *call, const struct connect_call *connect, int fd)
{
	if (is_told_once(connect->answer)) {
		untold_keep(call, fd, connect->answer);
		call_answer_kept(call, connect->answer);
	} else {
		call_answer(call, connect->answer == -EINTR ? interrupted(connect) : connect->answer);
	}
}

/* Ends what connect-smc.c has begun or ended. Takes fd. */
static void finish(const struct call *call, const struct connect_call *connect, enum connect_step step, int fd,
	const struct original *original)
{
	if (call_has_replaced(original) && call_replace_fd(call, fd, original) < 0)
		count(SMCSHIM_own_errors);
	switch (step) {
	case CONNECT_REAL:
		connect_count_tcp(connect->addr, connect->len);
		call_continue(call);
		break;
	case CONNECT_ANSWER:
		answer(call, connect, fd);
		break;
	case CONNECT_WAIT:
		if (waiters_add(call, connect, fd))
			return;
		call_answer(call, -EINTR); /* not reached: there was room before */
		break;
	}
	syscall(SYS_close, fd);
}

/* Nobody has connected it: one that has failed shows POLLHUP. */
static bool is_fresh(int fd)
{
	return kind_tcp_state(fd) == TCP_CLOSE && kind_events(fd) == 0;
}

/* A supervisor has died over this call. True: the kernel's connect had been entered, and the call has its answer. */
static bool resume(const struct call *call, struct connect_call *connect)
{
	const struct before *before = &call->supervisor->shared->before;
	struct original original;
	int fd = connect->fd;

	if (!call->in_doubt || !before->known || !before->fresh)
		return false;
	syscall(SYS_fcntl, fd, F_SETFL, before->file_flags);
	if (is_fresh(fd)) {
		connect_restore(fd, &before->after);
		return false;
	}
	original = call_original(fd);
	connect->after = before->after;
	connect->bound = true;
	if (before->file_flags & O_NONBLOCK) {
		if (!pending_has(fd))
			pending_add(fd, &before->after);
		connect->answer = -EINPROGRESS;
		finish(call, connect, CONNECT_ANSWER, fd, &original);
	} else {
		finish(call, connect, CONNECT_WAIT, fd, &original);
	}
	return true;
}

/* True: the call has the answer that one before it may not have got. */
static bool tell_again(const struct call *call, struct connect_call *connect)
{
	struct original original;

	if (!untold_answer(call, connect->fd, &connect->answer))
		return false;
	if (connect->addr->sa_family == AF_UNSPEC) {
		untold_drop(call, connect->fd);
		return false;
	}
	original = call_original(connect->fd);
	finish(call, connect, CONNECT_ANSWER, connect->fd, &original);
	return true;
}

static bool wants_smc(const struct connect_call *connect)
{
	return mode_may_connect(table_mode(false)) && table_says_smc(POLICY_CONNECT, connect->addr, connect->len);
}

/* What resume() will want to know, should we be killed. Only where the kernel's connect may be entered. */
static void note_before(const struct call *call, const struct connect_call *connect)
{
	struct before *before = &call->supervisor->shared->before;
	int fd = connect->fd;

	if (!wants_smc(connect))
		return;
	before->fresh = is_fresh(fd) && !pending_has(fd);
	before->file_flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
	before->after = connect_aftermath(fd, avoid_name(connect->addr, connect->len));
	__atomic_store_n(&before->known, true, __ATOMIC_RELEASE);
}

static void connect_smc(const struct call *call, struct connect_call *connect)
{
	const struct original original = call_original(connect->fd);
	enum connect_step step = CONNECT_REAL;

	if (wants_smc(connect))
		guess_smc(call->supervisor);
	else
		guess_kept(call, connect->fd);
	note_before(call, connect);
	if (waiters_room(call->supervisor)) {
		step = connect_begin(connect);
	} else {
		make_tcp_in_place(connect->fd);
		count(SMCSHIM_own_errors);
	}
	finish(call, connect, step, connect->fd, &original);
}

/* A fresh TCP socket, made when connects were all kept on TCP, but this one is not. */
static bool becomes_smc(const struct call *call, const struct connect_call *connect)
{
	return wants_smc(connect) && !avoid_has(avoid_name(connect->addr, connect->len)) &&
		guess_was_wrong(call, connect->fd) == 0;
}

void call_connect(const struct call *call)
{
	union address addr;
	struct connect_call connect = {.addr = &addr.any};
	struct aftermath after;

	if (!call->supervisor->shared->killable)
		waiters_interrupt(call->supervisor, (pid_t)call->notif->pid);
	if (!call_read_address(call, &addr, &connect.len))
		return;
	connect.fd = call_take_fd(call);
	if (connect.fd < 0 || tell_again(call, &connect) || resume(call, &connect))
		return;
	switch (kind_of(connect.fd)) {
	case KIND_SMC:
		connect_smc(call, &connect);
		return;
	case KIND_TCP:
		/* A connect of an SMC socket that has fallen back, or a first one. */
		if (pending_any() && pending_take(connect.fd, &after))
			connect_outcome_now(connect.fd, &after);
		else if (kind_tcp_state(connect.fd) == TCP_CLOSE) {
			if (becomes_smc(call, &connect)) {
				connect_smc(call, &connect);
				return;
			}
			connect_count_tcp(&addr.any, connect.len);
		}
		break;
	case KIND_OTHER:
		break;
	}
	call_continue(call);
	syscall(SYS_close, connect.fd);
}

void call_connect_end(const struct call *call, struct waiter *waiter, int fd, int events)
{
	struct connect_call connect = {.fd = fd,
		.addr = &waiter->addr.any,
		.len = waiter->len,
		.flags = -1,
		.after = waiter->after,
		.bound = waiter->bound,
		.again = waiter->again,
		.first_again = waiter->first_again};
	const struct original original = call_original(fd);
	enum connect_step step = CONNECT_ANSWER;

	if (!untold_answer(call, fd, &connect.answer))
		step = connect_end(&connect, events);
	finish(call, &connect, step, fd, &original);
}
