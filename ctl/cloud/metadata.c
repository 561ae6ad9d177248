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

static int ask(struct cloud_net *net, const char *method, const char *path, const char *header, char **out)
{
	const char *headers[] = {header, NULL};
	_cleanup_http_reply_ struct http_reply reply = {.status = 0};
	_cleanup_free_ char *url = NULL;
	struct http_request request = {.method = method, .headers = headers, .timeout_ms = TIMEOUT_MS, .direct = true};
	int r;

	if (asprintf(&url, "%s/latest/%s", net->metadata, path) < 0) {
		url = NULL;
		return -ENOMEM;
	}
	request.url = url;
	if (net->clock.speed > 1)
		request.timeout_ms = TIMEOUT_DOUBLE_MS;
	r = http_do(net->http, &request, &reply);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || reply.status != 200 || !reply.body || strlen(reply.body) != reply.size)
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
