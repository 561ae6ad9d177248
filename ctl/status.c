/* SPDX-License-Identifier: MIT */
/* Writes what processes carry: main counters as columns, the others below when they are not zero. */
#include "config.h"

#include "ctl/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/apply.h"
#include "ctl/output.h"
#include "ctl/process/supervised.h"

static const char *const counter_names[] = {
#define COUNTER_NAME(name, meaning) #name,
	SMCSHIM_COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
};

/* The counters that have a column. */
static const struct {
	enum smcshim_counter counter;
	const char *title;
} columns[] = {
	{SMCSHIM_sockets_smc, "SOCKETS"},
	{SMCSHIM_connect_smc, "SMC"},
	{SMCSHIM_connect_fallback, "FELL-BACK"},
	{SMCSHIM_connect_tcp, "TCP"},
	{SMCSHIM_connect_failed, "FAILED"},
	{SMCSHIM_connect_pending, "PENDING"},
	{SMCSHIM_listen_smc, "LISTEN-SMC"},
	{SMCSHIM_listen_tcp, "LISTEN-TCP"},
	{SMCSHIM_accept_smc, "ACCEPT-SMC"},
	{SMCSHIM_accept_tcp, "ACCEPT-TCP"},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

void status_clear(struct status *status)
{
	process_reports_clear(&status->reports);
}

void status_add(void *context, const struct process_report *report)
{
	struct status *status = context;

	status->denied += report->kind == PROCESS_DENIED;
	status->stuck += report->kind == PROCESS_STUCK;
	if (!status->named &&
		(report->kind == PROCESS_PLAIN || report->kind == PROCESS_DENIED || report->kind == PROCESS_GONE))
		return;
	if (!status->named && status->table && report->kind != PROCESS_STUCK &&
		strcmp(report->table, status->table) != 0)
		return;
	process_reports_add(&status->reports, report);
}

/* Processes that were asked for, and that a supervisor knows about. */
static int ask_supervisors(struct status *status)
{
	_cleanup_process_reports_ struct process_reports supervised = {.item = NULL};
	size_t unknown = 0;
	int r = 0;

	for (size_t i = 0; i < status->reports.count; i++)
		unknown +=
			status->reports.item[i].kind == PROCESS_PLAIN || status->reports.item[i].kind == PROCESS_ABSENT;
	if (unknown)
		r = supervised_read(&supervised);
	for (size_t i = 0; r == 0 && i < status->reports.count; i++) {
		struct process_report *report = &status->reports.item[i];
		const struct process_report *tree = NULL;
		struct process_report told;

		if ((report->kind == PROCESS_PLAIN || report->kind == PROCESS_ABSENT) &&
			!supervised_is_guardian(report))
			tree = supervised_find(&supervised, report->pid);
		if (!tree)
			continue;
		told = *tree;
		told.pid = report->pid;
		snprintf(told.program, sizeof(told.program), "%s", report->program);
		told.tree = tree->pid;
		*report = told;
	}
	return r;
}

int status_join(struct status *status)
{
	size_t kept = 0;

	if (status->named)
		return ask_supervisors(status);
	supervised_join(&status->reports);
	for (size_t i = 0; i < status->reports.count; i++) {
		struct process_report *report = &status->reports.item[i];

		if (report->kind == PROCESS_PLAIN)
			continue;
		if (report->supervisor)
			report->tree = report->pid;
		if (kept != i)
			status->reports.item[kept] = *report;
		kept++;
	}
	status->reports.count = kept;
	return 0;
}

static bool has_column(size_t counter)
{
	for (size_t c = 0; c < COLUMNS; c++) {
		if (columns[c].counter == counter)
			return true;
	}
	return false;
}

/* The counters without a column, in one line; nothing if all are zero. */
static int put_extras(struct out *out, const struct process_report *report)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; i < SMCSHIM_COUNTER_MAX; i++) {
		if (report->value[i] && !has_column(i))
			fprintf(stream, "%s%s %" PRIu64, ftell(stream) ? ", " : "", counter_names[i], report->value[i]);
	}
	if (fclose(stream) != 0) {
		free(text);
		return -ENOMEM;
	}
	if (size)
		out_note(out, "%s", text);
	free(text);
	return 0;
}

static void put_policy(struct out *out, const struct process_report *report)
{
	static const char *const table_states[] = {[SMCSHIM_TABLE_MISSING] = "missing",
		[SMCSHIM_TABLE_MAPPED] = "mapped",
		[SMCSHIM_TABLE_REFUSED] = "refused"};
	const char *table_state =
		report->table_state <= SMCSHIM_TABLE_REFUSED ? table_states[report->table_state] : "unknown";
	const char *state =
		report->policy_state >= 0 ? apply_state_name((enum policy_state)report->policy_state) : NULL;
	char text[sizeof(report->table) + 16];

	snprintf(text, sizeof(text), "%s (%s)", report->table, state ? state : table_state);
	out_string(out, NULL, "POLICY", text);
	out_string(out, "table", NULL, report->table);
	out_string(out, "table_state", NULL, table_state);
	if (state)
		out_string(out, "policy_state", NULL, state);
	else
		out_null(out, "policy_state", NULL);
}

