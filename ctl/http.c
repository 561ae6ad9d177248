/* SPDX-License-Identifier: MIT */
/* Reads heads of HTTP messages, whatever their bytes are. */
#include "config.h"

#include "ctl/http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const char *const methods[] = {
	[HTTP_GET] = "GET ", [HTTP_HEAD] = "HEAD ", [HTTP_POST] = "POST ", [HTTP_PUT] = "PUT "};
#define METHODS (sizeof(methods) / sizeof(methods[0]))

int http_looks_like_request(const char *text, size_t size)
{
	int answer = -1;

	for (size_t i = 0; i < METHODS; i++) {
		size_t length = strlen(methods[i]);

		if (size >= length && memcmp(text, methods[i], length) == 0)
			return 1;
		if (size < length && memcmp(text, methods[i], size) == 0)
			answer = 0;
	}
	return answer;
}

/* The value of a field behind "NAME:", without blanks around it; NULL when the line is another field. */
static const char *field(const char *line, size_t size, const char *name, size_t *length)
{
	size_t n = strlen(name);

	if (size <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return NULL;
	for (n++; n < size && (line[n] == ' ' || line[n] == '\t'); n++)
		;
	while (size > n && (line[size - 1] == ' ' || line[size - 1] == '\t'))
		size--;
	*length = size - n;
	return line + n;
}

static int take_length(const char *value, size_t size, struct http_head *out)
{
	char digits[20] = "";
	uint64_t length;

	if (!size || size >= sizeof(digits))
		return -EBADMSG;
	memcpy(digits, value, size);
	if (text_to_uint(digits, 0, INT64_MAX, &length) < 0 || (out->has_length && out->length != length))
		return -EBADMSG;
	out->has_length = true;
	out->length = length;
	return 0;
}

static int take_field(const char *line, size_t size, struct http_head *out)
{
	size_t length;
	const char *value = field(line, size, "Content-Length", &length);

	if (value)
		return take_length(value, length, out);
	if (field(line, size, "Transfer-Encoding", &length))
		out->chunked = true;
	value = field(line, size, "Connection", &length);
	if (value && length == 5 && strncasecmp(value, "close", 5) == 0)
		out->close = true;
	if (value && length == 10 && strncasecmp(value, "keep-alive", 10) == 0)
		out->close = false;
	value = field(line, size, "Expect", &length);
	if (value && length == 12 && strncasecmp(value, "100-continue", 12) == 0)
		out->expects = true;
	return 0;
}

/* "HTTP/1.1 200 OK" */
static int take_status(const char *line, size_t size, struct http_head *out)
{
	if (size < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return -EBADMSG;
	for (size_t i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -EBADMSG;
		out->status = out->status * 10 + (unsigned)(line[i] - '0');
	}
	out->close = line[7] == '0';
	return 0;
}

/* "POST /echo HTTP/1.1" */
static int take_request(const char *line, size_t size, struct http_head *out)
{
	const char *target = memchr(line, ' ', size);
	const char *version = memrchr(line, ' ', size);

	if (http_looks_like_request(line, size) <= 0 || !version || version == target ||
		(size_t)(line + size - version) != 9 || memcmp(version, " HTTP/1.", 8) != 0)
		return -EBADMSG;
	out->target = target + 1;
	out->target_size = (size_t)(version - target - 1);
	for (unsigned i = 0; i < METHODS; i++)
		if (memcmp(line, methods[i], strlen(methods[i])) == 0)
			out->method = (enum http_method)i;
	out->close = version[8] == '0';
	return 0;
}

static int parse(const char *text, size_t size, size_t max, int (*first)(const char *, size_t, struct http_head *),
	struct http_head *out)
{
	const char *end;
	const char *line = text;
	int r;

	if (size > max)
		size = max;
	end = memmem(text, size, "\r\n\r\n", 4);
	if (!end)
		return size == max ? -EMSGSIZE : 0;
	*out = (struct http_head){.size = (size_t)(end - text) + 4};
	do {
		const char *next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		size_t length;

		/* There is one: the end of the head begins with it. */
		if (!next)
			return -EBADMSG;
		length = (size_t)(next - line);
		r = line == text ? first(line, length, out) : take_field(line, length, out);
		if (r < 0)
			return r;
		line = next + 2;
	} while (line < end);
	return 1;
}

int http_request(const char *text, size_t size, size_t max, struct http_head *out)
{
	return parse(text, size, max, take_request, out);
}

int http_response(const char *text, size_t size, size_t max, struct http_head *out)
{
	return parse(text, size, max, take_status, out);
}
