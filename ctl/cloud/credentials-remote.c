/* SPDX-License-Identifier: MIT */
/* Credentials that somebody else hands out for a while: STS for a role, the metadata service for the instance. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "ctl/cloud/credentials.h"
#include "ctl/cloud/metadata.h"
#include "ctl/cloud/secret.h"

#define REPEATS 6u
#define BACKOFF_BASE_MS 1000
#define BACKOFF_CAP_MS 8000

static int copy(const cJSON *object, const char *name, char **out)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	if (!value || !*value)
		return -EINVAL;
	*out = strdup(value);
	return *out ? 0 : -ENOMEM;
}

int credentials_read_json(const cJSON *object, const char *provider, struct cloud_credential *out)
{
	_cleanup_cloud_credential_ struct cloud_credential made = {.provider = provider};
	const char *expires = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "Expiration"));
	struct tm tm = {.tm_sec = 0};
	int r = copy(object, "AccessKeyId", &made.id);

	if (r == 0)
		r = copy(object, "AccessKeySecret", &made.secret);
	if (r == 0)
		r = copy(object, "SecurityToken", &made.token);
	if (r == 0 && (!expires || !strptime(expires, "%Y-%m-%dT%H:%M:%SZ", &tm)))
		r = -EINVAL;
	if (r < 0)
		return r;
	made.expires = timegm(&tm);
	*out = made;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	made = (struct cloud_credential){.id = NULL};
	return 0;
}

int credentials_read_text(const char *text, const char *provider, struct cloud_credential *out)
{
	_cleanup_secret_tree_ cJSON *tree = cJSON_Parse(text);

	return credentials_read_json(tree, provider, out);
}

static int ask_sts(struct cloud_net *net, const struct rpc_call *call, const char *provider,
	struct cloud_credential *out, struct credential_problem *problem)
{
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	int r;

	/* To ask twice does no harm: what is handed out and not used runs out. */
	for (unsigned attempt = 0;; attempt++) {
		r = rpc_send(net, call, &reply);
		if (r < 0 || (reply.class != CLOUD_THROTTLED && reply.class != CLOUD_AGAIN) || attempt == REPEATS)
			break;
		/* Where nobody waits for it, the caller says what becomes of it. */
		if (attempt == 0 && net->clock.deadline)
			ctl_warn(net->ctl, "call %s: %s%s%s; trying again", call->action, reply.code,
				reply.code[0] ? ": " : "", reply.text);
		if (!clock_wait(&net->clock, clock_backoff(attempt, BACKOFF_BASE_MS, BACKOFF_CAP_MS)))
			break;
		rpc_reply_clear(&reply);
	}
	if (r < 0)
		return r == -ENOMEM ? r : credentials_problem(problem, r, call->action, "%s", strerror(-r));
	if (reply.class != CLOUD_FINE)
		return credentials_problem(problem, -EIO, call->action, "%s%s%s, request id %s", reply.code,
			reply.code[0] ? ": " : "", reply.text, reply.request_id[0] ? reply.request_id : "-");
	r = credentials_read_json(cJSON_GetObjectItemCaseSensitive(reply.json, "Credentials"), provider, out);
	return r == -EINVAL ? credentials_problem(problem, -EIO, call->action, "the reply holds no credentials") : r;
}

static const char *sts_region(const char *wanted)
{
	const char *region = wanted ? wanted : credentials_env("ALIBABA_CLOUD_STS_REGION");

	return region ? region : "cn-hangzhou";
}

static bool sts_inside(void)
{
	return credentials_env_true("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED");
}

