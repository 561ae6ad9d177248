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

static int from_override(const char *override, struct endpoint *out)
{
	_cleanup_endpoint_ struct endpoint made = {.url = NULL};
	const char *host;
	size_t length;

	if (!split(override, &host, &length) || (starts_with(override, "http://") && !endpoint_is_loopback(override)))
		return -EINVAL;
	made.url = strndup(override, (size_t)(host - override) + length);
	made.host = strndup(host, length);
	if (!made.url || !made.host)
		return -ENOMEM;
	*out = made;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	made = (struct endpoint){.url = NULL};
	return 0;
}

int endpoint_find(
	enum cloud_product product, const char *region, const char *override, bool inside, struct endpoint *out)
{
	static const char *const names[] = {[CLOUD_ECS] = "ecs", [CLOUD_VPC] = "vpc", [CLOUD_STS] = "sts"};
	_cleanup_free_ char *url = NULL;
	int r;

	if (override)
		return from_override(override, out);
	if (!endpoint_region_valid(region))
		return -EINVAL;
	/* The first region keeps its old name; the vendor's SDK has the same exception. */
	if (product == CLOUD_ECS && !inside && strcmp(region, "cn-hangzhou") == 0)
		r = asprintf(&url, "https://ecs-cn-hangzhou.aliyuncs.com");
	else
		r = asprintf(&url, "https://%s%s.%s.aliyuncs.com", names[product], inside ? "-vpc" : "", region);
	if (r < 0) {
		url = NULL;
		return -ENOMEM;
	}
	return from_override(url, out);
}
