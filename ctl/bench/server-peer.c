/* SPDX-License-Identifier: MIT */
/* One connection of the server: its first bytes choose what it does; no allocation for a request. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ctl/bench/protocol.h"
#include "ctl/bench/server.h"
#include "ctl/http.h"

enum kind {
	KIND_NEW = 0,
	KIND_ECHO,
	KIND_ONCE, /* left bytes come back, then it is closed */
	KIND_SINK, /* block bytes are acknowledged; left of them are to come */
	KIND_HTTP_HEAD,
	KIND_HTTP_BODY, /* left bytes come back */
};

struct peer {
	int fd;
	enum kind kind;
	bool closing; /* once all is written */
	bool blocked; /* waits until it can be written, and reads nothing meanwhile */
	uint64_t left;
	uint64_t block;
	size_t have; /* in in[], not understood yet */
	size_t from; /* what is not written yet is out[from..end) */
	size_t end;
	struct peer *next; /* among the spare ones, or those of the thread */
	struct peer **previous;
	char in[BENCH_HEAD_MAX];
	char out[SERVER_BLOCK + 512];
};

static void end_peer(struct server_thread *thread, struct peer *peer)
{
	close(peer->fd);
	*peer->previous = peer->next;
	if (peer->next)
		peer->next->previous = peer->previous;
	peer->next = thread->spare;
	thread->spare = peer;
}

