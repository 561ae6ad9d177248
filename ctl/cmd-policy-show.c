/* SPDX-License-Identifier: MIT */
/* smcctl policy show: what a table holds, since when, from which file, and what the kernel can do. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/rules.h"

enum { SHOW_POLICY, SHOW_JSON };

const struct ctl_option cmd_policy_show_options[] = {
	[SHOW_POLICY] = CTL_OPTION_POLICY, [SHOW_JSON] = CTL_OPTION_JSON, {NULL, 0, NULL, NULL}};

struct show {
	struct paths paths;
	struct policy_info *info;
	struct policy *policy; /* of the file, if it is still what was published */
	const char *file;      /* in words: whether the file is what was published */
	bool file_same;
};

static void show_clear(struct show *show)
{
	paths_clear(&show->paths);
	free(show->info);
	policy_free(show->policy);
}

static void put_time(struct out *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / UINT64_C(1000000000));
	char text[32] = "?";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	out_string(out, "published", "published", text);
}

static void put_kernel(struct out *out, uint32_t kernel)
{
	static const struct {
		uint32_t bit;
		const char *key;
	} bits[] = {
		{POLICY_KERNEL_IPPROTO_SMC, "ipproto_smc"},
		{POLICY_KERNEL_IPPROTO_SMC6, "ipproto_smc6"},
		{POLICY_KERNEL_AF_SMC, "af_smc"},
		{POLICY_KERNEL_DOWNGRADE, "downgrade"},
		{POLICY_KERNEL_DOWNGRADE_EPOLL, "downgrade_epoll"},
	};
	char text[PROBE_TEXT];

	probe_format(kernel, text);
	if (!out_is_json(out)) {
		out_string(out, NULL, "kernel", text);
		return;
	}
	out_object(out, "kernel", NULL);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		out_bool(out, bits[i].key, NULL, kernel & bits[i].bit);
	out_close(out);
}

static void put_programs(struct out *out, const struct policy_info *info)
{
	static const char *const modes[] = {
		[POLICY_PROGRAMS_ALL] = "all", [POLICY_PROGRAMS_ONLY] = "only", [POLICY_PROGRAMS_EXCEPT] = "except"};
	unsigned mode = info->program_mode <= POLICY_PROGRAMS_EXCEPT ? info->program_mode : POLICY_PROGRAMS_ALL;

	out_string(out, "program_mode", mode == POLICY_PROGRAMS_ALL ? "programs" : NULL, modes[mode]);
	out_list(out, "programs",
		mode == POLICY_PROGRAMS_ALL            ? NULL
			: mode == POLICY_PROGRAMS_ONLY ? "only"
						       : "all except");
	for (uint32_t i = 0; i < info->program_count && i < POLICY_MAX_PROGRAMS; i++)
		out_string(out, NULL, NULL, info->programs[i]);
	out_close(out);
}

static void put_published(struct out *out, const struct show *show)
{
	const struct policy_info *info = show->info;
	char text[40];

	out_string(out, "file", "file", info->source);
	out_string(out, NULL, "", show->file);
	out_bool(out, "file_same", NULL, show->file_same);
	put_time(out, info->published_ns);
	out_uint(out, "published_ns", NULL, info->published_ns);
	out_uint(out, "sequence", NULL, info->sequence);
	snprintf(text, sizeof(text), "%016" PRIx64, info->digest);
	out_string(out, "digest", NULL, text);
	put_kernel(out, info->kernel);
	put_programs(out, info);
	if (info->buffers)
		out_uint(out, "buffers", "buffers", info->buffers);
	else
		out_null(out, "buffers", NULL);
	out_uint(out, "rule_count", NULL, info->rules);
	out_uint(out, "cidr_count", NULL, info->cidrs);
	out_note(out, "%-12s %" PRIu32 ", with %" PRIu32 " CIDRs", "rules", info->rules, info->cidrs);
}

static enum ctl_exit print(struct ctl *ctl, const struct show *show, bool json)
{
	struct out *out;
	int r = out_begin(ctl->out, json, &out);

	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "policy", NULL, "%s", strerror(-r));
	out_string(out, "table", "table", show->paths.table);
	out_string(out, "state", "state", apply_state_name(show->info->state));
	out_bool(out, "is_published", NULL, show->info->sequence != 0);
	if (show->info->sequence == 0) {
		out_note(out, "Nothing is published in it: every connection stays TCP.");
	} else {
		put_published(out, show);
		if (show->policy)
			r = rules_list(out, show->policy);
	}
	if (r == 0)
		r = out_end(out);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "policy", show->paths.file, "%s", strerror(-r));
	return CTL_OK;
}

/* Loads the file only if it is the one in force: its rules are then those of the table. */
static void compare_file(struct show *show)
{
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	uint64_t digest;
	int r = apply_digest(show->info->source, &digest);

	show->file_same = r == 0 && digest == show->info->digest;
	if (show->file_same) {
		show->file = "unchanged since";
		if (policy_load(show->info->source, &show->policy, &digest, &errors) < 0 ||
			digest != show->info->digest) {
			policy_free(show->policy);
			show->policy = NULL;
		}
	} else if (r == 0) {
		show->file = "has changed since: smcctl policy apply puts it in force";
	} else {
		show->file = r == -ENOENT ? "is gone since" : "cannot be read now";
	}
}

enum ctl_exit cmd_policy_show(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(show_clear) struct show show = {.file = ""};
	_cleanup_policy_store_ struct policy_store *store = NULL;
	const char *file;
	enum ctl_exit code = apply_file_argument(ctl, args, args->option[SHOW_POLICY], &file);
	int r;

	if (code == CTL_OK)
		code = apply_find(ctl, file, &show.paths);
	if (code == CTL_OK)
		code = apply_open(ctl, show.paths.table, POLICY_STORE_READ, &store);
	if (code != CTL_OK)
		return code;
	r = policy_store_info(policy_store_map(store), &show.info);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "table", show.paths.table, "%s", policy_store_strerror(r));
	if (show.info->sequence)
		compare_file(&show);
	return print(ctl, &show, args->option[SHOW_JSON] != NULL);
}
