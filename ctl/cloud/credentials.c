/* SPDX-License-Identifier: MIT */
/* The chain of credentials, and the profile of the vendor's command line. */
#include "config.h"

#include "ctl/cloud/credentials.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/cloud/secret.h"

#define FILE_MAX_SIZE (1u << 20)

int credentials_problem(struct credential_problem *problem, int code, const char *object, const char *why, ...)
{
	va_list ap;

	snprintf(problem->object, sizeof(problem->object), "%s", object);
	va_start(ap, why);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start() stands above */
	(void)vsnprintf(problem->why, sizeof(problem->why), why, ap);
	va_end(ap);
	return code;
}

const char *credentials_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

bool credentials_env_true(const char *name)
{
	const char *value = credentials_env(name);

	return value && strcasecmp(value, "true") == 0;
}

void credential_profile_clear(struct credential_profile *profile)
{
	free(profile->mode);
	secret_free(profile->id);
	secret_free(profile->secret);
	secret_free(profile->token);
	free(profile->role_name);
	free(profile->role_arn);
	free(profile->session);
	free(profile->policy);
	secret_free(profile->external_id);
	free(profile->sts_region);
	free(profile->seconds);
	free(profile->region);
	*profile = (struct credential_profile){.mode = NULL};
}

static int from_environment(struct cloud_credential *out, struct credential_problem *problem)
{
	static const char secret_name[] = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
	const char *id = credentials_env("ALIBABA_CLOUD_ACCESS_KEY_ID");
	const char *secret = credentials_env(secret_name);
	const char *token = credentials_env("ALIBABA_CLOUD_SECURITY_TOKEN");
	_cleanup_cloud_credential_ struct cloud_credential made = {.provider = "environment"};

	if (!id)
		return -ENOENT;
	if (!secret)
		return credentials_problem(
			problem, -EINVAL, secret_name, "not set, but ALIBABA_CLOUD_ACCESS_KEY_ID is");
	made.id = strdup(id);
	made.secret = strdup(secret);
	made.token = token ? strdup(token) : NULL;
	if (!made.id || !made.secret || (token && !made.token))
		return -ENOMEM;
	*out = made;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	made = (struct cloud_credential){.id = NULL};
	return 0;
}

/* Members of a profile of the CLI's config.json and where they go. */
#define PROFILE_MEMBERS(X) \
	X("mode", mode) \
	X("access_key_id", id) \
	X("access_key_secret", secret) \
	X("sts_token", token) \
	X("ram_role_name", role_name) \
	X("ram_role_arn", role_arn) \
	X("ram_session_name", session) \
	X("policy", policy) \
	X("external_id", external_id) \
	X("sts_region", sts_region) \
	X("region_id", region)

static int copy_string(const cJSON *object, const char *name, char **out)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsString(member) || !member->valuestring[0])
		return 0;
	*out = strdup(member->valuestring);
	return *out ? 0 : -ENOMEM;
}

static int copy_profile(const cJSON *object, struct credential_profile *out)
{
	_cleanup_credential_profile_ struct credential_profile made = {.mode = NULL};
	const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(object, "expired_seconds");
	int r = 0;

#define COPY(name, field) \
	if (r == 0) \
		r = copy_string(object, name, &made.field);
	PROFILE_MEMBERS(COPY)
#undef COPY
	if (r == 0 && cJSON_IsNumber(seconds) && seconds->valuedouble >= 900 && seconds->valuedouble <= 43200 &&
		asprintf(&made.seconds, "%d", seconds->valueint) < 0) {
		made.seconds = NULL;
		r = -ENOMEM;
	}
	if (r < 0)
		return r;
	made.inside = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "enable_vpc"));
	*out = made;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	made = (struct credential_profile){.mode = NULL};
	return 0;
}

int credentials_read_profile(const char *text, size_t size, const char *name, struct credential_profile *out,
	struct credential_problem *problem)
{
	_cleanup_secret_tree_ cJSON *tree = cJSON_ParseWithLength(text, size);
	const cJSON *profiles, *profile;

	if (!cJSON_IsObject(tree))
		return credentials_problem(
			problem, -EINVAL, "", "not a JSON object; its text is not shown, it may hold secrets");
	if (!name)
		name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "current"));
	if (!name)
		name = "default";
	profiles = cJSON_GetObjectItemCaseSensitive(tree, "profiles");
	if (!cJSON_IsArray(profiles))
		return credentials_problem(problem, -EINVAL, "", "has no list \"profiles\"");
	cJSON_ArrayForEach(profile, profiles)
	{
		const char *its = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(profile, "name"));

		if (its && strcmp(its, name) == 0)
			return copy_profile(profile, out);
	}
	return credentials_problem(problem, -ENOENT, "", "has no profile of the name that is asked for");
}

