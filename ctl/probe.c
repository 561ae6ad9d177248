/* SPDX-License-Identifier: MIT */
/* Measures what the running kernel can do with SMC sockets. */
#include "config.h"

#include "ctl/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "policy/table.h"

/* Headers of the libc and the kernel may be older than the kernel that runs. */
#define PROBE_AF_SMC 43
#define PROBE_IPPROTO_SMC 256
#define PROBE_NO_COOKIE 34 /* TCP_FASTOPEN_NO_COOKIE */
#define PROBE_WAIT_MS 1000

/* A kind of SMC socket. */
struct kind {
	uint32_t bit;
	int family;
	int protocol;
	bool ipv6;
};

static int open_kind(const struct kind *kind)
{
	int fd = socket(kind->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, kind->protocol);

	return fd < 0 ? -errno : fd;
}

/* The socket is plain TCP afterwards; what the shim does, and checked as it checks. */
static bool downgrade(int fd)
{
	int off = 0;
	int protocol = 0;
	socklen_t size = sizeof(protocol);

	return setsockopt(fd, IPPROTO_TCP, PROBE_NO_COOKIE, &off, sizeof(off)) == 0 &&
		getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == IPPROTO_TCP;
}

static bool downgrades(const struct kind *kind)
{
	_cleanup_close_ int fd = open_kind(kind);

	return fd >= 0 && downgrade(fd);
}

static socklen_t loopback(bool ipv6, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	memset(out, 0, sizeof(*out));
	memcpy(out, ipv6 ? (const void *)&v6 : (const void *)&v4, ipv6 ? sizeof(v6) : sizeof(v4));
	return ipv6 ? sizeof(v6) : sizeof(v4);
}

/* A plain TCP listener on a port of the kernel's choice; address gets it. */
static int listen_loopback(bool ipv6, struct sockaddr_storage *address, socklen_t *length)
{
	_cleanup_close_ int fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);

	*length = loopback(ipv6, address);
	if (fd < 0 || bind(fd, (const struct sockaddr *)address, *length) < 0 || listen(fd, 1) < 0 ||
		getsockname(fd, (struct sockaddr *)address, length) < 0)
		return -errno;
	return take_fd(fd);
}

static bool sees(int epoll, uint32_t events)
{
	struct epoll_event event = {.events = 0};

	return epoll_wait(epoll, &event, 1, PROBE_WAIT_MS) == 1 && (event.events & events) == events;
}

/*
 * 1: yes, 0: no, -1: not even plain TCP gets through (the loopback device is down).
 * The registration of a program that adds its socket to epoll before it connects, as nginx does: edge-triggered on
 * the fresh SMC socket, then the downgrade, then the connection and the first byte have to be seen.
 */
static int keeps_epoll(const struct kind *kind)
{
	struct sockaddr_storage address;
	socklen_t length;
	_cleanup_close_ int listener = listen_loopback(kind->ipv6, &address, &length);
	_cleanup_close_ int epoll = epoll_create1(EPOLL_CLOEXEC);
	_cleanup_close_ int fd = open_kind(kind);
	_cleanup_close_ int peer = -1;
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
	struct pollfd arrival = {.fd = listener, .events = POLLIN};

	if (listener < 0 || epoll < 0 || fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 || !downgrade(fd))
		return -1;
	if (connect(fd, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS)
		return -1;
	if (poll(&arrival, 1, PROBE_WAIT_MS) != 1)
		return -1;
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0)
		return -1;
	if (!sees(epoll, EPOLLOUT))
		return 0;
	return send(peer, "x", 1, MSG_NOSIGNAL) == 1 && sees(epoll, EPOLLIN);
}

bool probe_converts(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int protocol = IPPROTO_TCP;
	socklen_t size = sizeof(protocol);

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol != IPPROTO_TCP;
}

void probe_kernel(struct probe *out)
{
	static const struct kind kinds[] = {
		{POLICY_KERNEL_IPPROTO_SMC, AF_INET, PROBE_IPPROTO_SMC, false},
		{POLICY_KERNEL_IPPROTO_SMC6, AF_INET6, PROBE_IPPROTO_SMC, true},
		{POLICY_KERNEL_AF_SMC, PROBE_AF_SMC, 0, false},
	};
	const struct kind *usual = NULL;
	bool all_downgrade = true;
	int epoll;

	*out = (struct probe){.converts = probe_converts()};
	if (out->converts)
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		_cleanup_close_ int fd = open_kind(&kinds[i]);

		if (kinds[i].bit == POLICY_KERNEL_IPPROTO_SMC && fd < 0)
			out->refused = fd;
		if (kinds[i].bit == POLICY_KERNEL_AF_SMC && fd < 0)
			out->refused_af = fd;
		if (fd < 0)
			continue;
		out->kernel |= kinds[i].bit;
		usual = usual ? usual : &kinds[i];
		all_downgrade = all_downgrade && downgrades(&kinds[i]);
	}
	if (!usual || !all_downgrade)
		return;
	out->kernel |= POLICY_KERNEL_DOWNGRADE;
	epoll = keeps_epoll(usual);
	out->unmeasured = epoll < 0;
	if (epoll > 0)
		out->kernel |= POLICY_KERNEL_DOWNGRADE_EPOLL;
}

bool probe_smc_registered(void)
{
	_cleanup_close_ int fd = open_read("/proc/net/protocols");
	_cleanup_free_ char *text = NULL;
	size_t size;

	if (fd < 0 || read_all(fd, 65536, &text, &size) < 0)
		return false;
	return strstr(text, "\nSMC") != NULL;
}

void probe_format(uint32_t kernel, char out[static PROBE_TEXT])
{
	bool v4 = kernel & POLICY_KERNEL_IPPROTO_SMC;
	bool v6 = kernel & POLICY_KERNEL_IPPROTO_SMC6;
	bool af = kernel & POLICY_KERNEL_AF_SMC;

	if (!v4 && !v6 && !af) {
		snprintf(out, PROBE_TEXT, "no SMC");
		return;
	}
	snprintf(out, PROBE_TEXT, "%s%s%s%s%s%s; downgrade in place %s", v4 || v6 ? "IPPROTO_SMC (" : "",
		v4 ? "IPv4" : "", v4 && v6 ? ", " : "", v6 ? "IPv6" : "", v4 || v6 ? ")" : "",
		af ? (v4 || v6 ? ", AF_SMC" : "AF_SMC") : "",
		!(kernel & POLICY_KERNEL_DOWNGRADE)              ? "does not work"
			: kernel & POLICY_KERNEL_DOWNGRADE_EPOLL ? "works and keeps epoll"
								 : "works but loses epoll");
}

const char *probe_refusal(const struct probe *probe)
{
	if (probe->converts)
		return "this kernel makes TCP sockets SMC by itself, for every destination; sysctl -w "
		       "net.smc.tcp2smc=0, then smcctl policy apply";
	/* A kernel without the module answers with these two; anything else is somebody's refusal. */
	if (probe->refused_af == -EAFNOSUPPORT)
		return "this kernel has no SMC; modprobe smc, then smcctl policy apply";
	if (probe->refused_af == -EPERM || probe->refused_af == -EACCES)
		return "SMC sockets are refused here (seccomp, a security module or a container); apply the policy "
		       "outside";
	return strerror(-probe->refused_af);
}
