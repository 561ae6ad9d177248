/* SPDX-License-Identifier: MIT */
/* Reaches into other processes. */
#include "config.h"

#include "ctl/supervise/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* include/uapi/linux/pidfd.h, Linux 6.9 */
#endif

#define THREADS 256u

/* Threads seen lately. An open pidfd names its thread for ever, whoever has the number later. */
struct thread {
	pid_t tid;
	int pidfd;
	bool network_is_ours; /* false: not asked */
};

static struct {
	struct thread thread[THREADS];
	bool no_thread_pidfds; /* before Linux 6.9 */
	bool networks_change;  /* network_is_ours says nothing any more */
	dev_t network_dev;
	ino_t network_ino;
} known;

static int stat_network(const char *path, struct stat *out)
{
	return stat(path, out) < 0 ? -errno : 0;
}

void target_start(void)
{
	struct stat st;

	for (size_t i = 0; i < THREADS; i++)
		known.thread[i] = (struct thread){.pidfd = -1};
	known.no_thread_pidfds = known.networks_change = false;
	if (stat_network("/proc/self/ns/net", &st) == 0) {
		known.network_dev = st.st_dev;
		known.network_ino = st.st_ino;
	}
}

/* What /proc/TID/status says of a thread. */
struct status {
	uint64_t process, pending, pending_of_process, blocked, ignored;
};

static const struct {
	const char *key;
	int base;
	size_t offset;
} status_lines[] = {
	{"Tgid:\t", 10, offsetof(struct status, process)},
	{"SigPnd:\t", 16, offsetof(struct status, pending)},
	{"ShdPnd:\t", 16, offsetof(struct status, pending_of_process)},
	{"SigBlk:\t", 16, offsetof(struct status, blocked)},
	{"SigIgn:\t", 16, offsetof(struct status, ignored)},
};

#define STATUS_LINES (sizeof(status_lines) / sizeof(*status_lines))

/* Returns 1 if it is a line that is wanted, else 0. */
static unsigned read_status_line(const char *line, struct status *out)
{
	for (size_t i = 0; i < STATUS_LINES; i++) {
		const char *key = status_lines[i].key;

		if (strncmp(line, key, strlen(key)) == 0) {
			*(uint64_t *)((char *)out + status_lines[i].offset) =
				strtoull(line + strlen(key), NULL, status_lines[i].base);
			return 1;
		}
	}
	return 0;
}

/* Line by line, for that of the groups may be of any length. Returns 0 or -errno; -EBADMSG: something is not there. */
static int read_status(pid_t tid, struct status *out)
{
	char text[2048], *line, *end;
	size_t kept = 0;
	unsigned found = 0;
	char path[48];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	*out = (struct status){.process = 0};
	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (found < STATUS_LINES && (n = read(fd, text + kept, sizeof(text) - 1 - kept)) > 0) {
		text[kept + (size_t)n] = '\0';
		for (line = text; (end = strchr(line, '\n')); line = end + 1)
			found += read_status_line(line, out);
		kept = strlen(line);
		/* What fills the buffer is no line that is wanted; the rest of it will look like none either. */
		if (kept == sizeof(text) - 1)
			kept = 0;
		memmove(text, line, kept);
	}
	return found == STATUS_LINES ? 0 : -EBADMSG;
}

/* The process that the thread belongs to. Returns its ID or -errno. */
static pid_t process_of(pid_t tid)
{
	struct status status;
	int r = read_status(tid, &status);

	return r < 0 ? r : (pid_t)status.process;
}

bool target_has_signal(pid_t tid)
{
	struct status status;

	if (read_status(tid, &status) < 0)
		return false;
	/* Sent to the process: its first thread is asked before all others (kernel/signal.c, complete_signal). */
	if ((pid_t)status.process == tid)
		status.pending |= status.pending_of_process;
	return status.pending & ~status.blocked & ~status.ignored;
}

