/* SPDX-License-Identifier: MIT */
/* One request of HTTP/1.1 on standard input, as a TLS front starts a program for each connection. */
#ifndef SMCSHIM_CTL_POD_WEBHOOK_H
#define SMCSHIM_CTL_POD_WEBHOOK_H

#include "ctl/http.h"

/* The API server may send a bearer token; it sends at most 3 MiB (its limit for a request), and the object twice at an update. */
#define WEBHOOK_HEAD_MAX 16384u
#define WEBHOOK_BODY_MAX ((uint64_t)8 << 20)

/*
 * Reads a GET or POST within the seconds. *body is the caller's to free: head->length bytes, with a NUL behind them.
 * Returns 0; the status that refuses it (400, 405, 408, 411, 413); or -errno (-EPIPE: the client closed without a word).
 */
_must_check_ int webhook_read(int in, int out, unsigned seconds, struct http_head *head, char **body);

/* The text of a status code. */
const char *webhook_reason(int status);

#endif
