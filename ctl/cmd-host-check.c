/* SPDX-License-Identifier: MIT */
/* smcctl host check: drift, for people, programs and Prometheus. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/host/check.h"
#include "ctl/host/command.h"
#include "ctl/replace.h"
#include "ctl/smc/netns.h"

enum { CHECK_METRICS, CHECK_NETNS, CHECK_ROOT, CHECK_NODE, CHECK_JSON };

const struct ctl_option cmd_host_check_options[] = {
	[CHECK_METRICS] = {"metrics", 0, "FILE", "write them there for Prometheus, replacing the file"},
	[CHECK_NETNS] = CTL_OPTION_NETNS,
	[CHECK_ROOT] = CTL_OPTION_ROOT,
	[CHECK_NODE] = CTL_OPTION_NODE,
	[CHECK_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

/* Beside its place and renamed: the collector never sees half of it. It reads *.prom only. */
static enum ctl_exit write_metrics(struct ctl *ctl, int at, const char *path, const struct check *check)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	int r;

	if (!stream)
		return host_failed(ctl, -ENOMEM);
	check_metrics(stream, check);
	if (fclose(stream) != 0)
		return host_failed(ctl, -ENOMEM);
	r = replace_plain(at, path_base(path), text, size);
	return r < 0 ? ctl_error(ctl, ctl_exit_of(r), "metrics", path, "%s", strerror(-r)) : CTL_OK;
}

static enum ctl_exit show(struct ctl *ctl, bool json, const char *profile, const struct check *check)
{
	struct out *out;

	if (out_begin(ctl->out, json, &out) < 0)
		return host_failed(ctl, -ENOMEM);
	out_string(out, "profile", "Profile", profile);
	check_show(out, check);
	return out_end(out) < 0 ? host_failed(ctl, -ENOMEM) : CTL_OK;
}

enum ctl_exit cmd_host_check(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(host_command_clear) struct host_command command = {.lock = -1};
	_cleanup_(check_clear) struct check check = {.drift = 0};
	_cleanup_close_ int at = -1;
	const char *operand = args->operands ? args->operand[0] : NULL;
	const struct host_root root = {args->option[CHECK_ROOT], args->option[CHECK_NODE], args->option[CHECK_NETNS]};
	const char *metrics = args->option[CHECK_METRICS];
	enum ctl_exit code;
	int r;

	/* Before the root changes: the file is the caller's. */
	if (metrics) {
		at = replace_directory(metrics);
		if (at < 0)
			return ctl_error(ctl, ctl_exit_of(at), "metrics", metrics, "%s", strerror(-at));
	}
	code = host_command_open(&command, ctl, operand, &root, false);
	if (code != CTL_OK)
		return code;
	r = check_make(&command.host, command.profile, &command.journal, &check);
	if (r < 0)
		return host_failed(ctl, r);
	code = show(ctl, args->option[CHECK_JSON] != NULL, command.path, &check);
	if (code == CTL_OK && metrics)
		code = write_metrics(ctl, at, metrics, &check);
	return code != CTL_OK ? code : check.drift ? CTL_DIFFERENCE : CTL_OK;
}
