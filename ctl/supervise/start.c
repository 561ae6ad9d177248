/* SPDX-License-Identifier: MIT */
/* The side of smcctl run: starts the helper, lets it look at this process, installs the filter, hands over the listener. */
#include "config.h"

#include "ctl/supervise/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/paths.h"
#include "ctl/supervise/filter.h"

#define YAMA "/proc/sys/kernel/yama/ptrace_scope"

/* Only what it needs: LD_PRELOAD, LD_LIBRARY_PATH and the like are the program's. */
static int helper_environment(const char *table, char **policy, char *environment[static 3])
{
	static char asan[] = "ASAN_OPTIONS=detect_leaks=0";
	size_t n = 0;

	*policy = NULL;
	if (table && asprintf(policy, "SMC_POLICY=%s", table) < 0) {
		*policy = NULL;
		return -ENOMEM;
	}
	if (*policy)
		environment[n++] = *policy;
	if (getenv("ASAN_OPTIONS"))
		environment[n++] = asan;
	environment[n] = NULL;
	return 0;
}

/* The child is the helper, with its end of the socket as standard input. Returns its process ID or -errno. */
static pid_t start_helper(const char *helper, const char *table, const char *program, int socket)
{
	char *arguments[] = {(char *)(uintptr_t)PATHS_SUPERVISOR, (char *)(uintptr_t)program, NULL};
	_cleanup_free_ char *policy = NULL;
	char *environment[3];
	int r = helper_environment(table, &policy, environment);
	pid_t child;

	if (r < 0)
		return r;
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		if (dup2(socket, STDIN_FILENO) == STDIN_FILENO)
			execve(helper, arguments, environment);
		_exit(127);
	}
	return child;
}

static int fail(struct supervise_result *result, enum handshake_what what, int error)
{
	result->what = what;
	result->error = error;
	return error;
}

/*
 * The helper's first process ends as soon as it has started the other and has said so: the program must not find a child
 * of ours. Where it was ended before, as by a sandbox's filter of system calls, the other waits for us, and nothing will
 * come. ECHILD: SIGCHLD is ignored, and it has ended all the same (waitpid(2)).
 */
static int await_hello(pid_t child, int socket, struct handshake *hello, struct supervise_result *result)
{
	struct pollfd arrived = {.fd = socket, .events = POLLIN};
	int status = 0;

	while (waitpid(child, &status, 0) < 0) {
		if (errno == ECHILD)
			break;
		if (errno != EINTR)
			return -errno;
	}
	if (WIFSIGNALED(status))
		result->signal = WTERMSIG(status);
	return poll(&arrived, 1, 0) == 1 ? handshake_receive(socket, HANDSHAKE_HELLO, hello, NULL) : -EPIPE;
}

static int let_look(int socket, const struct handshake *hello, struct supervise_result *result)
{
	char landmark = 's'; /* read, and written back */
	struct handshake message = {.step = HANDSHAKE_LOOK, .fd = socket, .address = (uintptr_t)&landmark};
	int r;

	/* Yama at 1 lets a process look into its own descendants, and into those who say so; EINVAL: there is no Yama. */
	prctl(PR_SET_PTRACER, (unsigned long)hello->pid, 0, 0, 0);
	r = handshake_send(socket, &message, -1);
	if (r == 0)
		r = handshake_receive(socket, HANDSHAKE_SEEN, &message, NULL);
	if (r < 0)
		return fail(result, HANDSHAKE_GONE, r);
	return message.error ? fail(result, message.what, message.error) : 0;
}

static int hand_over(int socket, struct supervise_result *result)
{
	struct handshake message = {.step = HANDSHAKE_LISTENER};
	_cleanup_close_ int listener = -1;
	bool killable = false;
	bool barred = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0;
	int r = filter_install(&listener, &killable);

	if (r < 0)
		return fail(result, HANDSHAKE_FILTER, r);
	result->installed = true;
	message.fd = killable;
	result->deprived = !barred && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0;
	r = handshake_send(socket, &message, listener);
	if (r == 0)
		r = handshake_receive(socket, HANDSHAKE_READY, &message, NULL);
	if (r < 0)
		return fail(result, HANDSHAKE_GONE, r);
	return message.error ? fail(result, message.what, message.error) : 0;
}

