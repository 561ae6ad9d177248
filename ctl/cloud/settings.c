/* SPDX-License-Identifier: MIT */
/* Variables that users of the vendor's own tools know, and the hooks for tests. */
#include "config.h"

#include "ctl/cloud/settings.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "ctl/cloud/credentials.h"

#define METADATA_URL "http://100.100.100.200"
#define CONNECT_S 5u
#define READ_S 5u
#define SECONDS_MAX 600u
#define RETRIES_MAX 1000u

/* Only towards loopback, so that they can do no harm where they are set by mistake. */
static enum ctl_exit read_hooks(struct cloud_net *net)
{
	const char *endpoint = credentials_env("SMCCTL_CLOUD_ENDPOINT");
	const char *metadata = credentials_env("SMCCTL_CLOUD_METADATA");
	const char *speed = credentials_env("SMCCTL_CLOUD_SPEED");
	uint64_t value = 1;

	if (endpoint && !endpoint_is_loopback(endpoint))
		return ctl_error(net->ctl, CTL_USAGE, "SMCCTL_CLOUD_ENDPOINT", endpoint,
			"not an http or https address on loopback");
	if (metadata && !endpoint_is_loopback(metadata))
		return ctl_error(net->ctl, CTL_USAGE, "SMCCTL_CLOUD_METADATA", metadata,
			"not an http or https address on loopback");
	if (speed && (!endpoint || text_to_uint(speed, 1, 10000, &value) < 0))
		return ctl_error(net->ctl, CTL_USAGE, "SMCCTL_CLOUD_SPEED", speed,
			"goes with SMCCTL_CLOUD_ENDPOINT only, 1 to 10000");
	net->diverted = endpoint;
	net->metadata = metadata ? metadata : METADATA_URL;
	net->clock.speed = (unsigned)value;
	return CTL_OK;
}

/* That of one product comes before that of all. */
static enum ctl_exit read_endpoint(struct cloud_net *net, enum cloud_product product)
{
	static const char *const own[] = {[CLOUD_ECS] = "ALIBABA_CLOUD_ECS_ENDPOINT",
		[CLOUD_VPC] = "ALIBABA_CLOUD_VPC_ENDPOINT",
		[CLOUD_STS] = "ALIBABA_CLOUD_STS_ENDPOINT"};
	_cleanup_endpoint_ struct endpoint checked = {.url = NULL};
	const char *name = credentials_env(own[product]) ? own[product] : "ALIBABA_CLOUD_ENDPOINT";

	net->endpoint[product] = credentials_env(name);
	/* Memory that is missing now will be missing later. */
	if (net->endpoint[product] && endpoint_find(product, "", net->endpoint[product], false, &checked) == -EINVAL)
		return ctl_error(
			net->ctl, CTL_USAGE, name, net->endpoint[product], "not a host, nor an https address of one");
	return CTL_OK;
}

static enum ctl_exit take_number(
	struct cloud_net *net, const char *name, unsigned least, unsigned most, const char *what, unsigned *out)
{
	const char *text = credentials_env(name);
	uint64_t value;

	if (!text)
		return CTL_OK;
	if (text_to_uint(text, least, most, &value) < 0)
		return ctl_error(net->ctl, CTL_USAGE, name, text, "not a number of %s, %u to %u", what, least, most);
	*out = (unsigned)value;
	return CTL_OK;
}

enum ctl_exit settings_read(struct cloud_net *net)
{
	const char *type = credentials_env("ALIBABA_CLOUD_ENDPOINT_TYPE");
	enum ctl_exit code = read_hooks(net);

	net->inside = type && strcmp(type, "vpc") == 0;
	net->connect_s = CONNECT_S;
	net->read_s = READ_S;
	net->retries = UINT_MAX;
	for (enum cloud_product product = CLOUD_ECS; product < CLOUD_PRODUCTS && code == CTL_OK; product++)
		code = read_endpoint(net, product);
	if (code == CTL_OK)
		code = take_number(net, "ALIBABA_CLOUD_CONNECT_TIMEOUT", 1, SECONDS_MAX, "seconds", &net->connect_s);
	if (code == CTL_OK)
		code = take_number(net, "ALIBABA_CLOUD_READ_TIMEOUT", 1, SECONDS_MAX, "seconds", &net->read_s);
	if (code == CTL_OK)
		code = take_number(net, "ALIBABA_CLOUD_RETRY_COUNT", 0, RETRIES_MAX, "retries", &net->retries);
	return code;
}
