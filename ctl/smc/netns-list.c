/* SPDX-License-Identifier: MIT */
/* Looks for network namespaces where ip-netns(8) and the kernel name them. */
#include "config.h"

#include "ctl/smc/netns-list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

void netns_list_clear(struct netns_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		close(list->item[i].fd);
	free(list->item);
	*list = (struct netns_list){.item = NULL};
}

static bool is_known(const struct netns_list *list, const struct stat *found)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->item[i].device == found->st_dev && list->item[i].inode == found->st_ino)
			return true;
	return false;
}

/* A file of another kind (a name whose namespace is gone) is passed over. */
static int add(struct netns_list *list, const char *path, const char *name)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct netns_entry *entry;
	struct statfs filesystem;
	struct stat found;

	if (fd < 0 && is_shortage(errno))
		return -errno;
	if (fd < 0) {
		list->denied += errno == EACCES || errno == EPERM;
		return 0;
	}
	if (fstatfs(fd, &filesystem) < 0 || filesystem.f_type != NSFS_MAGIC || fstat(fd, &found) < 0 ||
		is_known(list, &found))
		return 0;
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 8;

		entry = realloc(list->item, room * sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		list->item = entry;
		list->room = room;
	}
	entry = &list->item[list->count++];
	*entry = (struct netns_entry){.device = found.st_dev, .inode = found.st_ino, .fd = take_fd(fd)};
	(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
	return 0;
}

static int add_all(struct netns_list *list, const char *directory, const char *end, bool numbers)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && (entry = readdir(dir))) {
		char path[NAME_MAX + 40];
		uint64_t pid;

		if (entry->d_name[0] == '.' || (numbers && text_to_uint(entry->d_name, 1, INT_MAX, &pid) < 0))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s%s", directory, entry->d_name, end);
		r = add(list, path, entry->d_name);
	}
	closedir(dir);
	return r;
}

int netns_list_read(struct netns_list *list)
{
	int r;

	/* Each namespace takes a descriptor. */
	raise_limit(RLIMIT_NOFILE);
	r = add_all(list, "/run/netns", "", false);
	return r < 0 ? r : add_all(list, "/proc", "/ns/net", true);
}
