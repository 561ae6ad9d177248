/* SPDX-License-Identifier: MIT */
/* The metadata service of an instance. */
#include "config.h"

#include "ctl/cloud/metadata.h"

#include <errno.h>
#include <string.h>

#include "ctl/cloud/secret.h"

/* It answers from the same host, or not at all; a double on a loaded machine may take its time. */
#define TIMEOUT_MS 1000
#define TIMEOUT_DOUBLE_MS 10000
#define REPEATS 3u
#define BACKOFF_BASE_MS 500
#define BACKOFF_CAP_MS 4000

/*
 * Where it has never answered this is probably no instance, which has to be found out fast: then one repetition, in case
 * a packet was lost. Returns 0, -ENOENT (nobody there), -EIO (it is there and fails) or -ENOMEM.
 */
static int ask_until(struct cloud_net *net, const struct http_request *request, struct http_reply *reply)
{
	for (unsigned attempt = 0;; attempt++) {
		int r = http_do(net->http, request, reply);
		bool failed = r == 0 && (reply->status >= 500 || reply->status == 429);
		bool again;

		if (r == -ENOMEM)
			return r;
		net->has_metadata = net->has_metadata || r == 0;
		again = failed || (r == -ECOMM && (net->has_metadata || attempt == 0));
		if (r == 0 && !failed)
			return 0;
		if (!again || attempt == REPEATS ||
			!clock_wait(&net->clock, clock_backoff(attempt, BACKOFF_BASE_MS, BACKOFF_CAP_MS)))
			return net->has_metadata ? -EIO : -ENOENT;
		http_reply_clear(reply);
	}
}

static int ask(struct cloud_net *net, const char *method, const char *path, const char *header, char **out)
{
	const char *headers[] = {header, NULL};
	_cleanup_http_reply_ struct http_reply reply = {.status = 0};
	_cleanup_free_ char *url = NULL;
	struct http_request request = {.method = method, .headers = headers, .direct = true};
	int r;

	if (asprintf(&url, "%s/latest/%s", net->metadata, path) < 0) {
		url = NULL;
		return -ENOMEM;
	}
	request.url = url;
	request.timeout_ms = net->clock.speed > 1 ? TIMEOUT_DOUBLE_MS : TIMEOUT_MS;
	request.connect_ms = request.timeout_ms;
	r = ask_until(net, &request, &reply);
	if (r < 0)
		return r;
	if (reply.status != 200 || !reply.body || strlen(reply.body) != reply.size)
		return -ENOENT;
	/* Headers and paths are made of the one-line ones. */
	if (reply.body[0] != '{')
		reply.body[strcspn(reply.body, "\r\n")] = '\0';
	*out = strdup(reply.body);
	return *out ? 0 : -ENOMEM;
}

int metadata_get(struct cloud_net *net, const char *path, char **out)
{
	_cleanup_secret_ char *token = NULL;
	_cleanup_secret_ char *header = NULL;
	_cleanup_free_ char *full = NULL;
	int r = ask(net, "PUT", "api/token", "X-aliyun-ecs-metadata-token-ttl-seconds: 21600", &token);

	if (r < 0)
		return r;
	if (asprintf(&header, "X-aliyun-ecs-metadata-token: %s", token) < 0)
		header = NULL;
	if (asprintf(&full, "meta-data/%s", path) < 0)
		full = NULL;
	return header && full ? ask(net, "GET", full, header, out) : -ENOMEM;
}
