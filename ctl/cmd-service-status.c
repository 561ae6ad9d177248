/* SPDX-License-Identifier: MIT */
/* smcctl service status: whether services are accelerated, by their processes and by the kernel's word on their sockets. */
#include "config.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/service/drop-in.h"
#include "ctl/service/processes.h"
#include "ctl/service/state.h"
#include "ctl/service/unit-file.h"
#include "ctl/service/words.h"
#include "ctl/smc/sockets-show.h"

enum { STATUS_USER, STATUS_JSON };

const struct ctl_option cmd_service_status_options[] = {
	[STATUS_USER] = CTL_OPTION_USER,
	[STATUS_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

struct view {
	struct ctl *ctl;
	struct out *out;
	bool user;
	enum ctl_exit worst;
};

static void put_sockets(struct out *out, const struct service_sockets *sockets)
{
	out_uint(out, "listeners_smc", "LISTEN-SMC", sockets->listen_smc);
	out_uint(out, "listeners_tcp", "LISTEN-TCP", sockets->listen_tcp);
	out_uint(out, "connections_smc_d", "SMC-D", sockets->smc_d);
	out_uint(out, "connections_smc_r", "SMC-R", sockets->smc_r);
	out_uint(out, "connections_fell_back", "FELL-BACK", sockets->fell_back);
	out_uint(out, "connections_tcp", "TCP", sockets->tcp);
}

static void put_listeners(struct out *out, const struct service_sockets *sockets)
{
	out_list(out, "listeners", NULL);
	for (size_t i = 0; i < sockets->listeners; i++) {
		out_object(out, NULL, NULL);
		out_string(out, "address", NULL, sockets->listener[i].address);
		out_string(out, "mode", NULL, sockets->listener[i].smc ? "smc" : "tcp");
		out_close(out);
	}
	out_close(out);
}

static void put_processes(struct out *out, const struct processes *processes)
{
	out_list(out, "processes", NULL);
	for (size_t i = 0; i < processes->reports.count; i++) {
		const struct process_report *report = &processes->reports.item[i];

		out_object(out, NULL, NULL);
		out_uint(out, "pid", NULL, (uint64_t)report->pid);
		out_string(out, "program", NULL, report->program);
		out_bool(out, "library", NULL, report->kind == PROCESS_CARRIES && !report->supervisor);
		out_bool(out, "supervised", NULL, report->kind == PROCESS_CARRIES && report->supervisor);
		out_bool(out, "secure_execution", NULL,
			report->kind == PROCESS_ABSENT && report->absence == ABSENCE_SECURE);
		if (report->kind == PROCESS_CARRIES) {
			out_uint(out, "connect_smc", NULL, report->value[SMCSHIM_connect_smc]);
			out_uint(out, "connect_fallback", NULL, report->value[SMCSHIM_connect_fallback]);
			out_uint(out, "connect_tcp", NULL, report->value[SMCSHIM_connect_tcp]);
			out_uint(out, "accept_smc", NULL, report->value[SMCSHIM_accept_smc]);
			out_uint(out, "accept_tcp", NULL, report->value[SMCSHIM_accept_tcp]);
		}
		out_close(out);
	}
	out_close(out);
}

/* Text only: what the program itself has counted since its start. */
static void note_counters(struct out *out, const struct processes *processes)
{
	uint64_t smc = 0;
	uint64_t tcp = 0;
	uint64_t fallback = 0;

	for (size_t i = 0; i < processes->reports.count; i++) {
		const uint64_t *value = processes->reports.item[i].value;

		if (processes->reports.item[i].kind != PROCESS_CARRIES)
			continue;
		smc += value[SMCSHIM_connect_smc] + value[SMCSHIM_accept_smc];
		fallback += value[SMCSHIM_connect_fallback];
		tcp += value[SMCSHIM_connect_tcp] + value[SMCSHIM_accept_tcp];
	}
	if (processes->carrying)
		out_note(out, "since their start: %" PRIu64 " connections SMC, %" PRIu64 " fell back, %" PRIu64 " TCP",
			smc, fallback, tcp);
}

static enum ctl_exit exit_of(const struct service_state *state)
{
	switch (state->kind) {
	case STATE_ACCELERATED:
		return CTL_OK;
	case STATE_TCP:
	case STATE_KEPT_OUT:
		return CTL_CANNOT;
	case STATE_UNKNOWN:
		return CTL_NOT_PERMITTED;
	default:
		return CTL_DIFFERENCE;
	}
}

static void put(struct out *out, const struct unit *unit, const struct service_state *state,
	const struct processes *processes, const struct service_sockets *sockets)
{
	const struct process_report *first = processes_main(processes);
	char carrying[48];

	out_object(out, NULL, NULL);
	out_string(out, "unit", "UNIT", unit->name);
	out_string(out, "state", NULL, state_key(state->kind));
	out_string(out, NULL, "STATE", state_text(state->kind));
	out_optional(out, "why", NULL, state->why);
	(void)snprintf(carrying, sizeof(carrying), "%zu of %zu", processes->carrying, processes->reports.count);
	out_string(out, NULL, "PROCESSES", carrying);
	if (out_is_json(out))
		put_processes(out, processes);
	put_sockets(out, sockets);
	if (out_is_json(out)) {
		sockets_put_reason(out, "reason", sockets->reason);
		sockets_put_reason(out, "peer_reason", sockets->peer_reason);
		put_listeners(out, sockets);
	} else {
		if (state->why[0])
			out_note(out, "%s", state->why);
		if (first && first->kind == PROCESS_CARRIES && first->supervisor)
			out_note(out, "its socket calls are supervised (smcctl run)");
		note_counters(out, processes);
		if (sockets->fell_back) {
			sockets_note_reason(out, "fell back, because", sockets->reason);
			sockets_note_reason(out, "the peer said", sockets->peer_reason);
		}
	}
	out_close(out);
}

static enum ctl_exit look(struct view *view, const struct unit *unit)
{
	_cleanup_processes_ struct processes processes = {.main = 0};
	_cleanup_drop_in_ struct drop_in drop_in = {.kind = DROP_IN_NONE};
	_cleanup_(service_sockets_clear) struct service_sockets sockets = {.listener = NULL};
	_cleanup_state_ struct service_state state = {.kind = STATE_NOT_ENABLED};
	int r = drop_in_read(unit->directory, &drop_in);

	if (r == 0)
		r = processes_read(unit, &processes);
	if (r == 0) {
		r = service_sockets_read(&processes, &sockets);
		if (r < 0 && r != -ENOMEM) {
			ctl_warn(view->ctl, "%s: its sockets cannot be seen: %s", unit->name, strerror(-r));
			r = 0;
		}
	}
	if (r < 0)
		return ctl_error(view->ctl, ctl_exit_of(r), "unit", unit->name, "%s", strerror(-r));
	r = state_find(unit, &drop_in, &processes, &state);
	if (r == 0)
		r = state_prove(&processes, &sockets, &state);
	if (r < 0)
		return ctl_error(view->ctl, ctl_exit_of(r), "unit", unit->name, "%s", strerror(-r));
	put(view->out, unit, &state, &processes, &sockets);
	return exit_of(&state);
}

static void look_at(struct view *view, const char *name);

static void look_at_instances(struct view *view, const struct unit *unit)
{
	_cleanup_free_ char *instances = NULL;
	const char *rest;
	char *name;

	if (unit_instances(unit, &instances) < 0)
		return;
	for (rest = instances; words_next(&rest, &name) > 0; free(name))
		look_at(view, name);
}

static void look_at(struct view *view, const char *name)
{
	_cleanup_unit_ struct unit unit = {.name = NULL};
	enum ctl_exit code = unit_read(view->ctl, name, view->user, &unit);

	if (code == CTL_OK)
		code = unit_must_exist(view->ctl, &unit);
	if (code == CTL_OK && unit_file_take_template(&unit) < 0)
		code = ctl_error(view->ctl, CTL_FAILED, "unit", unit.name, "%s", strerror(ENOMEM));
	/* A template itself never runs. */
	if (code == CTL_OK && unit.pattern)
		look_at_instances(view, &unit);
	else if (code == CTL_OK)
		code = look(view, &unit);
	view->worst = view->worst == CTL_OK ? code : view->worst;
}

/* Without names: the units that have our drop-in. */
static void look_at_all(struct view *view)
{
	_cleanup_unit_ struct unit unit = {.name = NULL};
	_cleanup_free_ char *pattern = NULL;
	glob_t found;

	/* Where they lie is asked with a name that is there in every systemd or in none: it need not exist. */
	if (unit_read(view->ctl, "smcshim-policy", view->user, &unit) != CTL_OK) {
		view->worst = CTL_CANNOT;
		return;
	}
	*strrchr(unit.directory, '/') = '\0';
	if (asprintf(&pattern, "%s/*.service.d/" UNIT_DROP_IN, unit.directory) < 0) {
		pattern = NULL;
		view->worst = CTL_FAILED;
		return;
	}
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *name = found.gl_pathv[i] + strlen(unit.directory) + 1;

		name[strcspn(name, "/") - strlen(".d")] = '\0';
		look_at(view, name);
	}
	globfree(&found);
}

enum ctl_exit cmd_service_status(struct ctl *ctl, const struct ctl_args *args)
{
	struct view view = {.ctl = ctl, .user = args->option[STATUS_USER] != NULL};

	if (out_begin(ctl->out, args->option[STATUS_JSON] != NULL, &view.out) < 0)
		return ctl_error(ctl, CTL_FAILED, "service", NULL, "%s", strerror(ENOMEM));
	out_list(view.out, "units", NULL);
	for (size_t i = 0; i < args->operands; i++)
		look_at(&view, args->operand[i]);
	if (!args->operands)
		look_at_all(&view);
	out_close(view.out);
	if (out_end(view.out) < 0)
		return ctl_error(ctl, CTL_FAILED, "service", NULL, "%s", strerror(ENOMEM));
	return view.worst;
}
