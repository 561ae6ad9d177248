/* SPDX-License-Identifier: MIT */
/* Reads one request of HTTP: bounded in size and time, nothing but what a webhook is sent. */
#include "config.h"

#include "ctl/pod/webhook.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

const char *webhook_reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 411:
		return "Length Required";
	case 413:
		return "Content Too Large";
	default:
		return "Internal Server Error";
	}
}

/* The status that refuses a request, or 0. */
static int judge(const struct http_head *head)
{
	if (head->method != HTTP_GET && head->method != HTTP_POST)
		return 405;
	/* RFC 9112, section 6.3: a body of unknown length; Go's client sends none for bytes in memory. */
	if (head->chunked || (head->method == HTTP_POST && !head->has_length))
		return 411;
	return head->length > WEBHOOK_BODY_MAX ? 413 : 0;
}

/* Waits for more bytes until the end. Returns the number read, 0 at the end of input, or -errno; never more than size. */
static int read_some(int fd, char *to, size_t size, int64_t end)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	for (;;) {
		int64_t left = end - monotonic_ms();
		int r = poll(&wait, 1, left > 0 ? (int)left : 0);
		ssize_t n;

		if (r == 0)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r < 0)
			continue;
		n = read(fd, to, size);
		if (n >= 0)
			return (int)n;
		if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
}

/* Reads until the empty line, and counts the bytes in *used. Returns 0, a status, or -errno. */
static int read_head(int in, int64_t end, char buffer[static WEBHOOK_HEAD_MAX], size_t *used, struct http_head *head)
{
	*used = 0;
	for (;;) {
		int n = read_some(in, buffer + *used, WEBHOOK_HEAD_MAX - *used, end);

		if (n == -ETIMEDOUT)
			return 408;
		if (n <= 0)
			return n < 0 ? n : *used ? 400 : -EPIPE;
		*used += (size_t)n;
		n = http_request(buffer, *used, WEBHOOK_HEAD_MAX, head);
		if (n == -EMSGSIZE)
			return 413;
		if (n < 0)
			return http_looks_like_request(buffer, *used) < 0 ? 405 : 400;
		if (n > 0)
			return judge(head);
	}
}

int webhook_read(int in, int out, unsigned seconds, struct http_head *head, char **body)
{
	_cleanup_free_ char *buffer = malloc(WEBHOOK_HEAD_MAX);
	_cleanup_free_ char *text = NULL;
	int64_t end = monotonic_ms() + (int64_t)seconds * 1000;
	size_t used = 0;
	size_t size;
	size_t have;
	int r = buffer ? read_head(in, end, buffer, &used, head) : -ENOMEM;

	if (r != 0)
		return r;
	size = (size_t)head->length;
	text = calloc(1, size + 1);
	if (!text)
		return -ENOMEM;
	have = used - head->size < size ? used - head->size : size;
	memcpy(text, buffer + head->size, have);
	if (head->expects && have < size)
		r = write_all(out, "HTTP/1.1 100 Continue\r\n\r\n");
	while (r == 0 && have < size) {
		int n = read_some(in, text + have, size - have, end);

		if (n <= 0)
			return n == -ETIMEDOUT ? 408 : n < 0 ? n : 400;
		have += (size_t)n;
	}
	/* It stands in the buffer, which is no more. */
	head->target = NULL;
	if (r == 0)
		*body = take(text);
	return r;
}
