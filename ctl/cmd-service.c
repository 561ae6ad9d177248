/* SPDX-License-Identifier: MIT */
/* smcctl service enable, disable: one drop-in of our own in UNIT.d, and nothing else. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/preload-list.h"
#include "ctl/service/change.h"
#include "ctl/service/exec-unit.h"
#include "ctl/service/judge.h"
#include "ctl/service/words.h"

enum { ENABLE_POLICY, ENABLE_SUPERVISE, ENABLE_RESTART, ENABLE_DRY_RUN, ENABLE_FORCE, ENABLE_USER };
enum { DISABLE_RESTART, DISABLE_FORCE, DISABLE_USER };

const struct ctl_option cmd_service_enable_options[] = {
	[ENABLE_POLICY] = {"policy", 0, "FILE", "give the unit a policy of its own, applied before each start"},
	[ENABLE_SUPERVISE] = {"supervise", 0, NULL,
		"start it by smcctl run --supervise also where the library would do"},
	[ENABLE_RESTART] = {"restart", 0, NULL, "restart what runs, and see whether it is accelerated then"},
	[ENABLE_DRY_RUN] = {"dry-run", 0, NULL, "show the drop-in, change nothing"},
	[ENABLE_FORCE] = {"force", 0, NULL,
		"also where it will stay TCP, for sshd and its like, over an edited drop-in"},
	[ENABLE_USER] = CTL_OPTION_USER,
	{NULL, 0, NULL, NULL},
};

const struct ctl_option cmd_service_disable_options[] = {
	[DISABLE_RESTART] = {"restart", 0, NULL, "restart what runs"},
	[DISABLE_FORCE] = {"force", 0, NULL, "also a drop-in that was edited since"},
	[DISABLE_USER] = CTL_OPTION_USER,
	{NULL, 0, NULL, NULL},
};

/* ---- enable ---- */

struct wish {
	const struct judge_tools *tools;
	const struct paths *policy; /* of its own; .file NULL: none */
	bool supervise;
};

static enum ctl_exit refuse(struct changes *changes, const struct change *change, const struct judgement *judgement)
{
	const struct remark *worst = judgement_worst(judgement, REMARK_TCP);

	if (worst && (worst->kind == REMARK_NEVER || !changes->force))
		return ctl_error(changes->ctl, CTL_CANNOT, "unit", change->unit.name, "%s: %s%s", worst->what,
			worst->text,
			worst->kind == REMARK_NEVER ? ""
				: worst->kind == REMARK_HELPER
				? "; --force does it all the same"
				: "; it would stay TCP (--force enables it all the same)");
	worst = worst ? worst : judgement_worst(judgement, REMARK_LISTEN);
	if (worst)
		ctl_warn(changes->ctl, "%s: %s: %s", change->unit.name, worst->what, worst->text);
	return CTL_OK;
}

static enum ctl_exit plan_enable(struct changes *changes, struct change *change, const void *context)
{
	const struct wish *wish = context;
	_cleanup_(judgement_clear) struct judgement judgement = {.unit = &change->unit,
		.tools = wish->tools,
		.asked = wish->supervise,
		.table = wish->policy->table,
		.policy = wish->policy->file};
	enum ctl_exit code = unit_must_exist(changes->ctl, &change->unit);
	int r;

	if (code != CTL_OK)
		return code;
	r = judge(&judgement);
	if (r < 0)
		return ctl_error(changes->ctl, CTL_FAILED, "unit", change->unit.name, "%s", strerror(-r));
	code = refuse(changes, change, &judgement);
	if (code != CTL_OK)
		return code;
	change->supervise = judgement.supervise;
	r = judgement_drop_in(&judgement, &change->body);
	return r < 0 ? ctl_error(changes->ctl, CTL_FAILED, "unit", change->unit.name, "%s", strerror(-r)) : CTL_OK;
}

static bool is_as_wished(const struct change *change)
{
	return change->before.kind == DROP_IN_OURS && strcmp(change->before.body, change->body) == 0;
}

