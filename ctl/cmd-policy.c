/* SPDX-License-Identifier: MIT */
/* smcctl policy check, apply, on, off, observe. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/tables.h"

enum { CHECK_POLICY, CHECK_JSON };

const struct ctl_option cmd_policy_check_options[] = {
	[CHECK_POLICY] = CTL_OPTION_POLICY, [CHECK_JSON] = CTL_OPTION_JSON, {NULL, 0, NULL, NULL}};

static enum ctl_exit check_json(struct ctl *ctl, const char *file, const struct policy_errors *errors, size_t rules)
{
	struct out *out;

	if (out_begin(ctl->out, true, &out) < 0)
		return ctl_error(ctl, CTL_FAILED, "policy", file, "out of memory");
	out_string(out, "file", NULL, file);
	out_bool(out, "valid", NULL, errors->count == 0);
	out_uint(out, "rules", NULL, rules);
	out_uint(out, "error_count", NULL, errors->count + errors->more);
	out_list(out, "errors", NULL);
	for (size_t i = 0; i < errors->count; i++) {
		out_object(out, NULL, NULL);
		out_uint(out, "line", NULL, errors->items[i].line);
		out_uint(out, "column", NULL, errors->items[i].column);
		out_string(out, "text", NULL, errors->items[i].text);
		out_close(out);
	}
	out_close(out);
	if (out_end(out) < 0)
		return ctl_error(ctl, CTL_FAILED, "policy", file, "out of memory");
	return errors->count ? CTL_BAD_INPUT : CTL_OK;
}

/* A file that cannot be read is an error in words in both formats; what stands in it is the result. */
enum ctl_exit cmd_policy_check(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	const char *file;
	uint64_t digest;
	enum ctl_exit code = apply_file_argument(ctl, args, args->option[CHECK_POLICY], &file);
	int r;

	if (code != CTL_OK)
		return code;
	file = file ? file : CTL_DEFAULT_POLICY;
	r = policy_load(file, &policy, &digest, &errors);
	if (r == 0)
		r = policy_compile(policy, &image, &errors);
	if (r < 0 && r != -EINVAL)
		/* Again, for the words. */
		return policy ? ctl_error(ctl, CTL_FAILED, "policy", file, "%s", strerror(-r))
			      : apply_load(ctl, file, &policy, &digest);
	if (args->option[CHECK_JSON])
		return check_json(ctl, file, &errors, policy ? policy->rule_count : 0);
	if (errors.count) {
		apply_print_errors(ctl, "policy", file, &errors);
		return CTL_BAD_INPUT;
	}
	text_put(ctl->out, file);
	fprintf(ctl->out, ": fine (%zu rules, %zu CIDRs)\n", policy->rule_count, policy->cidr_count);
	return CTL_OK;
}

enum { APPLY_POLICY };

const struct ctl_option cmd_policy_apply_options[] = {[APPLY_POLICY] = CTL_OPTION_POLICY, {NULL, 0, NULL, NULL}};

enum ctl_exit cmd_policy_apply(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_apply_result_ struct apply_result result = {.changed = false};
	char kernel[PROBE_TEXT];
	const char *file;
	enum ctl_exit code = apply_file_argument(ctl, args, args->option[APPLY_POLICY], &file);

	if (code == CTL_OK)
		code = apply_policy(ctl, file, APPLY_ALWAYS, &result);
	if (code != CTL_OK)
		return code;
	text_put(ctl->out, result.paths.table);
	fprintf(ctl->out, ": %s ", result.changed ? "applied" : "unchanged, has");
	text_put(ctl->out, result.paths.file);
	probe_format(result.probe.kernel, kernel);
	fprintf(ctl->out, " (%zu rules, %zu CIDRs), state %s\nkernel: %s\n", result.rules, result.cidrs,
		apply_state_name(result.state), kernel);
	(void)apply_warn(ctl, &result);
	return CTL_OK;
}

enum { STATE_POLICY, STATE_ALL };

const struct ctl_option cmd_policy_state_options[] = {
	[STATE_POLICY] = CTL_OPTION_POLICY,
	[STATE_ALL] = {"all", 0, NULL, "the tables of all policy files and users that are in sight"},
	{NULL, 0, NULL, NULL},
};

static void put_state(struct ctl *ctl, const char *table, enum policy_state before, enum policy_state after)
{
	text_put(ctl->out, table);
	fprintf(ctl->out, ": %s -> %s\n", apply_state_name(before), apply_state_name(after));
}

