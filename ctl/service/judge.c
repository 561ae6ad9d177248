/* SPDX-License-Identifier: MIT */
/* Gathers what the judges find, and writes the drop-in that follows from it. */
#include "config.h"

#include "ctl/service/judge.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "ctl/paths.h"
#include "ctl/service/words.h"

void judge_tools_clear(struct judge_tools *tools)
{
	free(tools->library);
	free(tools->smcctl);
	free(tools->supervisor);
	free(tools->inherited);
	*tools = (struct judge_tools){.library = NULL};
}

enum ctl_exit judge_tools_find(struct ctl *ctl, bool user, struct judge_tools *out)
{
	_cleanup_judge_tools_ struct judge_tools tools = {.library = NULL};
	int r = paths_library(&tools.library);

	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "library", PATHS_LIBRARY,
			"not found beside smcctl (%s); install smcshim completely", strerror(-r));
	r = paths_supervisor(&tools.supervisor);
	if (r == 0 || r == -ENOENT)
		r = paths_self(&tools.smcctl);
	if (r == 0)
		r = judge_inherited(user, &tools.inherited);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "service", NULL, "%s", strerror(-r));
	*out = tools;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	tools = (struct judge_tools){.library = NULL};
	return CTL_OK;
}

void judgement_clear(struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->count; i++)
		free(judgement->item[i].text);
	free(judgement->item);
	if (judgement->lines)
		(void)fclose(judgement->lines);
	free(judgement->needs);
	free(judgement->preload);
	free(judgement->commands);
}

const char *remark_kind_key(enum remark_kind kind)
{
	static const char *const keys[] = {[REMARK_NOTE] = "note",
		[REMARK_HANDLED] = "handled",
		[REMARK_LISTEN] = "listeners_tcp",
		[REMARK_POLICY] = "policy_tcp",
		[REMARK_TCP] = "all_tcp",
		[REMARK_HELPER] = "system_service",
		[REMARK_NEVER] = "impossible"};

	return keys[kind];
}

void judgement_add(struct judgement *judgement, enum remark_kind kind, const char *what, const char *format, ...)
{
	struct remark *larger = realloc(judgement->item, (judgement->count + 1) * sizeof(*larger));
	char *text = NULL;
	va_list ap;
	int r;

	if (!larger) {
		judgement->error = -ENOMEM;
		return;
	}
	judgement->item = larger;
	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0) {
		judgement->error = -ENOMEM;
		return;
	}
	larger[judgement->count++] = (struct remark){.kind = kind, .what = what, .text = text};
}

const struct remark *judgement_worst(const struct judgement *judgement, enum remark_kind least)
{
	const struct remark *worst = NULL;

	for (size_t i = 0; i < judgement->count; i++) {
		const struct remark *item = &judgement->item[i];

		if (item->kind >= least && (!worst || item->kind > worst->kind))
			worst = item;
	}
	return worst;
}

const struct remark *judgement_fate(const struct judgement *judgement, enum remark_kind least)
{
	const struct remark *worst = NULL;

	for (size_t i = 0; i < judgement->count; i++) {
		const struct remark *item = &judgement->item[i];

		if (item->kind >= least && item->kind != REMARK_HELPER && (!worst || item->kind > worst->kind))
			worst = item;
	}
	return worst;
}

const char *judge_root(const struct judgement *judgement)
{
	const char *root = unit_get(judgement->unit, "RootDirectory");

	return strcmp(root, "/") == 0 ? "" : root;
}

int judge(struct judgement *judgement)
{
	judgement->lines = open_memstream(&judgement->needs, &judgement->needs_size);
	if (!judgement->lines)
		return -ENOMEM;
	judgement->supervise = judgement->asked;
	judge_origin(judgement);
	judge_program(judgement);
	if (judgement->supervise)
		judge_supervision(judgement);
	else
		judge_environment(judgement);
	judge_sandbox(judgement);
	judge_files(judgement);
	/* One that is to be applied is looked at then. */
	if (!judgement->policy)
		judge_policy(judgement);
	if (fclose(judgement->lines) != 0 && !judgement->error)
		judgement->error = -ENOMEM;
	judgement->lines = NULL;
	return judgement->error;
}

int judgement_drop_in(const struct judgement *judgement, char **out)
{
	bool system = !judgement->unit->user;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return -ENOMEM;
	/* An order, not a wish: whoever wants the policy at boot enables that unit. */
	if (system)
		fputs("[Unit]\nAfter=smcshim-policy.service\n\n", stream);
	fputs("[Service]\n", stream);
	if (!judgement->supervise) {
		fputs("Environment=", stream);
		words_put_assignment(stream, "LD_PRELOAD", judgement->preload);
	}
	if (judgement->table) {
		fputs("Environment=", stream);
		words_put_assignment(stream, "SMC_POLICY", judgement->table);
		/* "-": the service starts without it, on TCP; "+": outside of its sandbox. */
		fprintf(stream, "ExecStartPre=-%s", system ? "+" : "");
		fprintf(stream, "%s policy apply ", BINDIR "/smcctl");
		words_put_argument(stream, judgement->policy);
	}
	if (judgement->supervise)
		fprintf(stream,
			"# What the unit starts, supervised. A copy: after a change of the unit, enable it again.\n%s",
			judgement->commands);
	fputs(judgement->needs, stream);
	if (fclose(stream) != 0) {
		free(text);
		return -ENOMEM;
	}
	*out = text;
	return 0;
}
