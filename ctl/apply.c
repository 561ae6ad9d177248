/* SPDX-License-Identifier: MIT */
/* Puts a policy file in force: parse all, validate all, probe, and only then touch the table. */
#include "config.h"

#include "ctl/apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void apply_result_clear(struct apply_result *result)
{
	paths_clear(&result->paths);
}

static void policy_info_cleanup(struct policy_info **info)
{
	free(*info);
}

/* What the table says of itself; *out stays NULL while nothing is published. Returns 0 or -errno. */
static int published(const struct policy_store *store, struct policy_info **out)
{
	struct policy_info *info = NULL;
	int r = policy_store_info(policy_store_map(store), &info);

	if (r < 0)
		return r == -EPROTO ? 0 : r;
	if (info->sequence == 0) {
		free(info);
		return 0;
	}
	*out = info;
	return 0;
}

/*
 * APPLY_QUICK: true if the table holds this file's policy already. A kernel that had no SMC when it was probed may
 * have it now; whether SMC is registered is one read, while a probe could make the kernel start modprobe.
 */
static bool in_force(const struct paths *paths, struct apply_result *out)
{
	_cleanup_policy_store_ struct policy_store *store = NULL;
	_cleanup_(policy_info_cleanup) struct policy_info *info = NULL;
	uint64_t digest;

	if (policy_store_open(paths->table, POLICY_STORE_READ, &store) < 0 || published(store, &info) < 0 || !info)
		return false;
	if (strcmp(info->source, paths->file) != 0 || apply_digest(paths->file, &digest) < 0 || digest != info->digest)
		return false;
	if (info->kernel == 0 && probe_smc_registered())
		return false;
	out->state = info->state;
	out->probe.kernel = info->kernel;
	out->rules = info->rules;
	out->cidrs = info->cidrs;
	out->buffers = info->buffers;
	return true;
}

static enum ctl_exit compile(struct ctl *ctl, const struct paths *paths, struct apply_result *out,
	struct policy_image **image, uint64_t *digest)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	enum ctl_exit code = apply_load(ctl, paths->file, &policy, digest);
	int r;

	if (code != CTL_OK)
		return code;
	r = policy_compile(policy, image, &errors);
	if (r == -EINVAL) {
		apply_print_errors(ctl, "policy", paths->file, &errors);
		return CTL_BAD_INPUT;
	}
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "policy", paths->file, "%s", strerror(-r));
	out->rules = policy->rule_count;
	out->cidrs = policy->cidr_count;
	out->buffers = policy->buffers;
	return CTL_OK;
}

static enum ctl_exit publish(struct ctl *ctl, const struct paths *paths, const struct policy_publication *publication,
	struct apply_result *out)
{
	_cleanup_policy_store_ struct policy_store *store = NULL;
	_cleanup_(policy_info_cleanup) struct policy_info *info = NULL;
	enum ctl_exit code;
	int r = paths_make_directory(paths->table);

	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "directory of", paths->table, "%s%s", strerror(-r),
			r == -EACCES ? "; run as root, or name a policy file of your own" : "");
	code = apply_open(ctl, paths->table, POLICY_STORE_CREATE, &store);
	if (code != CTL_OK)
		return code;
	r = published(store, &info);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "table", paths->table, "%s", policy_store_strerror(r));
	out->state = policy_map_state(policy_store_map(store));
	out->changed = !info || info->digest != publication->digest || info->kernel != publication->kernel ||
		strcmp(info->source, publication->source) != 0;
	if (!out->changed)
		return CTL_OK;
	r = policy_store_publish(store, publication, NULL);
	if (r == -E2BIG || r == -ENAMETOOLONG)
		return ctl_error(ctl, CTL_BAD_INPUT, "policy", paths->file, "%s", policy_store_strerror(r));
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "table", paths->table, "%s", policy_store_strerror(r));
	return CTL_OK;
}

enum ctl_exit apply_policy(struct ctl *ctl, const char *file, enum apply_mode mode, struct apply_result *out)
{
	_cleanup_paths_ struct paths paths = {.file = NULL};
	_cleanup_policy_image_ struct policy_image *image = NULL;
	struct apply_result result = {.changed = false};
	struct policy_publication publication = {.wait = true};
	enum ctl_exit code = apply_find(ctl, file, &paths);

	if (code != CTL_OK)
		return code;
	if (mode == APPLY_ALWAYS || !in_force(&paths, &result)) {
		code = compile(ctl, &paths, &result, &image, &publication.digest);
		if (code != CTL_OK)
			return code;
		probe_kernel(&result.probe);
		publication.image = image;
		publication.kernel = result.probe.kernel;
		publication.source = paths.file;
		code = publish(ctl, &paths, &publication, &result);
		if (code != CTL_OK)
			return code;
	}
	*out = result;
	out->paths = paths;
	paths = (struct paths){.file = NULL};
	return CTL_OK;
}

static void warn_of_limit(struct ctl *ctl, uint32_t buffers, const char *name)
{
	char path[64];
	uint64_t limit;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/core/%s", name);
	if (read_number(path, &limit) == 0 && limit < buffers)
		ctl_warn(ctl, "buffers of %u bytes: programs without CAP_NET_ADMIN get %llu; sysctl -w net.core.%s=%u",
			buffers, (unsigned long long)limit, name, buffers);
}

bool apply_warn(struct ctl *ctl, const struct apply_result *result)
{
	uint32_t kernel = result->probe.kernel;

	if (result->probe.converts)
		ctl_warn(ctl, "the policy stands down: %s", probe_refusal(&result->probe));
	else if (!(kernel & POLICY_KERNEL_SMC))
		ctl_warn(ctl, "every connection stays TCP: %s", probe_refusal(&result->probe));
	else if (result->probe.unmeasured)
		ctl_warn(ctl,
			"whether SMC sockets keep epoll registrations when they become TCP could not be measured: ip "
			"link "
			"set lo up, then smcctl policy apply; until then connect rules are not followed: all that "
			"connects stays "
			"TCP");
	else if (!(kernel & POLICY_KERNEL_DOWNGRADE_EPOLL))
		ctl_warn(ctl,
			"this kernel's SMC sockets %s when they become TCP, so connect rules are not followed: all "
			"that "
			"connects stays TCP; a kernel from 5.17 on keeps them",
			kernel & POLICY_KERNEL_DOWNGRADE ? "lose epoll registrations" : "have to be replaced");
	warn_of_limit(ctl, result->buffers, "wmem_max");
	warn_of_limit(ctl, result->buffers, "rmem_max");
	if (result->state == POLICY_OFF)
		ctl_warn(ctl, "every new connection stays TCP: the state is off; smcctl policy on");
	if (result->state == POLICY_OBSERVE)
		ctl_warn(ctl, "every new connection stays TCP: the state is observe; smcctl policy on");
	return !kernel || result->state != POLICY_ON;
}
