/* SPDX-License-Identifier: MIT */
/* smcctl policy check, apply, on, off, observe. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/output.h"

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

enum { STATE_POLICY };

const struct ctl_option cmd_policy_state_options[] = {[STATE_POLICY] = CTL_OPTION_POLICY, {NULL, 0, NULL, NULL}};

static enum ctl_exit set_state(struct ctl *ctl, const struct ctl_args *args, enum policy_state state)
{
	_cleanup_policy_store_ struct policy_store *store = NULL;
	_cleanup_paths_ struct paths paths = {.file = NULL};
	const char *file;
	enum policy_state before;
	enum ctl_exit code = apply_file_argument(ctl, args, args->option[STATE_POLICY], &file);
	int r;

	if (code == CTL_OK)
		code = apply_find(ctl, file, &paths);
	if (code == CTL_OK)
		code = apply_open(ctl, paths.table, POLICY_STORE_WRITE, &store);
	if (code != CTL_OK)
		return code;
	before = policy_map_state(policy_store_map(store));
	r = policy_store_set_state(store, state);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "table", paths.table, "%s", policy_store_strerror(r));
	text_put(ctl->out, paths.table);
	fprintf(ctl->out, ": %s -> %s\n", apply_state_name(before), apply_state_name(state));
	return CTL_OK;
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
