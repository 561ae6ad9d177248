/* SPDX-License-Identifier: MIT */
/* Replaces a file by one rename, with its bytes on the disk before it and its name after it. */
#include "config.h"

#include "ctl/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int replace_directory(const char *path)
{
	size_t length = (size_t)(path_base(path) - path);
	_cleanup_free_ char *directory = length ? strndup(path, length) : strdup(".");
	int fd;

	if (!directory)
		return -ENOMEM;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int write_temporary(const struct replace *replace, const void *data, size_t size)
{
	_cleanup_close_ int fd = openat(replace->at, replace->temporary,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	int r;

	if (fd < 0)
		return -errno;
	r = write_bytes(fd, data, size);
	if (r == 0 && replace->prepare)
		r = replace->prepare(fd, replace->context);
	/* After a change of the owner, which takes bits away. */
	if (r == 0 && (fchmod(fd, replace->mode) < 0 || fsync(fd) < 0))
		r = -errno;
	return r;
}

int replace_file(const struct replace *replace, const void *data, size_t size)
{
	int r;

	if (unlinkat(replace->at, replace->temporary, 0) < 0 && errno != ENOENT)
		return -errno;
	r = write_temporary(replace, data, size);
	if (r == 0 && renameat(replace->at, replace->temporary, replace->at, replace->name) < 0)
		r = -errno;
	if (r < 0) {
		/* The first error is what is worth telling. */
		(void)unlinkat(replace->at, replace->temporary, 0);
		return r;
	}
	return fsync(replace->at) < 0 ? -errno : 0;
}

int replace_plain(int at, const char *name, const void *data, size_t size)
{
	_cleanup_free_ char *temporary = NULL;

	if (asprintf(&temporary, ".%s.new", name) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	return replace_file(
		&(struct replace){
			.at = at, .name = name, .temporary = temporary, .mode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH},
		data, size);
}
