/* SPDX-License-Identifier: MIT */
/* Sends each call to its handler, and the answer to the kernel. */
#include "config.h"

#include "ctl/supervise/call.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "ctl/supervise/filter.h"
#include "ctl/supervise/target.h"

static bool respond(const struct call *call, const struct seccomp_notif_resp *response)
{
	int r;

	/* ENOENT: a signal has ended the call, or its thread. */
	do
		r = ioctl(call->supervisor->listener, SECCOMP_IOCTL_NOTIF_SEND, response);
	while (r < 0 && errno == EINTR);
	return r == 0 || errno != ENOENT;
}

void call_continue(const struct call *call)
{
	/*
	 * The kernel reads the arguments anew, and another thread may have changed them. That can only choose TCP or SMC
	 * for a connection that the program may make anyway.
	 */
	const struct seccomp_notif_resp response = {.id = call->notif->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

	respond(call, &response);
}

bool call_answer(const struct call *call, int result)
{
	const struct seccomp_notif_resp response = {
		.id = call->notif->id, .error = result < 0 ? result : 0, .val = result < 0 ? 0 : result};

	return respond(call, &response);
}

void call_answer_kept(const struct call *call, int result)
{
	struct shared *shared = call->supervisor->shared;

	/* Since Linux 5.19 only the end of its thread ends a call. */
	if (call_answer(call, result) || shared->killable)
		untold_told(shared, call->notif->id);
}

bool call_is_waiting(const struct call *call)
{
	return ioctl(call->supervisor->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->notif->id) == 0;
}

int call_take_fd(const struct call *call)
{
	int fd = target_take_fd((pid_t)call->notif->pid, (int)call->notif->data.args[0]);

	if (fd >= 0 && call_is_waiting(call))
		return fd;
	if (fd >= 0)
		syscall(SYS_close, fd);
	else if (fd != -EBADF)
		count(SMCSHIM_supervised_unreachable);
	call_continue(call);
	return -1;
}

bool call_read_address(const struct call *call, union address *out, socklen_t *len)
{
	uint64_t size = call->notif->data.args[2] & UINT32_MAX;

	memset(out, 0, sizeof(*out));
	*len = (socklen_t)size;
	if (table_mapped() && size >= sizeof(out->any.sa_family) && size <= sizeof(*out) &&
		target_read((pid_t)call->notif->pid, call->notif->data.args[1], out, size) == 0 &&
		(out->any.sa_family == AF_INET || out->any.sa_family == AF_INET6 || out->any.sa_family == AF_UNSPEC))
		return true;
	call_continue(call);
	return false;
}

struct original call_original(int fd)
{
	struct original original = {.replacements = smcshim_counters.value[SMCSHIM_replaced]};
	struct stat st;

	if (fstat(fd, &st) == 0) {
		original.dev = st.st_dev;
		original.ino = st.st_ino;
	}
	return original;
}

bool call_has_replaced(const struct original *original)
{
	return smcshim_counters.value[SMCSHIM_replaced] != original->replacements;
}

static bool is_original_still(const struct call *call, const struct original *original)
{
	int fd = target_take_fd((pid_t)call->notif->pid, (int)call->notif->data.args[0]);
	struct stat st;
	bool same = fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == original->dev && st.st_ino == original->ino;

	if (fd >= 0)
		syscall(SYS_close, fd);
	return same;
}

int call_replace_fd(const struct call *call, int fd, const struct original *original)
{
	const struct seccomp_notif_addfd add = {.id = call->notif->id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)call->notif->data.args[0],
		.newfd_flags =
			target_closes_on_exec((pid_t)call->notif->pid, (int)call->notif->data.args[0]) ? O_CLOEXEC : 0};
	int r;

	/* What is done between this look and the next call stays unseen: the kernel has no way to do both at once. */
	if (!is_original_still(call, original))
		return -ENOENT;
	do
		r = ioctl(call->supervisor->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* "programs" of the policy: the one whose call this is. */
static void name_program(const struct call *call)
{
	char name[16];

	if (table_mapped() && table_names_programs() && target_program((pid_t)call->notif->pid, name) == 0 &&
		strcmp(name, smcshim_counters.about.comm) != 0)
		table_name_program(name);
}

#ifdef FILTER_ARCH_32BIT
/* A call of a 32-bit program: other numbers, other arguments. It is counted when it makes a TCP socket. */
static void count_32bit(const struct call *call)
{
	const struct seccomp_data *data = &call->notif->data;
	uint32_t argument[3] = {0}; /* socketcall(2): they stand in memory */

	if (data->nr != FILTER_I386_SOCKETCALL ||
		(target_read((pid_t)call->notif->pid, data->args[1], argument, sizeof(argument)) == 0 &&
			(argument[0] == AF_INET || argument[0] == AF_INET6) &&
			(argument[1] & ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM))
		count(SMCSHIM_supervised_32bit);
	call_continue(call);
}
#endif

void call_handle(struct call *call)
{
#ifdef FILTER_ARCH_32BIT
	if (call->notif->data.arch == FILTER_ARCH_32BIT) {
		count_32bit(call);
		return;
	}
#endif
	count(SMCSHIM_supervised_calls);
	name_program(call);
	switch (call->notif->data.nr) {
	case SYS_socket:
		call_socket(call);
		break;
	case SYS_connect:
		call_connect(call);
		break;
	case SYS_bind:
		call_bind(call);
		break;
	case SYS_listen:
		call_listen(call);
		break;
	case SYS_getsockopt:
		call_getsockopt(call);
		break;
	case SYS_setsockopt:
		call_setsockopt(call);
		break;
	case SYS_io_uring_setup:
		count(SMCSHIM_supervised_io_uring);
		call_continue(call);
		break;
	case SYS_setns:
	case SYS_unshare:
		call->supervisor->shared->networks_change = true;
		target_networks_change();
		call_continue(call);
		break;
	default:
		call_continue(call);
	}
}
