/* SPDX-License-Identifier: MIT */
/* Asks the kernel what a descriptor is. */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "preload/shim.h"

int kind_int_option(int fd, int level, int name, int otherwise)
{
	int value = otherwise;
	socklen_t len = sizeof value;

	return next_getsockopt(fd, level, name, &value, &len) || len != sizeof value ? otherwise : value;
}

enum kind kind_of(int fd)
{
	switch (kind_int_option(fd, SOL_SOCKET, SO_PROTOCOL, -1)) {
	case IPPROTO_TCP:
		return KIND_TCP;
	case IPPROTO_SMC:
		return KIND_SMC;
	case 0: /* AF_SMC over IPv4 and IPv6, but also AF_UNIX, ICMP ... */
	case 1:
		return kind_int_option(fd, SOL_SOCKET, SO_DOMAIN, -1) == AF_SMC ? KIND_SMC : KIND_OTHER;
	default:
		return KIND_OTHER;
	}
}

bool kind_was_smc(int fd)
{
	/* net/socket.c, sock_alloc_file: the dentry is named after the protocol the socket was created with. */
	char name[32] = "";

	if (syscall(SYS_fgetxattr, fd, "system.sockprotoname", name, sizeof name - 1) <= 0)
		return false;
	for (const char *at = name; *at; at++)
		if (at[0] == 'S' && at[1] == 'M' && at[2] == 'C')
			return true;
	return false;
}

int kind_family(int fd)
{
	int family = kind_int_option(fd, SOL_SOCKET, SO_DOMAIN, 0);
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof name;

	if (family == AF_INET || family == AF_INET6)
		return family;
	if (family != AF_SMC || kernel_getsockname(fd, (struct sockaddr *)&name, &len))
		return 0;
	return name.ss_family;
}

int kind_tcp_state(int fd)
{
	unsigned char state; /* the first field of struct tcp_info; the kernel copies as much as is asked for */
	socklen_t len = sizeof state;

	return next_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len) ? -1 : state;
}

int kind_events(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
	struct {
		long seconds, nanoseconds;
	} zero = {0, 0};

	return syscall(SYS_ppoll, &p, 1, &zero, NULL, 0) > 0 ? p.revents : 0;
}

unsigned kind_local_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} name = {0};
	socklen_t len = sizeof name;

	if (kernel_getsockname(fd, &name.any, &len))
		return 0;
	return ntohs(name.any.sa_family == AF_INET6 ? name.in6.sin6_port : name.in.sin_port);
}

/* rt_sigprocmask(2) with an impossible "how" copies the set (8 bytes) first: EFAULT or EINVAL, nothing else happens. */
static bool readable_word(uintptr_t at)
{
	return syscall(SYS_rt_sigprocmask, -1, at, NULL, 8) == -1 && errno == EINVAL;
}

bool kind_readable(const void *p, size_t len)
{
	const uintptr_t page = 4096;
	uintptr_t first = (uintptr_t)p, last = first + len - 1;

	/* The kernel reads 8 bytes: begin so that none of them lies beyond the object's last page. */
	if (!readable_word(first % page > page - 8 ? first - 8 : first))
		return false;
	return first / page == last / page || readable_word(last - last % page);
}