/* Back to what was before this run. */
static void take_back(struct change *change)
{
	struct drop_in now;

	if (change->before.kind != DROP_IN_NONE) {
		(void)!drop_in_restore(change->unit.directory, &change->before);
	} else if (drop_in_read(change->unit.directory, &now) == 0) {
		(void)!drop_in_remove(change->unit.directory, &now);
		drop_in_clear(&now);
	}
	change->done = false;
}

static enum ctl_exit write_drop_ins(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		struct change *change = &changes->item[i];
		int r = is_as_wished(change) ? 0
					     : drop_in_write(change->unit.directory, change->unit.name, change->body);

		if (r < 0) {
			enum ctl_exit code = changes_file_error(changes->ctl, change->unit.drop_in, r);

			while (i-- > 0) {
				if (changes->item[i].done)
					take_back(&changes->item[i]);
			}
			return code;
		}
		change->done = !is_as_wished(change);
	}
	return CTL_OK;
}

static enum ctl_exit roll_back(struct change *change)
{
	if (change->done)
		take_back(change);
	return CTL_PARTLY;
}

static enum ctl_exit verify_preload(
	struct changes *changes, struct change *change, const struct unit *unit, const char *library)
{
	_cleanup_free_ char *preload = NULL;
	const char *element;
	size_t length;

	if (words_assigned(unit_get(unit, "Environment"), "LD_PRELOAD", &preload) < 0)
		return ctl_error(changes->ctl, CTL_FAILED, "unit", unit->name, "%s", strerror(ENOMEM));
	if (preload && preload_list_find(preload, &element, &length) && unit_is(unit, "LoadState", "loaded"))
		return CTL_OK;
	return ctl_error(changes->ctl, roll_back(change), "unit", unit->name,
		"with the drop-in LD_PRELOAD is '%s', not '%s': another drop-in that comes later overrules it; rolled "
		"back",
		preload ? preload : "", library);
}

static enum ctl_exit verify_commands(
	struct changes *changes, struct change *change, const struct unit *unit, const char *smcctl)
{
	int r = exec_unit_verify(&change->unit, unit, smcctl);

	if (r < 0)
		return ctl_error(changes->ctl, CTL_FAILED, "unit", unit->name, "%s", strerror(-r));
	if (r > 0 && unit_is(unit, "LoadState", "loaded"))
		return CTL_OK;
	return ctl_error(changes->ctl, roll_back(change), "unit", unit->name,
		"with the drop-in systemd would start '%s': another drop-in that comes later overrules it, or the "
		"command cannot be had behind smcctl run; rolled back",
		unit_get(unit, "ExecStart"));
}

/* Whether systemd has understood it, and no later drop-in overrules it. */
static enum ctl_exit verify(struct changes *changes, struct change *change, const struct judge_tools *tools)
{
	_cleanup_unit_ struct unit unit = {.name = NULL};
	enum ctl_exit code = unit_read(changes->ctl, change->unit.name, changes->user, &unit);

	if (code != CTL_OK)
		return code;
	return change->supervise ? verify_commands(changes, change, &unit, tools->smcctl)
				 : verify_preload(changes, change, &unit, tools->library);
}

/* That a command is replaced nobody is to find out from its consequences. */
static void say_replaced(const struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		if (!changes->item[i].supervise || !changes->item[i].done)
			continue;
		text_put(changes->ctl->out, changes->item[i].unit.name);
		fputs(": ExecStart= is replaced: smcctl run --supervise stands before the unit's own command; when "
		      "that has changed, enable it again (smcctl service status tells)\n",
			changes->ctl->out);
	}
}

static enum ctl_exit show(const struct changes *changes)
{
	FILE *out = changes->ctl->out;

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->item[i];

		text_put(out, change->unit.name);
		if (is_as_wished(change)) {
			fputs(": enabled already\n", out);
			continue;
		}
		fputs(": would write ", out);
		text_put(out, change->unit.drop_in);
		fputs(":\n", out);
		for (const char *line = change->body; *line; line += strcspn(line, "\n") + 1)
			fprintf(out, "  %.*s\n", (int)strcspn(line, "\n"), line);
	}
	return CTL_OK;
}

/* The others are not to suffer from one that is overruled. */
static enum ctl_exit verify_all(struct changes *changes, const struct judge_tools *tools)
{
	enum ctl_exit worst = CTL_OK;

