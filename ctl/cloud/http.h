/* SPDX-License-Identifier: MIT */
/* One HTTP request on libcurl: no redirects, no foreign schemes, a bounded reply. The only file that knows libcurl. */
#ifndef SMCSHIM_CTL_CLOUD_HTTP_H
#define SMCSHIM_CTL_CLOUD_HTTP_H

#include "ctl/util.h"

/* The largest reply that is taken: a page of 100 objects is below 1 MiB. */
#define HTTP_REPLY_MAX (8u << 20)

struct http;

struct http_request {
	const char *method; /* "GET", "POST" or "PUT" */
	const char *url;
	const char *const *headers; /* "Name: value", NULL behind the last */
	const char *body;           /* NULL: none */
	long connect_ms;
	long timeout_ms;     /* of all of it */
	bool direct;         /* past any proxy: the metadata service */
	const char *connect; /* "host:port" to connect to instead, past any proxy; NULL: to the URL's */
};

struct http_reply {
	long status;
	char *body; /* with a NUL behind it; wiped when freed */
	size_t size;
	char request_id[64];
	char date[40];
	long retry_after;  /* x-acs-retry-after, 0: none */
	char problem[256]; /* why there is no reply, in words */
};

#define _cleanup_http_ _cleanup_(http_close)
#define _cleanup_http_reply_ _cleanup_(http_reply_clear)

/* Returns 0 or -ENOMEM. */
_must_check_ int http_open(struct http **out);
void http_close(struct http **http);
void http_reply_clear(struct http_reply *reply);

/* Takes a header line of the reply, which need not end; those that mean nothing here are passed over. */
void http_reply_header(struct http_reply *reply, const char *line, size_t length);

/*
 * Sends the request and takes the reply, whatever its status. Returns 0; -ECOMM (transport: the request may or may not
 * have had its effect), -EPROTO (certificate, scheme, reply too large: no retry helps) or -ENOMEM. reply->problem says
 * why; reply is to be cleared either way.
 */
_must_check_ int http_do(struct http *http, const struct http_request *request, struct http_reply *reply);

#endif
