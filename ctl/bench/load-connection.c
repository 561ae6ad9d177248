/* SPDX-License-Identifier: MIT */
/* One connection of the load: connects, sends a request, checks every byte of the answer. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ctl/bench/load-thread.h"
#include "ctl/bench/socket.h"
#include "ctl/check/outcome.h"
#include "ctl/http.h"
#include "ctl/smc/socket.h"

/* After a failure of a connection that has brought nothing. */
#define PAUSE (BENCH_SECOND / 10)

static void watch(const struct load_thread *thread, struct connection *c, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = c};

	c->want_write = (events & EPOLLOUT) != 0;
	(void)epoll_ctl(thread->epoll, operation, c->fd, &event);
}

void connection_close(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->phase = PHASE_CLOSED;
}

void connection_fail(struct load_thread *thread, struct connection *c, enum load_error kind, uint64_t now)
{
	bool was_opening = c->phase == PHASE_CONNECTING;

	if (!thread->running || now >= thread->from)
		thread->result.errors[kind]++;
	/* One that has worked is opened again at once. */
	c->retry = c->answered ? now : now + PAUSE;
	c->answered = 0;
	connection_close(c);
	if (was_opening && !c->request)
		thread->opening--;
	if (c->request) {
		c->request = false;
		thread->busy--;
		load_next(thread, c, now);
	}
}

static void connect_failed(struct load_thread *thread, struct connection *c, int error, uint64_t now)
{
	enum load_error kind = LOAD_REFUSED;

	if (error == -EADDRNOTAVAIL || is_shortage(-error))
		kind = LOAD_NO_PORT;
	else if (error == -ETIMEDOUT)
		kind = LOAD_CONNECT_TIMEOUT;
	thread->result.connect_error = error;
	connection_fail(thread, c, kind, now);
}

void connection_open(struct load_thread *thread, struct connection *c, uint64_t now)
{
	const struct load_plan *plan = thread->plan;

	if (!c->request)
		thread->opening++;
	c->phase = PHASE_CONNECTING;
	c->deadline = now + plan->params->timeout;
	c->prefaced = false;
	c->answered = 0;
	c->fd = bench_socket(plan->transport, plan->to.ss_family);
	if (c->fd < 0) {
		connect_failed(thread, c, c->fd, now);
		return;
	}
	bench_no_delay(c->fd);
	if (connect(c->fd, (const struct sockaddr *)&plan->to, plan->length) < 0 && errno != EINPROGRESS) {
		connect_failed(thread, c, -errno, now);
		return;
	}
	watch(thread, c, EPOLL_CTL_ADD, EPOLLOUT);
}

/* EPIPE tells that the server had closed, all else that the connection is lost. */
static void lost(struct load_thread *thread, struct connection *c, int error)
{
	connection_fail(thread, c, error == EPIPE ? LOAD_CLOSED : LOAD_RESET, bench_now());
}

