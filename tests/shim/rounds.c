/* SPDX-License-Identifier: MIT */
/* The conversation of the transfer test. */
#include "config.h"

#include "tests/shim/rounds.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define CHUNK_MAX 70000u
#define PATIENCE_MS 60000

/* What the client sends first; both directions' bytes follow from seed. */
struct order {
	uint64_t seed;
	uint32_t up, down; /* bytes from client to server and back */
};

/* What the server sends after its bytes. */
struct receipt {
	uint64_t digest;
	uint64_t received;
};

/* Byte n depends on content and n alone, however it is cut into chunks. */
struct stream {
	uint64_t content;
	uint64_t left;
	uint64_t digest;
	uint64_t at;
};

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t next_random(uint64_t *state)
{
	return mix(*state += 0x9e3779b97f4a7c15u);
}

static uint64_t digest_bytes(uint64_t digest, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		digest = (digest ^ bytes[i]) * 1099511628211u;
	return digest;
}

static void fill(struct stream *s, unsigned char *bytes, size_t n)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n; i++, s->at++) {
		if (i == 0 || s->at % 8 == 0)
			word = mix(s->content * 0x9e3779b97f4a7c15u + s->at / 8);
		bytes[i] = (unsigned char)(word >> (s->at % 8 * 8));
	}
	s->digest = digest_bytes(s->digest, bytes, n);
}

/* errno is ETIME where nothing came. */
static bool ready(int fd, short events, short *got)
{
	struct pollfd p = {.fd = fd, .events = events};
	int r = poll(&p, 1, PATIENCE_MS);

	if (r == 0)
		errno = ETIME;
	*got = p.revents;
	return r > 0;
}

static bool send_all(int fd, const void *data, size_t n)
{
	const char *at = data;

	while (n) {
		ssize_t r = send(fd, at, n, MSG_NOSIGNAL);

		if (r <= 0)
			return false;
		at += r;
		n -= (size_t)r;
	}
	return true;
}

static bool receive_all(int fd, void *data, size_t n)
{
	char *at = data;

	while (n) {
		short got;
		ssize_t r;

		if (!ready(fd, POLLIN, &got) || (r = recv(fd, at, n, 0)) <= 0)
			return false;
		at += r;
		n -= (size_t)r;
	}
	return true;
}

struct talk {
	int fd;
	uint64_t chunks; /* generator of chunk sizes */
	struct stream out;
	unsigned char *buffer; /* CHUNK_MAX bytes */
	size_t filled, sent;   /* of buffer */
	uint64_t in_digest, in_count, in_limit;
	bool in_ended;
};

static size_t chunk(struct talk *t)
{
	uint64_t r = next_random(&t->chunks);
	static const unsigned limits[] = {1, 16, 1500, 16384, CHUNK_MAX};

	return 1 + (r >> 8) % limits[r % 5];
}