int supervise_start(const char *helper, const char *table, const char *program, struct supervise_result *result)
{
	_cleanup_close_ int ours = -1;
	struct handshake hello = {.step = 0};
	int ends[2];
	pid_t child;
	int r;

	*result = (struct supervise_result){.what = HANDSHAKE_WELL};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail(result, HANDSHAKE_PROCESS, -errno);
	ours = ends[0];
	child = start_helper(helper, table, program, ends[1]);
	close(ends[1]);
	if (child < 0)
		return fail(result, HANDSHAKE_PROCESS, child);
	r = await_hello(child, ours, &hello, result);
	if (r < 0)
		return fail(result, HANDSHAKE_GONE, r);
	if (hello.error)
		return fail(result, hello.what, hello.error);
	r = let_look(ours, &hello, result);
	return r < 0 ? r : hand_over(ours, result);
}

static void access_text(const char *call, const char *since, int error, char *text, size_t size)
{
	uint64_t scope;

	if (error == -ENOSYS)
		snprintf(text, size, "this kernel has no %s (%s), or a sandbox hides it", call, since);
	else if (read_number(YAMA, &scope) == 0 && scope >= 2)
		snprintf(text, size,
			"a process may not look into another here: kernel.yama.ptrace_scope is %u; 1 is enough%s",
			(unsigned)scope, scope == 2 ? ", or run as root" : "");
	else
		snprintf(text, size,
			"%s: %s; a container's seccomp profile forbids it: give the container CAP_SYS_PTRACE", call,
			strerror(-error));
}

static void filter_text(int error, char *text, size_t size)
{
	switch (error) {
	case -EBUSY:
		snprintf(text, size,
			"another supervisor listens to its system calls already: a container runtime's, or that of "
			"another smcctl run around this one");
		return;
	case -ENOTSUP:
		snprintf(text, size, "not known for this machine's system calls");
		return;
	case -EINVAL:
	case -ENOSYS:
		snprintf(text, size, "this kernel has no SECCOMP_FILTER_FLAG_NEW_LISTENER (Linux 5.0)");
		return;
	default:
		snprintf(text, size, "seccomp: %s", strerror(-error));
	}
}

static void gone_text(const struct supervise_result *result, char *text, size_t size)
{
	if (result->signal)
		snprintf(text, size, "the supervisor was ended by signal %d%s", result->signal,
			result->signal == SIGSYS ? ": the sandbox's filter of system calls (SystemCallFilter=) has to "
						   "allow seccomp, pidfd_open, pidfd_getfd, process_vm_readv, "
						   "process_vm_writev"
						 : "");
	else
		snprintf(text, size, "the supervisor '%s' ended early: %s", PATHS_SUPERVISOR, strerror(-result->error));
}

void supervise_text(const struct supervise_result *result, char *text, size_t size)
{
	switch (result->what) {
	case HANDSHAKE_FILTER:
		filter_text(result->error, text, size);
		return;
	case HANDSHAKE_SEND:
		snprintf(text, size,
			"this kernel's SECCOMP_IOCTL_NOTIF_ADDFD has no SECCOMP_ADDFD_FLAG_SEND (Linux 5.14)");
		return;
	case HANDSHAKE_GETFD:
		access_text("pidfd_getfd(2)", "Linux 5.6", result->error, text, size);
		return;
	case HANDSHAKE_MEMORY:
		access_text("process_vm_readv(2)", "CONFIG_CROSS_MEMORY_ATTACH", result->error, text, size);
		return;
	case HANDSHAKE_WRITE:
		access_text("process_vm_writev(2)", "CONFIG_CROSS_MEMORY_ATTACH", result->error, text, size);
		return;
	case HANDSHAKE_GONE:
		gone_text(result, text, size);
		return;
	case HANDSHAKE_PROCESS:
	case HANDSHAKE_WELL:
		break;
	}
	snprintf(text, size, "the supervisor could not be started: %s", strerror(-result->error));
}

/* The last of several is the one that Go heeds (internal/godebug). NULL: there is none. */
static const char *find_setting(const char *list, const char *setting)
{
	const char *value = NULL;
	size_t length = strlen(setting);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, setting, length) == 0)
			value = at + length;
	}
	return value;
}

int supervise_set_environment(enum supervise_go *go)
{
	static const char setting[] = "multipathtcp=";
	const char *old = getenv("GODEBUG");
	const char *value = find_setting(old, setting);
	_cleanup_free_ char *text = NULL;

	/* Since Go 1.24 listeners are MPTCP sockets, which cannot be SMC. What the user says about it stands. */
	if (value) {
		*go = value[0] == '0' && (value[1] == '\0' || value[1] == ',') ? SUPERVISE_GO_TCP : SUPERVISE_GO_MPTCP;
		return 0;
	}
	if (asprintf(&text, "%s%s%s0", old ? old : "", old && *old ? "," : "", setting) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	*go = SUPERVISE_GO_SET;
	return setenv("GODEBUG", text, 1) < 0 ? -errno : 0;
}
