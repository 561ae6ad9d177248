/* SPDX-License-Identifier: MIT */
/* The journal on the disk: its lock, its two files. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "ctl/host/journal-text.h"
#include "ctl/host/journal.h"
#include "ctl/replace.h"

#define FILE_MAX (64u << 20)
#define PATIENCE_MS 10000
#define PAUSE_MS 50

static int read_file(const char *path, struct journal *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t size;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* Whoever can write it chooses what we write as root. */
	if (!S_ISREG(st.st_mode) || (st.st_uid && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	r = read_all(fd, FILE_MAX, &text, &size);
	return r < 0 ? r : journal_parse(text, size, out);
}

int journal_load(struct journal *out, bool *damaged)
{
	int first = read_file(JOURNAL_DIRECTORY "/" JOURNAL_NAME, out);
	int second;

	*damaged = false;
	if (first == 0)
		return 0;
	if (first != -ENOENT && first != -EBADMSG)
		return first;
	/* The backup is written first: alone it is of a run that has changed nothing yet, or whose other file was lost. */
	second = read_file(JOURNAL_DIRECTORY "/" JOURNAL_BACKUP, out);
	*damaged = first == -EBADMSG || second == -EBADMSG;
	if (second == 0)
		return 0;
	if (second != -ENOENT && second != -EBADMSG)
		return second;
	if (*damaged)
		return -EBADMSG;
	*out = (struct journal){.entries = NULL};
	return 0;
}

void journal_remove(void)
{
	/* The other one first, as the first one decides. Leftovers of a killed writer with them. */
	(void)unlink(JOURNAL_DIRECTORY "/." JOURNAL_BACKUP ".new");
	(void)unlink(JOURNAL_DIRECTORY "/." JOURNAL_NAME ".new");
	(void)unlink(JOURNAL_DIRECTORY "/" JOURNAL_BACKUP);
	(void)unlink(JOURNAL_DIRECTORY "/" JOURNAL_NAME);
}

static int write_file(int at, const char *name, const char *temporary, const char *text)
{
	return replace_file(
		&(struct replace){
			.at = at, .name = name, .temporary = temporary, .mode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH},
		text, strlen(text));
}

int journal_save(const struct journal *journal)
{
	_cleanup_close_ int at = -1;
	_cleanup_free_ char *text = NULL;
	int r;

	if (!journal->count && !journal->profile) {
		journal_remove();
		return 0;
	}
	text = journal_text(journal);
	if (!text)
		return -ENOMEM;
	at = open(JOURNAL_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (at < 0)
		return -errno;
	r = write_file(at, JOURNAL_BACKUP, "." JOURNAL_BACKUP ".new", text);
	return r < 0 ? r : write_file(at, JOURNAL_NAME, "." JOURNAL_NAME ".new", text);
}

static bool still_there(int fd)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(JOURNAL_DIRECTORY, &named) == 0 && held.st_dev == named.st_dev &&
		held.st_ino == named.st_ino;
}

int journal_lock(void)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

	for (int waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
		_cleanup_close_ int fd = -1;

		if (mkdir(JOURNAL_DIRECTORY, 0755) < 0 && errno != EEXIST)
			return -errno;
		fd = open(JOURNAL_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && errno == ENOENT)
			continue; /* the other run has removed it */
		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			if (still_there(fd))
				return take_fd(fd);
			continue;
		}
		if (errno != EWOULDBLOCK)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

void journal_unlock(const int *fd)
{
	if (*fd < 0)
		return;
	(void)rmdir(JOURNAL_DIRECTORY);
	close(*fd);
}
