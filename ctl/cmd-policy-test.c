/* SPDX-License-Identifier: MIT */
/* smcctl policy test: which rule decides for an address, and why. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/address.h"
#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/verdict.h"

enum { TEST_LISTEN, TEST_PROGRAM, TEST_POLICY, TEST_FILE, TEST_JSON };

const struct ctl_option cmd_policy_test_options[] = {
	[TEST_LISTEN] = {"listen", 0, NULL, "ADDRESS is the local one of a listener, not a destination"},
	[TEST_PROGRAM] = {"program", 0, "NAME", "also ask whether the program NAME is inside \"programs\""},
	[TEST_POLICY] = {"policy", 0, "FILE", "ask FILE's table, or FILE if it has none [" CTL_DEFAULT_POLICY "]"},
	[TEST_FILE] = {"file", 0, "FILE", "ask FILE, whatever is in force"},
	[TEST_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

/* The file's rules are what people read; for a table they are used only if the file is still what was published. */
static enum ctl_exit read_file(struct ctl *ctl, const char *file, struct verdict *v)
{
	uint64_t digest;

	v->file = file;
	return apply_load(ctl, file, &v->policy, &digest);
}

static enum ctl_exit read_table(struct ctl *ctl, const char *table, struct verdict *v)
{
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	uint64_t digest;
	int r = policy_store_info(policy_store_map(v->store), &v->info);

	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "table", table, "%s", policy_store_strerror(r));
	if (v->info->sequence == 0)
		return ctl_error(ctl, CTL_FAILED, "table", table, "nothing is published in it; smcctl policy apply");
	v->table = table;
	v->file = v->info->source;
	if (policy_load(v->file, &v->policy, &digest, &errors) < 0)
		return CTL_OK;
	if (digest != v->info->digest) {
		policy_free(v->policy);
		v->policy = NULL;
	}
	return CTL_OK;
}

/* The live table if there is one, else the file. */
static enum ctl_exit read_source(
	struct ctl *ctl, const struct ctl_args *args, const struct paths *paths, struct verdict *v)
{
	if (args->option[TEST_FILE])
		return read_file(ctl, args->option[TEST_FILE], v);
	if (policy_store_open(paths->table, POLICY_STORE_READ, &v->store) == -ENOENT)
		return read_file(ctl, paths->file, v);
	if (!v->store) {
		enum ctl_exit code = apply_open(ctl, paths->table, POLICY_STORE_READ, &v->store);

		if (code != CTL_OK)
			return code;
	}
	return read_table(ctl, paths->table, v);
}

enum ctl_exit cmd_policy_test(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(verdict_clear) struct verdict v = {.program = args->option[TEST_PROGRAM]};
	_cleanup_paths_ struct paths paths = {.file = NULL};
	enum ctl_exit code;
	int r;

	v.role = args->option[TEST_LISTEN] ? POLICY_LISTEN : POLICY_CONNECT;
	if (args->option[TEST_FILE] && args->option[TEST_POLICY])
		return ctl_error(ctl, CTL_USAGE, "option", "--file", "not together with --policy");
	if (address_parse(args->operand[0], &v.address) < 0)
		return ctl_error(ctl, CTL_USAGE, "address", args->operand[0],
			"not ADDRESS, ADDRESS:PORT or [IPV6]:PORT in numbers");
	code = apply_find(ctl, args->option[TEST_POLICY], &paths);
	if (code == CTL_OK)
		code = read_source(ctl, args, &paths, &v);
	if (code != CTL_OK)
		return code;
	r = verdict_find(&v);
	if (r == 0)
		r = verdict_print(&v, ctl->out, args->option[TEST_JSON] != NULL);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "address", args->operand[0], "%s", strerror(-r));
	return CTL_OK;
}
