/* SPDX-License-Identifier: MIT */
/* Calls with their retries, and how they fail. */
#include "config.h"

#include "ctl/cloud/client.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "ctl/cloud/metadata.h"
#include "ctl/cloud/settings.h"

#define BACKOFF_BASE_MS 1000
#define BACKOFF_CAP_MS 20000
#define REFRESH_BEFORE_S 180
#define REFRESH_AGAIN_MS 30000
#define CREDENTIALS_S 60

enum ctl_exit cloud_no_memory(struct cloud *cloud)
{
	return ctl_error(cloud->net.ctl, CTL_FAILED, "cloud", NULL, "%s", strerror(ENOMEM));
}

static int take_credential(struct cloud *cloud, struct credential_problem *problem)
{
	struct cloud_credential found = {.id = NULL};
	int r = credentials_find(&cloud->net, &found, problem);

	if (r < 0)
		return r;
	cloud_credential_clear(&cloud->credential);
	cloud->credential = found;
	return 0;
}

static enum ctl_exit find_credential(struct cloud *cloud)
{
	struct credential_problem problem = {.object = ""};
	int r = take_credential(cloud, &problem);

	if (r == -ENOMEM)
		return cloud_no_memory(cloud);
	if (r < 0)
		return ctl_error(cloud->net.ctl, r == -ENOENT ? CTL_NOT_PERMITTED : CTL_FAILED, "credentials",
			problem.object, "%s", problem.why);
	return CTL_OK;
}

/* What is given comes before what is found: before a key is looked for, and a metadata service asked. */
static enum ctl_exit take_region(struct cloud *cloud, const char *region)
{
	if (!endpoint_region_valid(region))
		return ctl_error(
			cloud->net.ctl, CTL_USAGE, "region", region, "not the name of a region, as cn-hangzhou is");
	snprintf(cloud->region, sizeof(cloud->region), "%s", region);
	return CTL_OK;
}

static enum ctl_exit find_region(struct cloud *cloud)
{
	_cleanup_free_ char *own = NULL;

	if (cloud->region[0])
		return CTL_OK;
	if (cloud->credential.region)
		return take_region(cloud, cloud->credential.region);
	if (!credentials_env_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED") &&
		metadata_get(&cloud->net, "region-id", &own) == 0)
		return take_region(cloud, own);
	return take_region(cloud, "cn-hangzhou");
}

enum ctl_exit cloud_open(struct cloud *cloud, struct ctl *ctl, const char *region, bool debug)
{
	enum ctl_exit code;

	/* From here on there are secrets in memory: no core dump, and nobody reads it through /proc. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	*cloud = (struct cloud){.net = {.ctl = ctl, .debug = debug, .clock = {.speed = 1}}};
	if (http_open(&cloud->net.http) < 0)
		return cloud_no_memory(cloud);
	code = settings_read(&cloud->net);
	cloud_limit(cloud, CREDENTIALS_S);
	region = region ? region : credentials_env("ALIBABA_CLOUD_REGION_ID");
	if (code == CTL_OK && region)
		code = take_region(cloud, region);
	if (code == CTL_OK)
		code = find_credential(cloud);
	if (code == CTL_OK)
		code = find_region(cloud);
	cloud_limit(cloud, 300);
	return code;
}

void cloud_close(struct cloud *cloud)
{
	http_close(&cloud->net.http);
	cloud_credential_clear(&cloud->credential);
}

void cloud_limit(struct cloud *cloud, uint64_t seconds)
{
	clock_limit(&cloud->net.clock, seconds);
}

enum ctl_exit cloud_error(struct cloud *cloud, const char *action, const char *object, const struct rpc_reply *reply)
{
	const char *remedy = reply->remedy ? reply->remedy : errors_remedy(reply->code);

	return ctl_error(cloud->net.ctl, errors_exit(reply->class, reply->code), action, object,
		"%s%s%s, request id %s%s%s", reply->code, reply->code[0] ? ": " : "", reply->text,
		reply->request_id[0] ? reply->request_id : "-", remedy ? "; " : "", remedy ? remedy : "");
}

enum ctl_exit cloud_waited_enough(struct cloud *cloud, const char *object, const char *for_what)
{
	return ctl_error(cloud->net.ctl, CTL_PARTLY, "wait for", object, "%s %s; run it again, it goes on from here",
		cloud->net.clock.interrupted ? "interrupted, still" : "the time is over, still", for_what);
}

/* One attempt without waiting: what is in use is good still. */
static void try_refresh(struct cloud *cloud, long long left)
{
	struct credential_problem problem = {.object = ""};
	struct cloud_clock *clock = &cloud->net.clock;
	uint64_t deadline = clock->deadline;
	int r;

	clock->deadline = 0;
	r = take_credential(cloud, &problem);
	clock->deadline = deadline;
	cloud->refresh_at = clock_now(clock) + REFRESH_AGAIN_MS;
	if (r < 0 && !cloud->refresh_fails)
		ctl_warn(cloud->net.ctl, "credentials '%s': %s; the key in use is good for another %lld seconds",
			problem.object, problem.why, left);
	cloud->refresh_fails = r < 0;
}

/* A short-lived credential is replaced before it ends, and once when it is refused. */
static enum ctl_exit keep_credential(struct cloud *cloud)
{
	long long left = cloud->credential.expires - (long long)time(NULL);