int peer_new(struct server_thread *thread, int fd)
{
	struct peer *peer = thread->spare;
	struct epoll_event event = {.events = EPOLLIN};

	if (peer)
		thread->spare = peer->next;
	else
		peer = malloc(sizeof(*peer));
	if (!peer) {
		close(fd);
		return -ENOMEM;
	}
	peer->fd = fd;
	peer->kind = KIND_NEW;
	peer->closing = false;
	peer->blocked = false;
	peer->have = 0;
	peer->from = 0;
	peer->end = 0;
	peer->next = thread->peers;
	peer->previous = &thread->peers;
	if (peer->next)
		peer->next->previous = &peer->next;
	thread->peers = peer;
	event.data.ptr = peer;
	if (epoll_ctl(thread->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		int error = errno;

		end_peer(thread, peer);
		return -error;
	}
	return 0;
}

void peers_free(struct server_thread *thread)
{
	while (thread->peers)
		end_peer(thread, thread->peers);
	while (thread->spare) {
		struct peer *peer = thread->spare;

		thread->spare = peer->next;
		free(peer);
	}
}

static void wait_for(const struct server_thread *thread, struct peer *peer, bool blocked)
{
	struct epoll_event event = {.events = blocked ? EPOLLOUT : EPOLLIN, .data.ptr = peer};

	if (peer->blocked == blocked)
		return;
	peer->blocked = blocked;
	(void)epoll_ctl(thread->epoll, EPOLL_CTL_MOD, peer->fd, &event);
}

/* Writes what is there. 1: all of it; 0: it has to wait; -1: the connection is over. */
static int flush(const struct server_thread *thread, struct peer *peer)
{
	while (peer->from < peer->end) {
		ssize_t n = send(peer->fd, peer->out + peer->from, peer->end - peer->from, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -1;
		if (n < 0) {
			wait_for(thread, peer, true);
			return 0;
		}
		peer->from += (size_t)n;
	}
	peer->from = 0;
	peer->end = 0;
	wait_for(thread, peer, false);
	return peer->closing ? -1 : 1;
}

static void put(struct peer *peer, const char *data, size_t size)
{
	memcpy(peer->out + peer->end, data, size);
	peer->end += size;
}

static size_t room(const struct peer *peer)
{
	return SERVER_BLOCK > peer->end ? SERVER_BLOCK - peer->end : 0;
}

static void drop_input(struct peer *peer, size_t size)
{
	peer->have -= size;
	memmove(peer->in, peer->in + size, peer->have);
}

/* "SMCBENCH once 128\n". 1: understood; 0: not complete; -1: neither that nor anything else. */
static int take_preface(struct peer *peer)
{
	const size_t length = strlen(BENCH_PREFACE);
	const char *newline = memchr(peer->in, '\n', peer->have);
	char number[20] = "";
	const char *word = peer->in + length;
	bool once;
	size_t digits;

	if (!newline)
		return peer->have < BENCH_PREFACE_MAX ? 0 : -1;
	digits = (size_t)(newline - word);
	if (digits < 6 || digits - 5 >= sizeof(number))
		return -1;
	once = memcmp(word, BENCH_ONCE, 5) == 0;
	if (!once && memcmp(word, BENCH_SINK, 5) != 0)
		return -1;
	memcpy(number, word + 5, digits - 5);
	if (text_to_uint(number, 1, UINT32_MAX, &peer->left) < 0)
		return -1;
	peer->kind = once ? KIND_ONCE : KIND_SINK;
	peer->block = peer->left;
	drop_input(peer, (size_t)(newline + 1 - peer->in));
	return 1;
}

static int choose(struct peer *peer)
{
	const size_t length = strlen(BENCH_PREFACE);
	int http = http_looks_like_request(peer->in, peer->have);

	if (http > 0) {
		peer->kind = KIND_HTTP_HEAD;
		return 1;
	}
	if (memcmp(peer->in, BENCH_PREFACE, peer->have < length ? peer->have : length) == 0)
		return peer->have < length ? 0 : take_preface(peer);
	if (http == 0)
		return 0;
	peer->kind = KIND_ECHO;
	return 1;
}

static int take_head(const struct server_thread *thread, struct peer *peer)
{
	static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";
	struct http_head head;
	int r;
	int n;

	/* An answer may need as much as is kept for one. */
	if (room(peer) < 1024)
		return 0;
	r = http_request(peer->in, peer->have, sizeof(peer->in), &head);
	if (r < 0 || (r > 0 && head.chunked))
		return -1;
	if (r == 0)
		return 0;
	peer->closing = head.close;
	if (head.method == HTTP_GET || head.method == HTTP_HEAD) {
		if (head.target_size == strlen(BENCH_STATUS_PATH) &&
			memcmp(head.target, BENCH_STATUS_PATH, head.target_size) == 0)
			peer->end += server_status(thread->server, peer->out + peer->end, room(peer));
		else
			put(peer, hello, sizeof(hello) - 1 - (head.method == HTTP_HEAD ? 6 : 0));
	} else {
		n = snprintf(peer->out + peer->end, room(peer), "HTTP/1.1 200 OK\r\nContent-Length: %ju\r\n\r\n",
			(uintmax_t)head.length);
		peer->end += (size_t)n;
		peer->left = head.length;
		/* The body comes first. */
		peer->kind = KIND_HTTP_BODY;
		peer->block = head.close;
		peer->closing = false;
	}
	drop_input(peer, head.size);
	return 1;
}

/* One of left bytes less. */
static void came_back(struct peer *peer, size_t size)
{
	peer->left -= size;
	if (peer->left)
		return;
	if (peer->kind == KIND_ONCE || peer->block)
		peer->closing = true;
	if (peer->kind == KIND_HTTP_BODY)
		peer->kind = KIND_HTTP_HEAD;
}

static void acknowledge(struct peer *peer, size_t size)
{
	while (size) {
		size_t part = size < peer->left ? size : (size_t)peer->left;

		size -= part;
		peer->left -= part;
		if (peer->left)
			continue;
		peer->left = peer->block;
		/* Whoever does not read acknowledgements gets no more of them than fit. */
		if (room(peer))
			peer->out[peer->end++] = BENCH_ACKNOWLEDGEMENT;
	}
}

/* Understands what lies in in[]. 1: as far as it goes; -1: the connection is over. */
static int digest(const struct server_thread *thread, struct peer *peer)
{
	while (peer->have && !peer->closing) {
		size_t size = peer->have < room(peer) ? peer->have : room(peer);
		int r = 1;

		switch (peer->kind) {
		case KIND_NEW:
			r = choose(peer);
			break;
		case KIND_HTTP_HEAD:
			r = take_head(thread, peer);
			break;
		case KIND_SINK:
			acknowledge(peer, peer->have);
			peer->have = 0;
			break;
		case KIND_ONCE:
		case KIND_HTTP_BODY:
			if (size > peer->left)
				size = (size_t)peer->left;
			__attribute__((fallthrough));
		case KIND_ECHO:
			put(peer, peer->in, size);
			drop_input(peer, size);
			if (peer->kind != KIND_ECHO)
				came_back(peer, size);
			r = size != 0 || peer->kind == KIND_HTTP_HEAD;
			break;
		}
		if (r <= 0)
			return r < 0 ? -1 : 1;
	}
	/* A body of no bytes is complete at once. */
	if (peer->kind == KIND_HTTP_BODY && !peer->left)
		came_back(peer, 0);
	return 1;
}

/* Reads once, into where it is wanted. 1: something came; 0: nothing for now; -1: the connection is over. */
static int fill(const struct server_thread *thread, struct peer *peer)
{
	char *to = peer->in + peer->have;
	size_t size = sizeof(peer->in) - peer->have;
	ssize_t n;

	if (peer->kind == KIND_SINK) {
		to = thread->block;
		size = SERVER_SINK_BLOCK;
	} else if (peer->kind != KIND_NEW && peer->kind != KIND_HTTP_HEAD) {
		/* What comes back is read where it is written from. */
		to = peer->out + peer->end;
		size = room(peer);
		if (peer->kind != KIND_ECHO && size > peer->left)
			size = (size_t)peer->left;
	}
	if (!size)
		return 0;
	n = recv(peer->fd, to, size, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	if (to == thread->block) {
		acknowledge(peer, (size_t)n);
	} else if (to == peer->in + peer->have) {
		peer->have += (size_t)n;
	} else {
		peer->end += (size_t)n;
		if (peer->kind != KIND_ECHO)
			came_back(peer, (size_t)n);
	}
	return 1;
}

/* What came and is not answered yet, as far as answers can be written. */
static int answer(const struct server_thread *thread, struct peer *peer)
{
	size_t before;
	int r;

	do {
		before = peer->have;
		r = digest(thread, peer);
		if (r > 0)
			r = flush(thread, peer);
	} while (r > 0 && peer->have && peer->have != before);
	return r;
}

void peer_event(struct server_thread *thread, struct peer *peer, uint32_t events)
{
	int r = flush(thread, peer);

	if (r > 0 && peer->have)
		r = answer(thread, peer);
	/* One share each: a peer that sends without end does not starve the others. */
	if (r > 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
		r = fill(thread, peer);
		if (r > 0)
			r = answer(thread, peer);
	}
	if (r < 0)
		end_peer(thread, peer);
}
