/* SPDX-License-Identifier: MIT */
/* Asks the server for its status, within a time limit, and believes nothing that is not well-formed. */
#include "config.h"

#include "ctl/bench/status.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "ctl/bench/protocol.h"
#include "ctl/bench/socket.h"
#include "ctl/http.h"
#include "ctl/smc/socket.h"

static uint64_t value_of(const char *text, const char *key)
{
	size_t length = strlen(key);
	char number[24] = "";
	uint64_t value = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, length) == 0 && line[length] == ' ') {
			size_t digits = strcspn(line + length + 1, "\n");

			if (digits >= sizeof(number))
				return 0;
			memcpy(number, line + length + 1, digits);
			return text_to_uint(number, 0, UINT64_MAX, &value) < 0 ? 0 : value;
		}
	}
	return 0;
}

int status_parse(const char *text, size_t size, struct status *out)
{
	char copy[600] = "";
	uint64_t port;

	if (size >= sizeof(copy) || size < strlen(BENCH_STATUS_FIRST) ||
		memcmp(text, BENCH_STATUS_FIRST, strlen(BENCH_STATUS_FIRST)) != 0)
		return -ENOENT;
	memcpy(copy, text, size);
	port = value_of(copy, BENCH_STATUS_TCP_PORT);
	*out = (struct status){.cpu = value_of(copy, BENCH_STATUS_CPU),
		.accepted = {value_of(copy, BENCH_STATUS_TCP), value_of(copy, BENCH_STATUS_SMC)},
		.tcp_port = port <= UINT16_MAX ? (uint16_t)port : 0,
		.smc_listener = value_of(copy, BENCH_STATUS_LISTENER) == 1};
	return 0;
}

/* Waits. Returns 0, or -ETIMEDOUT. */
static int wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd ready = {.fd = fd, .events = events};

	for (;;) {
		uint64_t now = bench_now();
		int n;

		if (now >= deadline)
			return -ETIMEDOUT;
		n = poll(&ready, 1, (int)((deadline - now) / 1000000) + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int open_link(struct status_link *link, uint64_t deadline)
{
	_cleanup_close_ int fd = bench_socket(BENCH_TCP, link->to.ss_family);
	int r;

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&link->to, link->length) < 0 && errno != EINPROGRESS)
		return -errno;
	r = wait_for(fd, POLLOUT, deadline);
	if (r == 0)
		r = smc_connected(fd);
	if (r < 0)
		return r;
	if (r == 0)
		return -ETIMEDOUT;
	link->fd = take_fd(fd);
	return 0;
}

/* The answer, at most size bytes of it. Returns 0 or -ENOENT. */
static int read_answer(int fd, uint64_t deadline, struct status *out)
{
	char text[2048];
	struct http_head head;
	size_t have = 0;

	while (have < sizeof(text)) {
		ssize_t n;
		int r;

		if (wait_for(fd, POLLIN, deadline) < 0)
			return -ENOENT;
		n = recv(fd, text + have, sizeof(text) - have, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return -ENOENT;
		have += (size_t)n;
		r = http_response(text, have, sizeof(text), &head);
		if (r < 0 || (r > 0 && (head.status != 200 || !head.has_length || head.length > sizeof(text))))
			return -ENOENT;
		if (r > 0 && have >= head.size + head.length)
			return status_parse(text + head.size, (size_t)head.length, out);
	}
	return -ENOENT;
}

int status_ask(struct status_link *link, struct status *out)
{
	static const char request[] = "GET " BENCH_STATUS_PATH " HTTP/1.1\r\nHost: smcctl\r\n\r\n";
	uint64_t deadline = bench_now() + link->limit;
	int r = -ENOENT;

	if (link->fd < 0) {
		r = open_link(link, deadline);
		if (r < 0)
			return r;
	}
	if (send(link->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == (ssize_t)(sizeof(request) - 1))
		r = read_answer(link->fd, deadline, out);
	else
		r = -ENOENT;
	if (r < 0) {
		close(link->fd);
		link->fd = -1;
	}
	return r;
}