	for (size_t i = 0; i < changes->count; i++) {
		struct change *change = &changes->item[i];
		enum ctl_exit code = verify(changes, change, tools);

		change->failed = code != CTL_OK;
		worst = worst == CTL_OK ? code : worst;
	}
	if (worst != CTL_OK)
		(void)!changes_reload(changes);
	return worst;
}

/* Only when all units have been looked at, so that nothing is changed if one is refused. */
static enum ctl_exit apply_own(struct ctl *ctl, const char *file)
{
	_cleanup_apply_result_ struct apply_result result = {.changed = false};
	_cleanup_(judgement_clear) struct judgement judgement = {.table = NULL};
	enum ctl_exit code = apply_policy(ctl, file, APPLY_QUICK, &result);
	const struct remark *worst;

	if (code != CTL_OK)
		return code;
	judgement.table = result.paths.table;
	judge_policy(&judgement);
	worst = judgement_worst(&judgement, REMARK_POLICY);
	if (worst)
		ctl_warn(ctl, "%s: %s: %s", file, worst->what, worst->text);
	return CTL_OK;
}

static enum ctl_exit enable(struct changes *changes, const struct ctl_args *args, const struct wish *wish)
{
	enum ctl_exit code = changes_begin(changes, args, plan_enable, wish);
	enum ctl_exit worst;

	if (code == CTL_OK && args->option[ENABLE_DRY_RUN])
		return show(changes);
	if (code == CTL_OK && args->option[ENABLE_POLICY])
		code = apply_own(changes->ctl, args->option[ENABLE_POLICY]);
	if (code == CTL_OK)
		code = write_drop_ins(changes);
	if (code == CTL_OK)
		code = changes_reload(changes);
	if (code != CTL_OK)
		return code;
	worst = verify_all(changes, wish->tools);
	say_replaced(changes);
	code = changes_finish(changes, "enabled", "enabled already", args->option[ENABLE_RESTART] != NULL);
	return worst == CTL_OK ? code : worst;
}

enum ctl_exit cmd_service_enable(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_paths_ struct paths policy = {.file = NULL};
	_cleanup_(changes_clear) struct changes changes = {
		.ctl = ctl, .user = args->option[ENABLE_USER] != NULL, .force = args->option[ENABLE_FORCE] != NULL};
	_cleanup_judge_tools_ struct judge_tools tools = {.library = NULL};
	enum ctl_exit code = judge_tools_find(ctl, changes.user, &tools);

	if (code == CTL_OK && args->option[ENABLE_POLICY])
		code = apply_find(ctl, args->option[ENABLE_POLICY], &policy);
	if (code != CTL_OK)
		return code;
	return enable(&changes, args,
		&(struct wish){
			.tools = &tools, .policy = &policy, .supervise = args->option[ENABLE_SUPERVISE] != NULL});
}

/* ---- disable ---- */

static enum ctl_exit remove_all(struct changes *changes, bool *changed)
{
	for (size_t i = 0; i < changes->count; i++) {
		struct change *change = &changes->item[i];
		int r = drop_in_remove(change->unit.directory, &change->before);

		/* Where there is none, only leftovers were to be swept away: who may not, need not. */
		if (r < 0 && change->before.kind != DROP_IN_NONE)
			return changes_file_error(changes->ctl, change->unit.drop_in, r);
		change->done = change->before.kind != DROP_IN_NONE;
		*changed = *changed || change->done;
	}
	return CTL_OK;
}

enum ctl_exit cmd_service_disable(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(changes_clear) struct changes changes = {
		.ctl = ctl, .user = args->option[DISABLE_USER] != NULL, .force = args->option[DISABLE_FORCE] != NULL};
	bool changed = false;
	enum ctl_exit code = changes_begin(&changes, args, NULL, NULL);

	if (code == CTL_OK)
		code = remove_all(&changes, &changed);
	if (code == CTL_OK && changed)
		code = changes_reload(&changes);
	return code == CTL_OK
		? changes_finish(&changes, "disabled", "not enabled", args->option[DISABLE_RESTART] != NULL)
		: code;
}
