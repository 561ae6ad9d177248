/* SPDX-License-Identifier: MIT */
/* Compares what the unit's files ask for with what its main process carries. */
#include "config.h"

#include "ctl/service/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "ctl/preload-list.h"
#include "ctl/service/exec-unit.h"
#include "ctl/service/judge.h"
#include "ctl/service/unit-file.h"
#include "ctl/service/words.h"

static const struct {
	const char *text;
	const char *key;
} kinds[] = {
	[STATE_NOT_ENABLED] = {"not enabled", "not_enabled"},
	[STATE_NOT_RUNNING] = {"enabled, not running", "not_running"},
	[STATE_ACCELERATED] = {"accelerated", "accelerated"},
	[STATE_TCP] = {"loaded, but all TCP", "loaded_tcp"},
	[STATE_RESTART] = {"enabled, restart pending", "restart_pending"},
	[STATE_RESTART_AWAY] = {"disabled, restart pending", "restart_pending_disabled"},
	[STATE_RELOAD] = {"enabled, daemon-reload pending", "reload_pending"},
	[STATE_STALE] = {"enabled, but stale", "stale"},
	[STATE_KEPT_OUT] = {"not accelerated", "not_accelerated"},
	[STATE_UNKNOWN] = {"unknown", "unknown"},
};

const char *state_text(enum state_kind kind)
{
	return kinds[kind].text;
}

const char *state_key(enum state_kind kind)
{
	return kinds[kind].key;
}

void state_clear(struct service_state *state)
{
	free(state->text);
	*state = (struct service_state){.kind = STATE_NOT_ENABLED};
}

static struct service_state is(enum state_kind kind, const char *why)
{
	return (struct service_state){.kind = kind, .why = why};
}

