/* SPDX-License-Identifier: MIT */
/* Finds supervisors, and which processes are theirs. */
#include "config.h"

#include "ctl/process/supervised.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/paths.h"
#include "ctl/process/list.h"
#include "ctl/process/worker.h"

/* More ancestors than that have no sense, and a number given out anew meanwhile could make a ring. */
#define ANCESTORS 1000
/* Its line of groups can be long. */
#define STATUS_MAX (1u << 20)

static bool is_named_so(pid_t pid)
{
	char path[48];
	char name[32];

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	/* The kernel keeps the first 15 bytes of a program's name. */
	return read_line_at(AT_FDCWD, path, name, sizeof(name)) == 0 && name[0] &&
		strncmp(name, PATHS_SUPERVISOR, 15) == 0;
}

static void take_tree(void *context, const struct process_report *report)
{
	if (report->kind == PROCESS_CARRIES && report->supervisor)
		process_reports_add(context, report);
}

int supervised_read(struct process_reports *out)
{
	_cleanup_process_reports_ struct process_reports found = {.item = NULL};
	_cleanup_free_ pid_t *pids = NULL;
	size_t count;
	size_t kept = 0;
	int r = process_list(&pids, &count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (is_named_so(pids[i]))
			pids[kept++] = pids[i];
	if (kept)
		r = worker_inspect(pids, kept, take_tree, &found);
	if (r == 0)
		r = found.error;
	if (r < 0)
		return r;
	*out = found;
	found = (struct process_reports){.item = NULL};
	return 0;
}

/* The number behind "\nKEY:\t"; 0 if there is none. */
static pid_t status_number(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? (pid_t)strtol(at + strlen(key), NULL, 10) : 0;
}

/* The parent of a process that has a filter of system calls, as all of a tree have; -1: it has none, or is gone. */
static pid_t filtered_parent(pid_t pid)
{
	char path[48];
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	fd = open_read(path);
	if (fd < 0 || read_all(fd, STATUS_MAX, &text, &size) < 0 || status_number(text, "\nSeccomp:\t") != 2)
		return -1;
	return status_number(text, "\nPPid:\t"); /* 0: the first one of a PID namespace */
}

static const struct process_report *tree_of_first(const struct process_reports *reports, pid_t pid)
{
	for (size_t i = 0; i < reports->count; i++)
		if (reports->item[i].supervisor && reports->item[i].pid == pid)
			return &reports->item[i];
	return NULL;
}

const struct process_report *supervised_find(const struct process_reports *reports, pid_t pid)
{
	bool any = false;

	for (size_t i = 0; i < reports->count && !any; i++)
		any = reports->item[i].supervisor != 0;
	for (int i = 0; any && i < ANCESTORS && pid > 0; i++) {
		pid_t parent = filtered_parent(pid);
		const struct process_report *tree = parent < 0 ? NULL : tree_of_first(reports, pid);

		if (tree)
			return tree;
		pid = parent;
	}
	return NULL;
}

bool supervised_is_guardian(const struct process_report *report)
{
	/* process_inspect() */
	return report->kind == PROCESS_PLAIN && strcmp(path_base(report->library), PATHS_SUPERVISOR) == 0;
}

static bool is_told(const struct process_reports *reports, const struct process_report *report)
{
	return !report->supervisor && (supervised_is_guardian(report) || tree_of_first(reports, report->pid));
}

void supervised_join(struct process_reports *reports)
{
	size_t kept = 0;

	for (size_t i = 0; i < reports->count; i++) {
		struct process_report *report = &reports->item[i];

		if (report->kind == PROCESS_ABSENT && supervised_find(reports, report->pid))
			report->kind = PROCESS_PLAIN;
	}
	/* The supervisors' stay, so those to come are still found when others have moved up. */
	for (size_t i = 0; i < reports->count; i++) {
		if (is_told(reports, &reports->item[i]))
			continue;
		if (kept != i)
			reports->item[kept] = reports->item[i];
		kept++;
	}
	reports->count = kept;
}
