/* SPDX-License-Identifier: MIT */
/* A program sees TCP in its sockets, the kernel the policy's kind; other sockets are left alone. */
#include "config.h"

#include "tests/shim/harness.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/un.h>
#include <unistd.h>

static void looks_like_tcp(int fd, int domain)
{
	static const struct {
		const char *what;
		int name, value;
	} wanted[] = {{"SO_DOMAIN", SO_DOMAIN, 0}, {"SO_PROTOCOL", SO_PROTOCOL, IPPROTO_TCP},
		{"SO_TYPE", SO_TYPE, SOCK_STREAM}};

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		int value = -1, want = wanted[i].name == SO_DOMAIN ? domain : wanted[i].value;
		socklen_t len = sizeof value;
		unsigned char byte = 0xee;

		SUCCEEDS(getsockopt(fd, SOL_SOCKET, wanted[i].name, &value, &len));
		CHECKF(value == want && len == sizeof value, "%s reads %d with %u bytes", wanted[i].what, value, len);
		/* The kernel fills what there is room for. */
		len = 1;
		SUCCEEDS(getsockopt(fd, SOL_SOCKET, wanted[i].name, &byte, &len));
		CHECKF(byte == (unsigned char)want && len == 1, "%s reads %u with %u bytes", wanted[i].what, byte, len);
		len = 0;
		SUCCEEDS(getsockopt(fd, SOL_SOCKET, wanted[i].name, &byte, &len));
		EQUAL(len, 0);
	}
}

static void fresh_sockets(void)
{
	static const int protocols[] = {0, IPPROTO_TCP}, domains[] = {AF_INET, AF_INET6};
	static const int flags[] = {0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC};

	for (size_t i = 0; i < 16; i++) {
		int domain = domains[i & 1], protocol = protocols[i >> 1 & 1], flag = flags[i >> 2], fd;
		struct counts before = counts_now();

		context("domain %d protocol %d flags %#x", domain, protocol, (unsigned)flag);
		errno = SENTINEL;
		fd = socket(domain, SOCK_STREAM | flag, protocol);
		EQUAL(errno, SENTINEL);
		MUST(fd >= 0);
		KIND(fd, fresh_is_smc() ? SMC : TCP);
		COUNTED(before, fresh_is_smc() ? SMCSHIM_sockets_smc : SMCSHIM_sockets_tcp, 1);
		COUNTED(before, fresh_is_smc() ? SMCSHIM_sockets_tcp : SMCSHIM_sockets_smc, 0);
		EQUAL(is_nonblock(fd), (flag & SOCK_NONBLOCK) != 0);
		EQUAL(fcntl(fd, F_GETFD), flag & SOCK_CLOEXEC ? FD_CLOEXEC : 0);
		before = counts_now();
		looks_like_tcp(fd, domain);
		/* SO_PROTOCOL, of 4, 1 and 0 bytes; SO_DOMAIN of IPPROTO_SMC is that of TCP already. */
		COUNTED(before, SMCSHIM_quirk_identity, fresh_is_smc() ? 3 : 0);
		close(fd);
	}
}

static void connected_sockets(void)
{
	EACH_PLACE(place)
	{
		int server, client = place_connect(place, &server);

		looks_like_tcp(client, AF_INET);
		looks_like_tcp(server, AF_INET);
		close(client);
		close(server);
	}
}

