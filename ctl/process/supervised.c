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

void supervised_clear(struct supervised *supervised)
{
	free(supervised->tree);
	*supervised = (struct supervised){.tree = NULL};
}

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
	struct supervised *supervised = context;

	if (report->kind != PROCESS_CARRIES || !report->supervisor)
		return;
	if (supervised->count == supervised->room) {
		size_t room = supervised->room ? supervised->room * 2 : 4;
		struct process_report *larger = realloc(supervised->tree, room * sizeof(*larger));

		if (!larger) {
			supervised->error = -ENOMEM;
			return;
		}
		supervised->tree = larger;
		supervised->room = room;
	}
	supervised->tree[supervised->count++] = *report;
}

int supervised_read(struct supervised *out)
{
	_cleanup_supervised_ struct supervised found = {.tree = NULL};
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
	found = (struct supervised){.tree = NULL};
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

static const struct process_report *tree_of_first(const struct process_report *reports, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (reports[i].supervisor && reports[i].pid == pid)
			return &reports[i];
	return NULL;
}

const struct process_report *supervised_find(const struct process_report *reports, size_t count, pid_t pid)
{
	bool any = false;

	for (size_t i = 0; i < count && !any; i++)
		any = reports[i].supervisor != 0;
	for (int i = 0; any && i < ANCESTORS && pid > 0; i++) {
		pid_t parent = filtered_parent(pid);
		const struct process_report *tree = parent < 0 ? NULL : tree_of_first(reports, count, pid);

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

static bool is_told(const struct process_report *reports, size_t count, const struct process_report *report)
{
	return !report->supervisor && (supervised_is_guardian(report) || tree_of_first(reports, count, report->pid));
}

size_t supervised_join(struct process_report *reports, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (reports[i].kind == PROCESS_ABSENT && supervised_find(reports, count, reports[i].pid))
			reports[i].kind = PROCESS_PLAIN;
	/* The supervisors' stay, so those to come are still found when others have moved up. */
	for (size_t i = 0; i < count; i++) {
		if (is_told(reports, count, &reports[i]))
			continue;
		if (kept != i)
			reports[kept] = reports[i];
		kept++;
	}
	return kept;
}