	if (!cloud->credential.expires || left >= REFRESH_BEFORE_S)
		return CTL_OK;
	if (left <= 0)
		return find_credential(cloud);
	if (clock_now(&cloud->net.clock) >= cloud->refresh_at)
		try_refresh(cloud, left);
	return CTL_OK;
}

static bool is_worth_repeating(enum cloud_kind kind, enum cloud_class class)
{
	return class == CLOUD_THROTTLED || class == CLOUD_IN_FLIGHT || (class == CLOUD_AGAIN && kind != CLOUD_MUTATION);
}

static uint64_t pause_before(unsigned attempt, const struct rpc_reply *reply)
{
	uint64_t pause = clock_backoff(attempt, BACKOFF_BASE_MS, BACKOFF_CAP_MS);

	/* The SDK takes the header for milliseconds; seconds would be below our own pause anyway. */
	if (reply->retry_after > 0 && (uint64_t)reply->retry_after > pause)
		pause = (uint64_t)reply->retry_after;
	return pause;
}

/* Minutes without a word look like a program that hangs: the first of a row of failures is said. */
static void say_trouble(struct cloud *cloud, const char *action, const struct rpc_reply *reply)
{
	if (!cloud->in_trouble)
		ctl_warn(cloud->net.ctl, "call %s: %s%s%s; trying again until the time is over", action, reply->code,
			reply->code[0] ? ": " : "", reply->text);
	cloud->in_trouble = true;
}

enum ctl_exit cloud_try(struct cloud *cloud, enum cloud_product product, const char *action, enum cloud_kind kind,
	const struct cloud_params *params, struct rpc_reply *reply)
{
	struct rpc_call call = {
		product, action, cloud->region, params, &cloud->credential, false, cloud->net.endpoint[product]};
	bool repeated = false;

	for (unsigned attempt = 0;; attempt++) {
		enum ctl_exit code = keep_credential(cloud);
		int r = code == CTL_OK ? rpc_send(&cloud->net, &call, reply) : 0;

		if (code != CTL_OK)
			return code;
		if (r < 0)
			return ctl_error(cloud->net.ctl, CTL_FAILED, "call", action, "%s", strerror(-r));
		reply->repeated = repeated;
		repeated = repeated || reply->class == CLOUD_AGAIN || reply->class == CLOUD_IN_FLIGHT;
		if (reply->class == CLOUD_EXPIRED && cloud->credential.expires && !cloud->refreshed) {
			cloud->refreshed = true;
			code = find_credential(cloud);
			if (code != CTL_OK)
				return code;
		} else if (!is_worth_repeating(kind, reply->class)) {
			cloud->in_trouble = false;
			return CTL_OK;
		} else {
			if (attempt >= cloud->net.retries)
				return cloud_error(cloud, "call", action, reply);
			say_trouble(cloud, action, reply);
			if (!clock_wait(&cloud->net.clock, pause_before(attempt, reply)))
				return cloud_error(cloud, "call", action, reply);
		}
		rpc_reply_clear(reply);
	}
}

enum ctl_exit cloud_call(struct cloud *cloud, enum cloud_product product, const char *action, enum cloud_kind kind,
	const struct cloud_params *params, struct rpc_reply *reply)
{
	enum ctl_exit code = cloud_try(cloud, product, action, kind, params, reply);

	if (code != CTL_OK)
		return code;
	switch (reply->class) {
	case CLOUD_FINE:
	case CLOUD_GONE:
	case CLOUD_BUSY:
	case CLOUD_AGAIN:
		return CTL_OK;
	default:
		return cloud_error(cloud, "call", action, reply);
	}
}

enum ctl_exit cloud_read(struct cloud *cloud, enum cloud_product product, const char *action,
	const struct cloud_params *params, struct rpc_reply *reply)
{
	enum ctl_exit code = cloud_call(cloud, product, action, CLOUD_READ, params, reply);

	if (code == CTL_OK && reply->class != CLOUD_FINE)
		return cloud_error(cloud, "call", action, reply);
	return code;
}

static const cJSON *member(const cJSON *object, const char *path)
{
	char name[64];

	while (object && *path) {
		size_t length = strcspn(path, ".");

		if (length >= sizeof(name))
			return NULL;
		memcpy(name, path, length);
		name[length] = '\0';
		object = cJSON_GetObjectItemCaseSensitive(object, name);
		path += length;
		path += *path == '.';
	}
	return object;
}

const cJSON *cloud_list(const cJSON *object, const char *path)
{
	const cJSON *list = member(object, path);

	return cJSON_IsArray(list) ? list : NULL;
}

const char *cloud_text(const cJSON *object, const char *path)
{
	const char *text = cJSON_GetStringValue(member(object, path));

	return text ? text : "";
}

uint64_t cloud_number(const cJSON *object, const char *path)
{
	const cJSON *item = member(object, path);
	uint64_t value = 0;

	if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 9e15)
		return (uint64_t)item->valuedouble;
	if (cJSON_IsString(item) && text_to_uint(item->valuestring, 0, UINT64_MAX, &value) == 0)
		return value;
	return 0;
}
