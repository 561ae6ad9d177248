/* SPDX-License-Identifier: MIT */
/* What enable and disable have in common: their units at the start, and what became of them at the end. */
#include "config.h"

#include "ctl/service/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/service/state.h"
#include "ctl/service/words.h"

/* How long a service may take after its restart until the library shows, and from its first listener, TCP, to the one of SMC. */
#define WAIT_MS 5000
#define LISTEN_MS 1000
#define PAUSE_MS 100

void changes_clear(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		unit_clear(&changes->item[i].unit);
		drop_in_clear(&changes->item[i].before);
		free(changes->item[i].body);
	}
	free(changes->item);
}

enum ctl_exit changes_file_error(struct ctl *ctl, const char *path, int error)
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
		return changes_file_error(changes->ctl, change->unit.drop_in, r);
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

enum ctl_exit changes_begin(
	struct changes *changes, const struct ctl_args *args, changes_plan *plan, const void *context)
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

enum ctl_exit changes_reload(struct changes *changes)
{
	enum ctl_exit code = unit_act(changes->ctl, "daemon-reload", NULL, changes->user);

	return code == CTL_OK ? CTL_OK : CTL_PARTLY;
}

static enum ctl_exit look_now(struct changes *changes, const char *name, struct service_state *state)
{
	_cleanup_unit_ struct unit unit = {.name = NULL};
	_cleanup_processes_ struct processes processes = {.main = 0};
	_cleanup_drop_in_ struct drop_in drop_in = {.kind = DROP_IN_NONE};
	_cleanup_(service_sockets_clear) struct service_sockets sockets = {.listener = NULL};
	enum ctl_exit code = unit_read(changes->ctl, name, changes->user, &unit);
	int r;

	if (code != CTL_OK)
		return code;
	r = drop_in_read(unit.directory, &drop_in);
	if (r == 0)
		r = processes_read(&unit, &processes);
	if (r == 0)
		r = state_find(&unit, &drop_in, &processes, state);
	/* What may not be seen, status says. */
	if (r == 0 && service_sockets_read(&processes, &sockets) == -ENOMEM)
		r = -ENOMEM;
	if (r == 0)
		r = state_prove(&processes, &sockets, state);
	return r < 0 ? ctl_error(changes->ctl, ctl_exit_of(r), "unit", name, "%s", strerror(-r)) : CTL_OK;
}

/* The library shows as soon as the program has been loaded, which may be a moment after systemd calls it started. */
static enum ctl_exit await(struct changes *changes, const char *name, struct service_state *state)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	int64_t begin = monotonic_ms();

	for (;;) {
		enum ctl_exit code = look_now(changes, name, state);
		int64_t wait = state->kind == STATE_TCP && !state->text ? LISTEN_MS
			: state->kind == STATE_KEPT_OUT || state->kind == STATE_RESTART ||
				state->kind == STATE_RESTART_AWAY
			? WAIT_MS
			: 0;

		if (code != CTL_OK || monotonic_ms() >= begin + wait)
			return code;
		state_clear(state);
		nanosleep(&pause, NULL);
	}
}

static enum ctl_exit say_state(struct changes *changes, const struct change *change, const char *did, bool restarted)
{
	_cleanup_state_ struct service_state state = {.kind = STATE_NOT_ENABLED};
	enum ctl_exit code = CTL_OK;

	if (!change->unit.pattern)
		code = restarted ? await(changes, change->unit.name, &state)
				 : look_now(changes, change->unit.name, &state);
	if (code != CTL_OK)
		return code;
	if (restarted && change->body && (state.kind == STATE_KEPT_OUT || state.kind == STATE_TCP))
		return ctl_error(changes->ctl, CTL_CANNOT, "unit", change->unit.name,
			"%s and restarted, but not accelerated: %s", did, state.why);
	text_put(changes->ctl->out, change->unit.name);
	fprintf(changes->ctl->out, ": %s%s%s\n", did,
		change->unit.pattern ? "; instances at their next start"
			: state.kind == STATE_RESTART || state.kind == STATE_RESTART_AWAY ? ", restart pending"
			: state.kind == STATE_ACCELERATED                                 ? ", accelerated"
			: state.kind == STATE_NOT_RUNNING                                 ? ", not running"
			: state.kind == STATE_TCP                                         ? ", loaded, but all TCP: "
											  : "",
		state.kind == STATE_TCP ? state.why : "");
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

enum ctl_exit changes_finish(struct changes *changes, const char *did, const char *nothing, bool restarts)
{
	enum ctl_exit worst = CTL_OK;

	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->item[i];
		enum ctl_exit code;

		if (change->failed)
			continue;
		code = restarts ? restart(changes, change) : CTL_OK;
		if (code == CTL_OK)
			code = say_state(changes, change, change->done ? did : nothing, restarts);
		worst = worst == CTL_OK ? code : worst;
	}
	return worst;
}