/* Both ends by libc: what accept() and accept4() return. */
static void accepted_sockets(void)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.1.1", "::1"};

	for (size_t i = 0; i < 6; i++) {
		struct address at = address_of(hosts[i / 2], 0), peer = {.len = sizeof peer.storage};
		int listener = socket(at.any.sa_family, SOCK_STREAM, 0), client, server;
		int client2 = socket(at.any.sa_family, SOCK_STREAM, 0);
		int flags = i & 1 ? SOCK_NONBLOCK | SOCK_CLOEXEC : 0;
		struct counts before = counts_now();
		bool counted = config_now() & (IN_SOME | IN_ALL | IN_OBSERVE);

		context("%s, %s", hosts[i / 2], i & 1 ? "accept4" : "accept");
		MUST(bind(listener, &at.any, at.len) == 0);
		SUCCEEDS(listen(listener, 5));
		at = local_address(listener);
		client = client2;
		SUCCEEDS(connect_to(client, &at));
		errno = SENTINEL;
		server =
			i & 1 ? accept4(listener, &peer.any, &peer.len, flags) : accept(listener, &peer.any, &peer.len);
		EQUAL(errno, SENTINEL);
		MUST(server >= 0);
		EQUAL(peer.any.sa_family, at.any.sa_family);
		EQUAL(peer.len, at.len);
		EQUAL(is_nonblock(server), (flags & SOCK_NONBLOCK) != 0);
		EQUAL(fcntl(server, F_GETFD), flags ? FD_CLOEXEC : 0);
		looks_like_tcp(listener, at.any.sa_family);
		looks_like_tcp(server, at.any.sa_family);
		looks_like_tcp(client, at.any.sa_family);
		EQUAL(kind_of(client), kind_of(server));
		/* Where no listener can be SMC, by the policy or by its state, accepting costs nothing and is not counted. */
		COUNTED(before, SMCSHIM_accept_smc, counted && kind_of(server) == SMC);
		COUNTED(before, SMCSHIM_accept_tcp, counted && kind_of(server) == TCP);
		talk(client, server);
		close(client);
		close(server);
		close(listener);
	}
}

static void other_sockets(void)
{
	static const struct {
		const char *what;
		int domain, type, protocol;
	} others[] = {{"UDP", AF_INET, SOCK_DGRAM, 0}, {"UDP over IPv6", AF_INET6, SOCK_DGRAM, 0},
		{"unix stream", AF_UNIX, SOCK_STREAM, 0}, {"unix datagram", AF_UNIX, SOCK_DGRAM, 0},
		{"unix packets", AF_UNIX, SOCK_SEQPACKET, 0}, {"netlink", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE},
		{"UDP-Lite", AF_INET, SOCK_DGRAM, 136}, {"MPTCP", AF_INET, SOCK_STREAM, 262}};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		int fd = socket(others[i].domain, others[i].type, others[i].protocol), error = errno;
		int twin = raw_socket(others[i].domain, others[i].type, others[i].protocol), twin_error = errno;
		static const int names[] = {SO_DOMAIN, SO_PROTOCOL, SO_TYPE, SO_SNDBUF, SO_RCVBUF};

		context("%s", others[i].what);
		EQUAL(fd < 0 ? error : 0, twin < 0 ? twin_error : 0);
		if (fd < 0 || twin < 0)
			continue;
		for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
			int value = -1;
			socklen_t len = sizeof value;

			EQUAL(raw_int_option(fd, SOL_SOCKET, names[n]), raw_int_option(twin, SOL_SOCKET, names[n]));
			SUCCEEDS(getsockopt(fd, SOL_SOCKET, names[n], &value, &len));
			EQUAL(value, raw_int_option(twin, SOL_SOCKET, names[n]));
		}
		close(fd);
		close(twin);
	}
}

static void unix_connections(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0shimtest-identity"};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0), server;

	SUCCEEDS(bind(listener, (struct sockaddr *)&name, sizeof name));
	SUCCEEDS(listen(listener, 1));
	SUCCEEDS(connect(client, (struct sockaddr *)&name, sizeof name));
	server = accept(listener, NULL, NULL);
	MUST(server >= 0);
	talk(client, server);
}

static void bad_sockets(void)
{
	static const int triples[][3] = {{AF_INET, SOCK_STREAM, 999}, {AF_INET, SOCK_STREAM, IPPROTO_UDP},
		{AF_INET, 99, 0}, {AF_INET, SOCK_DGRAM, IPPROTO_TCP}, {9999, SOCK_STREAM, 0}, {-1, SOCK_STREAM, 0},
		{AF_INET, -1, 0}, {AF_INET, SOCK_STREAM | 0x10, 0}, {AF_INET, SOCK_STREAM, -1},
		{AF_INET6, SOCK_SEQPACKET, 0}};

	for (size_t i = 0; i < sizeof triples / sizeof *triples; i++) {
		const int *t = triples[i];
		int error = raw_socket(t[0], t[1], t[2]) < 0 ? errno : 0;

		context("socket(%d, %d, %d)", t[0], t[1], t[2]);
		FAILS(socket(t[0], t[1], t[2]), error);
	}
}

