/* SPDX-License-Identifier: MIT */
/* Starts and ends the threads of a load. */
#include "config.h"

#include "ctl/bench/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "ctl/bench/load-thread.h"

static const struct {
	const char *key;
	const char *text;
} errors[LOAD_ERRORS] = {
	[LOAD_REFUSED] = {"not_connected", "not connected"},
	[LOAD_CONNECT_TIMEOUT] = {"connect_timeout", "not connected in time"},
	[LOAD_NO_PORT] = {"no_port", "no port or descriptor left on this host"},
	[LOAD_CLOSED] = {"closed", "closed by the server before the answer was complete"},
	[LOAD_RESET] = {"reset", "connection reset"},
	[LOAD_TIMEOUT] = {"timeout", "not answered in time"},
	[LOAD_WRONG] = {"wrong_answer", "answered with wrong bytes or a wrong length"},
	[LOAD_STATUS] = {"http_status", "answered with an HTTP status that is no success"},
	[LOAD_PROTOCOL] = {"not_http", "answered with no HTTP, or without a length"},
	[LOAD_UNSENT] = {"not_sent", "not sent in time: the requests before were not answered"},
};

const char *load_error_key(enum load_error error)
{
	return errors[error].key;
}

const char *load_error_text(enum load_error error)
{
	return errors[error].text;
}

static int prepare_thread(struct load *load, struct load_thread *thread, uint32_t first, uint32_t count)
{
	const struct bench_params *params = load->plan.params;
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	thread->load = load;
	thread->plan = &load->plan;
	thread->first = first;
	thread->count = count;
	thread->interval = params->qps ? (uint64_t)params->connections * BENCH_SECOND / params->qps : 0;
	thread->connection = calloc(count, sizeof(*thread->connection));
	if (!thread->connection)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		thread->connection[i].fd = -1;
	thread->epoll = epoll_create1(EPOLL_CLOEXEC);
	thread->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (thread->epoll < 0 || thread->timer < 0 ||
		epoll_ctl(thread->epoll, EPOLL_CTL_ADD, thread->timer, &event) < 0)
		return -errno;
	return 0;
}

int load_new(const struct load_plan *plan, struct load **out)
{
	struct load *load = calloc(1, sizeof(*load));
	uint32_t threads = plan->params->threads;
	uint32_t first = 0;
	int r = 0;

	if (!load)
		return -ENOMEM;
	load->plan = *plan;
	load->thread = calloc(threads, sizeof(*load->thread));
	if (!load->thread) {
		free(load);
		return -ENOMEM;
	}
	(void)pthread_mutex_init(&load->lock, NULL);
	(void)pthread_cond_init(&load->changed, NULL);
	for (; r == 0 && load->threads < threads; load->threads++) {
		/* As many for each as possible. */
		uint32_t count = (plan->params->connections - first) / (threads - load->threads);

		r = prepare_thread(load, &load->thread[load->threads], first, count);
		first += count;
	}
	for (uint32_t i = 0; r == 0 && i < threads; i++) {
		r = -pthread_create(&load->thread[i].id, NULL, load_thread_run, &load->thread[i]);
		load->thread[i].started = r == 0;
	}
	if (r < 0) {
		load_free(load);
		return r;
	}
	*out = load;
	return 0;
}

void load_established(struct load *load)
{
	(void)pthread_mutex_lock(&load->lock);
	while (load->waiting < load->threads)
		(void)pthread_cond_wait(&load->changed, &load->lock);
	(void)pthread_mutex_unlock(&load->lock);
}

int load_find(const struct load *load, enum bench_transport transport)
{
	for (uint32_t t = 0; t < load->threads; t++) {
		for (uint32_t i = 0; i < load->thread[t].count; i++) {
			const struct connection *c = &load->thread[t].connection[i];

			if (c->phase == PHASE_IDLE && c->smc == (transport == BENCH_SMC))
				return c->fd;
		}
	}
	return -1;
}

uint64_t load_count(const struct load *load, enum bench_transport transport)
{
	uint64_t sum = 0;

	for (uint32_t t = 0; t < load->threads; t++)
		sum += load->thread[t].result.sockets[transport];
	return sum;
}

void load_start(struct load *load, uint64_t from, uint64_t end)
{
	(void)pthread_mutex_lock(&load->lock);
	load->from = from;
	load->end = end;
	load->begun = true;
	(void)pthread_cond_broadcast(&load->changed);
	(void)pthread_mutex_unlock(&load->lock);
}

uint64_t load_completed(const struct load *load)
{
	uint64_t sum = 0;

	for (uint32_t t = 0; t < load->threads; t++)
		sum += atomic_load_explicit(&load->thread[t].completed, memory_order_relaxed);
	return sum;
}

void load_finish(struct load *load, struct load_result *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t t = 0; t < load->threads; t++) {
		struct load_thread *thread = &load->thread[t];

		(void)pthread_join(thread->id, NULL);
		thread->started = false;
		for (int i = 0; i < LOAD_ERRORS; i++)
			out->errors[i] += thread->result.errors[i];
		for (int i = 0; i < BENCH_TRANSPORTS; i++)
			out->sockets[i] += thread->result.sockets[i];
		if (thread->result.connect_error)
			out->connect_error = thread->result.connect_error;
		if (out->otherwise.result == HANDSHAKE_NONE)
			out->otherwise = thread->result.otherwise;
		out->reopened += thread->result.reopened;
		histogram_merge(&out->latency, &thread->result.latency);
	}
	out->completed = load_completed(load);
}

void load_free(struct load *load)
{
	if (!load)
		return;
	/* Threads that wait still are let go, with nothing to do. */
	if (!load->begun)
		load_start(load, 0, 0);
	for (uint32_t t = 0; t < load->threads; t++) {
		struct load_thread *thread = &load->thread[t];

		if (thread->started)
			(void)pthread_join(thread->id, NULL);
		free(thread->connection);
		if (thread->epoll > 0)
			close(thread->epoll);
		if (thread->timer > 0)
			close(thread->timer);
	}
	(void)pthread_cond_destroy(&load->changed);
	(void)pthread_mutex_destroy(&load->lock);
	free(load->thread);
	free(load);
}

enum bench_transport load_transport(const struct load *load)
{
	return load->plan.transport;
}