typedef int read_function(const char *text, size_t size, const char *name, struct credential_profile *out,
	struct credential_problem *problem);

/* The path that the variable names, or that below the home directory. -ENOENT: neither. */
static int find_file(const char *variable, const char *below_home, char **out)
{
	const char *home = credentials_env("HOME");
	const char *named = credentials_env(variable);

	if (!named && !home)
		return -ENOENT;
	if (named)
		*out = strdup(named);
	else if (asprintf(out, "%s/%s", home, below_home) < 0)
		*out = NULL;
	return *out ? 0 : -ENOMEM;
}

static int load_text(
	struct cloud_net *net, const char *path, char **text, size_t *size, struct credential_problem *problem)
{
	_cleanup_close_ int fd = open_read(path);
	struct stat st;
	int r = fd;

	if (fd == -ENOENT || fd == -ENOTDIR)
		return -ENOENT;
	if (fd >= 0)
		r = fstat(fd, &st) < 0         ? -errno
			: !S_ISREG(st.st_mode) ? -EINVAL
					       : read_all(fd, FILE_MAX_SIZE, text, size);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return credentials_problem(problem, -EIO, path, "%s", strerror(-r));
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		ctl_warn(net->ctl, "credentials '%s': others can read it; chmod 600", path);
	return 0;
}

static int from_file(struct cloud_net *net, const char *path, read_function *read, const char *provider,
	struct cloud_credential *out, struct credential_problem *problem)
{
	_cleanup_credential_profile_ struct credential_profile profile = {.mode = NULL};
	_cleanup_secret_ char *text = NULL;
	size_t size = 0;
	int r = load_text(net, path, &text, &size, problem);

	if (r < 0)
		return r;
	r = read(text, size, credentials_env("ALIBABA_CLOUD_PROFILE"), &profile, problem);
	if (r == -ENOENT || r == -EINVAL) {
		/* It is there and does not serve: to go on silently to another key would be a surprise. */
		snprintf(problem->object, sizeof(problem->object), "%s", path);
		return -EINVAL;
	}
	if (r == 0)
		r = credentials_of_profile(net, &profile, provider, out, problem);
	if (r == 0)
		out->region = take(profile.region);
	if (r == -ENOENT || r == -EINVAL)
		snprintf(problem->object, sizeof(problem->object), "%s", path);
	return r == -ENOENT ? -EINVAL : r;
}

static int from_cli(struct cloud_net *net, struct cloud_credential *out, struct credential_problem *problem)
{
	_cleanup_free_ char *path = NULL;
	int r;

	/* The one is of the vendor's SDKs, the other of the command line whose file it is. */
	if (credentials_env_true("ALIBABA_CLOUD_CLI_PROFILE_DISABLED") ||
		credentials_env_true("ALIBABA_CLOUD_IGNORE_PROFILE"))
		return -ENOENT;
	r = find_file("ALIBABA_CLOUD_CONFIG_FILE", ".aliyun/config.json", &path);
	return r < 0 ? r : from_file(net, path, credentials_read_profile, "CLI profile", out, problem);
}

static int from_ini(struct cloud_net *net, struct cloud_credential *out, struct credential_problem *problem)
{
	_cleanup_free_ char *path = NULL;
	int r = find_file("ALIBABA_CLOUD_CREDENTIALS_FILE", ".alibabacloud/credentials", &path);

	return r < 0 ? r : from_file(net, path, credentials_read_ini, "INI file", out, problem);
}

int credentials_find(struct cloud_net *net, struct cloud_credential *out, struct credential_problem *problem)
{
	int r = from_environment(out, problem);

	if (r == -ENOENT)
		r = credentials_oidc(net, out, problem);
	if (r == -ENOENT)
		r = from_cli(net, out, problem);
	if (r == -ENOENT)
		r = from_ini(net, out, problem);
	if (r == -ENOENT && !credentials_env_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED"))
		r = credentials_metadata(net, credentials_env("ALIBABA_CLOUD_ECS_METADATA"), out, problem);
	if (r == -ENOENT)
		(void)credentials_problem(problem, r, "access key",
			"none in the environment, in ~/.aliyun/config.json, in ~/.alibabacloud/credentials or from the "
			"metadata "
			"service; set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET");
	return r;
}
