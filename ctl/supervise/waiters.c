/* SPDX-License-Identifier: MIT */
/* Blocking connects under way: the program's thread waits in its call, we wait for the socket. */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ctl/supervise/call.h"
#include "ctl/supervise/target.h"

static struct waiter *free_slot(const struct supervisor *s, unsigned *index)
{
	struct shared *shared = s->shared;

	for (*index = 0; *index < shared->waiters; ++*index)
		if (shared->waiter[*index].id == 0)
			return &shared->waiter[*index];
	return *index < SHARED_WAITERS ? &shared->waiter[*index] : NULL;
}

bool waiters_room(const struct supervisor *s)
{
	unsigned index;

	return s->shared->waiters < SHARED_WAITERS || free_slot(s, &index);
}

bool waiters_any(const struct supervisor *s)
{
	return s->shared->waiters != 0;
}

bool waiters_add(const struct call *call, const struct connect_call *connect, int fd)
{
	struct supervisor *s = call->supervisor;
	unsigned index;
	struct waiter *waiter = free_slot(s, &index);

	if (!waiter)
		return false;
	waiter->notif = *call->notif;
	memcpy(&waiter->addr, connect->addr, connect->len);
	waiter->len = connect->len;
	waiter->after = connect->after;
	waiter->bound = connect->bound;
	waiter->again = connect->again;
	waiter->first_again = connect->first_again;
	waiter->deadline = connect->after.sndtimeo_ms ? monotonic_ms() + connect->after.sndtimeo_ms : 0;
	s->waiter_fd[index] = fd;
	/* From here on it is the next supervisor's, should we be killed. */
	__atomic_store_n(&waiter->id, call->notif->id, __ATOMIC_RELEASE);
	if (index == s->shared->waiters)
		__atomic_store_n(&s->shared->waiters, index + 1, __ATOMIC_RELEASE);
	return true;
}

static void drop(struct supervisor *s, unsigned index)
{
	__atomic_store_n(&s->shared->waiter[index].id, 0, __ATOMIC_RELEASE);
	s->waiter_fd[index] = -1;
	while (s->shared->waiters && s->shared->waiter[s->shared->waiters - 1].id == 0)
		s->shared->waiters--;
}

static void end(struct supervisor *s, unsigned index, int events)
{
	struct waiter *waiter = &s->shared->waiter[index];
	const struct call call = {.supervisor = s, .notif = &waiter->notif};

	/* Answered first, forgotten after: what is answered twice the kernel refuses. */
	call_connect_end(&call, waiter, s->waiter_fd[index], events);
	drop(s, index);
}

void waiters_interrupt(struct supervisor *s, pid_t tid)
{
	for (unsigned i = 0; i < s->shared->waiters; i++)
		if (s->shared->waiter[i].id && (pid_t)s->shared->waiter[i].notif.pid == tid)
			end(s, i, -EINTR);
}

void waiters_take_over(struct supervisor *s)
{
	for (unsigned i = 0; i < SHARED_WAITERS; i++)
		s->waiter_fd[i] = -1;
	/* One that was killed between writing a slot and counting it. */
	if (s->shared->waiters < SHARED_WAITERS && s->shared->waiter[s->shared->waiters].id)
		s->shared->waiters++;
	for (unsigned i = 0; i < s->shared->waiters; i++) {
		const struct waiter *waiter = &s->shared->waiter[i];
		const struct call call = {.supervisor = s, .notif = &waiter->notif};

		if (!waiter->id)
			continue;
		if (call_is_waiting(&call))
			s->waiter_fd[i] = call_take_fd(&call);
		else if (s->shared->killable)
			untold_told(s->shared, waiter->id);
		if (s->waiter_fd[i] < 0)
			drop(s, i);
	}
}

unsigned waiters_poll(struct supervisor *s, struct pollfd *poll)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->shared->waiters; i++) {
		if (!s->shared->waiter[i].id)
			continue;
		s->polled[n] = i;
		poll[n++] = (struct pollfd){.fd = s->waiter_fd[i], .events = POLLOUT};
	}
	return n;
}

static void look(struct supervisor *s, unsigned index, int events, bool tick, int64_t now)
{
	const struct waiter *waiter = &s->shared->waiter[index];
	const struct call call = {.supervisor = s, .notif = &waiter->notif};

	if (events)
		end(s, index, events);
	else if (tick &&
		(!call_is_waiting(&call) || (s->shared->killable && target_has_signal((pid_t)waiter->notif.pid))))
		end(s, index, -EINTR); /* a signal, now or, where the kernel did that, already taken */
	else if (tick && waiter->deadline && now >= waiter->deadline)
		end(s, index, -EINPROGRESS);
}

void waiters_end(struct supervisor *s, const struct pollfd *poll, unsigned count)
{
	int64_t now = monotonic_ms();
	bool tick = now - s->looked >= WAITERS_TICK;

	if (tick)
		s->looked = now;
	for (unsigned i = 0; i < count; i++)
		if (poll[i].revents || tick)
			look(s, s->polled[i], poll[i].revents, tick, now);
}
