/* SPDX-License-Identifier: MIT */
/*
 * lost signal|kill HOST PORT: calls whose answer does not arrive, made so by a child that watches the supervisor: when it is
 * about to answer a call that was chosen, the caller gets a signal, which ends the call on kernels before 5.19 (on others
 * "signal" would wait for ever), or the supervisor is killed. Says the same with and without supervision; how many answers were
 * held up stands on standard error.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/supervise/talk.h"

static struct {
	atomic_int chosen; /* the number of the call whose next answer is held up; 0: none */
	atomic_int handled, held;
	atomic_bool ready;
	bool kills;
	pid_t caller;
} * common;

/* ---- the child ---- */

#define TRACED 64

struct tracee {
	pid_t pid;
	uint64_t id; /* of a call of the caller's */
	int number;  /* of that call */
	uint64_t receives;
};

static struct tracee tracees[TRACED];

static struct tracee *tracee_of(pid_t pid)
{
	for (int i = 0; i < TRACED; i++)
		if (tracees[i].pid == pid || tracees[i].pid == 0) {
			tracees[i].pid = pid;
			return &tracees[i];
		}
	return NULL;
}

static bool is_supervisor(const char *pid)
{
	char path[280], name[32] = "";
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	stream = fopen(path, "r");
	if (!stream)
		return false;
	if (!fgets(name, sizeof(name), stream))
		name[0] = '\0';
	fclose(stream);
	return strcmp(name, "smcctl-supervis\n") == 0;
}

static void attach_all(void)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK;
	const struct dirent *entry;
	DIR *dir = opendir("/proc");

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !is_supervisor(entry->d_name))
			continue;
		if (ptrace(PTRACE_SEIZE, atoi(entry->d_name), 0L, options) == 0)
			ptrace(PTRACE_INTERRUPT, atoi(entry->d_name), 0L, 0L);
	}
	if (dir)
		closedir(dir);
}

static bool copy(pid_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec local = {to, size}, remote = {(void *)(uintptr_t)address, size};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static void hold_up(pid_t supervisor)
{
	int handled = atomic_load(&common->handled);

	atomic_store(&common->chosen, 0);
	atomic_fetch_add(&common->held, 1);
	if (common->kills) {
		kill(supervisor, SIGKILL);
		return;
	}
	syscall(SYS_tgkill, common->caller, common->caller, SIGUSR1);
	while (atomic_load(&common->handled) == handled)
		usleep(1000);
}

static void look(struct tracee *t, const struct __ptrace_syscall_info *info)
{
	struct seccomp_notif notif;
	uint64_t id;

	if (info->op == PTRACE_SYSCALL_INFO_EXIT) {
		if (t->receives && copy(t->pid, t->receives, &notif, sizeof(notif)) &&
			(pid_t)notif.pid == common->caller) {
			t->id = notif.id;
			t->number = notif.data.nr;
		}
		t->receives = 0;
		return;
	}
	if (info->op != PTRACE_SYSCALL_INFO_ENTRY || info->entry.nr != SYS_ioctl)
		return;
	if ((unsigned)info->entry.args[1] == SECCOMP_IOCTL_NOTIF_RECV)
		t->receives = info->entry.args[2];
	else if (((unsigned)info->entry.args[1] == SECCOMP_IOCTL_NOTIF_SEND ||
			 (unsigned)info->entry.args[1] == SECCOMP_IOCTL_NOTIF_ADDFD) &&
		copy(t->pid, info->entry.args[2], &id, sizeof(id)) && t->id && id == t->id &&
		t->number == atomic_load(&common->chosen))
		hold_up(t->pid);
}

static _Noreturn void watch(void)
{
	attach_all();
	atomic_store(&common->ready, true);
	for (;;) {
		struct __ptrace_syscall_info info;
		struct tracee *t;
		int status = 0;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0)
			pause();
		if (!WIFSTOPPED(status))
			continue;
		t = tracee_of(pid);
		if (t && WSTOPSIG(status) == (SIGTRAP | 0x80) &&
			ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0)
			look(t, &info);
		ptrace(PTRACE_SYSCALL, pid, 0L, 0L);
	}
}

