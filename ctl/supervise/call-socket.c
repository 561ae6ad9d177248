/* SPDX-License-Identifier: MIT */
/* socket(2): makes the SMC socket here and puts it into the program as the answer. */
#include "config.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "ctl/supervise/call.h"
#include "ctl/supervise/target.h"

/*
 * A program whose connects could not be looked at must not get an SMC socket: it has dropped its privileges or made
 * itself undumpable, or Yama stands between us. And a socket made here would be in the wrong network namespace.
 */
static bool is_reachable(const struct call *call)
{
	pid_t tid = (pid_t)call->notif->pid;

	return target_is_reachable(tid) && target_is_in_our_network(tid);
}

static int add_fd(const struct call *call, const struct seccomp_notif_addfd *add)
{
	int r;

	do
		r = ioctl(call->supervisor->listener, SECCOMP_IOCTL_NOTIF_ADDFD, add);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/*
 * Puts the socket into the program, and answers with its number there. One step does both (SECCOMP_ADDFD_FLAG_SEND), but
 * when the supervisor is killed in it, the kernel may have answered already and not put it there: the program then has 0
 * for an answer. So it is two steps, where no signal can come between them and leave a socket behind that nobody knows; the
 * next supervisor finds the first one's work by the inode.
 */
static int give(const struct call *call, int fd, int type)
{
	struct seccomp_notif_addfd add = {
		.id = call->notif->id, .srcfd = (uint32_t)fd, .newfd_flags = type & SOCK_CLOEXEC ? O_CLOEXEC : 0};
	struct shared *shared = call->supervisor->shared;
	struct stat st;
	int r;

	if (!shared->killable) {
		add.flags = SECCOMP_ADDFD_FLAG_SEND;
		r = add_fd(call, &add);
		return r < 0 ? r : 0;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	__atomic_store_n(&shared->before.socket, st.st_ino, __ATOMIC_RELEASE);
	r = add_fd(call, &add);
	if (r < 0)
		return r;
	call_answer(call, r);
	return 0;
}

/* True: the supervisor before this one had put the socket there, and the call has its answer. */
static bool was_given(const struct call *call)
{
	uint64_t inode = call->supervisor->shared->before.socket;
	int fd = call->in_doubt && inode ? target_find_socket((pid_t)call->notif->pid, inode) : -1;

	if (fd < 0)
		return false;
	count(SMCSHIM_sockets_smc);
	call_answer(call, fd);
	return true;
}

void call_socket(const struct call *call)
{
	int type = (int)call->notif->data.args[1];
	unsigned mode = table_mode(true);
	int fd = -1;
	int r = -EOPNOTSUPP;

	if (was_given(call))
		return;
	if (mode_may_connect(mode) && !guess_tcp(call->supervisor)) {
		if (is_reachable(call))
			fd = make_smc(mode, (int)call->notif->data.args[0], type | SOCK_CLOEXEC);
		else
			count(SMCSHIM_supervised_unreachable);
	}
	if (fd >= 0) {
		r = give(call, fd, type);
		syscall(SYS_close, fd);
	}
	if (r == 0) {
		count(SMCSHIM_sockets_smc);
		return;
	}
	count(SMCSHIM_sockets_tcp);
	/* Where SMC is refused TCP may work, and where the program has too many descriptors the kernel says so itself. */
	call_continue(call);
}
