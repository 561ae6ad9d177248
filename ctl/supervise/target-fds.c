/* SPDX-License-Identifier: MIT */
/* Looks through the descriptors of other processes. */
#include "config.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/supervise/target.h"

struct look {
	pid_t tid;
	DIR *dir;
	char wanted[48];
};

static bool look_begin(struct look *look, pid_t tid, uint64_t inode)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)tid);
	snprintf(look->wanted, sizeof(look->wanted), "socket:[%" PRIu64 "]", inode);
	look->tid = tid;
	look->dir = opendir(path);
	return look->dir != NULL;
}

/* The next descriptor, and what it is. -1: there is none. */
static int look_next(const struct look *look, char link[static 48])
{
	const struct dirent *entry;

	do
		entry = readdir(look->dir);
	while (entry && entry->d_name[0] == '.');
	if (!entry)
		return -1;
	ssize_t n = readlinkat(dirfd(look->dir), entry->d_name, link, 47);

	link[n > 0 ? n : 0] = '\0';
	return (int)strtol(entry->d_name, NULL, 10);
}

int target_find_socket(pid_t tid, uint64_t inode)
{
	struct look look;
	char link[48];
	int fd;

	if (!look_begin(&look, tid, inode))
		return -1;
	do
		fd = look_next(&look, link);
	while (fd >= 0 && strcmp(link, look.wanted) != 0);
	closedir(look.dir);
	return fd;
}

/* proc(5): a line "tfd: NUMBER ..." for each descriptor that the epoll watches, by the number it had then. */
static bool epoll_has(pid_t tid, int epoll, int fd)
{
	char path[64];
	char line[256];
	_cleanup_fclose_ FILE *stream = NULL;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, epoll);
	stream = fopen(path, "re");
	if (!stream)
		return true;
	while (fgets(line, sizeof(line), stream))
		if (starts_with(line, "tfd:") && strtol(line + strlen("tfd:"), NULL, 10) == fd)
			return true;
	return false;
}

bool target_has_alone(pid_t tid, int fd, uint64_t inode)
{
	struct look look;
	bool found = false, alone = true;
	char link[48];
	int other;

	if (!look_begin(&look, tid, inode))
		return false;
	while (alone && (other = look_next(&look, link)) >= 0) {
		if (other == fd)
			found = strcmp(link, look.wanted) == 0;
		else if (strcmp(link, "anon_inode:[eventpoll]") == 0)
			alone = !epoll_has(tid, other, fd);
		else
			alone = strcmp(link, look.wanted) != 0;
	}
	closedir(look.dir);
	return alone && found;
}