int credentials_oidc(struct cloud_net *net, struct cloud_credential *out, struct credential_problem *problem)
{
	const char *role = credentials_env("ALIBABA_CLOUD_ROLE_ARN");
	const char *provider = credentials_env("ALIBABA_CLOUD_OIDC_PROVIDER_ARN");
	const char *file = credentials_env("ALIBABA_CLOUD_OIDC_TOKEN_FILE");
	const char *session = credentials_env("ALIBABA_CLOUD_ROLE_SESSION_NAME");
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_secret_ char *token = NULL;
	_cleanup_close_ int fd = -1;
	struct rpc_call call = {CLOUD_STS, "AssumeRoleWithOIDC", sts_region(NULL), &params, NULL, sts_inside(), NULL};
	size_t size = 0;
	int r;

	if (!role || !provider || !file)
		return -ENOENT;
	fd = open_read(file);
	r = fd < 0 ? fd : read_all(fd, 65536, &token, &size);
	if (r < 0)
		return r == -ENOMEM ? r : credentials_problem(problem, -EIO, file, "%s", strerror(-r));
	cloud_params_add(&params, "RoleArn", role);
	cloud_params_add(&params, "OIDCProviderArn", provider);
	cloud_params_add(&params, "OIDCToken", token);
	cloud_params_add(&params, "RoleSessionName", session ? session : "smcctl");
	cloud_params_add(&params, "DurationSeconds", "3600");
	return ask_sts(net, &call, "OIDC", out, problem);
}

static int assume_role(struct cloud_net *net, const struct credential_profile *profile, const char *provider,
	struct cloud_credential *out, struct credential_problem *problem)
{
	const struct cloud_credential own = {.id = profile->id, .secret = profile->secret, .token = profile->token};
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	struct rpc_call call = {CLOUD_STS, "AssumeRole", sts_region(profile->sts_region), &params, &own,
		profile->inside || sts_inside(), NULL};

	if (!profile->role_arn)
		return credentials_problem(problem, -EINVAL, "", "the profile names no role ARN");
	cloud_params_add(&params, "RoleArn", profile->role_arn);
	cloud_params_add(&params, "RoleSessionName", profile->session ? profile->session : "smcctl");
	cloud_params_add(&params, "DurationSeconds", profile->seconds ? profile->seconds : "3600");
	cloud_params_add(&params, "Policy", profile->policy);
	cloud_params_add(&params, "ExternalId", profile->external_id);
	return ask_sts(net, &call, provider, out, problem);
}

int credentials_of_profile(struct cloud_net *net, struct credential_profile *profile, const char *provider,
	struct cloud_credential *out, struct credential_problem *problem)
{
	const char *mode = profile->mode ? profile->mode : "AK";

	if (strcmp(mode, "EcsRamRole") == 0)
		return credentials_metadata(net, profile->role_name, out, problem);
	if (strcmp(mode, "AK") != 0 && strcmp(mode, "StsToken") != 0 && strcmp(mode, "RamRoleArn") != 0)
		return credentials_problem(problem, -EINVAL, "",
			"the profile's mode '%.40s' is not one of AK, StsToken, EcsRamRole, RamRoleArn", mode);
	if (!profile->id || !profile->secret)
		return credentials_problem(problem, -EINVAL, "", "the profile has no access key");
	if (strcmp(mode, "RamRoleArn") == 0)
		return assume_role(net, profile, provider, out, problem);
	if (strcmp(mode, "StsToken") == 0 && !profile->token)
		return credentials_problem(problem, -EINVAL, "", "the profile has no security token");
	*out = (struct cloud_credential){.provider = provider};
	out->id = take(profile->id);
	out->secret = take(profile->secret);
	if (strcmp(mode, "StsToken") == 0)
		out->token = take(profile->token);
	return 0;
}

int credentials_metadata(
	struct cloud_net *net, const char *role, struct cloud_credential *out, struct credential_problem *problem)
{
	static const char path[] = "ram/security-credentials/";
	_cleanup_free_ char *own_role = NULL;
	_cleanup_free_ char *full = NULL;
	_cleanup_secret_ char *text = NULL;
	int r = 0;

	if (!role) {
		r = metadata_get(net, path, &own_role);
		role = own_role;
	}
	if (r == -EIO)
		return credentials_problem(problem, r, "metadata service", "it is there and does not answer");
	if (r < 0)
		return r;
	if (asprintf(&full, "%s%s", path, role) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	r = metadata_get(net, full, &text);
	if (r == -ENOENT)
		return credentials_problem(
			problem, -EIO, "metadata service", "the instance has no RAM role of the name '%.64s'", role);
	if (r == -EIO)
		return credentials_problem(problem, r, "metadata service", "it is there and does not answer");
	if (r < 0)
		return r;
	r = credentials_read_text(text, "metadata service", out);
	return r == -EINVAL ? credentials_problem(problem, -EIO, "metadata service", "its reply holds no credentials")
			    : r;
}
