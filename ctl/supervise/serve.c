/* SPDX-License-Identifier: MIT */
/* Takes one call after the other from the kernel, never waiting for any of them. */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ctl/supervise/call.h"
#include "ctl/supervise/pair.h"
#include "ctl/supervise/target.h"
#include "ctl/util.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS /* Linux 6.6 */
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1ul
#endif

HOOK int smcshim_serving;

#define AGAIN_MS 1000
#define WATCHED 2u

/* The call in hand is done. The kernel takes a buffer of zeros only, so this also makes room for the next one. */
static void forget(struct shared *shared)
{
	shared->before.known = false;
	shared->before.pending = false;
	shared->before.socket = 0;
	memset(shared->room, 0, sizeof(shared->room));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void answer_one(struct supervisor *s, bool in_doubt)
{
	struct call call = {.supervisor = s, .notif = &s->shared->notif, .in_doubt = in_doubt};

	call_handle(&call);
	forget(s->shared);
}

/* What a supervisor before this one was doing when it was killed. */
static void take_over(struct supervisor *s)
{
	const struct call call = {.supervisor = s, .notif = &s->shared->notif};

	waiters_take_over(s);
	for (unsigned i = 0; i < s->shared->waiters; i++)
		if (s->shared->waiter[i].id == s->shared->notif.id)
			forget(s->shared);
	if (s->shared->notif.id && call_is_waiting(&call)) {
		answer_one(s, true);
	} else {
		if (s->shared->killable)
			untold_told(s->shared, s->shared->notif.id);
		forget(s->shared);
	}
}

static void receive(struct supervisor *s)
{
	/* ENOENT: the caller has gone between poll and here. */
	if (ioctl(s->listener, SECCOMP_IOCTL_NOTIF_RECV, &s->shared->notif) == 0)
		answer_one(s, false);
	else
		forget(s->shared);
}

void serve(int listener, struct shared *shared, int other, int (*again)(int listener, struct shared *shared))
{
	static struct supervisor s;
	static struct pollfd watched[WATCHED + SHARED_WAITERS];

	s = (struct supervisor){.listener = listener, .shared = shared};
	/* The woken side runs on our processor, and we sleep at once: no other processor has to be called. */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) < 0)
		errno = 0; /* an older kernel: only slower */
	target_start();
	if (shared->networks_change)
		target_networks_change();
	smcshim_counters.about.supervisor = (uint64_t)getpid();
	smcshim_serving = 1;
	/* What the one before had seen went with it. */
	options_assume(shared->restarted);
	guess_start(&s, shared->restarted);
	shared->restarted = true;
	bind_assume_smc();
	take_over(&s);
	for (;;) {
		bool waiting = waiters_any(&s);
		unsigned n = WATCHED;

		watched[0] = (struct pollfd){.fd = listener, .events = POLLIN};
		watched[1] = (struct pollfd){.fd = other, .events = POLLIN};
		if (waiting)
			n += waiters_poll(&s, watched + WATCHED);
		poll(watched, n, waiting ? WAITERS_TICK : other < 0 ? AGAIN_MS : -1);
		/* Before the next call, which may end a waiter and have its place: the events were the former one's. */
		if (waiting)
			waiters_end(&s, watched + WATCHED, n - WATCHED);
		if (watched[0].revents & POLLIN)
			receive(&s);
		else if (watched[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			return;
		if (other < 0 || watched[1].revents) {
			if (other >= 0)
				syscall(SYS_close, other);
			other = again(listener, shared);
		}
	}
}
