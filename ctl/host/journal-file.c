/* SPDX-License-Identifier: MIT */
/* The journal on the disk: its lock, its two files. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

void journal_place(struct journal *journal, uint64_t netns)
{
	if (netns)
		snprintf(journal->place, JOURNAL_PLACE, "/run/smcctl-netns-%" PRIu64, netns);
	else
		snprintf(journal->place, JOURNAL_PLACE, JOURNAL_DIRECTORY);
}

static int open_place(const struct journal *journal)
{
	int fd = open(journal->place, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int read_file(int at, const char *name, struct journal *out)
{
	_cleanup_close_ int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
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
	_cleanup_close_ int at = open_place(out);
	int first, second;

	*damaged = false;
	if (at < 0)
		return at == -ENOENT ? 0 : at;
	first = read_file(at, JOURNAL_NAME, out);
	if (first == 0)
		return 0;
	if (first != -ENOENT && first != -EBADMSG)
		return first;
	/* The backup is written first: alone it is of a run that has changed nothing yet, or whose other file was lost. */
	second = read_file(at, JOURNAL_BACKUP, out);
	*damaged = first == -EBADMSG || second == -EBADMSG;
	if (second == 0)
		return 0;
	if (second != -ENOENT && second != -EBADMSG)
		return second;
	return *damaged ? -EBADMSG : 0;
}

void journal_remove(const struct journal *journal)
{
	/* The other one first, as the first one decides. Leftovers of a killed writer with them. */
	static const char *const names[] = {
		"." JOURNAL_BACKUP ".new", "." JOURNAL_NAME ".new", JOURNAL_BACKUP, JOURNAL_NAME};
	_cleanup_close_ int at = open_place(journal);

	for (size_t i = 0; at >= 0 && i < sizeof(names) / sizeof(*names); i++)
		(void)unlinkat(at, names[i], 0);
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
		journal_remove(journal);
		return 0;
	}
	text = journal_text(journal);
	if (!text)
		return -ENOMEM;
	at = open_place(journal);
	if (at < 0)
		return at;
	r = write_file(at, JOURNAL_BACKUP, "." JOURNAL_BACKUP ".new", text);
	return r < 0 ? r : write_file(at, JOURNAL_NAME, "." JOURNAL_NAME ".new", text);
}

static bool still_there(const struct journal *journal, int fd)
{
	struct stat held, named;

	return fstat(fd, &held) == 0 && stat(journal->place, &named) == 0 && held.st_dev == named.st_dev &&
		held.st_ino == named.st_ino;
}

int journal_lock(const struct journal *journal)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

	for (int waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
		_cleanup_close_ int fd = -1;

		if (mkdir(journal->place, 0755) < 0 && errno != EEXIST)
			return -errno;
		fd = open_place(journal);
		if (fd == -ENOENT)
			continue; /* the other run has removed it */
		if (fd < 0)
			return fd;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			if (still_there(journal, fd))
				return take_fd(fd);
			continue;
		}
		if (errno != EWOULDBLOCK)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

void journal_unlock(const struct journal *journal, int fd)
{
	if (fd < 0)
		return;
	(void)rmdir(journal->place);
	close(fd);
}
