/* SPDX-License-Identifier: MIT */
/* HTTP on libcurl. */
#include "config.h"

#include "ctl/cloud/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "ctl/cloud/secret.h"

struct http {
	CURL *curl;
};

int http_open(struct http **out)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return -ENOMEM;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		http->curl = curl_easy_init();
	if (!http->curl) {
		free(http);
		return -ENOMEM;
	}
	*out = http;
	return 0;
}

void http_close(struct http **http)
{
	if (!*http)
		return;
	curl_easy_cleanup((*http)->curl);
	curl_global_cleanup();
	free(*http);
	*http = NULL;
}

void http_reply_clear(struct http_reply *reply)
{
	if (reply->body)
		explicit_bzero(reply->body, reply->size);
	free(reply->body);
	*reply = (struct http_reply){.status = 0};
}

/* What libcurl hands its body to. */
struct sink {
	struct http_reply *reply;
	size_t room;
};

static size_t take_body(char *data, size_t one, size_t size, void *to)
{
	struct sink *sink = to;
	struct http_reply *reply = sink->reply;

	(void)one;
	if (size > HTTP_REPLY_MAX - reply->size)
		return 0;
	if (reply->size + size + 1 > sink->room) {
		size_t room = (reply->size + size + 1) * 2;
		/* Not realloc(): a reply may hold a secret, and what it leaves behind could not be wiped. */
		char *larger = malloc(room);

		if (!larger)
			return 0;
		if (reply->body)
			memcpy(larger, reply->body, reply->size);
		secret_free(reply->body);
		reply->body = larger;
		sink->room = room;
	}
	memcpy(reply->body + reply->size, data, size);
	reply->size += size;
	reply->body[reply->size] = '\0';
	return size;
}

/* Copies the value of a header line "name: value\r\n" when it is the named one. */
static bool take_header(const char *line, size_t length, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);

	if (length <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return false;
	line += n + 1;
	length -= n + 1;
	while (length && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	while (length && strchr("\r\n \t", line[length - 1]))
		length--;
	if (length >= size)
		length = size - 1;
	memcpy(out, line, length);
	out[length] = '\0';
	return true;
}

void http_reply_header(struct http_reply *reply, const char *line, size_t length)
{
	char number[16] = "";
	uint64_t value;

	(void)take_header(line, length, "x-acs-request-id", reply->request_id, sizeof(reply->request_id));
	(void)take_header(line, length, "date", reply->date, sizeof(reply->date));
	if (take_header(line, length, "x-acs-retry-after", number, sizeof(number)) &&
		text_to_uint(number, 0, 3600000, &value) == 0)
		reply->retry_after = (long)value;
}

static size_t take_headers(char *line, size_t one, size_t length, void *to)
{
	(void)one;
	http_reply_header(to, line, length);
	return length;
}

/* The option by words came with 7.85, and deprecates that by bits, which is all that the 8 series of distributions has. */
static CURLcode allow_scheme(CURL *curl, bool plain)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
#else
	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS, plain ? (long)CURLPROTO_HTTP : (long)CURLPROTO_HTTPS);
#endif
}

static int set_up(CURL *curl, const struct http_request *request, struct curl_slist *headers,
	struct curl_slist *elsewhere, struct sink *sink)
{
	bool plain = starts_with(request->url, "http://");
	CURLcode r = CURLE_OK;

	curl_easy_reset(curl);
	r |= curl_easy_setopt(curl, CURLOPT_URL, request->url);
	r |= allow_scheme(curl, plain);
	/* A redirect would carry the signed request, and with it the token, to somebody else. */
	r |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	/*
	 * On a connection that was used before, libcurl sends a request again by itself when the peer closes without an
	 * answer: the same nonce twice, and worse, an action twice that has no token. A new connection gets one attempt.
	 */
	r |= curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
	r |= curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	r |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	r |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, request->connect_ms);
	r |= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
	r |= curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	r |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	r |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
	r |= curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_headers);
	r |= curl_easy_setopt(curl, CURLOPT_HEADERDATA, sink->reply);
	r |= curl_easy_setopt(curl, CURLOPT_CONNECT_TO, elsewhere);
	if (request->direct || elsewhere)
		r |= curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	if (strcmp(request->method, "POST") == 0) {
		const char *body = request->body ? request->body : "";

		r |= curl_easy_setopt(curl, CURLOPT_POST, 1L);
		r |= curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
		r |= curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body);
	} else if (strcmp(request->method, "GET") != 0) {
		r |= curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	}
	return r == CURLE_OK ? 0 : -ENOMEM;
}

/* What no second attempt can mend. */
static bool is_final(CURLcode code)
{
	/* A number of its own until 7.62. */
	if (code == CURLE_SSL_CACERT)
		return true;
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_WRITE_ERROR: /* ours: too large, or no memory for it */
		return true;
	default:
		return false;
	}
}

/* "::HOST:PORT": whatever host and port the URL has. */
static int add_elsewhere(const char *connect, struct curl_slist **out)
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "::%s", connect) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	*out = curl_slist_append(NULL, text);
	return *out ? 0 : -ENOMEM;
}

int http_do(struct http *http, const struct http_request *request, struct http_reply *reply)
{
	struct curl_slist *elsewhere = NULL;
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	struct sink sink = {.reply = reply};
	int r = 0;

	*reply = (struct http_reply){.status = 0};
	for (const char *const *header = request->headers; header && *header; header++) {
		struct curl_slist *longer = curl_slist_append(headers, *header);

		if (!longer)
			r = -ENOMEM;
		else
			headers = longer;
	}
	if (r == 0 && request->connect)
		r = add_elsewhere(request->connect, &elsewhere);
	if (r == 0)
		r = set_up(http->curl, request, headers, elsewhere, &sink);
	if (r == 0) {
		code = curl_easy_perform(http->curl);
		(void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	}
	curl_slist_free_all(headers);
	curl_slist_free_all(elsewhere);
	if (r == 0 && code != CURLE_OK) {
		snprintf(reply->problem, sizeof(reply->problem), "%s",
			code == CURLE_WRITE_ERROR ? "the reply is too large" : curl_easy_strerror(code));
		r = is_final(code) ? -EPROTO : -ECOMM;
	}
	/* The handle keeps a copy of what was sent; a request body may hold a token. */
	curl_easy_reset(http->curl);
	return r;
}
