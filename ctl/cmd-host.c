/* SPDX-License-Identifier: MIT */
/* smcctl host plan, apply, revert. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include <cJSON.h>

#include "ctl/commands.h"
#include "ctl/host/command.h"
#include "ctl/replace.h"
#include "ctl/smc/netns.h"

#define PLAN_FILE_MAX (16u << 20)

enum { PLAN_OUT, PLAN_NETNS, PLAN_ROOT, PLAN_NODE, PLAN_JSON };

const struct ctl_option cmd_host_plan_options[] = {
	[PLAN_OUT] = {"out", 0, "FILE", "save the plan, for host apply --plan"},
	[PLAN_NETNS] = CTL_OPTION_NETNS,
	[PLAN_ROOT] = CTL_OPTION_ROOT,
	[PLAN_NODE] = CTL_OPTION_NODE,
	[PLAN_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

static enum ctl_exit show(
	struct ctl *ctl, FILE *stream, bool json, const struct host_command *command, const struct host_plan *plan)
{
	char digest[CHANGE_DIGEST];
	struct out *out;

	change_digest(plan, command->profile, digest);
	if (out_begin(stream, json, &out) < 0)
		return host_failed(ctl, -ENOMEM);
	out_string(out, "profile", "Profile", command->path);
	out_bool(out, "named", NULL, command->named);
	out_string(out, "digest", NULL, digest);
	out_bool(out, "netns", NULL, command->host.netns != 0);
	host_plan_show(out, plan);
	return out_end(out) < 0 ? host_failed(ctl, -ENOMEM) : CTL_OK;
}

/* The plan as JSON in a file, whole or not at all. */
static enum ctl_exit save(
	struct ctl *ctl, int at, const char *path, const struct host_command *command, const struct host_plan *plan)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	enum ctl_exit code = stream ? show(ctl, stream, true, command, plan) : host_failed(ctl, -ENOMEM);
	int r;

	if (stream)
		fclose(stream);
	if (code != CTL_OK)
		return code;
	r = replace_plain(at, path_base(path), text, size);
	return r < 0 ? ctl_error(ctl, ctl_exit_of(r), "plan", path, "%s", strerror(-r)) : CTL_OK;
}

enum ctl_exit cmd_host_plan(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(host_command_clear) struct host_command command = {.lock = -1};
	_cleanup_host_plan_ struct host_plan plan = {.items = NULL};
	_cleanup_close_ int at = -1;
	const char *operand = args->operands ? args->operand[0] : NULL;
	const struct host_root root = {args->option[PLAN_ROOT], args->option[PLAN_NODE], args->option[PLAN_NETNS]};
	const char *saved = args->option[PLAN_OUT];
	enum ctl_exit code;
	int r;

	/* Before the root changes: the file is the caller's. */
	if (saved) {
		at = replace_directory(saved);
		if (at < 0)
			return ctl_error(ctl, ctl_exit_of(at), "plan", saved, "%s", strerror(-at));
	}
	code = host_command_open(&command, ctl, operand, &root, false);
	if (code != CTL_OK)
		return code;
	r = change_plan(&command.host, command.profile, &command.journal, &plan);
	if (r < 0)
		return host_failed(ctl, r);
	code = show(ctl, ctl->out, args->option[PLAN_JSON] != NULL, &command, &plan);
	if (code == CTL_OK && saved)
		code = save(ctl, at, saved, &command, &plan);
	if (code != CTL_OK)
		return code;
	if (host_plan_first(&plan, PLAN_CANNOT))
		return CTL_CANNOT;
	return host_plan_count(&plan, PLAN_CHANGE) ? CTL_DIFFERENCE : CTL_OK;
}

/* ---- apply ---- */

enum { APPLY_PLAN, APPLY_KEEP_GOING, APPLY_FORCE, APPLY_BOOT, APPLY_NETNS, APPLY_ROOT, APPLY_NODE };

const struct ctl_option cmd_host_apply_options[] = {
	[APPLY_PLAN] = {"plan", 0, "FILE", "exactly what host plan --out saved, or nothing"},
	[APPLY_KEEP_GOING] = {"keep-going", 0, NULL, "leave out what this host cannot"},
	[APPLY_FORCE] = {"force", 0, NULL, "also what is dangerous, and over edited files"},
	[APPLY_BOOT] = {"boot", 0, NULL, "set again what was applied last, but no files: for systemd's unit"},
	[APPLY_NETNS] = CTL_OPTION_NETNS,
	[APPLY_ROOT] = CTL_OPTION_ROOT,
	[APPLY_NODE] = CTL_OPTION_NODE,
	{NULL, 0, NULL, NULL},
};

