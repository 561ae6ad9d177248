/* SPDX-License-Identifier: MIT */
/* Hosts of the products. */
#include "config.h"

#include "ctl/cloud/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void endpoint_clear(struct endpoint *endpoint)
{
	free(endpoint->url);
	free(endpoint->host);
	free(endpoint->connect);
	*endpoint = (struct endpoint){.url = NULL};
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

bool endpoint_region_valid(const char *region)
{
	size_t i = 2;

	if (!is_lower(region[0]) || !is_lower(region[1]) || region[2] != '-' || strlen(region) > 40)
		return false;
	while (region[i] == '-') {
		size_t start = ++i;

		while (is_lower(region[i]) || (region[i] >= '0' && region[i] <= '9'))
			i++;
		if (i == start)
			return false;
	}
	return region[i] == '\0';
}

static bool split(const char *url, const char **host, size_t *length)
{
	if (starts_with(url, "http://"))
		*host = url + strlen("http://");
	else if (starts_with(url, "https://"))
		*host = url + strlen("https://");
	else
		return false;
	*length = strcspn(*host, "/");
	/* Only a host and a port: no user, no path, nothing that a header line could be broken with. */
	return *length > 0 && (!(*host)[*length] || strcmp(*host + *length, "/") == 0) &&
		strspn(*host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == *length;
}

bool endpoint_is_loopback(const char *url)
{
	static const char *const loopback[] = {"127.0.0.1", "localhost", "[::1]"};
	const char *host;
	size_t length;

	if (!split(url, &host, &length))
		return false;
	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
		size_t n = strlen(loopback[i]);

		if (n <= length && strncmp(host, loopback[i], n) == 0 && (n == length || host[n] == ':'))
			return true;
	}
	return false;
}

static int from_url(const char *url, struct endpoint *out)
{
	_cleanup_endpoint_ struct endpoint made = {.url = NULL};
	const char *host;
	size_t length;

	if (!split(url, &host, &length) || (starts_with(url, "http://") && !endpoint_is_loopback(url)))
		return -EINVAL;
	made.url = strndup(url, (size_t)(host - url) + length);
	made.host = strndup(host, length);
	if (!made.url || !made.host)
		return -ENOMEM;
	*out = made;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	made = (struct endpoint){.url = NULL};
	return 0;
}

/* Regions that central hosts serve; the vendor's SDK has the same list, and more of what is not public. */
static const char *central_host(enum cloud_product product, const char *region)
{
	static const char *const regions[] = {
		"cn-hangzhou", "cn-shanghai-finance-1", "cn-shenzhen-finance-1", "cn-north-2-gov-1"};
	const size_t count = sizeof(regions) / sizeof(regions[0]);

	for (size_t i = 0; i < count && product != CLOUD_STS; i++) {
		if (strcmp(region, regions[i]) != 0)
			continue;
		if (product == CLOUD_VPC)
			return "vpc.aliyuncs.com";
		return i == count - 1 ? "ecs.aliyuncs.com" : "ecs-cn-hangzhou.aliyuncs.com";
	}
	return NULL;
}

int endpoint_find(
	enum cloud_product product, const char *region, const char *override, bool inside, struct endpoint *out)
{
	static const char *const names[] = {[CLOUD_ECS] = "ecs", [CLOUD_VPC] = "vpc", [CLOUD_STS] = "sts"};
	_cleanup_free_ char *url = NULL;
	const char *host;
	int r;

	if (override && strstr(override, "://"))
		return from_url(override, out);
	if (!override && !endpoint_region_valid(region))
		return -EINVAL;
	host = override ? override : inside ? NULL : central_host(product, region);
	if (host)
		r = asprintf(&url, "https://%s", host);
	else
		r = asprintf(&url, "https://%s%s.%s.aliyuncs.com", names[product], inside ? "-vpc" : "", region);
	if (r < 0) {
		url = NULL;
		return -ENOMEM;
	}
	return from_url(url, out);
}

int endpoint_divert(struct endpoint *endpoint, const char *url)
{
	const char *host = "";
	size_t length = 0;
	char *diverted;

	(void)split(url, &host, &length);
	if (asprintf(&diverted, "%.*s%s", (int)(host - url), url, endpoint->host) < 0)
		return -ENOMEM;
	free(endpoint->url);
	endpoint->url = diverted;
	endpoint->connect = strndup(host, length);
	return endpoint->connect ? 0 : -ENOMEM;
}
