/* SPDX-License-Identifier: MIT */
/* Asks the kernel for its sockets, over libnl's connection to NETLINK_SOCK_DIAG. */
#include "config.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/smc_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/smc/diag.h"

#ifndef AF_SMC
#define AF_SMC 43
#endif

#define ATTEMPTS 10

/* The kernel's datagrams of a dump hold 32 KiB at most. */
#define DATAGRAM (64u << 10)

typedef int parse_function(const void *data, size_t size, uint32_t sequence, void *list);
typedef void clear_function(void *list);

static void cleanup_socket(struct nl_sock **socket)
{
	nl_socket_free(*socket);
}

/* One datagram from the kernel; others' are passed over. Returns its size or -errno. */
static ssize_t receive(int fd, char *data)
{
	for (;;) {
		struct sockaddr_nl from = {.nl_family = AF_NETLINK};
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(fd, data, DATAGRAM, MSG_TRUNC, (struct sockaddr *)&from, &length);

		if (n < 0 && errno != EINTR)
			return errno == ENOBUFS ? -EAGAIN : -errno;
		if (n > (ssize_t)DATAGRAM)
			return -EMSGSIZE;
		if (n == 0)
			return -EBADMSG;
		if (n > 0 && length == sizeof(from) && from.nl_pid == 0)
			return n;
	}
}

/* nl_connect() and the sending keep errno: libnl's codes are not one to one. */
static int send_request(struct nl_sock *socket, const void *request, size_t size, uint32_t *sequence)
{
	struct nl_msg *message = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP);
	int r;

	if (!message || nlmsg_append(message, (void *)(uintptr_t)request, size, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	errno = 0;
	r = nl_send_auto(socket, message);
	*sequence = nlmsg_hdr(message)->nlmsg_seq;
	nlmsg_free(message);
	return r >= 0 ? 0 : errno ? -errno : -EIO;
}

static int dump_once(const void *request, size_t size, parse_function *parse, void *list)
{
	__attribute__((cleanup(cleanup_socket))) struct nl_sock *socket = nl_socket_alloc();
	_cleanup_free_ char *data = malloc(DATAGRAM);
	uint32_t sequence = 0;
	int r;

	if (!socket || !data)
		return -ENOMEM;
	errno = 0;
	nl_socket_disable_auto_ack(socket);
	if (nl_connect(socket, NETLINK_SOCK_DIAG) < 0)
		return errno ? -errno : -EIO;
	r = send_request(socket, request, size, &sequence);
	while (r == 0) {
		ssize_t n = receive(nl_socket_get_fd(socket), data);

		r = n < 0 ? (int)n : parse(data, (size_t)n, sequence, list);
	}
	return r < 0 ? r : 0;
}

static int dump(const void *request, size_t size, parse_function *parse, clear_function *clear, void *list)
{
	int r = -EAGAIN;

	for (int i = 0; i < ATTEMPTS && r == -EAGAIN; i++) {
		clear(list);
		r = dump_once(request, size, parse, list);
	}
	return r;
}

static int parse_smc(const void *data, size_t size, uint32_t sequence, void *list)
{
	return diag_parse_smc(data, size, sequence, list);
}

static void clear_smc(void *list)
{
	diag_smc_clear(list);
}

static int compare_cookies(const void *a, const void *b)
{
	const struct diag_smc *x = a;
	const struct diag_smc *y = b;

	return (x->socket.cookie > y->socket.cookie) - (x->socket.cookie < y->socket.cookie);
}

/* The kernel goes on at a position in its list: sockets made meanwhile stand first and push others back once more. */
static void remove_doubles(struct diag_smc_list *list)
{
	size_t kept = 0;

	if (list->count)
		qsort(list->item, list->count, sizeof(*list->item), compare_cookies);
	for (size_t i = 0; i < list->count; i++)
		if (!kept || compare_cookies(&list->item[kept - 1], &list->item[i]) != 0)
			list->item[kept++] = list->item[i];
	list->count = kept;
}

/* Asking for a socket makes the kernel load the module. */
static bool has_smc(void)
{
	_cleanup_close_ int fd = socket(AF_SMC, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0;
}

int diag_dump_smc(struct diag_smc_list *list)
{
	const struct smc_diag_req request = {
		.diag_family = AF_SMC, .diag_ext = 1 << (SMC_DIAG_LGRINFO - 1) | 1 << (SMC_DIAG_DMBINFO - 1)};
	int r = dump(&request, sizeof(request), parse_smc, clear_smc, list);

	if (r == -ENOENT) {
		if (!has_smc())
			return -EPROTONOSUPPORT;
		r = dump(&request, sizeof(request), parse_smc, clear_smc, list);
	}
	if (r == 0)
		remove_doubles(list);
	return r;
}

static int parse_tcp(const void *data, size_t size, uint32_t sequence, void *list)
{
	return diag_parse_tcp(data, size, sequence, list);
}

static void clear_tcp(void *list)
{
	diag_tcp_clear(list);
}

int diag_dump_tcp(struct diag_tcp_list *list)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct diag_tcp_list all = {.item = NULL};
	int r = 0;

	for (size_t i = 0; i < sizeof(families) && r == 0; i++) {
		const struct inet_diag_req_v2 request = {
			.sdiag_family = families[i], .sdiag_protocol = IPPROTO_TCP, .idiag_states = UINT32_MAX};
		struct diag_tcp_list part = {.item = NULL};

		r = dump(&request, sizeof(request), parse_tcp, clear_tcp, &part);
		/* A kernel without IPv6 has no such sockets. */
		if (r == -ENOENT && families[i] == AF_INET6)
			r = 0;
		if (r == 0 && part.count) {
			struct diag_socket *item = realloc(all.item, (all.count + part.count) * sizeof(*all.item));

			if (item) {
				memcpy(item + all.count, part.item, part.count * sizeof(*item));
				all.item = item;
				all.count += part.count;
			} else {
				r = -ENOMEM;
			}
		}
		diag_tcp_clear(&part);
	}
	if (r < 0)
		diag_tcp_clear(&all);
	else
		*list = all;
	return r;
}