static bool push(struct talk *t)
{
	ssize_t n;

	if (t->sent == t->filled) {
		t->filled = chunk(t);
		if (t->filled > t->out.left)
			t->filled = (size_t)t->out.left;
		fill(&t->out, t->buffer, t->filled);
		t->out.left -= t->filled;
		t->sent = 0;
	}
	n = send(t->fd, t->buffer + t->sent, t->filled - t->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		t->sent += (size_t)n;
	return n > 0;
}

static bool pull(struct talk *t)
{
	unsigned char bytes[3000];
	size_t want = chunk(t);
	ssize_t n;

	if (want > sizeof bytes)
		want = sizeof bytes;
	if (want > t->in_limit - t->in_count)
		want = (size_t)(t->in_limit - t->in_count);
	n = recv(t->fd, bytes, want, 0);
	if (n < 0)
		return false;
	t->in_ended = n == 0;
	t->in_digest = digest_bytes(t->in_digest, bytes, (size_t)n);
	t->in_count += (size_t)n;
	return true;
}

static bool has_output(const struct talk *t)
{
	return t->out.left || t->sent < t->filled;
}

static bool wants_input(const struct talk *t)
{
	return !t->in_ended && t->in_count < t->in_limit;
}

/* Both directions at once until everything is out and in. half_close: shut the sending side when all is out. */
static bool exchange(struct talk *t, bool half_close)
{
	bool closed = false;

	while (has_output(t) || wants_input(t)) {
		short events = (short)((has_output(t) ? POLLOUT : 0) | (wants_input(t) ? POLLIN : 0)), got;

		if (!ready(t->fd, events, &got))
			return false;
		if ((got & (POLLIN | POLLHUP | POLLERR)) && wants_input(t) && !pull(t))
			return false;
		if ((got & POLLOUT) && has_output(t) && !push(t))
			return false;
		if (half_close && !closed && !has_output(t)) {
			closed = true;
			if (shutdown(t->fd, SHUT_WR))
				return false;
		}
	}
	return closed || !half_close || shutdown(t->fd, SHUT_WR) == 0;
}

#define DIGEST_BASIS 14695981039346656037u

/* Of each thread: too large for its stack. */
static _Thread_local unsigned char chunk_space[CHUNK_MAX];

static void begin(struct talk *t, int fd, uint64_t content, uint64_t out, uint64_t in)
{
	t->fd = fd;
	t->buffer = chunk_space;
	t->chunks = content ^ 0x5555;
	t->out = (struct stream){.content = content, .left = out, .digest = DIGEST_BASIS};
	t->filled = t->sent = 0;
	t->in_digest = DIGEST_BASIS;
	t->in_count = 0;
	t->in_limit = in;
	t->in_ended = false;
}

/* The digest of what the other side must have sent. */
static uint64_t expected(uint64_t content, uint64_t n)
{
	struct talk t;

	begin(&t, -1, content, n, 0);
	while (t.out.left) {
		size_t size = chunk(&t);

		if (size > t.out.left)
			size = (size_t)t.out.left;
		fill(&t.out, t.buffer, size);
		t.out.left -= size;
	}
	return t.out.digest;
}

static uint32_t random_size(uint64_t *state, enum run_size size)
{
	uint64_t r = next_random(state);
	unsigned bits = (unsigned)(r % (size == RUN_LARGE ? 24 : 17));

	return (uint32_t)((r >> 8) & ((UINT64_C(1) << bits) - 1));
}

/* What the client found, of each thread, until its next conversation. */
static const char *broke_off(const struct talk *t)
{
	static _Thread_local char text[128];
	int error = errno;

	snprintf(text, sizeof text, "the exchange broke off (%s): %zu bytes to send, %zu to receive%s", strerror(error),
		(size_t)t->out.left + t->filled - t->sent, (size_t)(t->in_limit - t->in_count),
		t->in_ended ? ", where the stream had ended" : "");
	return text;
}

const char *rounds_ask(int fd, uint64_t seed, enum run_size size, uint64_t *bytes)
{
	struct order order = {.seed = seed};
	struct receipt receipt;
	uint64_t state = seed;
	struct talk t;
	char rest;

	order.up = random_size(&state, size);
	order.down = random_size(&state, size);
	if (!send_all(fd, &order, sizeof order))
		return "the order was not sent";
	begin(&t, fd, seed * 2, order.up, order.down);
	if (!exchange(&t, true))
		return broke_off(&t);
	if (t.in_count != order.down)
		return "too few bytes came";
	if (t.in_digest != expected(seed * 2 + 1, order.down))
		return "other bytes came than were sent";
	if (!receive_all(fd, &receipt, sizeof receipt))
		return "no receipt came";
	if (receipt.received != order.up)
		return "the server received another number of bytes";
	if (receipt.digest != t.out.digest)
		return "the server received other bytes";
	if (recv(fd, &rest, 1, 0) != 0)
		return "no end of the stream after the receipt";
	*bytes = (uint64_t)order.up + order.down;
	return NULL;
}

const char *rounds_serve(int fd)
{
	struct receipt receipt;
	struct order order;
	struct talk t;
	char rest;

	if (!receive_all(fd, &order, sizeof order))
		return "no order came";
	begin(&t, fd, order.seed * 2 + 1, order.down, order.up);
	if (!exchange(&t, false))
		return broke_off(&t);
	if (recv(fd, &rest, 1, 0) != 0)
		return "no half-close behind the bytes";
	receipt.digest = t.in_digest;
	receipt.received = t.in_count;
	if (!send_all(fd, &receipt, sizeof receipt))
		return "the receipt was not sent";
	if (shutdown(fd, SHUT_WR))
		return "no end after the receipt";
	/* close() of an SMC-R socket loses what the peer has not taken: wait for its end. */
	return ready(fd, POLLHUP | POLLRDHUP, &(short){0}) ? NULL : "the client's end did not come";
}
