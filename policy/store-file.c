/* SPDX-License-Identifier: MIT */
/* Opening a table file with suspicion, and making one that nobody ever sees half made. */
#include "config.h"

#include "policy/store-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/table.h"

int policy_store_file_write(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *at = data;

	while (size) {
		ssize_t n = pwrite(fd, at, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		at += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int check_header(int fd, const struct stat *st)
{
	struct policy_header header;
	ssize_t n;

	do
		n = pread(fd, &header, sizeof(header), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(header) || memcmp(header.magic, POLICY_TABLE_MAGIC, sizeof(header.magic)) != 0)
		return -EPROTO;
	if (header.abi != POLICY_TABLE_ABI)
		return -EPROTONOSUPPORT;
	if (header.header_size != POLICY_HEADER_SIZE || header.table_size != POLICY_TABLE_SIZE ||
		header.half_size != POLICY_HALF_SIZE || (uint64_t)st->st_size != POLICY_TABLE_SIZE)
		return -EPROTO;
	return 0;
}

int policy_store_file_open(const char *path, bool writable)
{
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	_cleanup_close_ int fd =
		open(path, (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == EISDIR || errno == ENXIO ? -EPROTO : -errno;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPROTO;
	if (writable && ((st.st_uid && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH))))
		return -EPERM;
	r = check_header(fd, &st);
	return r ? r : take_fd(fd);
}

/* The header's page is written, so it is there: only the halves are holes, and nobody reads them before they are filled. */
static int fill_new(int fd)
{
	_cleanup_free_ struct policy_header *page = calloc(1, POLICY_HEADER_SIZE);

	if (!page)
		return -ENOMEM;
	memcpy(page->magic, POLICY_TABLE_MAGIC, sizeof(page->magic));
	page->abi = POLICY_TABLE_ABI;
	page->header_size = POLICY_HEADER_SIZE;
	page->table_size = POLICY_TABLE_SIZE;
	page->half_size = POLICY_HALF_SIZE;
	page->state = POLICY_ON;
	if (fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) || ftruncate(fd, (off_t)POLICY_TABLE_SIZE))
		return -errno;
	return policy_store_file_write(fd, page, POLICY_HEADER_SIZE, 0);
}

int policy_store_file_create(const char *path)
{
	_cleanup_free_ char *temporary = NULL;
	_cleanup_close_ int fd = -1;
	int r;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fill_new(fd);
	/* A link, not a rename: it cannot replace the table that somebody else has just made and mapped. */
	if (!r && link(temporary, path) && errno != EEXIST)
		r = -errno;
	(void)unlink(temporary);
	return r;
}
