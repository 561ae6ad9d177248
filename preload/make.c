/* SPDX-License-Identifier: MIT */
/* Makes sockets of the kind wanted: new, in place, or as a replacement under the same descriptor. */
#include "config.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "preload/shim.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

static void count_refusal(int error)
{
	switch (error) {
	case EAFNOSUPPORT:
		count(SMCSHIM_refused_eafnosupport);
		break;
	case EPROTONOSUPPORT:
		count(SMCSHIM_refused_eprotonosupport);
		break;
	case ESOCKTNOSUPPORT:
		count(SMCSHIM_refused_esocktnosupport);
		break;
	case EPERM:
		count(SMCSHIM_refused_eperm);
		break;
	case EACCES:
		count(SMCSHIM_refused_eacces);
		break;
	case ENOBUFS:
		count(SMCSHIM_refused_enobufs);
		break;
	case ENOMEM:
		count(SMCSHIM_refused_enomem);
		break;
	case EMFILE: /* TCP gets these two as well */
	case ENFILE:
		break;
	default:
		count(SMCSHIM_refused_other);
	}
}

/*
 * A kernel without the module starts modprobe each time it is asked (inet_create, __sock_create: request_module), and
 * socket() waits for that: so it is asked again only after a while. The module may be loaded meanwhile.
 */
#define REST_SECONDS 10

enum step { STEP_INET, STEP_INET6, STEP_AF_SMC, STEPS };

static _Atomic(int64_t) rests_until[STEPS]; /* seconds of CLOCK_MONOTONIC_COARSE; 0: never refused */

static int64_t now_seconds(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC_COARSE, &now) ? 0 : now.tv_sec;
}

static int take_step(enum step step, int domain, int type, int protocol)
{
	int64_t until = atomic_load_explicit(&rests_until[step], memory_order_relaxed);
	int fd;

	if (until && now_seconds() < until)
		return -1;
	fd = next_socket(domain, type, protocol);
	if (fd >= 0)
		return fd;
	count_refusal(errno);
	if (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT)
		atomic_store_explicit(&rests_until[step], now_seconds() + REST_SECONDS, memory_order_relaxed);
	return -1;
}

int make_smc(unsigned mode, int family, int type)
{
	int fd = -1;

	errno = EPROTONOSUPPORT;
	if (mode & (family == AF_INET6 ? MODE_INET6 : MODE_INET))
		fd = take_step(family == AF_INET6 ? STEP_INET6 : STEP_INET, family, type, IPPROTO_SMC);
	/* SMCPROTO_SMC 0 is over IPv4, SMCPROTO_SMC6 1 over IPv6 (net/smc/smc.h). */
	if (fd < 0 && (mode & MODE_AF_SMC))
		fd = take_step(STEP_AF_SMC, AF_SMC, type, family == AF_INET6);
	if (fd < 0)
		return -1;
	if (mode & MODE_BUFFERS)
		options_set_buffers(fd);
	return fd;
}

int make_tcp_in_place(int fd)
{
	const int zero = 0;
	struct options options;

	options_read(fd, &options);
	if (options_check(fd, &options))
		return -EPERM;
	/* The one option of the four that has no effect of its own: kernel-smc, "Forced fallback". */
	if (next_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &zero, sizeof zero))
		return -errno;
	if (kind_of(fd) != KIND_TCP)
		return -EOPNOTSUPP;
	count(SMCSHIM_downgraded);
	if (options_write(fd, &options))
		count(SMCSHIM_own_errors);
	return options.file_flags;
}

/*
 * Binds to the address that another, not listening, socket is bound to: allowed when both have SO_REUSEADDR. An SMC
 * socket hands that on to its TCP socket in bind() alone, before it finds that the socket is bound already (smc_bind).
 */
static int bind_beside(int old, enum kind old_kind, int new, const struct sockaddr *name, socklen_t len)
{
	const int on = 1;
	int old_reuse = kind_int_option(old, SOL_SOCKET, SO_REUSEADDR, 0);
	int new_reuse = kind_int_option(new, SOL_SOCKET, SO_REUSEADDR, 0);
	int r;

	if (!old_reuse) {
		next_setsockopt(old, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		if (old_kind == KIND_SMC)
			next_bind(old, name, len);
	}
	next_setsockopt(new, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	r = next_bind(new, name, len) ? -errno : 0;
	next_setsockopt(new, SOL_SOCKET, SO_REUSEADDR, &new_reuse, sizeof new_reuse);
	if (!old_reuse) {
		next_setsockopt(old, SOL_SOCKET, SO_REUSEADDR, &old_reuse, sizeof old_reuse);
		if (old_kind == KIND_SMC)
			next_bind(old, name, len);
	}
	return r;
}

/*
 * SO_COOKIE names a socket for ever, SO_NETNS_COOKIE the network namespace that it belongs to. 0 before Linux 4.12 and 5.14,
 * and for what is no socket.
 */
static uint64_t cookie_of(int fd, int which)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof cookie;

	return next_getsockopt(fd, SOL_SOCKET, which, &cookie, &len) ? 0 : cookie;
}

/* A socket stays where it was made; the thread may have moved, and a supervisor may never have been there. */
static bool is_of_same_network(int a, int b)
{
	const uint64_t of_a = cookie_of(a, SO_NETNS_COOKIE), of_b = cookie_of(b, SO_NETNS_COOKIE);

	return of_a == of_b || !of_a || !of_b;
}

static int take_place(int old, int new, uint64_t old_cookie)
{
	int cloexec = (int)syscall(SYS_fcntl, old, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0;

	/* Another thread may have closed it, and have something else there. The kernel cannot look and replace in one call. */
	if (cookie_of(old, SO_COOKIE) != old_cookie)
		return -EBADF;
	return syscall(SYS_dup3, new, old, cloexec) < 0 ? -errno : 0;
}

int make_replacement(int fd, enum kind kind, unsigned mode, bool rebind)
{
	union {
		struct sockaddr any;
		struct sockaddr_in6 in6;
	} name;
	socklen_t len = sizeof name;
	int family = kind_family(fd);
	enum kind old_kind = kind_of(fd);
	const uint64_t cookie = cookie_of(fd, SO_COOKIE);
	int new, r;

	if (!family || kernel_getsockname(fd, &name.any, &len))
		return -EOPNOTSUPP;
	if (kind == KIND_SMC)
		new = make_smc(mode & ~MODE_BUFFERS, family, SOCK_STREAM | SOCK_CLOEXEC);
	else
		new = next_socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (new < 0)
		return -errno;
	r = is_of_same_network(fd, new) ? options_copy(fd, new, kind) : -EXDEV;
	if (r == 0 && kind == KIND_SMC && (mode & MODE_BUFFERS) && !kind_int_option(new, SOL_SOCKET, SO_BUF_LOCK, 0))
		options_set_buffers(new);
	if (r == 0 && rebind && kind_local_port(fd))
		r = bind_beside(fd, old_kind, new, &name.any, len);
	if (r == 0)
		r = take_place(fd, new, cookie);
	if (r == 0)
		count(SMCSHIM_replaced);
	syscall(SYS_close, new);
	return r;
}
