/* SPDX-License-Identifier: MIT */
/* smcctl cloud whoami: which key is used, from where, and whom the service takes us for. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "ctl/cloud-options.h"
#include "ctl/cloud/client.h"
#include "ctl/commands.h"
#include "ctl/output.h"

/* The service takes 15 minutes at most; long before that something is wrong with the clock. */
#define CLOCK_OFF_S 60

/* What stands between this host and the service: where it is, and whether the clocks agree. */
static void put_way(struct out *out, struct cloud *cloud, const struct rpc_reply *reply)
{
	_cleanup_endpoint_ struct endpoint endpoint = {.url = NULL};
	long long off = reply->date ? (long long)time(NULL) - reply->date : 0;

	if (endpoint_find(CLOUD_STS, cloud->region, cloud->net.endpoint[CLOUD_STS], cloud->net.inside, &endpoint) < 0)
		return;
	out_string(out, "endpoint", "endpoint", endpoint.url);
	if (reply->date)
		out_decimal(out, "clock_off_s", "clock off, s", (double)off, 0);
	else
		out_null(out, "clock_off_s", "clock off, s");
	if (off > CLOCK_OFF_S || off < -CLOCK_OFF_S)
		ctl_warn(cloud->net.ctl, "clock: it is %lld s %s the service's, which takes 15 minutes at most; set it",
			off < 0 ? -off : off, off < 0 ? "behind" : "ahead of");
}

enum ctl_exit cmd_cloud_whoami(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_cloud_ struct cloud cloud;
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	const struct cloud_params none = {.items = NULL};
	char key[16];
	struct out *out;
	enum ctl_exit code =
		cloud_open(&cloud, ctl, args->option[CLOUD_WHOAMI_REGION], args->option[CLOUD_WHOAMI_DEBUG] != NULL);

	if (code == CTL_OK)
		code = cloud_read(&cloud, CLOUD_STS, "GetCallerIdentity", &none, &reply);
	if (code != CTL_OK)
		return code;
	snprintf(key, sizeof(key), "%.4s***", cloud.credential.id);
	if (out_begin(ctl->out, args->option[CLOUD_WHOAMI_JSON] != NULL, &out) < 0)
		return cloud_no_memory(&cloud);
	out_string(out, "provider", "provider", cloud.credential.provider);
	out_string(out, "key", "access key", key);
	out_string(out, "region", "region", cloud.region);
	out_optional(out, "account", "account", cloud_text(reply.json, "AccountId"));
	out_optional(out, "type", "type", cloud_text(reply.json, "IdentityType"));
	out_optional(out, "arn", "ARN", cloud_text(reply.json, "Arn"));
	put_way(out, &cloud, &reply);
	out_string(out, "request_id", "request id", reply.request_id);
	return out_end(out) < 0 ? cloud_no_memory(&cloud) : CTL_OK;
}