static void warn_of_table(struct ctl *ctl, const char *table)
{
	_cleanup_free_ char *file = NULL;
	enum policy_state state;
	int r = tables_state(table, &state);

	if (tables_is_none(r) || (r == 0 && state != POLICY_ON))
		return;
	if (r == 0)
		r = tables_file(table, &file);
	if (r < 0)
		ctl_warn(ctl, "table '%s' may still be on: %s", table, policy_store_strerror(r));
	else if (euidaccess(table, W_OK) < 0)
		ctl_warn(ctl, "table '%s' is still on, and not yours; as root: smcctl policy off --all", table);
	else
		ctl_warn(ctl, "table '%s' is still on; smcctl policy off %s", table, file ? file : "--all");
}

/* Programs that follow another policy file are as they were: nobody who throws the kill switch may overlook them. */
static void warn_of_others(struct ctl *ctl, const char *table)
{
	_cleanup_tables_ struct tables tables = {.path = NULL};

	if (tables_find(&tables) < 0)
		ctl_warn(ctl, "other tables may still be on: %s", strerror(ENOMEM));
	for (size_t i = 0; i < tables.count; i++) {
		if (!table || strcmp(tables.path[i], table) != 0)
			warn_of_table(ctl, tables.path[i]);
	}
}

static enum ctl_exit set_all(struct ctl *ctl, enum policy_state state)
{
	_cleanup_tables_ struct tables tables = {.path = NULL};
	enum ctl_exit failed = CTL_OK;
	size_t done = 0;
	int r = tables_find(&tables);

	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "tables", NULL, "%s", strerror(-r));
	for (size_t i = 0; i < tables.count; i++) {
		enum policy_state before;

		r = tables_switch(tables.path[i], state, &before);
		if (r == 0) {
			put_state(ctl, tables.path[i], before, state);
			done++;
		} else if (!tables_is_none(r)) {
			failed = ctl_error(ctl, r == -EPROTONOSUPPORT ? CTL_STALE : ctl_exit_of(r), "table",
				tables.path[i], "%s%s", policy_store_strerror(r),
				r == -EACCES ? "; run as root, or as its owner" : "");
		}
	}
	if (failed != CTL_OK)
		return done ? CTL_PARTLY : failed;
	if (!done)
		return ctl_error(ctl, CTL_FAILED, "tables", NULL, "there are none; smcctl policy apply");
	return CTL_OK;
}

static enum ctl_exit set_state(struct ctl *ctl, const struct ctl_args *args, enum policy_state state)
{
	_cleanup_policy_store_ struct policy_store *store = NULL;
	_cleanup_paths_ struct paths paths = {.file = NULL};
	const char *file;
	enum policy_state before;
	enum ctl_exit code = apply_file_argument(ctl, args, args->option[STATE_POLICY], &file);
	int r;

	if (code == CTL_OK && args->option[STATE_ALL])
		return file ? ctl_error(ctl, CTL_USAGE, "option", "--all", "takes no policy file")
			    : set_all(ctl, state);
	if (code == CTL_OK)
		code = apply_find(ctl, file, &paths);
	if (code == CTL_OK)
		code = apply_open(ctl, paths.table, POLICY_STORE_WRITE, &store);
	if (code == CTL_OK) {
		before = policy_map_state(policy_store_map(store));
		r = policy_store_set_state(store, state);
		if (r < 0)
			code = ctl_error(ctl, ctl_exit_of(r), "table", paths.table, "%s", policy_store_strerror(r));
	}
	if (code == CTL_OK)
		put_state(ctl, paths.table, before, state);
	/* Also where that table is not there, or not to be had: others may be on. */
	if (state == POLICY_OFF && code != CTL_USAGE)
		warn_of_others(ctl, paths.table);
	return code;
}

enum ctl_exit cmd_policy_on(struct ctl *ctl, const struct ctl_args *args)
{
	return set_state(ctl, args, POLICY_ON);
}

enum ctl_exit cmd_policy_off(struct ctl *ctl, const struct ctl_args *args)
{
	return set_state(ctl, args, POLICY_OFF);
}

enum ctl_exit cmd_policy_observe(struct ctl *ctl, const struct ctl_args *args)
{
	return set_state(ctl, args, POLICY_OBSERVE);
}
