/* SPDX-License-Identifier: MIT */
/* smcctl-supervise: the process beside a supervised program. Started by smcctl run alone, with a socket as standard input. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "ctl/supervise/filter.h"
#include "ctl/supervise/handshake.h"
#include "ctl/supervise/pair.h"
#include "ctl/supervise/target.h"

/* Where they are kept, above standard error; everything else above them is somebody's copy (pair.c). */
#define LISTENER 3
#define SOCKET 4

/*
 * Nothing of the program's may be held: the reader of a pipe waits for its last writer, and a directory in use cannot be
 * unmounted. The terminal's signals and those to a process group are not for us, nor is what systemd sends to a cgroup.
 */
static bool stand_apart(void)
{
	sigset_t all;
	int null;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	/* The listener's place is kept free by a copy of the socket. */
	if (dup2(STDIN_FILENO, SOCKET) < 0 || syscall(SYS_close_range, SOCKET + 1, ~0u, 0) < 0)
		return false;
	fcntl(SOCKET, F_SETFD, FD_CLOEXEC);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; fd <= LISTENER; fd++) {
		if (null >= 0)
			dup2(null, fd);
		else
			syscall(SYS_close, fd);
	}
	if (null > LISTENER)
		syscall(SYS_close, null);
	setsid();
	umask(077);
	return chdir("/") == 0;
}

/*
 * What every call will need of another process, tried on this one: where a sandbox ends who makes such a call, it must be the
 * one that smcctl run waits for. Whether it may be done to the program look() finds out.
 */
static void try_sandbox(void)
{
	char there = 's', here = '\0';
	int fd;

	target_start();
	if (target_read(getpid(), (uintptr_t)&there, &here, sizeof(here)) < 0 ||
		target_write(getpid(), (uintptr_t)&there, &here, sizeof(here)) < 0)
		return;
	fd = target_take_fd(getpid(), SOCKET);
	if (fd >= 0)
		syscall(SYS_close, fd);
}

/* Tried on this process, which is about to end: the filter of a process cannot be taken off again. */
static void try_kernel(struct handshake *hello)
{
	struct seccomp_notif_addfd add = {.id = 0};
	struct seccomp_notif_sizes sizes;
	bool killable = false;
	int listener;
	int r = filter_install(&listener, &killable);

	hello->what = HANDSHAKE_FILTER;
	hello->error = r;
	if (r < 0)
		return;
	hello->what = HANDSHAKE_SEND;
	add.flags = killable ? 0 : SECCOMP_ADDFD_FLAG_SEND; /* call-socket.c */
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0 ||
		(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 && errno != ENOENT))
		hello->error = -errno; /* there is no such notification, which is found out after the flags */
	else if (sizes.seccomp_notif > sizeof(((struct shared *)NULL)->room) ||
		sizes.seccomp_notif_resp != sizeof(struct seccomp_notif_resp))
		hello->error = -EMSGSIZE;
}

/* What every call will need, tried on the process that is to become the program. */
static void look(pid_t program, const struct handshake *message, struct handshake *seen)
{
	const uint64_t address = message->address;
	const int wanted = message->fd;
	char byte = '\0';
	int fd;
	int r = target_read(program, address, &byte, sizeof(byte));

	*seen = (struct handshake){.step = HANDSHAKE_SEEN, .what = HANDSHAKE_MEMORY, .error = r};
	if (r == 0 && byte != 's')
		seen->error = -EFAULT;
	if (seen->error)
		return;
	seen->what = HANDSHAKE_WRITE;
	seen->error = target_write(program, address, &byte, sizeof(byte));
	if (seen->error)
		return;
	fd = target_take_fd(program, wanted);
	seen->what = HANDSHAKE_GETFD;
	seen->error = fd < 0 ? fd : 0;
	if (fd >= 0)
		syscall(SYS_close, fd);
}

static _Noreturn void guardian(pid_t program)
{
	struct shared *shared = shared_map();
	struct handshake message = {.step = 0};
	int listener = -1;

	target_start();
	if (!shared || handshake_receive(SOCKET, HANDSHAKE_LOOK, &message, NULL) < 0)
		_exit(1);
	look(program, &message, &message);
	if (handshake_send(SOCKET, &message, -1) < 0 || message.error ||
		handshake_receive(SOCKET, HANDSHAKE_LISTENER, &message, &listener) < 0 || listener < 0)
		_exit(1);
	shared->killable = message.fd != 0;
	if (listener != LISTENER && dup3(listener, LISTENER, O_CLOEXEC) < 0)
		_exit(1);
	if (listener != LISTENER)
		syscall(SYS_close, listener);
	target_start();
	pair_run(LISTENER, SOCKET, shared);
}

/* A program's name can be that of an option, so this is for those that have no socket for standard input. */
static int by_hand(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("smcctl-supervise (" PACKAGE_NAME ") " PACKAGE_VERSION) == EOF;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return puts("smcctl-supervise: the process beside a supervised program; started by smcctl run, see "
			    "smcctl-run(8)") == EOF;
	fputs("smcctl-supervise: started by smcctl run only\n", stderr);
	return 64;
}

int main(int argc, char **argv)
{
	struct handshake hello = {.step = HANDSHAKE_HELLO};
	struct stat st;
	pid_t program = getppid();
	pid_t child;

	if (argc != 2 || fstat(STDIN_FILENO, &st) < 0 || !S_ISSOCK(st.st_mode))
		return by_hand(argc, argv);
	if (!stand_apart())
		return 1;
	/* The program's limits are not for us: a copy of a descriptor counts, and so does the time of all its calls. */
	raise_limit(RLIMIT_NOFILE);
	raise_limit(RLIMIT_CPU);
	table_name_program(argv[1]);
	smcshim_counters.about.program = (uint64_t)program;
	child = fork();
	if (child == 0)
		guardian(program);
	hello.pid = (int32_t)child;
	if (child < 0) {
		hello.what = HANDSHAKE_PROCESS;
		hello.error = -errno;
	} else {
		try_sandbox();
		try_kernel(&hello);
	}
	return handshake_send(SOCKET, &hello, -1) < 0;
}
