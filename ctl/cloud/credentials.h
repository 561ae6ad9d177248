/* SPDX-License-Identifier: MIT */
/* Where the access key comes from: the vendor's own order of environment, OIDC, CLI profile, INI file, metadata. */
#ifndef SMCSHIM_CTL_CLOUD_CREDENTIALS_H
#define SMCSHIM_CTL_CLOUD_CREDENTIALS_H

#include "ctl/cloud/rpc.h"

/* Why there are none; never holds a secret. */
struct credential_problem {
	char object[256]; /* a file, a variable, a URL */
	char why[512];
};

/* Returns 0, -ENOENT (none anywhere), -EINVAL or -EIO (problem says why), -ENOMEM; *out is touched only on success. */
_must_check_ int credentials_find(
	struct cloud_net *net, struct cloud_credential *out, struct credential_problem *problem);

/* ---- the parts ---- */

/* What a profile of a file names; the strings belong to it. */
struct credential_profile {
	char *mode; /* AK, StsToken, EcsRamRole, RamRoleArn, or another, which is refused */
	char *id;
	char *secret;
	char *token;
	char *role_name;
	char *role_arn;
	char *session;
	char *policy;
	char *external_id;
	char *sts_region;
	char *seconds;
	char *region;
	bool inside; /* STS is asked within the VPC */
};

#define _cleanup_credential_profile_ _cleanup_(credential_profile_clear)

void credential_profile_clear(struct credential_profile *profile);

/*
 * The named profile (NULL: "current", or "default") of the text of a CLI configuration or INI file. Returns 0, -ENOENT
 * (no such profile), -EINVAL (problem->why says it without quoting the text), -ENOMEM.
 */
_must_check_ int credentials_read_profile(const char *text, size_t size, const char *name,
	struct credential_profile *out, struct credential_problem *problem);
_must_check_ int credentials_read_ini(const char *text, size_t size, const char *name, struct credential_profile *out,
	struct credential_problem *problem);

/* The credential that a profile stands for; may ask STS or the metadata service. As credentials_find(). */
_must_check_ int credentials_of_profile(struct cloud_net *net, struct credential_profile *profile, const char *provider,
	struct cloud_credential *out, struct credential_problem *problem);

/* From the reply of STS or the metadata service. Returns 0 or -EINVAL or -ENOMEM. */
_must_check_ int credentials_read_json(const cJSON *object, const char *provider, struct cloud_credential *out);

/* The same from its text, of which nothing stays in memory. */
_must_check_ int credentials_read_text(const char *text, const char *provider, struct cloud_credential *out);

/* From STS with an OIDC token, when the environment names one; -ENOENT: it does not. */
_must_check_ int credentials_oidc(
	struct cloud_net *net, struct cloud_credential *out, struct credential_problem *problem);

/* From the metadata service; role NULL: the instance's own. -ENOENT: there is none. */
_must_check_ int credentials_metadata(
	struct cloud_net *net, const char *role, struct cloud_credential *out, struct credential_problem *problem);

/* Sets the problem. Returns code. */
__attribute__((format(printf, 4, 5))) int credentials_problem(
	struct credential_problem *problem, int code, const char *object, const char *why, ...);

/* getenv(), with an empty value as none. */
const char *credentials_env(const char *name);

/* True if it is "true", in whatever case. */
bool credentials_env_true(const char *name);

#endif
