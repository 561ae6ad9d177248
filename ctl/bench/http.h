/* SPDX-License-Identifier: MIT */
/* The head of an HTTP/1 message (RFC 9112), as far as a benchmark's two ends need it. Pure: bytes in, numbers out. */
#ifndef SMCSHIM_CTL_BENCH_HTTP_H
#define SMCSHIM_CTL_BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/util.h"

/* A longer head is refused. */
#define HTTP_HEAD_MAX 4096u

struct http_head {
	size_t size;     /* of the head with its empty line */
	unsigned status; /* of a response */
	bool get;        /* of a request: GET or HEAD; what else there is has a body that is echoed */
	bool head;
	const char *target; /* of a request; not terminated */
	size_t target_size;
	bool has_length;
	uint64_t length;
	bool chunked; /* some transfer coding: the body's length is not told */
	bool close;   /* the connection ends after this message */
};

/*
 * Reads the head at the beginning of text. Returns 1 with *out filled, 0 when it is not complete yet, -EBADMSG when it is
 * none, -EMSGSIZE when HTTP_HEAD_MAX bytes were not enough.
 */
_must_check_ int http_request(const char *text, size_t size, struct http_head *out);
_must_check_ int http_response(const char *text, size_t size, struct http_head *out);

/* How text begins: 1: as a request of HTTP; 0: too short to tell; -1: otherwise. */
int http_looks_like_request(const char *text, size_t size);

#endif