static int64_t now_us(clockid_t clock)
{
	struct timespec ts;

	return clock_gettime(clock, &ts) ? 0 : (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* systemd's time of the start is of CLOCK_MONOTONIC, the file's of CLOCK_REALTIME. */
static bool started_before(const struct unit *unit, const char *path)
{
	struct stat st;
	uint64_t started;
	int64_t written;

	if (stat(path, &st) < 0 ||
		text_to_uint(unit_get(unit, "ExecMainStartTimestampMonotonic"), 1, INT64_MAX, &started) < 0)
		return false;
	written = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
	return (int64_t)started < written - now_us(CLOCK_REALTIME) + now_us(CLOCK_MONOTONIC);
}

/* The unit has the library without our drop-in: by a line of its own, or by smcctl run. */
static bool has_otherwise(const struct unit *unit)
{
	_cleanup_free_ char *preload = NULL;
	const char *element;
	size_t length;

	if (words_assigned(unit_get(unit, "Environment"), "LD_PRELOAD", &preload) < 0)
		return false;
	if (preload && preload_list_find(preload, &element, &length))
		return true;
	return strstr(unit_get(unit, "ExecStart"), "smcctl run") != NULL || judge_files_name_library(unit);
}

/* The table that the unit's environment names is the one that the process follows. */
static bool follows_its_table(const struct unit *unit, const struct process_report *report)
{
	_cleanup_free_ char *table = NULL;

	if (words_assigned(unit_get(unit, "Environment"), "SMC_POLICY", &table) < 0)
		return true;
	return strcmp(report->table, table ? table : CTL_DEFAULT_TABLE) == 0;
}

/* It has been started in the way that the drop-in, or the unit itself, has it. */
static bool is_reached_so(const struct unit *unit, const struct drop_in *drop_in, const struct process_report *report)
{
	if (exec_text_supervises(drop_in->body))
		return report->supervisor != 0;
	return !report->supervisor || strstr(unit_get(unit, "ExecStart"), "smcctl run");
}

static struct service_state carries(
	const struct unit *unit, const struct drop_in *drop_in, const struct process_report *report)
{
	if (drop_in->kind == DROP_IN_NONE)
		return has_otherwise(unit) ? is(STATE_ACCELERATED, "not by smcctl service enable")
					   : is(STATE_RESTART_AWAY, "");
	if (!is_reached_so(unit, drop_in, report))
		return is(STATE_RESTART, "it is accelerated in another way until then");
	if (!follows_its_table(unit, report))
		return is(STATE_RESTART, "it follows another policy until then");
	return is(STATE_ACCELERATED, "");
}

static struct service_state lacks(
	const struct unit *unit, const struct drop_in *drop_in, const struct process_report *report)
{
	if (started_before(unit, unit->drop_in))
		return is(STATE_RESTART, "");
	if (exec_text_supervises(drop_in->body))
		return is(STATE_KEPT_OUT, "it could not be supervised; smcctl run has said why: journalctl -u tells");
	if (report->kind == PROCESS_ABSENT && report->absence == ABSENCE_STATIC)
		return is(STATE_KEPT_OUT, "its program is linked statically: smcctl service enable --supervise");
	if (report->kind == PROCESS_ABSENT)
		return is(STATE_KEPT_OUT, process_absence_text(report->absence));
	return is(STATE_KEPT_OUT,
		"LD_PRELOAD is not in its environment: the unit, a wrapper or the program itself takes it away");
}

static struct service_state find(
	const struct unit *unit, const struct drop_in *drop_in, const struct processes *processes, bool stale)
{
	const struct process_report *report = processes_main(processes);
	bool there = drop_in->kind != DROP_IN_NONE;

	if (there && !unit_file_has_drop_in(unit) && !unit->pattern)
		return is(STATE_RELOAD, "systemd has not read it yet: systemctl daemon-reload");
	if (stale)
		return is(
			STATE_STALE, "the unit's command has changed, the drop-in starts the old one: enable it again");
	if (!report)
		return is(there ? STATE_NOT_RUNNING : STATE_NOT_ENABLED, "");
	switch (report->kind) {
	case PROCESS_DENIED:
		return is(STATE_UNKNOWN, "its process may not be looked into; run as root");
	case PROCESS_STUCK:
		return is(STATE_UNKNOWN, "its process does not let its memory be read");
	case PROCESS_UNREADABLE:
		return is(STATE_UNKNOWN, "it carries a file of the library's name that has no counters");
	case PROCESS_OTHER_ABI:
		return is(STATE_RESTART, "it carries the library of another version");
	case PROCESS_CARRIES:
		return carries(unit, drop_in, report);
	case PROCESS_ABSENT:
	case PROCESS_PLAIN:
	case PROCESS_GONE:
		break;
	}
	return there ? lacks(unit, drop_in, report) : is(STATE_NOT_ENABLED, "");
}

int state_find(const struct unit *unit, const struct drop_in *drop_in, const struct processes *processes,
	struct service_state *out)
{
	bool stale;
	int r = exec_unit_is_stale(unit, drop_in->body, &stale);

	if (r == 0)
		*out = find(unit, drop_in, processes, stale);
	return r;
}

/* Who has no listener may have none of its connections at this moment. */
static bool is_all_tcp(const struct processes *processes, const struct service_sockets *sockets)
{
	uint64_t smc = sockets->listen_smc + sockets->smc_d + sockets->smc_r;

	if (sockets->smc_error < 0 && sockets->smc_error != -EPROTONOSUPPORT)
		return false;
	for (size_t i = 0; i < processes->reports.count; i++) {
		const struct process_report *report = &processes->reports.item[i];

		if (report->kind == PROCESS_CARRIES)
			smc += report->value[SMCSHIM_connect_smc] + report->value[SMCSHIM_accept_smc];
	}
	return sockets->listen_tcp && !smc;
}

int state_prove(const struct processes *processes, const struct service_sockets *sockets, struct service_state *state)
{
	const struct process_report *report = processes_main(processes);
	_cleanup_(judgement_clear) struct judgement judgement = {.table = report ? report->table : NULL};
	const struct remark *worst;

	if (state->kind != STATE_ACCELERATED)
		return 0;
	judge_policy(&judgement);
	worst = judgement_worst(&judgement, REMARK_POLICY);
	if (judgement.error)
		return judgement.error;
	if (worst) {
		if (asprintf(&state->text, "%s: %s", worst->what, worst->text) < 0) {
			state->text = NULL;
			return -ENOMEM;
		}
		state->kind = STATE_TCP;
		state->why = state->text;
	} else if (is_all_tcp(processes, sockets)) {
		state->kind = STATE_TCP;
		state->why = "its listeners are TCP, and nothing is SMC; smcctl service explain tells what a restart "
			     "would make of them";
	}
	return 0;
}