/* ---- the calls ---- */

static void taken(int number)
{
	(void)number;
	atomic_fetch_add(&common->handled, 1);
}

static void handle(int flags)
{
	struct sigaction action = {.sa_handler = taken, .sa_flags = flags};

	sigaction(SIGUSR1, &action, NULL);
}

static const char *dialled(int fd, const struct sockaddr_in *to, bool chosen)
{
	if (chosen)
		atomic_store(&common->chosen, SYS_connect);
	return word(dial(fd, to));
}

static const char *pending_error(int fd, bool chosen)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (chosen)
		atomic_store(&common->chosen, SYS_getsockopt);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len))
		return word(-1);
	return value ? strerrorname_np(value) : "0";
}

static int open_socket(int flags)
{
	atomic_store(&common->chosen, SYS_socket);
	return socket(AF_INET, SOCK_STREAM | flags, 0);
}

static void wait_for(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	while (poll(&p, 1, 20000) < 0 && errno == EINTR)
		;
}

static void blocking(const struct sockaddr_in *to, const struct sockaddr_in *closed)
{
	int fd = open_socket(0);

	printf("descriptor %d\n", fd);
	printf("blocking: %s", dialled(fd, to, true));
	printf(", talk %d", talk(fd, 41));
	printf(", SO_ERROR %s", pending_error(fd, true));
	printf(", again: %s\n", dialled(fd, to, true));
	close(fd);
	fd = open_socket(0);
	printf("descriptor %d\n", fd);
	printf("refused: %s", dialled(fd, closed, true));
	printf(", SO_ERROR %s", pending_error(fd, true));
	printf(", then %s\n", dialled(fd, closed, true));
	close(fd);
}

static void nonblocking(const struct sockaddr_in *to, const struct sockaddr_in *closed)
{
	int fd = open_socket(SOCK_NONBLOCK);

	printf("nonblocking: %s", dialled(fd, to, true));
	wait_for(fd);
	printf(", SO_ERROR %s", pending_error(fd, true));
	printf(", again: %s", dialled(fd, to, true));
	printf(", and again: %s\n", dialled(fd, to, true));
	fcntl(fd, F_SETFL, 0);
	printf("talk %d\n", talk(fd, 7));
	close(fd);
	fd = open_socket(SOCK_NONBLOCK);
	printf("refused: %s", dialled(fd, closed, true));
	wait_for(fd);
	printf(", SO_ERROR %s", pending_error(fd, true));
	printf(", then %s\n", pending_error(fd, false));
	close(fd);
	fd = open_socket(SOCK_NONBLOCK);
	printf("refused: %s", dialled(fd, closed, true));
	wait_for(fd);
	printf(", again: %s", dialled(fd, closed, true));
	printf(", SO_ERROR %s\n", pending_error(fd, true));
	close(fd);
}

/* The call ends by EINTR: what became of it the next one says. */
static void not_restarted(const struct sockaddr_in *to, const struct sockaddr_in *closed)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const char *r;

	handle(0);
	r = dialled(fd, closed, true);
	printf("not restarted: %s", strcmp(r, "EINTR") == 0 ? pending_error(fd, false) : r);
	printf(", then %s\n", pending_error(fd, false));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	r = dialled(fd, to, true);
	printf("not restarted: %s", strcmp(r, "EINTR") == 0 ? dialled(fd, to, false) : r);
	printf(", then %s\n", dialled(fd, to, false));
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to, closed;
	pid_t child;

	if (argc != 4)
		return 64;
	to = address(argv[2], argv[3]);
	closed = address(argv[2], "1");
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (common == MAP_FAILED)
		return 1;
	common->kills = strcmp(argv[1], "kill") == 0;
	common->caller = getpid();
	handle(SA_RESTART);
	child = fork();
	if (child == 0)
		watch();
	while (!atomic_load(&common->ready))
		usleep(1000);
	blocking(&to, &closed);
	nonblocking(&to, &closed);
	not_restarted(&to, &closed);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	fprintf(stderr, "%d held up\n", atomic_load(&common->held));
	return 0;
}
