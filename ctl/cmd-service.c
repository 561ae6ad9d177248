/* SPDX-License-Identifier: MIT */
/* smcctl service enable, disable: one drop-in of our own in UNIT.d, and nothing else. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/preload-list.h"
#include "ctl/service/drop-in.h"
#include "ctl/service/judge.h"
#include "ctl/service/state.h"
#include "ctl/service/words.h"

enum { ENABLE_POLICY, ENABLE_RESTART, ENABLE_FORCE, ENABLE_USER };
enum { DISABLE_RESTART, DISABLE_FORCE, DISABLE_USER };

const struct ctl_option cmd_service_enable_options[] = {
	[ENABLE_POLICY] = {"policy", 0, "FILE", "give the unit a policy of its own, applied before each start"},
	[ENABLE_RESTART] = {"restart", 0, NULL, "restart what runs, and see whether it is accelerated then"},
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

/* How long a service may take after its restart until the library shows. */
#define WAIT_MS 10000
#define PAUSE_MS 100

/* One unit on its way. */
struct change {
	struct unit unit;
	struct drop_in before;
	char *body; /* of the drop-in to be */
	bool done;
};

struct changes {
	struct ctl *ctl;
	struct change *item;
	size_t count;
	bool user;
	bool force;
};

static void changes_clear(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		unit_clear(&changes->item[i].unit);
		drop_in_clear(&changes->item[i].before);
		free(changes->item[i].body);
	}
	free(changes->item);
}

static enum ctl_exit say_file_error(struct ctl *ctl, const char *path, int error)
{
	if (error == -EBUSY)
		return ctl_error(ctl, CTL_FAILED, "drop-in", path, "another smcctl works there");
	if (error == -ELOOP)
		return ctl_error(
			ctl, CTL_FAILED, "drop-in", path, "a symbolic link, or no directory, stands in the way");
	return ctl_error(ctl, ctl_exit_of(error), "drop-in", path, "%s%s", strerror(-error),
		ctl_exit_of(error) == CTL_NOT_PERMITTED ? "; run as root, or for units of your own with --user" : "");
}

/* Finds the unit and what there is of ours. */
static enum ctl_exit begin(struct changes *changes, const char *name, struct change *change)
{
	enum ctl_exit code = unit_read(changes->ctl, name, changes->user, &change->unit);
	int r;

	if (code != CTL_OK)
		return code;
	r = drop_in_read(change->unit.directory, &change->before);
	if (r < 0)
		return say_file_error(changes->ctl, change->unit.drop_in, r);
	/* What was enabled can be disabled, also when the unit's package is gone. */
	if (change->before.kind == DROP_IN_NONE)
		code = unit_must_exist(changes->ctl, &change->unit);
	if (code != CTL_OK)
		return code;
	if ((change->before.kind == DROP_IN_EDITED || change->before.kind == DROP_IN_FOREIGN) && !changes->force)
		return ctl_error(changes->ctl, CTL_STALE, "drop-in", change->unit.drop_in,
			change->before.kind == DROP_IN_EDITED
				? "was edited since smcctl wrote it; remove it yourself, or --force"
				: "is not of smcctl; remove it yourself, or --force");
	return CTL_OK;
}

static enum ctl_exit begin_all(struct changes *changes, const struct ctl_args *args,
	enum ctl_exit (*plan)(struct changes *changes, struct change *change, const void *context), const void *context)
{
	changes->item = calloc(args->operands, sizeof(*changes->item));
	if (!changes->item)
		return ctl_error(changes->ctl, CTL_FAILED, "service", NULL, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < args->operands; i++) {
		struct change *change = &changes->item[changes->count++];
		enum ctl_exit code = begin(changes, args->operand[i], change);

		if (code == CTL_OK && plan)
			code = plan(changes, change, context);
		if (code != CTL_OK)
			return code;
	}
	return CTL_OK;
}

/* ---- enable ---- */

struct wish {
	const char *library;
	const struct paths *policy; /* of its own; .file NULL: none */
};

static enum ctl_exit refuse(struct changes *changes, const struct change *change, const struct judgement *judgement)
{
	const struct finding *worst = judgement_worst(judgement, FINDING_TCP);

	if (worst && (worst->kind == FINDING_NEVER || !changes->force))
		return ctl_error(changes->ctl, CTL_CANNOT, "unit", change->unit.name, "%s: %s%s", worst->what,
			worst->text,
			worst->kind == FINDING_NEVER ? ""
				: worst->kind == FINDING_HELPER
				? "; --force does it all the same"
				: "; it would stay TCP (--force enables it all the same)");
	worst = worst ? worst : judgement_worst(judgement, FINDING_LISTEN);
	if (worst)
		ctl_warn(changes->ctl, "%s: %s: %s", change->unit.name, worst->what, worst->text);
	return CTL_OK;
}

