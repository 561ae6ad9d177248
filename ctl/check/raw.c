/* SPDX-License-Identifier: MIT */
/* Opens, filters and reads raw sockets. */
#include "config.h"

#include "ctl/check/raw.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT_MAX 2048u

/* Only SYN-ACKs and RSTs from that port. IPv4: behind an IP header; IPv6: the segment alone (net/ipv6/raw.c). */
static int set_filter(int fd, bool ipv6, uint16_t port)
{
	struct sock_filter code[] = {
		ipv6 ? (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, 0)
		     : (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x04, 2, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x12, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SEGMENT_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int set_options(int fd, bool ipv6, uint16_t port)
{
	static const int on = 1;
	int r = set_filter(fd, ipv6, port);

	if (r == 0 && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		r = -errno;
	if (r == 0 &&
		setsockopt(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof(on)) < 0)
		r = -errno;
	return r;
}

static void take_addresses(const struct sockaddr_storage *to, struct raw *out)
{
	if (out->ipv6) {
		memcpy(out->from, &((const struct sockaddr_in6 *)&out->local)->sin6_addr, 16);
		memcpy(out->to, &((const struct sockaddr_in6 *)to)->sin6_addr, 16);
		((struct sockaddr_in6 *)&out->local)->sin6_port = 0;
	} else {
		memcpy(out->from, &((const struct sockaddr_in *)&out->local)->sin_addr, 4);
		memcpy(out->to, &((const struct sockaddr_in *)to)->sin_addr, 4);
		((struct sockaddr_in *)&out->local)->sin_port = 0;
	}
}

int raw_open(const struct sockaddr *to, socklen_t length, uint16_t port, struct raw *out)
{
	struct raw raw = {.fd = -1, .ipv6 = to->sa_family == AF_INET6};
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	_cleanup_close_ int fd = socket(to->sa_family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	int r;

	if (fd < 0)
		return -errno;
	memcpy(&address, to, length);
	/* Raw sockets have no ports. */
	if (raw.ipv6)
		((struct sockaddr_in6 *)&address)->sin6_port = 0;
	else
		((struct sockaddr_in *)&address)->sin_port = 0;
	r = set_options(fd, raw.ipv6, port);
	if (r < 0)
		return r;
	raw.local_length = sizeof(raw.local);
	if (connect(fd, (struct sockaddr *)&address, length) < 0 ||
		getsockname(fd, (struct sockaddr *)&raw.local, &raw.local_length) < 0)
		return -errno;
	take_addresses(&address, &raw);
	raw.fd = take_fd(fd);
	*out = raw;
	return 0;
}

void raw_close(struct raw *raw)
{
	if (raw->fd >= 0)
		close(raw->fd);
	raw->fd = -1;
}

int raw_reserve(const struct raw *raw, int *out, uint16_t *port)
{
	struct sockaddr_storage local = raw->local;
	socklen_t length = raw->local_length;
	_cleanup_close_ int fd = socket(local.ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0 || bind(fd, (struct sockaddr *)&local, length) < 0 ||
		getsockname(fd, (struct sockaddr *)&local, &length) < 0)
		return -errno;
	*port = ntohs(
		raw->ipv6 ? ((struct sockaddr_in6 *)&local)->sin6_port : ((struct sockaddr_in *)&local)->sin_port);
	*out = take_fd(fd);
	return 0;
}

int raw_send(const struct raw *raw, const void *segment, size_t size)
{
	return send(raw->fd, segment, size, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static uint64_t time_of(struct msghdr *message)
{
	struct timespec when;

	clock_gettime(CLOCK_REALTIME, &when);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(&when, CMSG_DATA(c), sizeof(when));
	return (uint64_t)when.tv_sec * 1000000 + (uint64_t)when.tv_nsec / 1000;
}

/* What the network says of a SYN, by ICMP; a report that is no error is none. */
static int read_error(const struct raw *raw)
{
	char data[64];
	_Alignas(struct cmsghdr) char control[256];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int level = raw->ipv6 ? SOL_IPV6 : SOL_IP;
	int type = raw->ipv6 ? IPV6_RECVERR : IP_RECVERR;

	if (recvmsg(raw->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		struct sock_extended_err error;

		if (c->cmsg_level != level || c->cmsg_type != type)
			continue;
		memcpy(&error, CMSG_DATA(c), sizeof(error));
		return error.ee_errno ? -(int)error.ee_errno : -EIO;
	}
	return -EIO;
}

int raw_receive(const struct raw *raw, struct answer *out, uint64_t *when)
{
	uint8_t packet[SEGMENT_MAX];
	_Alignas(struct cmsghdr) char control[256];
	struct iovec iov = {packet, sizeof(packet)};

	for (;;) {
		struct msghdr message = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(raw->fd, &message, MSG_DONTWAIT);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return read_error(raw);
		if (n < 0) {
			int error = -errno;

			/* The queue says the same once more. */
			(void)!read_error(raw);
			return error;
		}
		r = raw->ipv6 ? answer_parse(packet, (size_t)n, out) : answer_parse_ipv4(packet, (size_t)n, out);
		if (r < 0)
			continue;
		*when = time_of(&message);
		return 1;
	}
}
