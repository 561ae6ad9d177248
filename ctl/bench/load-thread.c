/* SPDX-License-Identifier: MIT */
/* A thread of the load: its loop, its clock, when which request begins. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "ctl/bench/load-thread.h"

/* How often time limits are looked at. */
#define LOOK (BENCH_SECOND / 50)
/*
 * Connections that a thread makes at a time: on one host the kernel's handshakes of both ends share a queue with 256 places
 * for each processor (smc_hs_wq of net/smc/af_smc.c).
 */
#define OPENING 32u

static bool may_begin(const struct load_thread *thread, const struct connection *c, uint64_t now)
{
	if (!thread->running || c->request || c->phase == PHASE_CONNECTING || c->retry > now)
		return false;
	if (!thread->interval)
		return now < thread->end;
	/* What was due before the end is sent even a little later. */
	return c->due <= now && c->due < thread->end && now < thread->end + LOAD_GRACE;
}

/* With --qps a request whose time has come counts from that time, not from when its connection was free at last. */
void load_next(struct load_thread *thread, struct connection *c, uint64_t now)
{
	if (thread->interval)
		c->due += thread->interval;
	if (may_begin(thread, c, now))
		connection_begin(thread, c, thread->interval ? c->due : now, now);
}

static void look_at_limits(struct load_thread *thread, uint64_t now)
{
	for (uint32_t i = 0; i < thread->count; i++) {
		struct connection *c = &thread->connection[i];

		if (c->phase == PHASE_CONNECTING)
			connection_check(thread, c, now);
		if (c->phase == PHASE_CONNECTING && c->deadline <= now) {
			thread->result.connect_error = -ETIMEDOUT;
			connection_fail(thread, c, LOAD_CONNECT_TIMEOUT, now);
		} else if (c->request && c->phase != PHASE_CONNECTING && c->deadline <= now) {
			connection_fail(thread, c, LOAD_TIMEOUT, now);
		}
		if (may_begin(thread, c, now))
			connection_begin(thread, c, thread->interval ? c->due : now, now);
	}
}

/* When the connection at the cursor has its next turn. */
static uint64_t turn(const struct load_thread *thread)
{
	return thread->connection[thread->cursor].first_due + thread->cycle * thread->interval;
}

/* Begins what is due on connections that are free, in the order of their times; the others follow in load_next(). */
static void begin_due(struct load_thread *thread, uint64_t now)
{
	uint64_t when = turn(thread);
	struct itimerspec next = {.it_value = {.tv_sec = 0}};

	for (; when <= now && when < thread->end; when = turn(thread)) {
		struct connection *c = &thread->connection[thread->cursor];

		if (may_begin(thread, c, now))
			connection_begin(thread, c, c->due, now);
		if (++thread->cursor == thread->count) {
			thread->cursor = 0;
			thread->cycle++;
		}
	}
	if (when == thread->armed || when <= now)
		return;
	thread->armed = when;
	next.it_value.tv_sec = (time_t)(when / BENCH_SECOND);
	next.it_value.tv_nsec = (long)(when % BENCH_SECOND);
	(void)timerfd_settime(thread->timer, TFD_TIMER_ABSTIME, &next, NULL);
}

/* One turn of the loop. */
static void work(struct load_thread *thread, uint64_t *look)
{
	struct epoll_event events[128];
	int n = epoll_wait(thread->epoll, events, 128, (int)(LOOK / 1000000));
	uint64_t now;

	for (int i = 0; i < n; i++) {
		struct connection *c = events[i].data.ptr;

		/* The timer has none. */
		if (c && c->fd >= 0)
			connection_event(thread, c, events[i].events);
	}
	now = bench_now();
	if (thread->running && thread->interval)
		begin_due(thread, now);
	if (now >= *look) {
		look_at_limits(thread, now);
		*look = now + LOOK;
	}
}

static void establish(struct load_thread *thread)
{
	uint64_t end = bench_now() + 3 * thread->plan->params->timeout;
	uint64_t look = 0;
	uint32_t next = 0;

	while ((next < thread->count || thread->opening) && bench_now() < end) {
		while (next < thread->count && thread->opening < OPENING)
			connection_open(thread, &thread->connection[next++], bench_now());
		work(thread, &look);
	}
}

static void begin_all(struct load_thread *thread)
{
	const struct bench_params *params = thread->plan->params;
	uint64_t now = bench_now();

	thread->running = true;
	for (uint32_t i = 0; i < thread->count; i++) {
		struct connection *c = &thread->connection[i];

		/* Connections that were only looked at: each request opens its own. */
		if (params->workload == BENCH_CONNECT || c->phase == PHASE_CONNECTING)
			connection_close(c);
		c->retry = 0;
		if (params->qps) {
			c->first_due = now + (uint64_t)(thread->first + i) * BENCH_SECOND / params->qps;
			c->due = c->first_due;
		} else {
			connection_begin(thread, c, now, now);
		}
	}
}

/* With --qps: what has not begun has waited this long at least, and stands in the latencies with that. */
static void count_unsent(struct load_thread *thread)
{
	uint64_t now = bench_now();

	for (uint32_t i = 0; thread->interval && i < thread->count; i++) {
		struct connection *c = &thread->connection[i];
		uint64_t due = c->due < thread->from
			? c->due + (thread->from - c->due + thread->interval - 1) / thread->interval * thread->interval
			: c->due;
		uint64_t count = due < thread->end ? (thread->end - due + thread->interval - 1) / thread->interval : 0;
		/* In at most so many steps. */
		uint64_t step = count / 10000 + 1;

		thread->result.errors[LOAD_UNSENT] += count;
		for (uint64_t k = 0; k < count; k += step)
			histogram_add(&thread->result.latency, now - due - k * thread->interval,
				count - k < step ? count - k : step);
	}
}

/* Waits until all are told when to begin and to end. */
static void wait_for_start(struct load_thread *thread)
{
	struct load *load = thread->load;

	(void)pthread_mutex_lock(&load->lock);
	load->waiting++;
	(void)pthread_cond_broadcast(&load->changed);
	while (!load->begun)
		(void)pthread_cond_wait(&load->changed, &load->lock);
	thread->from = load->from;
	thread->end = load->end;
	(void)pthread_mutex_unlock(&load->lock);
}

static void run(struct load_thread *thread)
{
	uint64_t last = thread->end + thread->plan->params->timeout + LOAD_GRACE;
	uint64_t look = 0;
	uint64_t now;

	/* The connections that failed are tried again, and count then. */
	memset(thread->result.errors, 0, sizeof(thread->result.errors));
	begin_all(thread);
	do {
		work(thread, &look);
		now = bench_now();
	} while (now < thread->end || (thread->busy && now < last));
	count_unsent(thread);
}

void *load_thread_run(void *arg)
{
	struct load_thread *thread = arg;

	establish(thread);
	wait_for_start(thread);
	if (thread->from < thread->end)
		run(thread);
	for (uint32_t i = 0; i < thread->count; i++)
		connection_close(&thread->connection[i]);
	return NULL;
}