static enum ctl_exit plan_enable(struct changes *changes, struct change *change, const void *context)
{
	const struct wish *wish = context;
	_cleanup_(judgement_clear) struct judgement judgement = {.unit = &change->unit,
		.library = wish->library,
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
	r = judgement_drop_in(&judgement, &change->body);
	return r < 0 ? ctl_error(changes->ctl, CTL_FAILED, "unit", change->unit.name, "%s", strerror(-r)) : CTL_OK;
}

static bool is_as_wished(const struct change *change)
{
	return change->before.kind == DROP_IN_OURS && strcmp(change->before.body, change->body) == 0;
}

static enum ctl_exit reload(struct changes *changes)
{
	enum ctl_exit code = unit_act(changes->ctl, "daemon-reload", NULL, changes->user);

	return code == CTL_OK ? CTL_OK : CTL_PARTLY;
}

/* Back to what was before this run. */
static void take_back(struct change *change)
{
	struct drop_in now;

	if (change->before.kind != DROP_IN_NONE) {
		(void)!drop_in_write(change->unit.directory, change->unit.name, change->before.body);
	} else if (drop_in_read(change->unit.directory, &now) == 0) {
		(void)!drop_in_remove(change->unit.directory, &now);
		drop_in_clear(&now);
	}
	change->done = false;
}

static enum ctl_exit write_all(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		struct change *change = &changes->item[i];
		int r = is_as_wished(change) ? 0
					     : drop_in_write(change->unit.directory, change->unit.name, change->body);

		if (r < 0) {
			enum ctl_exit code = say_file_error(changes->ctl, change->unit.drop_in, r);

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

/* Whether systemd has understood it, and no later drop-in overrules it. */
static enum ctl_exit verify(struct changes *changes, struct change *change, const char *library)
{
	_cleanup_unit_ struct unit unit = {.name = NULL};
	_cleanup_free_ char *preload = NULL;
	enum ctl_exit code = unit_read(changes->ctl, change->unit.name, changes->user, &unit);
	const char *element;
	size_t length;

	if (code != CTL_OK)
		return code;
	if (words_assigned(unit_get(&unit, "Environment"), "LD_PRELOAD", &preload) < 0)
		return ctl_error(changes->ctl, CTL_FAILED, "unit", unit.name, "%s", strerror(ENOMEM));
	if (preload && preload_list_find(preload, &element, &length) && unit_is(&unit, "LoadState", "loaded"))
		return CTL_OK;
	if (change->done)
		take_back(change);
	return ctl_error(changes->ctl, CTL_PARTLY, "unit", unit.name,
		"with the drop-in LD_PRELOAD is '%s', not '%s': another drop-in that comes later overrules it; rolled "
		"back",
		preload ? preload : "", library);
}

static enum ctl_exit look_now(struct changes *changes, const char *name, struct service_state *state)
{
	_cleanup_unit_ struct unit unit = {.name = NULL};
	_cleanup_processes_ struct processes processes = {.main = 0};
	_cleanup_drop_in_ struct drop_in drop_in = {.kind = DROP_IN_NONE};
	enum ctl_exit code = unit_read(changes->ctl, name, changes->user, &unit);
	int r;

	if (code != CTL_OK)
		return code;
	r = drop_in_read(unit.directory, &drop_in);
	if (r == 0)
		r = processes_read(&unit, &processes);
	if (r < 0)
		return ctl_error(changes->ctl, ctl_exit_of(r), "unit", name, "%s", strerror(-r));
	*state = state_find(&unit, &drop_in, &processes);
	return CTL_OK;
}

/* The library shows as soon as the program has been loaded, which may be a moment after systemd calls it started. */
static enum ctl_exit await(struct changes *changes, const char *name, struct service_state *state)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	enum ctl_exit code;

	for (int waited = 0;; waited += PAUSE_MS) {
		code = look_now(changes, name, state);
		if (code != CTL_OK || waited >= WAIT_MS ||
			(state->kind != STATE_KEPT_OUT && state->kind != STATE_RESTART &&
				state->kind != STATE_RESTART_AWAY))
			return code;
		nanosleep(&pause, NULL);
	}
}

static enum ctl_exit say_state(struct changes *changes, const struct change *change, const char *did, bool restarted)
{
	struct service_state state = {.kind = STATE_NOT_ENABLED};
	enum ctl_exit code = CTL_OK;

	if (!change->unit.pattern)
		code = restarted ? await(changes, change->unit.name, &state)
				 : look_now(changes, change->unit.name, &state);
	if (code != CTL_OK)
		return code;
	if (restarted && state.kind == STATE_KEPT_OUT)
		return ctl_error(changes->ctl, CTL_CANNOT, "unit", change->unit.name,
			"%s and restarted, but not accelerated: %s", did, state.why);
	text_put(changes->ctl->out, change->unit.name);
	fprintf(changes->ctl->out, ": %s%s\n", did,
		change->unit.pattern ? "; instances at their next start"
			: state.kind == STATE_RESTART || state.kind == STATE_RESTART_AWAY ? ", restart pending"
			: state.kind == STATE_ACCELERATED                                 ? ", accelerated"
			: state.kind == STATE_NOT_RUNNING                                 ? ", not running"
											  : "");
	return CTL_OK;
}

static enum ctl_exit restart(struct changes *changes, const struct change *change)
{
	_cleanup_free_ char *instances = NULL;
	const char *rest;
	enum ctl_exit code = CTL_OK;
	char *name;

	if (!change->unit.pattern)
		return unit_act(changes->ctl, "try-restart", change->unit.name, changes->user);
	if (unit_instances(&change->unit, &instances) < 0)
		return ctl_error(changes->ctl, CTL_FAILED, "unit", change->unit.name, "its instances cannot be listed");
	rest = instances;
	while (code == CTL_OK && words_next(&rest, &name) > 0) {
		code = unit_act(changes->ctl, "try-restart", name, changes->user);
		free(name);
	}
	return code;
}

static enum ctl_exit finish(struct changes *changes, const char *did, const char *nothing, bool restarts)
{
	enum ctl_exit worst = CTL_OK;

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->item[i];
		enum ctl_exit code = restarts ? restart(changes, change) : CTL_OK;

		if (code == CTL_OK)
			code = say_state(changes, change, change->done ? did : nothing, restarts);
		worst = worst == CTL_OK ? code : worst;
	}
	return worst;
}

static enum ctl_exit enable(struct changes *changes, const struct ctl_args *args, const struct wish *wish)
{
	enum ctl_exit code = begin_all(changes, args, plan_enable, wish);

