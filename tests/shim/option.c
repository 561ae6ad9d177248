/* SPDX-License-Identifier: MIT */
/* The option matrix: every option of every level and size on a fresh socket answers as on plain TCP. */
#include "config.h"

#include "tests/shim/harness.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define NUMBERS 101
#define VALUE_MAX 16

/* Inherent differences: what cannot be the same, with the reason. */
static const struct inherent {
	int level, name;
	const char *why;
} inherent[] = {
	{SOL_SOCKET, SO_SNDBUF, "the default size is net.smc.wmem, not net.ipv4.tcp_wmem"},
	{SOL_SOCKET, SO_RCVBUF, "the default size is net.smc.rmem, not net.ipv4.tcp_rmem"},
	{SOL_SOCKET, SO_COOKIE, "each socket has its own"},
	{SOL_SOCKET, SO_MEMINFO, "holds the two buffer sizes"},
	{SOL_SOCKET, 80 /* SO_DEVMEM_DONTNEED */, "device memory is for TCP alone: EBADF (sock_devmem_dontneed)"},
	{SOL_SOCKET, SO_PEEK_OFF, "SMC cannot peek at an offset; a program that sets it gets TCP"},
};

static bool is_inherent(int level, int name)
{
	for (size_t i = 0; i < sizeof inherent / sizeof *inherent; i++)
		if (inherent[i].level == level && inherent[i].name == name)
			return true;
	return false;
}

struct answer {
	int result, error;
	socklen_t len;
	unsigned char value[VALUE_MAX];
};

static struct answer get(int fd, int level, int name, socklen_t len, bool raw)
{
	struct answer a = {.len = len};

	memset(a.value, 0xee, sizeof a.value);
	errno = 0;
	a.result =
		raw ? raw_getsockopt(fd, level, name, a.value, &a.len) : getsockopt(fd, level, name, a.value, &a.len);
	a.error = a.result ? errno : 0;
	return a;
}

static bool same(const struct answer *a, const struct answer *b)
{
	return a->result == b->result && a->error == b->error && a->len == b->len &&
		memcmp(a->value, b->value, sizeof a->value) == 0;
}

/* TCP_TIMESTAMP is a clock in ms: it goes on between two looks at it. Makes both equal if they are one clock's readings. */
static void stop_clock(struct answer *a, const struct answer *b)
{
	uint32_t x, y;

	memcpy(&x, a->value, sizeof x);
	memcpy(&y, b->value, sizeof y);
	/* Of a part of it nothing can be said, but its length, and that what lies behind it is untouched. */
	if (a->len == b->len && (a->len < sizeof x || y - x < 10000))
		memcpy(a->value, b->value, a->len);
}

static void compare_reading(int shim, int plain, int level, int name, const char *when)
{
	static const socklen_t lens[] = {0, 1, 3, 4, 8, 16};

	if (is_inherent(level, name))
		return;
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		struct answer a = get(shim, level, name, lens[i], false), b = get(plain, level, name, lens[i], true);

		if (level == IPPROTO_TCP && name == TCP_TIMESTAMP)
			stop_clock(&a, &b);
		CHECKF(same(&a, &b),
			"%s: getsockopt(%d, %d) with %u bytes: %d, errno %d, length %u, %02x %02x %02x %02x; TCP: %d, "
			"errno "
			"%d, length %u, %02x %02x %02x %02x",
			when, level, name, lens[i], a.result, a.error, a.len, a.value[0], a.value[1], a.value[2],
			a.value[3], b.result, b.error, b.len, b.value[0], b.value[1], b.value[2], b.value[3]);
	}
}

static void compare(int domain, int level, int name, int value, socklen_t len)
{
	int shim = socket(domain, SOCK_STREAM, 0), plain = raw_socket(domain, SOCK_STREAM, 0);
	unsigned char bytes[VALUE_MAX] = {(unsigned char)value};
	int r, error, want, want_error;

	MUST(shim >= 0 && plain >= 0);
	if (value == 0 && len == 4)
		compare_reading(shim, plain, level, name, "fresh");
	errno = SENTINEL;
	want = raw_setsockopt(plain, level, name, bytes, len);
	want_error = errno;
	errno = SENTINEL;
	r = setsockopt(shim, level, name, bytes, len);
	error = errno;
	CHECKF((r == want && error == want_error) || is_inherent(level, name),
		"setsockopt(%d, %d) of %d with %u bytes: %d, errno %d; TCP: %d, errno %d", level, name, value, len, r,
		error, want, want_error);
	compare_reading(shim, plain, level, name, "set");
	close(shim);
	close(plain);
}

static void matrix(int domain, int level)
{
	static const socklen_t lens[] = {0, 1, 3, 4, 8, 16};

	context("domain %d", domain);
	for (int name = 0; name < NUMBERS; name++)
		for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
			for (int value = 0; value < 3; value++)
				compare(domain, level, name, value, lens[i]);
}

static void inet_socket(void)
{
	matrix(AF_INET, SOL_SOCKET);
}

static void inet_ip(void)
{
	matrix(AF_INET, IPPROTO_IP);
	matrix(AF_INET, IPPROTO_IPV6);
}

static void inet_tcp(void)
{
	matrix(AF_INET, IPPROTO_TCP);
}

static void inet6_ipv6(void)
{
	matrix(AF_INET6, IPPROTO_IPV6);
	matrix(AF_INET6, IPPROTO_IP);
}

static void inet6_socket_tcp(void)
{
	matrix(AF_INET6, SOL_SOCKET);
	matrix(AF_INET6, IPPROTO_TCP);
}

/* ---- the known traps, one by one ---- */