/* A program that knows SMC: its sockets stay what it asked for, and say so. */
static void own_smc(void)
{
	static const int triples[][3] = {{AF_SMC, SOCK_STREAM, 0}, {AF_SMC, SOCK_STREAM, 1},
		{AF_INET, SOCK_STREAM, IPPROTO_SMC}, {AF_INET6, SOCK_STREAM, IPPROTO_SMC}};

	for (size_t i = 0; i < sizeof triples / sizeof *triples; i++) {
		const int *t = triples[i];
		int fd = socket(t[0], t[1], t[2]), domain = -1, protocol = -1;
		struct address at;
		socklen_t len = sizeof domain;

		context("socket(%d, %d, %d)", t[0], t[1], t[2]);
		MUST(fd >= 0);
		KIND(fd, SMC);
		EQUAL(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len), 0);
		EQUAL(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len), 0);
		EQUAL(domain, t[0]);
		EQUAL(protocol, t[2]);
		/* A denied destination: still what the program asked for, an SMC socket that falls back by itself. */
		if (i == 0 || i == 2) {
			int listener = place_listen(DENIED, &at), server;

			SUCCEEDS(connect_to(fd, &at));
			server = raw_accept(listener);
			talk(fd, server);
			close(server);
			close(listener);
		} else {
			at = address_of("::1", 0);
			SUCCEEDS(bind(fd, &at.any, at.len));
			SUCCEEDS(listen(fd, 5));
			KIND(fd, SMC);
		}
		close(fd);
	}
	EQUAL(counter(SMCSHIM_downgraded), 0);
	EQUAL(counter(SMCSHIM_replaced), 0);
}

/* Pairs over IPv6 and over IPv4 from an IPv6 socket. */
static void families(void)
{
	static const struct {
		const char *listen, *connect;
		bool smc_listener, smc_in_some, lab;
	} pairs[] = {
		{"::1", "::1", true, true, false},
		{"::1", "::1", false, false, false},
		{"fd00:5::1", "fd00:5::1", false, false, true},
		{"127.0.0.1", "::ffff:127.0.0.1", true, true, false},
		{"127.0.0.1", "::ffff:127.0.0.1", false, false, false},
		{"127.0.1.1", "::ffff:127.0.1.1", false, false, false},
		{"::", "::ffff:127.0.0.1", true, true, false},
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct address at = address_of(pairs[i].listen, 0), to;
		int listener, client, server;
		bool smc = pairs[i].smc_in_some && fresh_is_smc() && ipv6_is_smc();
		uint64_t downgraded = counter(SMCSHIM_downgraded);

		context("%s to %s %s", pairs[i].connect, pairs[i].smc_listener ? "SMC" : "TCP", pairs[i].listen);
		if (pairs[i].lab && access("/sys/class/net/swallow", F_OK))
			continue;
		listener = raw_listener(&at, pairs[i].smc_listener ? IPPROTO_SMC : 0);
		to = address_of(pairs[i].connect, port_of(&at));
		client = socket(AF_INET6, SOCK_STREAM, 0);
		SUCCEEDS(connect_to(client, &to));
		server = raw_accept(listener);
		KIND(client, smc ? SMC : TCP);
		looks_like_tcp(client, AF_INET6);
		talk(client, server);
		/* ::ffff:127.0.1.1 and fd00:5::1 are outside every rule of "some". */
		if (fresh_is_smc() && (i == 2 || i == 5))
			EQUAL(counter(SMCSHIM_downgraded) - downgraded, config_now() == IN_SOME);
		close(client);
		close(server);
		close(listener);
	}
}

const struct test_case identity_cases[] = {
	{.name = "identity-fresh", .run = fresh_sockets, .flags = IN_USUAL | IN_OFF | IN_OBSERVE},
	{.name = "identity-connected", .run = connected_sockets, .flags = IN_USUAL | IN_OFF | IN_OBSERVE},
	{.name = "identity-accepted", .run = accepted_sockets, .flags = IN_USUAL | IN_OFF | IN_OBSERVE},
	{.name = "identity-other-sockets", .run = other_sockets},
	{.name = "identity-unix-connections", .run = unix_connections},
	{.name = "identity-bad-sockets", .run = bad_sockets},
	{.name = "identity-own-smc", .run = own_smc, .flags = IN_USUAL | NEEDS_SMC},
	{.name = "identity-families", .run = families},
	CASE_END,
};