static int open_pidfd(pid_t tid)
{
	int fd = -1;
	pid_t tgid;

	/* A thread's own: its descriptors may be other ones than those of its process's first thread, which may have ended. */
	if (!known.no_thread_pidfds) {
		fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);
		if (fd >= 0)
			return fd;
		if (errno == EINVAL)
			known.no_thread_pidfds = true;
	}
	fd = (int)syscall(SYS_pidfd_open, tid, 0);
	if (fd >= 0)
		return fd;
	tgid = process_of(tid);
	if (tgid < 0)
		return tgid;
	fd = (int)syscall(SYS_pidfd_open, tgid, 0);
	return fd < 0 ? -errno : fd;
}

static struct thread *slot_of(pid_t tid)
{
	return &known.thread[(unsigned)tid % THREADS];
}

/* Forgets who had the slot. Returns 0 or -errno. */
static int open_slot(pid_t tid)
{
	struct thread *thread = slot_of(tid);

	if (thread->pidfd >= 0)
		close(thread->pidfd);
	*thread = (struct thread){.tid = tid, .pidfd = open_pidfd(tid)};
	return thread->pidfd < 0 ? thread->pidfd : 0;
}

int target_take_fd(pid_t tid, int fd)
{
	struct thread *thread = slot_of(tid);
	int taken = -1;
	int r;

	if (tid <= 0)
		return -ESRCH;
	/*
	 * As long as the thread of a pidfd lives, nobody else has its number; when it has ended, this says ESRCH. Without
	 * thread pidfds the number may be another process's by now.
	 */
	if (thread->tid == tid && thread->pidfd >= 0 && !known.no_thread_pidfds) {
		taken = (int)syscall(SYS_pidfd_getfd, thread->pidfd, fd, 0);
		if (taken >= 0 || errno != ESRCH)
			return taken < 0 ? -errno : taken;
	}
	r = open_slot(tid);
	if (r < 0)
		return r;
	taken = (int)syscall(SYS_pidfd_getfd, thread->pidfd, fd, 0);
	return taken < 0 ? -errno : taken;
}

bool target_is_reachable(pid_t tid)
{
	/* It has no such descriptor, which is found out after the permission. */
	return target_take_fd(tid, -1) == -EBADF;
}

bool target_closes_on_exec(pid_t tid, int fd)
{
	static const char key[] = "flags:\t";
	char path[64];
	char text[256];
	_cleanup_close_ int info = -1;
	const char *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	if (n < 0)
		return true;
	text[n] = '\0';
	at = strstr(text, key);
	return !at || (strtoul(at + strlen(key), NULL, 8) & O_CLOEXEC);
}

int target_read(pid_t tid, uint64_t address, void *to, size_t size)
{
	struct iovec local = {to, size};
	struct iovec remote = {(void *)(uintptr_t)address, size};
	ssize_t n = tid > 0 ? process_vm_readv(tid, &local, 1, &remote, 1, 0) : (errno = ESRCH, -1);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EFAULT;
}

int target_write(pid_t tid, uint64_t address, const void *from, size_t size)
{
	struct iovec local = {(void *)(uintptr_t)from, size};
	struct iovec remote = {(void *)(uintptr_t)address, size};
	ssize_t n = tid > 0 ? process_vm_writev(tid, &local, 1, &remote, 1, 0) : (errno = ESRCH, -1);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EFAULT;
}

bool target_is_in_our_network(pid_t tid)
{
	struct thread *thread = slot_of(tid);
	char path[48];
	struct stat st;
	bool ours;

	if (thread->tid == tid && thread->network_is_ours && !known.networks_change)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)tid);
	ours = stat_network(path, &st) == 0 && st.st_ino == known.network_ino && st.st_dev == known.network_dev;
	if (thread->tid == tid && !known.no_thread_pidfds)
		thread->network_is_ours = ours;
	return ours;
}

void target_networks_change(void)
{
	known.networks_change = true;
}

int target_program(pid_t tid, char name[static 16])
{
	char path[48];
	pid_t process = process_of(tid);

	if (process < 0)
		return process;
	/* A thread may have a name of its own. */
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)process);
	return read_line_at(AT_FDCWD, path, name, 16);
}