static int put_carrier(struct out *out, const struct process_report *report)
{
	int r = 0;

	out_object(out, NULL, NULL);
	out_uint(out, "pid", "PID", (uint64_t)report->pid);
	if (out_is_json(out) || !report->supervisor) {
		out_string(out, "program", "PROGRAM", report->program);
	} else {
		char text[sizeof(report->program) + sizeof(" (supervised)")];

		snprintf(text, sizeof(text), "%s (supervised)", report->program);
		out_string(out, NULL, "PROGRAM", text);
	}
	out_bool(out, "supervised", NULL, report->supervisor != 0);
	if (report->supervisor)
		out_uint(out, "supervisor", NULL, (uint64_t)report->supervisor);
	else
		out_null(out, "supervisor", NULL);
	if (report->tree)
		out_uint(out, "tree", NULL, (uint64_t)report->tree);
	else
		out_null(out, "tree", NULL);
	out_string(out, "library", NULL, report->library);
	put_policy(out, report);
	if (out_is_json(out)) {
		out_object(out, "counters", NULL);
		for (size_t i = 0; i < SMCSHIM_COUNTER_MAX; i++)
			out_uint(out, counter_names[i], NULL, report->value[i]);
		out_close(out);
	} else {
		for (size_t c = 0; c < COLUMNS; c++)
			out_uint(out, NULL, columns[c].title, report->value[columns[c].counter]);
		r = put_extras(out, report);
		if (report->tree && report->tree != report->pid)
			out_note(out, "counted for the whole tree of process %ld", (long)report->tree);
	}
	out_close(out);
	return r;
}

static const char *problem(const struct process_report *report, char *text, size_t size)
{
	switch (report->kind) {
	case PROCESS_OTHER_ABI:
		snprintf(text, size,
			"carries a library of version %" PRIu32 " of the counters, this smcctl reads %u; restart it",
			report->abi, SMCSHIM_COUNTERS_ABI);
		return text;
	case PROCESS_UNREADABLE:
		return "carries a file of the library's name that has no counters";
	case PROCESS_STUCK:
		return "does not let its memory be read: given up";
	case PROCESS_ABSENT:
		return process_absence_text(report->absence);
	case PROCESS_DENIED:
		return geteuid() == 0 ? "not permitted, even for root here" : "not permitted; run as root";
	case PROCESS_GONE:
		return "no such process";
	case PROCESS_PLAIN:
		return supervised_is_guardian(report)
			? "starts the supervisor of other processes again when that is killed"
			: "was not started with the library, and is not known to be supervised";
	case PROCESS_CARRIES:
		break;
	}
	return "";
}

static void put_problem(struct out *out, const struct process_report *report)
{
	static const char *const kinds[] = {[PROCESS_PLAIN] = "plain",
		[PROCESS_CARRIES] = "carries",
		[PROCESS_OTHER_ABI] = "other_abi",
		[PROCESS_UNREADABLE] = "unreadable",
		[PROCESS_ABSENT] = "absent",
		[PROCESS_DENIED] = "denied",
		[PROCESS_GONE] = "gone",
		[PROCESS_STUCK] = "stuck"};
	char text[128];

	out_object(out, NULL, NULL);
	out_uint(out, "pid", "PID", (uint64_t)report->pid);
	out_string(out, "program", "PROGRAM", report->program);
	out_string(out, "kind", NULL, kinds[report->kind]);
	out_string(out, "library", NULL, report->library);
	out_string(out, "why", "NOT ACCELERATED, BECAUSE", problem(report, text, sizeof(text)));
	out_close(out);
}

static void put_counts(struct out *out, const struct status *status, size_t carriers)
{
	out_uint(out, "not_permitted", NULL, status->denied);
	out_uint(out, "stuck", NULL, status->stuck);
	if (!carriers && !status->named)
		out_note(out, "No process%s carries the shim.", status->table ? " of that policy" : "");
	if (status->denied && !status->named)
		out_note(out, "%zu process%s could not be looked into: %s.", status->denied,
			status->denied == 1 ? "" : "es", geteuid() == 0 ? "not even root may here" : "run as root");
}

int status_print(const struct status *status, FILE *stream, bool json)
{
	struct out *out;
	size_t carriers = 0;
	int r = out_begin(stream, json, &out);

	if (r < 0)
		return r;
	out_list(out, "processes", NULL);
	for (size_t i = 0; i < status->reports.count; i++) {
		if (status->reports.item[i].kind != PROCESS_CARRIES)
			continue;
		r = put_carrier(out, &status->reports.item[i]);
		if (r < 0)
			break;
		carriers++;
	}
	out_close(out);
	out_list(out, "problems", NULL);
	for (size_t i = 0; i < status->reports.count; i++) {
		const struct process_report *report = &status->reports.item[i];

		if (report->kind != PROCESS_CARRIES && report->kind != PROCESS_GONE && report->kind != PROCESS_DENIED)
			put_problem(out, report);
	}
	out_close(out);
	put_counts(out, status, carriers);
	return out_end(out) < 0 || r < 0 ? -ENOMEM : 0;
}

enum ctl_exit status_complain(const struct status *status, struct ctl *ctl)
{
	enum ctl_exit code = CTL_OK;

	for (size_t i = 0; i < status->reports.count; i++) {
		const struct process_report *report = &status->reports.item[i];
		char pid[24];
		char text[128];

		if (report->kind != PROCESS_DENIED && report->kind != PROCESS_GONE)
			continue;
		snprintf(pid, sizeof(pid), "%ld", (long)report->pid);
		code = ctl_error(ctl, report->kind == PROCESS_DENIED ? CTL_NOT_PERMITTED : CTL_FAILED, "process", pid,
			"%s", problem(report, text, sizeof(text)));
	}
	return code;
}
