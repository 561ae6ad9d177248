/* SPDX-License-Identifier: MIT */
/* Which host serves a product in a region. */
#ifndef SMCSHIM_CTL_CLOUD_ENDPOINT_H
#define SMCSHIM_CTL_CLOUD_ENDPOINT_H

#include "ctl/util.h"

enum cloud_product {
	CLOUD_ECS = 0,
	CLOUD_VPC = 1,
	CLOUD_STS = 2,
	CLOUD_PRODUCTS = 3,
};

/* "cn-hangzhou": two letters and words of letters and digits, so that nothing else ends up in a host's name. */
bool endpoint_region_valid(const char *region);

/* True for "http://" or "https://" of a loopback host, with or without a port and a slash at the end. */
bool endpoint_is_loopback(const char *url);

struct endpoint {
	char *url;     /* without a slash at its end */
	char *host;    /* what the Host header says */
	char *connect; /* where the connection goes instead, "host:port"; NULL: to that host */
};

#define _cleanup_endpoint_ _cleanup_(endpoint_clear)

void endpoint_clear(struct endpoint *endpoint);

/*
 * The endpoint of a product; override (NULL: none) is used instead: a host, or a URL of https, or of http on loopback.
 * inside: the one within the VPC. Returns 0, -EINVAL (region or override) or -ENOMEM.
 */
_must_check_ int endpoint_find(
	enum cloud_product product, const char *region, const char *override, bool inside, struct endpoint *out);

/*
 * For tests: the same host is asked, but at that loopback URL and by its scheme. Returns 0 or -ENOMEM; endpoint is to be
 * cleared either way.
 */
_must_check_ int endpoint_divert(struct endpoint *endpoint, const char *url);

#endif
