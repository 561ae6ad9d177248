/* SPDX-License-Identifier: MIT */
/* Lists the processes. */
#include "config.h"

#include "ctl/process/list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int process_compare(const void *a, const void *b)
{
	const pid_t *x = a;
	const pid_t *y = b;

	return (*x > *y) - (*x < *y);
}

int process_list(pid_t **out, size_t *count)
{
	_cleanup_free_ pid_t *pids = NULL;
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	size_t used = 0;
	size_t room = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		uint64_t pid;

		if (text_to_uint(entry->d_name, 1, INT32_MAX, &pid) < 0 || (pid_t)pid == getpid())
			continue;
		if (used == room) {
			pid_t *larger;

			room = room ? room * 2 : 512;
			larger = realloc(pids, room * sizeof(*pids));
			if (!larger) {
				closedir(dir);
				return -ENOMEM;
			}
			pids = larger;
		}
		pids[used++] = (pid_t)pid;
	}
	closedir(dir);
	if (used)
		qsort(pids, used, sizeof(*pids), process_compare);
	*out = take(pids);
	*count = used;
	return 0;
}
