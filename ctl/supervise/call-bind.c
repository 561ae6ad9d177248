/* SPDX-License-Identifier: MIT */
/* bind(2) and listen(2): the socket gets the kind that the listen rules say. */
#include "config.h"

#include "ctl/supervise/call.h"

/* A new socket stands under our copy: it goes where the program's was. */
static bool settle(const struct call *call, int fd, const struct original *original)
{
	if (!call_has_replaced(original))
		return true;
	if (call_replace_fd(call, fd, original) == 0)
		return true;
	count(SMCSHIM_own_errors);
	return false;
}

void call_bind(const struct call *call)
{
	struct original original;
	union address addr;
	socklen_t len;
	int fd;

	if (!call_read_address(call, &addr, &len))
		return;
	fd = call_take_fd(call);
	if (fd < 0)
		return;
	original = call_original(fd);
	bind_fit(fd, &addr.any, len);
	settle(call, fd, &original);
	/* The program binds: its own privileges count for a low port. */
	call_continue(call);
	syscall(SYS_close, fd);
}

void call_listen(const struct call *call)
{
	struct original original;
	int fd, r;

	if (!table_mapped()) {
		call_continue(call);
		return;
	}
	fd = call_take_fd(call);
	if (fd < 0)
		return;
	if (kind_of(fd) == KIND_OTHER) {
		call_continue(call);
	} else {
		/*
		 * Without locked buffer sizes: what is accepted over TCP would have them too, and accept(2) is not seen here
		 * to take them back.
		 */
		original = call_original(fd);
		r = listen_with(fd, (int)call->notif->data.args[1], table_mode(false) & ~MODE_BUFFERS) ? -errno : 0;
		if (settle(call, fd, &original))
			call_answer(call, r);
		else
			call_continue(call);
	}
	syscall(SYS_close, fd);
}