	if (code == CTL_OK)
		code = write_all(changes);
	if (code == CTL_OK)
		code = reload(changes);
	for (size_t i = 0; i < changes->count && code == CTL_OK; i++) {
		code = verify(changes, &changes->item[i], wish->library);
		if (code != CTL_OK)
			(void)reload(changes);
	}
	return code == CTL_OK ? finish(changes, "enabled", "enabled already", args->option[ENABLE_RESTART] != NULL)
			      : code;
}

enum ctl_exit cmd_service_enable(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_apply_result_ struct apply_result result = {.changed = false};
	_cleanup_(changes_clear) struct changes changes = {
		.ctl = ctl, .user = args->option[ENABLE_USER] != NULL, .force = args->option[ENABLE_FORCE] != NULL};
	_cleanup_free_ char *library = NULL;
	struct wish wish = {.policy = &result.paths};
	int r = paths_library(&library);

	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "library", PATHS_LIBRARY,
			"not found beside smcctl (%s); install smcshim completely", strerror(-r));
	wish.library = library;
	if (args->option[ENABLE_POLICY]) {
		enum ctl_exit code = apply_policy(ctl, args->option[ENABLE_POLICY], APPLY_QUICK, &result);

		if (code != CTL_OK)
			return code;
	}
	return enable(&changes, args, &wish);
}

/* ---- disable ---- */

static enum ctl_exit remove_all(struct changes *changes, bool *changed)
{
	for (size_t i = 0; i < changes->count; i++) {
		struct change *change = &changes->item[i];
		int r = drop_in_remove(change->unit.directory, &change->before);

		/* Where there is none, only leftovers were to be swept away: who may not, need not. */
		if (r < 0 && change->before.kind != DROP_IN_NONE)
			return say_file_error(changes->ctl, change->unit.drop_in, r);
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
	enum ctl_exit code = begin_all(&changes, args, NULL, NULL);

	if (code == CTL_OK)
		code = remove_all(&changes, &changed);
	if (code == CTL_OK && changed)
		code = reload(&changes);
	return code == CTL_OK ? finish(&changes, "disabled", "not enabled", args->option[DISABLE_RESTART] != NULL)
			      : code;
}
