/* SPDX-License-Identifier: MIT */
/* What a program has set on a socket is there after the socket has become TCP, by a downgrade or a fallback. */
#include "config.h"

#include "tests/shim/harness.h"

#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

struct setting {
	const char *name;
	int level, set, get;
	socklen_t len;
	union {
		int number;
		uint64_t wide;
		struct linger linger;
		struct timeval time;
		struct sock_txtime txtime;
		char text[16];
	} value;
	bool kept; /* also in the natural fallback and on SMC */
};

#define NUMBER(option, n, keep) \
	{ \
#option, SOL_SOCKET, option, option, sizeof(int), {.number = (n) }, keep \
	}

static const struct setting settings[] = {
	/* Inherent: on TCP the later one of IP_TOS and SO_PRIORITY holds; carried over, SO_PRIORITY is always the later. */
	{"IP_TOS", IPPROTO_IP, IP_TOS, IP_TOS, sizeof(int), {.number = 0x10}, true},
	NUMBER(SO_DEBUG, 1, false),
	NUMBER(SO_REUSEADDR, 1, false),
	NUMBER(SO_REUSEPORT, 1, false),
	NUMBER(SO_DONTROUTE, 1, true),
	NUMBER(SO_BROADCAST, 1, true),
	NUMBER(SO_KEEPALIVE, 1, true),
	NUMBER(SO_OOBINLINE, 1, true),
	NUMBER(SO_NO_CHECK, 1, false),
	NUMBER(SO_PRIORITY, 3, true),
	NUMBER(SO_MARK, 7, true),
	NUMBER(SO_PASSCRED, 1, false),
	NUMBER(SO_PASSSEC, 1, false),
	NUMBER(SO_RCVLOWAT, 9, true),
	NUMBER(SO_TIMESTAMP, 1, true),
	NUMBER(SO_TIMESTAMPNS, 1, true),
	NUMBER(SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE, false),
	NUMBER(SO_RXQ_OVFL, 1, true),
	NUMBER(SO_WIFI_STATUS, 1, true),
	NUMBER(SO_NOFCS, 1, true),
	NUMBER(SO_SELECT_ERR_QUEUE, 1, false),
	NUMBER(SO_BUSY_POLL, 11, false),
	NUMBER(SO_SNDBUF, 50000, false),
	NUMBER(SO_RCVBUF, 60000, false),
	NUMBER(69 /* SO_PREFER_BUSY_POLL */, 1, false),
	NUMBER(70 /* SO_BUSY_POLL_BUDGET */, 5, false),
	NUMBER(72 /* SO_BUF_LOCK */, 3, false),
	NUMBER(73 /* SO_RESERVE_MEM */, 4096, false),
	NUMBER(74 /* SO_TXREHASH */, 0, false),
	NUMBER(75 /* SO_RCVMARK */, 1, false),
	{"SO_MAX_PACING_RATE", SOL_SOCKET, SO_MAX_PACING_RATE, SO_MAX_PACING_RATE, 8, {.wide = 123456789}, false},
	{"SO_LINGER", SOL_SOCKET, SO_LINGER, SO_LINGER, sizeof(struct linger), {.linger = {1, 5}}, true},
	{"SO_LINGER 0", SOL_SOCKET, SO_LINGER, SO_LINGER, sizeof(struct linger), {.linger = {1, 0}}, true},
	{"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, SO_RCVTIMEO, sizeof(struct timeval), {.time = {5, 0}}, true},
	{"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, SO_SNDTIMEO, sizeof(struct timeval), {.time = {6, 0}}, true},
	{"SO_RCVTIMEO_NEW", SOL_SOCKET, 66, SO_RCVTIMEO, sizeof(struct timeval), {.time = {5, 0}}, true},
	{"SO_TXTIME", SOL_SOCKET, SO_TXTIME, SO_TXTIME, sizeof(struct sock_txtime), {.txtime = {.clockid = 1}}, false},
	{"SO_BINDTODEVICE", SOL_SOCKET, SO_BINDTODEVICE, SO_BINDTOIFINDEX, 3, {.text = "lo"}, true},
	{"SO_BINDTOIFINDEX", SOL_SOCKET, SO_BINDTOIFINDEX, SO_BINDTOIFINDEX, sizeof(int), {.number = 1}, true},
	{"SO_SNDBUFFORCE", SOL_SOCKET, SO_SNDBUFFORCE, SO_SNDBUF, sizeof(int), {.number = 4000000}, false},
	{"SO_RCVBUFFORCE", SOL_SOCKET, SO_RCVBUFFORCE, SO_RCVBUF, sizeof(int), {.number = 4000000}, false},
	{"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, TCP_NODELAY, sizeof(int), {.number = 1}, true},
	{"TCP_CORK", IPPROTO_TCP, TCP_CORK, TCP_CORK, sizeof(int), {.number = 1}, true},
	{"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, TCP_KEEPIDLE, sizeof(int), {.number = 77}, true},
	{"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, TCP_USER_TIMEOUT, sizeof(int), {.number = 7777}, true},
	{"TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG, TCP_MAXSEG, sizeof(int), {.number = 1000}, false},
	{"TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, TCP_CONGESTION, 4, {.text = "reno"}, true},
	{"IP_TTL", IPPROTO_IP, IP_TTL, IP_TTL, sizeof(int), {.number = 33}, true},
	{"IP_BIND_ADDRESS_NO_PORT", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, IP_BIND_ADDRESS_NO_PORT, sizeof(int),
		{.number = 1}, true},
};

#define SETTINGS (sizeof settings / sizeof *settings)

/* The same option on the shim's socket and on a plain one; false if neither takes it. */
static bool apply(const struct setting *s, int shim, int plain)
{
	int want, want_error, got, got_error;

	errno = 0;
	want = raw_setsockopt(plain, s->level, s->set, &s->value, s->len);
	want_error = errno;
	errno = 0;
	got = setsockopt(shim, s->level, s->set, &s->value, s->len);
	got_error = errno;
	CHECKF(got == want && got_error == want_error, "%s: %d, errno %d; TCP: %d, errno %d", s->name, got, got_error,
		want, want_error);
	return got == 0;
}

static void compare(const struct setting *s, int shim, int plain)
{
	unsigned char a[32], b[32];
	socklen_t a_len = sizeof a, b_len = sizeof b;
	int r;

	memset(a, 0, sizeof a);
	memset(b, 0, sizeof b);
	r = raw_getsockopt(plain, s->level, s->get, b, &b_len);
	EQUAL(getsockopt(shim, s->level, s->get, a, &a_len), r);
	CHECKF(r || (a_len == b_len && memcmp(a, b, sizeof a) == 0),
		"%s reads %02x %02x %02x %02x %02x, TCP %02x %02x %02x %02x %02x", s->name, a[0], a[1], a[2], a[3],
		a[4], b[0], b[1], b[2], b[3], b[4]);
}

/* Inherent: a natural fallback keeps what smc_copy_sock_settings() copies, and SO_LINGER by the shim. */
static bool all_kept(enum place place)
{
	return !fresh_is_smc() || (place == DENIED && config_now() == IN_SOME);
}

static void one_by_one(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at);

		for (size_t i = 0; i < SETTINGS; i++) {
			int shim = place_socket(0), plain = raw_socket(AF_INET, SOCK_STREAM, 0);

			if (apply(&settings[i], shim, plain)) {
				SUCCEEDS(connect_to(shim, &at));
				close(raw_accept(listener));
				MUST(raw_connect(plain, &at) == 0);
				close(raw_accept(listener));
				if (all_kept(place) || settings[i].kept)
					compare(&settings[i], shim, plain);
			}
			close(shim);
			close(plain);
		}
		close(listener);
	}
}

/* All at once, and a bind in between. */
static void together(void)
{
	for (int bound = 0; bound < 2; bound++) {
		struct address at, any = address_of("127.0.1.1", 0);
		int listener = place_listen(DENIED, &at), shim = place_socket(0),
		    plain = raw_socket(AF_INET, SOCK_STREAM, 0);
		bool applied[SETTINGS];

		context("%s", bound ? "bound" : "not bound");
		for (size_t i = 0; i < SETTINGS; i++)
			applied[i] = apply(&settings[i], shim, plain);
		if (bound) {
			SUCCEEDS(bind(shim, &any.any, any.len));
			MUST(raw_bind(plain, &any) == 0);
		}
		SUCCEEDS(connect_to(shim, &at));
		MUST(raw_connect(plain, &at) == 0);
		for (size_t i = 0; i < SETTINGS; i++)
			if (applied[i] && (all_kept(DENIED) || settings[i].kept))
				compare(&settings[i], shim, plain);
		close(shim);
		close(plain);
		close(listener);
	}
}

/* Nothing set: nothing may look set. */
static void untouched(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), shim = place_socket(0),
		    plain = raw_socket(AF_INET, SOCK_STREAM, 0);

		SUCCEEDS(connect_to(shim, &at));
		MUST(raw_connect(plain, &at) == 0);
		for (size_t i = 0; i < SETTINGS; i++)
			if (place != ALLOWED || !fresh_is_smc() || settings[i].kept)
				compare(&settings[i], shim, plain);
		close(shim);
		close(plain);
		close(listener);
	}
}

/* ---- what the options do ---- */

/* SO_LINGER {1, 0}: close() resets the connection. */
static void linger_resets(void)
{
	const struct linger zero = {1, 0};

	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(0), server;
		char byte;

		MUST(setsockopt(client, SOL_SOCKET, SO_LINGER, &zero, sizeof zero) == 0);
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		close(client);
		MUST(poll_for(server, POLLIN, 5000));
		/* Inherent on SMC: an orderly end. */
		if (!place_is_smc(place))
			FAILS(recv(server, &byte, 1, 0), ECONNRESET);
		close(server);
		close(listener);
	}
}

/* SO_LINGER {1, 5} after a fallback: what was written before close() arrives. */
static void linger_delivers(void)
{
	const struct linger five = {1, 5};
	static char data[200000], got[200000];

	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(0), server, size = 1 << 20;
		size_t total = 0;
		ssize_t n, sent;
		pid_t reader;

		if (place_is_smc(place))
			continue;
		MUST(setsockopt(client, SOL_SOCKET, SO_LINGER, &five, sizeof five) == 0);
		MUST(setsockopt(client, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		sent = send(client, data, sizeof data, MSG_DONTWAIT);
		CHECK(sent > 100000);
		reader = fork();
		MUST(reader >= 0);
		if (reader == 0) {
			close(client);
			sleep_ms(300);
			while ((n = recv(server, got, sizeof got, 0)) > 0)
				total += (size_t)n;
			EQUAL(n, 0);
			EQUAL(total, sent);
			finish();
		}
		close(server);
		close(client);
		reap(reader);
		close(listener);
	}
}

/* SO_RCVTIMEO ends a recv(). */
static void timeout_ends_recv(void)
{
	const struct timeval fifth = {0, 200000};

	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(0), server;
		double begin;
		char byte;

		MUST(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &fifth, sizeof fifth) == 0);
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		begin = now();
		FAILS(recv(client, &byte, 1, 0), EAGAIN);
		CHECKF(now() - begin > 0.15 && now() - begin < 3, "recv took %.2f s", now() - begin);
		close(client);
		close(server);
		close(listener);
	}
}

/* A socket filter that lets nothing in, attached before connect: TCP cannot even connect through it. */
static void filter_filters(void)
{
	struct sock_filter nothing[] = {{BPF_RET | BPF_K, 0, 0, 0}},
			   everything[] = {{BPF_RET | BPF_K, 0, 0, 0xffffffff}};
	const struct sock_fprog none = {1, nothing}, all = {1, everything};

	EACH_PLACE(place)
	{
		const struct timeval second = {1, 0};
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(0), server;

		SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all));
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		talk(client, server);
		close(client);
		close(server);

		client = place_socket(0);
		SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_ATTACH_FILTER, &none, sizeof none));
		SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second));
		FAILS(connect_to(client, &at), EINPROGRESS);
		close(client);
		close(listener);
	}
}

const struct test_case carry_cases[] = {
	{.name = "carry-one-by-one", .run = one_by_one, .seconds = 40},
	{.name = "carry-together", .run = together},
	{.name = "carry-untouched", .run = untouched},
	{.name = "carry-linger-resets", .run = linger_resets},
	{.name = "carry-linger-delivers", .run = linger_delivers},
	{.name = "carry-timeout-ends-recv", .run = timeout_ends_recv},
	{.name = "carry-filter-filters", .run = filter_filters},
	CASE_END,
};
