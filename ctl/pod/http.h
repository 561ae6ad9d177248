/* SPDX-License-Identifier: MIT */
/* One request of HTTP/1.1 (RFC 9112) on standard input, as a TLS front starts a program for each connection. */
#ifndef SMCSHIM_CTL_POD_HTTP_H
#define SMCSHIM_CTL_POD_HTTP_H

#include <stddef.h>

#include "ctl/util.h"

/* The API server sends at most 3 MiB (its limit for a request) and the object twice at an update. */
#define HTTP_HEAD_MAX 16384u
#define HTTP_BODY_MAX ((size_t)8 << 20)

enum http_method { HTTP_GET, HTTP_POST };

struct http_request {
	enum http_method method;
	size_t body;  /* bytes that follow the head */
	bool expects; /* the client waits for "100 Continue" */
};

/*
 * Reads a head of length bytes, the empty line included. Returns 0, or the status code of the answer that refuses it:
 * 400, 405, 411, 413.
 */
_must_check_ int http_parse(const char *head, size_t length, struct http_request *out);

/*
 * Reads a request within the seconds. *body is the caller's to free, with a NUL behind it. Returns 0, a status code as
 * above or 408, or -errno (-EPIPE: the client closed without a word).
 */
_must_check_ int http_read(int in, int out, unsigned seconds, struct http_request *request, char **body);

/* The text of a status code. */
const char *http_reason(int status);

#endif
