/* SPDX-License-Identifier: MIT */
/* Starts the processes, and watches. */
#include "config.h"

#include "ctl/supervise/pair.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "ctl/supervise/handshake.h"
#include "ctl/util.h"

#define AGAIN_MS 1000

static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/*
 * In a new process. A copy of another one's socket would keep that connection open: it keeps the listener alone. (Its
 * number is the lowest that the two ever have open, see main.c.) Returns a pidfd of its parent, -1 when that has ended.
 */
static int leave(int listener, pid_t parent)
{
	int other;

	syscall(SYS_close_range, (unsigned)listener + 1, ~0u, 0);
	other = open_pidfd(parent);
	if (other >= 0 && getppid() != parent) {
		syscall(SYS_close, other);
		other = -1;
	}
	return other;
}

static int start_guardian(int listener, struct shared *shared);

/* Returns a pidfd of the new supervisor, or -1. */
static int start_supervisor(int listener, struct shared *shared)
{
	pid_t self = getpid();
	pid_t child = fork();

	if (child == 0) {
		serve(listener, shared, leave(listener, self), start_guardian);
		_exit(0);
	}
	return child < 0 ? -1 : open_pidfd(child);
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* other: pidfd of the supervisor, or -1. */
static _Noreturn void guard(int listener, struct shared *shared, int other)
{
	smcshim_serving = 0;
	for (;;) {
		struct pollfd watched[2] = {{.fd = listener}, {.fd = other, .events = POLLIN}};

		poll(watched, 2, other < 0 ? AGAIN_MS : -1);
		reap();
		if (watched[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			_exit(0);
		if (other >= 0 && !watched[1].revents)
			continue;
		if (other >= 0)
			syscall(SYS_close, other);
		other = start_supervisor(listener, shared);
	}
}

static int start_guardian(int listener, struct shared *shared)
{
	pid_t parent = getpid();
	pid_t child;

	reap();
	child = fork();
	if (child == 0)
		guard(listener, shared, leave(listener, parent));
	return child < 0 ? -1 : open_pidfd(child);
}

void pair_run(int listener, int socket, struct shared *shared)
{
	struct handshake ready = {.step = HANDSHAKE_READY};
	int other = start_supervisor(listener, shared);

	if (other < 0)
		ready = (struct handshake){.step = HANDSHAKE_READY, .what = HANDSHAKE_PROCESS, .error = -errno};
	if (handshake_send(socket, &ready, -1) < 0 || ready.error)
		_exit(1);
	syscall(SYS_close, socket);
	guard(listener, shared, other);
}