/* The profile's path, NULL for the default one, and the digest out of a saved plan. */
static enum ctl_exit read_plan(struct ctl *ctl, const char *path, char **profile, char digest[static CHANGE_DIGEST])
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = open_read(path);
	size_t size = 0;
	int r = fd < 0 ? fd : read_all(fd, PLAN_FILE_MAX, &text, &size);
	const char *name, *number;
	bool is_plan, no_memory = false;
	cJSON *tree;

	if (r < 0)
		return ctl_error(ctl, CTL_BAD_INPUT, "plan", path, "%s", strerror(-r));
	tree = cJSON_ParseWithLength(text, size);
	name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "profile"));
	number = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "digest"));
	is_plan = name && number && strlen(number) < CHANGE_DIGEST;
	if (is_plan) {
		memcpy(digest, number, strlen(number) + 1);
		if (!cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(tree, "named")))
			no_memory = !(*profile = strdup(name));
	}
	cJSON_Delete(tree);
	if (no_memory)
		return host_failed(ctl, -ENOMEM);
	return is_plan ? CTL_OK
		       : ctl_error(ctl, CTL_BAD_INPUT, "plan", path, "not a plan that smcctl host plan --out wrote");
}

static enum ctl_exit apply(struct ctl *ctl, const struct ctl_args *args, const char *operand, const char *digest)
{
	_cleanup_(host_command_clear) struct host_command command = {.lock = -1};
	const struct change_options options = {.keep_going = args->option[APPLY_KEEP_GOING] != NULL, .stale = digest};
	const struct host_root root = {args->option[APPLY_ROOT], args->option[APPLY_NODE], args->option[APPLY_NETNS]};
	enum ctl_exit code = host_command_open(&command, ctl, operand, &root, true);

	command.host.force = args->option[APPLY_FORCE] != NULL;
	return code == CTL_OK ? change_apply(&command.host, command.profile, command.path, &command.journal, &options)
			      : code;
}

static enum ctl_exit apply_at_boot(struct ctl *ctl)
{
	_cleanup_(host_command_clear) struct host_command command = {.lock = -1};
	const struct change_options options = {.at_boot = true};
	enum ctl_exit code = host_command_reopen(&command, ctl);

	if (code != CTL_OK || !command.profile)
		return code;
	return change_apply(&command.host, command.profile, command.path, &command.journal, &options);
}

enum ctl_exit cmd_host_apply(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_free_ char *profile = NULL;
	char digest[CHANGE_DIGEST] = "";
	const char *operand = args->operands ? args->operand[0] : NULL;
	enum ctl_exit code;

	if (args->option[APPLY_BOOT]) {
		if (operand || args->option[APPLY_PLAN] || args->option[APPLY_ROOT] || args->option[APPLY_NODE] ||
			args->option[APPLY_NETNS])
			return ctl_error(
				ctl, CTL_USAGE, "option", "--boot", "takes what was applied last, and no file");
		return apply_at_boot(ctl);
	}
	if (!args->option[APPLY_PLAN])
		return apply(ctl, args, operand, NULL);
	if (operand)
		return ctl_error(ctl, CTL_USAGE, "option", "--plan", "names its profile; leave out '%s'", operand);
	code = read_plan(ctl, args->option[APPLY_PLAN], &profile, digest);
	return code == CTL_OK ? apply(ctl, args, profile, digest) : code;
}

/* ---- revert ---- */

enum { REVERT_FORCE, REVERT_NETNS, REVERT_ROOT, REVERT_NODE };

const struct ctl_option cmd_host_revert_options[] = {
	[REVERT_FORCE] = {"force", 0, NULL, "also what others have changed since"},
	[REVERT_NETNS] = CTL_OPTION_NETNS,
	[REVERT_ROOT] = CTL_OPTION_ROOT,
	[REVERT_NODE] = CTL_OPTION_NODE,
	{NULL, 0, NULL, NULL},
};

enum ctl_exit cmd_host_revert(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(host_command_clear) struct host_command command = {.lock = -1};
	const struct host_root root = {
		args->option[REVERT_ROOT], args->option[REVERT_NODE], args->option[REVERT_NETNS]};
	enum ctl_exit code = host_command_journal(&command, ctl, &root, args->option[REVERT_FORCE]);

	if (code != CTL_OK)
		return code;
	command.host.force = args->option[REVERT_FORCE] != NULL;
	if (!command.journal.count && !command.journal.profile) {
		journal_remove(&command.journal);
		fputs("host: nothing to revert\n", ctl->out);
		return CTL_OK;
	}
	return change_revert(&command.host, &command.journal);
}
