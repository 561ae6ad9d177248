/* SPDX-License-Identifier: MIT */
/* The processes of a unit, by its control group. */
#include "config.h"

#include "ctl/service/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/process/supervised.h"
#include "ctl/process/worker.h"

#define PIDS_MAX (16u << 20)
#define DEPTH_MAX 16

struct pids {
	pid_t *item;
	size_t count;
};

static int add_pids(int dir, struct pids *pids)
{
	_cleanup_close_ int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	char *rest = NULL;
	size_t size;
	int r = fd < 0 ? -errno : read_all(fd, PIDS_MAX, &text, &size);

	/* Threaded groups do not tell, and a group may go while we look. */
	if (r == -EOPNOTSUPP || r == -ENODEV || r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		pid_t *larger = realloc(pids->item, (pids->count + 1) * sizeof(*larger));
		uint64_t pid;

		if (!larger)
			return -ENOMEM;
		pids->item = larger;
		if (text_to_uint(line, 1, INT32_MAX, &pid) == 0)
			pids->item[pids->count++] = (pid_t)pid;
	}
	return 0;
}

/* The group and those below it. */
static int add_group(int at, const char *name, int depth, struct pids *pids)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	DIR *dir;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	r = add_pids(fd, pids);
	while (r == 0 && depth < DEPTH_MAX && (entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] != '.' && fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISDIR(st.st_mode))
			r = add_group(fd, entry->d_name, depth + 1, pids);
	}
	closedir(dir);
	return r;
}

static int read_group(const char *group, struct pids *pids)
{
	/* One hierarchy, or systemd's own of several. */
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && pids->count == 0; i++) {
		_cleanup_free_ char *path = NULL;
		int r;

		if (asprintf(&path, "%s%s", roots[i], group) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = add_group(AT_FDCWD, path, 0, pids);
		if (r < 0)
			return r;
	}
	return 0;
}

static void take_report(void *context, const struct process_report *report)
{
	struct processes *processes = context;

	if (report->kind == PROCESS_GONE)
		return;
	process_reports_add(&processes->reports, report);
	processes->carrying += report->kind == PROCESS_CARRIES;
}

void processes_clear(struct processes *processes)
{
	process_reports_clear(&processes->reports);
	*processes = (struct processes){.main = 0};
}

int processes_read(const struct unit *unit, struct processes *out)
{
	_cleanup_processes_ struct processes found = {.main = 0};
	const char *group = unit_get(unit, "ControlGroup");
	struct pids pids = {.item = NULL};
	uint64_t main_pid;
	int r = *group ? read_group(group, &pids) : 0;

	if (text_to_uint(unit_get(unit, "MainPID"), 1, INT32_MAX, &main_pid) == 0)
		found.main = (pid_t)main_pid;
	if (r == 0 && pids.count)
		r = worker_inspect(pids.item, pids.count, take_report, &found);
	free(pids.item);
	supervised_join(&found.reports);
	if (r == 0)
		r = found.reports.error;
	if (r < 0)
		return r;
	*out = found;
	found = (struct processes){.main = 0};
	return 0;
}

const struct process_report *processes_main(const struct processes *processes)
{
	for (size_t i = 0; i < processes->reports.count; i++) {
		if (processes->reports.item[i].pid == processes->main)
			return &processes->reports.item[i];
	}
	return processes->reports.count ? &processes->reports.item[0] : NULL;
}
