/* SPDX-License-Identifier: MIT */
/* The head of an HTTP/1 message (RFC 9112), as far as a benchmark and a webhook need it. Pure: bytes in, numbers out. */
#ifndef SMCSHIM_CTL_HTTP_H
#define SMCSHIM_CTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/util.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT };

struct http_head {
	size_t size;             /* of the head with its empty line */
	unsigned status;         /* of a response */
	enum http_method method; /* of a request */
	const char *target;      /* of a request; not terminated */
	size_t target_size;
	bool has_length;
	uint64_t length;
	bool chunked; /* some transfer coding: the body's length is not told */
	bool close;   /* the connection ends after this message */
	bool expects; /* the client sends no body before "100 Continue" */
};

/*
 * Reads the head at the beginning of text. Returns 1 with *out filled, 0 when it is not complete yet, -EBADMSG when it is
 * none, -EMSGSIZE when max bytes were not enough.
 */
_must_check_ int http_request(const char *text, size_t size, size_t max, struct http_head *out);
_must_check_ int http_response(const char *text, size_t size, size_t max, struct http_head *out);

/* How text begins: 1: as a request of HTTP with a method that is known; 0: too short to tell; -1: otherwise. */
int http_looks_like_request(const char *text, size_t size);

#endif