static void send_request(struct load_thread *thread, struct connection *c)
{
	const struct load_plan *plan = thread->plan;

	while (c->sent < plan->size) {
		ssize_t n = send(c->fd, plan->request + c->sent, plan->size - c->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			lost(thread, c, errno);
			return;
		}
		if (n < 0) {
			if (!c->want_write)
				watch(thread, c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
			return;
		}
		c->sent += (size_t)n;
	}
	if (c->want_write)
		watch(thread, c, EPOLL_CTL_MOD, EPOLLIN);
}

static void begin_sending(struct load_thread *thread, struct connection *c)
{
	const struct load_plan *plan = thread->plan;

	c->phase = PHASE_BUSY;
	c->sent = c->prefaced ? plan->preface : 0;
	c->prefaced = true;
	c->received = 0;
	c->expected = plan->params->workload == BENCH_BULK ? 1 : plan->params->payload;
	c->head_done = false;
	c->head_have = 0;
	c->last = false;
	send_request(thread, c);
}

/* Now, because with connections of one request each it is closed when somebody asks. Once, because it takes a dump of all. */
static void note_otherwise(struct load_thread *thread, const struct connection *c)
{
	struct handshake *otherwise = &thread->result.otherwise;

	if (otherwise->result == HANDSHAKE_NONE && outcome_find(c->fd, otherwise) < 0)
		otherwise->result = HANDSHAKE_NONE;
}

static void connected(struct load_thread *thread, struct connection *c)
{
	c->smc = bench_is_smc(c->fd);
	thread->result.sockets[c->smc ? BENCH_SMC : BENCH_TCP]++;
	if (c->smc != (thread->plan->transport == BENCH_SMC))
		note_otherwise(thread, c);
	if (!c->smc && thread->plan->transport == BENCH_SMC) {
		/* It fell back: kernels before 6.1 leave epoll waiting at the socket that it was. */
		watch(thread, c, EPOLL_CTL_DEL, 0);
		watch(thread, c, EPOLL_CTL_ADD, EPOLLIN);
	} else {
		watch(thread, c, EPOLL_CTL_MOD, EPOLLIN);
	}
	c->phase = PHASE_IDLE;
	if (c->request)
		begin_sending(thread, c);
	else
		thread->opening--;
}

void connection_check(struct load_thread *thread, struct connection *c, uint64_t now)
{
	int r = smc_connected(c->fd);

	if (r < 0)
		connect_failed(thread, c, r, now);
	else if (r > 0)
		connected(thread, c);
}

void connection_begin(struct load_thread *thread, struct connection *c, uint64_t began, uint64_t now)
{
	c->request = true;
	c->began = began;
	thread->busy++;
	if (c->phase == PHASE_IDLE) {
		c->deadline = now + thread->plan->params->timeout;
		begin_sending(thread, c);
	} else {
		connection_open(thread, c, now);
	}
}

static void done(struct load_thread *thread, struct connection *c)
{
	uint64_t now = bench_now();

	if (now >= thread->from && now < thread->end)
		atomic_store_explicit(&thread->completed,
			atomic_load_explicit(&thread->completed, memory_order_relaxed) + 1, memory_order_relaxed);
	if (c->began >= thread->from && c->began < thread->end)
		histogram_add(&thread->result.latency, now - c->began, 1);
	c->answered++;
	c->request = false;
	thread->busy--;
	c->phase = PHASE_IDLE;
	if (c->last || thread->plan->params->workload == BENCH_CONNECT)
		connection_close(c);
	c->retry = now;
	load_next(thread, c, now);
}

/* A part of the answer's body. Returns false when the connection has failed or the request is done. */
static bool take_body(struct load_thread *thread, struct connection *c, const char *data, size_t size)
{
	const struct load_plan *plan = thread->plan;
	bool wrong = size > c->expected - c->received;

	if (!wrong && plan->params->workload == BENCH_BULK)
		wrong = size && data[0] != BENCH_ACKNOWLEDGEMENT;
	else if (!wrong && !plan->params->get)
		wrong = memcmp(data, plan->payload + c->received, size) != 0;
	if (wrong) {
		connection_fail(thread, c, LOAD_WRONG, bench_now());
		return false;
	}
	c->received += size;
	if (c->received < c->expected)
		return true;
	/* An answer to a request that was not sent completely is none. */
	if (c->sent < plan->size) {
		connection_fail(thread, c, LOAD_WRONG, bench_now());
		return false;
	}
	if (plan->params->workload == BENCH_CONNECT && plan->ours) {
		c->phase = PHASE_CLOSING;
		return true;
	}
	done(thread, c);
	return false;
}

/* Bytes of an HTTP answer's head are in c->head. Returns false when the connection has failed or the request is done. */
static bool take_head(struct load_thread *thread, struct connection *c)
{
	const struct bench_params *params = thread->plan->params;
	struct http_head head;
	int r = http_response(c->head, c->head_have, sizeof(c->head), &head);

	if (r == 0)
		return true;
	if (r > 0 && (head.status < 200 || head.status > 299)) {
		connection_fail(thread, c, LOAD_STATUS, bench_now());
		return false;
	}
	if (r < 0 || head.chunked || (!head.has_length && head.status != 204)) {
		connection_fail(thread, c, LOAD_PROTOCOL, bench_now());
		return false;
	}
	if (!params->get && head.length != params->payload) {
		connection_fail(thread, c, LOAD_WRONG, bench_now());
		return false;
	}
	c->head_done = true;
	c->expected = head.length;
	c->last = head.close;
	return take_body(thread, c, c->head + head.size, c->head_have - head.size);
}

static void ended(struct load_thread *thread, struct connection *c)
{
	if (c->phase == PHASE_CLOSING) {
		done(thread, c);
	} else if (c->request) {
		connection_fail(thread, c, LOAD_CLOSED, bench_now());
	} else {
		thread->result.reopened++;
		connection_close(c);
	}
}

static void receive(struct load_thread *thread, struct connection *c)
{
	bool head = thread->plan->params->workload == BENCH_HTTP && !c->head_done && c->phase == PHASE_BUSY;
	char *to = head ? c->head + c->head_have : thread->block;
	size_t size = head ? sizeof(c->head) - c->head_have : sizeof(thread->block);
	ssize_t n = recv(c->fd, to, size, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		lost(thread, c, errno);
	} else if (n == 0) {
		ended(thread, c);
	} else if (c->phase != PHASE_BUSY) {
		/* Nobody asked for that. */
		connection_fail(thread, c, LOAD_WRONG, bench_now());
	} else if (head) {
		c->head_have += (size_t)n;
		(void)take_head(thread, c);
	} else {
		(void)take_body(thread, c, to, (size_t)n);
	}
}

void connection_event(struct load_thread *thread, struct connection *c, uint32_t events)
{
	if (c->phase == PHASE_CONNECTING) {
		connection_check(thread, c, bench_now());
		return;
	}
	if ((events & EPOLLOUT) && c->phase == PHASE_BUSY) {
		send_request(thread, c);
		if (c->phase != PHASE_BUSY)
			return;
	}
	if (c->fd >= 0 && (events & ~(uint32_t)EPOLLOUT))
		receive(thread, c);
}
