/* SPDX-License-Identifier: MIT */
/* Reads one request of HTTP: bounded in size and time, nothing but what a webhook is sent. */
#include "config.h"

#include "ctl/pod/http.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *http_reason(int status)
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

/* The value of a header line, or NULL when it is not that header. */
static const char *value_of(const char *line, const char *name)
{
	size_t length = strlen(name);

	if (strncasecmp(line, name, length) != 0 || line[length] != ':')
		return NULL;
	return line + length + 1 + strspn(line + length + 1, " \t");
}

static int parse_length(const char *value, size_t *out)
{
	char digits[16] = "";
	size_t length = strspn(value, "0123456789");
	uint64_t number;

	if (!length || strspn(value + length, " \t\r") != strcspn(value + length, "\n"))
		return 400;
	if (length >= sizeof(digits))
		return 413;
	memcpy(digits, value, length);
	if (text_to_uint(digits, 0, HTTP_BODY_MAX, &number) < 0)
		return 413;
	*out = (size_t)number;
	return 0;
}

int http_parse(const char *head, size_t length, struct http_request *out)
{
	bool has_length = false;
	const char *line = head;

	*out = (struct http_request){.method = HTTP_GET};
	if (strlen(head) != length)
		return 400;
	if (starts_with(head, "POST /"))
		out->method = HTTP_POST;
	else if (!starts_with(head, "GET /"))
		return 405;
	while ((line = strchr(line, '\n')) && *++line) {
		const char *value = value_of(line, "Content-Length");

		if (value) {
			size_t before = out->body;
			int r = parse_length(value, &out->body);

			if (r || (has_length && before != out->body))
				return r ? r : 400;
			has_length = true;
		}
		value = value_of(line, "Expect");
		out->expects = out->expects || (value && strncasecmp(value, "100-continue", 12) == 0);
		/* RFC 9112, section 6.3: a body of unknown length; Go's client sends none for bytes in memory. */
		if (value_of(line, "Transfer-Encoding"))
			return 411;
	}
	if (out->method == HTTP_POST && !has_length)
		return 411;
	return 0;
}

/* Waits for more bytes until the end. Returns the number read, 0 at the end of input, 408, or -errno; never more than size. */
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

/* Reads until the empty line. *used counts the bytes read, of which *head are the head. Returns 0, a status, or -errno. */
static int read_head(int in, int64_t end, char *buffer, size_t *used, size_t *head)
{
	*used = 0;
	for (;;) {
		const char *empty;
		int n;

		if (*used >= HTTP_HEAD_MAX)
			return 413;
		n = read_some(in, buffer + *used, HTTP_HEAD_MAX - *used, end);
		if (n == -ETIMEDOUT)
			return 408;
		if (n <= 0)
			return n < 0 ? n : *used ? 400 : -EPIPE;
		*used += (size_t)n;
		buffer[*used] = '\0';
		empty = memmem(buffer, *used, "\r\n\r\n", 4);
		if (empty) {
			*head = (size_t)(empty - buffer) + 4;
			return 0;
		}
	}
}

int http_read(int in, int out, unsigned seconds, struct http_request *request, char **body)
{
	_cleanup_free_ char *buffer = malloc(HTTP_HEAD_MAX + 1);
	_cleanup_free_ char *text = NULL;
	int64_t end = monotonic_ms() + (int64_t)seconds * 1000;
	size_t used = 0;
	size_t head = 0;
	size_t have;
	char *first;
	int r = buffer ? read_head(in, end, buffer, &used, &head) : -ENOMEM;

	if (r != 0)
		return r;
	first = strndup(buffer, head);
	if (!first)
		return -ENOMEM;
	r = http_parse(first, head, request);
	free(first);
	if (r != 0)
		return r;
	text = calloc(1, request->body + 1);
	if (!text)
		return -ENOMEM;
	have = used - head < request->body ? used - head : request->body;
	memcpy(text, buffer + head, have);
	if (request->expects && have < request->body)
		r = write_all(out, "HTTP/1.1 100 Continue\r\n\r\n");
	while (r == 0 && have < request->body) {
		int n = read_some(in, text + have, request->body - have, end);

		if (n <= 0)
			return n == -ETIMEDOUT ? 408 : n < 0 ? n : 400;
		have += (size_t)n;
	}
	if (r == 0)
		*body = take(text);
	return r;
}