static void short_options(void)
{
	static const char *const algorithms[] = {"reno", "cubic", "bbr", "no-such", ""};

	EACH_PLACE(place)
	{
		for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
			struct address at;
			int listener = place_listen(place, &at), client = place_socket(0), server;
			int plain = raw_socket(AF_INET, SOCK_STREAM, 0);
			socklen_t len = (socklen_t)strlen(algorithms[i]);
			unsigned char tos = 0x10;
			int r, error, want, want_error;
			/* Without a byte TCP_CONGESTION is EINVAL to both. */
			bool is_short = len > 0 && len < sizeof(int);
			struct counts before = counts_now();

			context("%s, %s", place_name(place), algorithms[i]);
			SUCCEEDS(setsockopt(client, IPPROTO_IP, IP_TOS, &tos, 1));
			EQUAL(raw_int_option(client, IPPROTO_IP, IP_TOS), 0x10);
			errno = 0;
			want = raw_setsockopt(plain, IPPROTO_TCP, TCP_CONGESTION, algorithms[i], len);
			want_error = errno;
			errno = 0;
			r = setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, algorithms[i], len);
			error = errno;
			CHECKF(r == want && error == want_error, "TCP_CONGESTION: %d, errno %d; TCP: %d, errno %d", r,
				error, want, want_error);
			compare_reading(client, plain, IPPROTO_TCP, TCP_CONGESTION, "set");
			KIND(client, fresh_is_smc() ? SMC : TCP);
			COUNTED(before, SMCSHIM_quirk_optlen, fresh_is_smc() ? 1 + is_short : 0);
			SUCCEEDS(connect_to(client, &at));
			server = raw_accept(listener);
			KIND(client, place_is_smc(place) ? SMC : TCP);
			/* Short options of a connected socket. */
			before = counts_now();
			SUCCEEDS(setsockopt(client, IPPROTO_IP, IP_TOS, &tos, 1));
			COUNTED(before, SMCSHIM_quirk_optlen, place_is_smc(place));
			talk(client, server);
			close(plain);
			close(client);
			close(server);
			close(listener);
		}
	}
}

/* What the kernel's own fallback loses: it keeps none of SOL_SOCKET. */
static void set_others(int fd)
{
	const struct timeval five = {5, 0};
	const int on = 1;

	MUST(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &five, sizeof five) == 0);
}

static void others_kept(int fd)
{
	struct timeval time = {0, 0};
	socklen_t len = sizeof time;

	EQUAL(raw_int_option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	EQUAL(raw_getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &len), 0);
	EQUAL(time.tv_sec, 5);
}

/* Options that SMC takes for TCP_FASTOPEN, before and after connect. */
static void colliding_options(void)
{
	static const struct {
		int domain, level, name, value;
	} options[] = {
		{AF_INET, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1},
		{AF_INET, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0},
		{AF_INET, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1},
		{AF_INET, IPPROTO_TCP, TCP_FASTOPEN, 3},
		{AF_INET, IPPROTO_IP, IP_CHECKSUM, 1},
		{AF_INET6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO},
		{AF_INET6, IPPROTO_IPV6, 33 /* IPV6_FLOWINFO_SEND */, 1},
	};

	for (size_t i = 0; i < 2 * sizeof options / sizeof *options; i++) {
		int domain = options[i / 2].domain, level = options[i / 2].level, name = options[i / 2].name;
		int value = options[i / 2].value, client = socket(domain, SOCK_STREAM, 0), server;
		struct address at = address_of(domain == AF_INET ? "127.0.0.1" : "::1", 0);
		int listener = raw_listener(&at, i & 1 ? IPPROTO_SMC : 0);
		struct counts before = counts_now();
		bool smc;

		context("level %d, option %d, %s listener", level, name, i & 1 ? "SMC" : "TCP");
		set_others(client);
		SUCCEEDS(setsockopt(client, level, name, &value, sizeof value));
		KIND(client, TCP);
		COUNTED(before, SMCSHIM_quirk_fastopen, fresh_is_smc() && level == IPPROTO_TCP);
		COUNTED(before, SMCSHIM_quirk_optname, fresh_is_smc() && level != IPPROTO_TCP);
		COUNTED(before, SMCSHIM_downgraded, fresh_is_smc());
		EQUAL(raw_int_option(client, level, name), value);
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		KIND(client, TCP);
		others_kept(client);
		talk(client, server);
		close(client);
		close(server);
		/* Once it is connected. */
		client = socket(domain, SOCK_STREAM, 0);
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		smc = kind_of(client) == SMC;
		EQUAL(smc, fresh_is_smc() && (i & 1) && (domain == AF_INET || ipv6_is_smc()));
		before = counts_now();
		if (level != IPPROTO_TCP) {
			SUCCEEDS(setsockopt(client, level, name, &value, sizeof value));
			EQUAL(raw_int_option(client, level, name), value);
			COUNTED(before, SMCSHIM_quirk_optname, smc);
			KIND(client, smc ? SMC : TCP);
		}
		talk(client, server);
		close(client);
		close(server);
		close(listener);
	}
}

const struct test_case option_cases[] = {
	{.name = "option-inet-socket", .run = inet_socket, .flags = IN_SOME, .seconds = 60},
	{.name = "option-inet-ip", .run = inet_ip, .flags = IN_SOME, .seconds = 60},
	{.name = "option-inet-tcp", .run = inet_tcp, .flags = IN_SOME, .seconds = 60},
	{.name = "option-inet6-ipv6", .run = inet6_ipv6, .flags = IN_SOME, .seconds = 60},
	{.name = "option-inet6-socket-tcp", .run = inet6_socket_tcp, .flags = IN_SOME, .seconds = 60},
	{.name = "option-short", .run = short_options},
	{.name = "option-colliding", .run = colliding_options},
	CASE_END,
};
