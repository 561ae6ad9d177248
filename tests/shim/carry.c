/* SPDX-License-Identifier: MIT */
/* What a program has set on a socket is there after the socket has become TCP, by a downgrade or a fallback. */
#include "config.h"

#include "tests/shim/harness.h"

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/xfrm.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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
	/* Before those they are read as: once one was set, the shim looks at it on every socket of the process. */
	{"SO_RCVTIMEO_NEW", SOL_SOCKET, 66, SO_RCVTIMEO, sizeof(struct timeval), {.time = {5, 0}}, true},
	{"SO_SNDTIMEO_NEW", SOL_SOCKET, 67, SO_SNDTIMEO, sizeof(struct timeval), {.time = {6, 0}}, true},
	{"SO_BINDTODEVICE", SOL_SOCKET, SO_BINDTODEVICE, SO_BINDTOIFINDEX, 3, {.text = "lo"}, true},
	{"SO_SNDBUFFORCE", SOL_SOCKET, SO_SNDBUFFORCE, SO_SNDBUF, sizeof(int), {.number = 4000000}, false},
	{"SO_RCVBUFFORCE", SOL_SOCKET, SO_RCVBUFFORCE, SO_RCVBUF, sizeof(int), {.number = 4000000}, false},
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
	NUMBER(76 /* SO_PASSPIDFD */, 1, false),
	NUMBER(63 /* SO_TIMESTAMP_NEW */, 1, false),
	NUMBER(64 /* SO_TIMESTAMPNS_NEW */, 1, false),
	NUMBER(65 /* SO_TIMESTAMPING_NEW */, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE, false),
	NUMBER(SO_INCOMING_CPU, 1, false),
	{"SO_MAX_PACING_RATE", SOL_SOCKET, SO_MAX_PACING_RATE, SO_MAX_PACING_RATE, 8, {.wide = 123456789}, false},
	{"SO_LINGER", SOL_SOCKET, SO_LINGER, SO_LINGER, sizeof(struct linger), {.linger = {1, 5}}, true},
	{"SO_LINGER 0", SOL_SOCKET, SO_LINGER, SO_LINGER, sizeof(struct linger), {.linger = {1, 0}}, true},
	{"SO_RCVTIMEO", SOL_SOCKET, SO_RCVTIMEO, SO_RCVTIMEO, sizeof(struct timeval), {.time = {5, 0}}, true},
	{"SO_SNDTIMEO", SOL_SOCKET, SO_SNDTIMEO, SO_SNDTIMEO, sizeof(struct timeval), {.time = {6, 0}}, true},
	{"SO_TXTIME", SOL_SOCKET, SO_TXTIME, SO_TXTIME, sizeof(struct sock_txtime), {.txtime = {.clockid = 1}}, false},
	{"SO_BINDTOIFINDEX", SOL_SOCKET, SO_BINDTOIFINDEX, SO_BINDTOIFINDEX, sizeof(int), {.number = 1}, true},
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

/* The kernel itself changes it with each packet that comes. */
static bool moves(const struct setting *s)
{
	return s->level == SOL_SOCKET && s->set == SO_INCOMING_CPU;
}

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
				if ((all_kept(place) && !moves(&settings[i])) || settings[i].kept)
					compare(&settings[i], shim, plain);
			}
			close(shim);
			close(plain);
		}
		close(listener);
	}
}

/* Without a packet: the option that makes the socket TCP is TCP_FASTOPEN_NO_COOKIE. */
static void before_connect(void)
{
	const int zero = 0;

	for (size_t i = 0; i < SETTINGS; i++) {
		int shim = place_socket(0), plain = raw_socket(AF_INET, SOCK_STREAM, 0);

		if (apply(&settings[i], shim, plain)) {
			SUCCEEDS(setsockopt(shim, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &zero, sizeof zero));
			KIND(shim, TCP);
			compare(&settings[i], shim, plain);
		}
		close(shim);
		close(plain);
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
			if (applied[i] && ((all_kept(DENIED) && !moves(&settings[i])) || settings[i].kept))
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
			if (((place != ALLOWED || !fresh_is_smc()) && !moves(&settings[i])) || settings[i].kept)
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
		struct counts before = counts_now();
		char byte;

		MUST(setsockopt(client, SOL_SOCKET, SO_LINGER, &zero, sizeof zero) == 0);
		SUCCEEDS(connect_to(client, &at));
		COUNTED(before, SMCSHIM_quirk_linger, place_is_tried(place) && !place_is_smc(place));
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

static void connect_and_ask(int client, const struct address *at)
{
	int error = -1;
	socklen_t len = sizeof error;

	FAILS(connect_to(client, at), EINPROGRESS);
	EQUAL(poll_for(client, POLLOUT, 5000), POLLOUT);
	SUCCEEDS(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len));
	EQUAL(error, 0);
}

static void deliver(enum place place, int flags)
{
	const struct linger five = {1, 5};
	static char data[200000], got[200000];
	struct linger linger = {0, 0};
	socklen_t len = sizeof linger;
	struct address at;
	int listener = place_listen(place, &at), client = place_socket(flags), server, size = 1 << 20;
	struct counts before = counts_now();
	size_t total = 0;
	ssize_t n, sent;
	int ready[2];
	pid_t reader;
	char byte;

	context("%s%s", place_name(place), flags ? ", nonblocking" : "");
	MUST(setsockopt(client, SOL_SOCKET, SO_LINGER, &five, sizeof five) == 0);
	MUST(setsockopt(client, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
	if (flags)
		connect_and_ask(client, &at);
	else
		SUCCEEDS(connect_to(client, &at));
	COUNTED(before, SMCSHIM_quirk_linger, place_is_tried(place));
	EQUAL(raw_getsockopt(client, SOL_SOCKET, SO_LINGER, &linger, &len), 0);
	CHECKF(linger.l_onoff == 1 && linger.l_linger == 5, "SO_LINGER reads {%d, %d}", linger.l_onoff,
		linger.l_linger);
	server = raw_accept(listener);
	sent = send(client, data, sizeof data, MSG_DONTWAIT);
	CHECK(sent > 100000);
	MUST(pipe(ready) == 0);
	reader = fork();
	MUST(reader >= 0);
	if (reader == 0) {
		/* First, so that it is the parent's close() that lingers. */
		close(client);
		MUST(write(ready[1], "", 1) == 1);
		sleep_ms(300);
		while ((n = recv(server, got, sizeof got, 0)) > 0)
			total += (size_t)n;
		EQUAL(n, 0);
		EQUAL(total, sent);
		finish();
	}
	MUST(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	close(server);
	close(client);
	reap(reader);
	close(listener);
}

/* SO_LINGER {1, 5} after a fallback: what was written before close() arrives. */
static void linger_delivers(void)
{
	EACH_PLACE(place)
	{
		if (place_is_smc(place))
			continue;
		deliver(place, 0);
		deliver(place, SOCK_NONBLOCK);
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
		int listener = place_listen(place, &at), client = place_socket(0);

		SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all));
		KIND(client, TCP);
		connects_as_tcp(client, listener, &at);

		client = place_socket(0);
		SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_ATTACH_FILTER, &none, sizeof none));
		SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second));
		FAILS(connect_to(client, &at), EINPROGRESS);
		close(client);
		close(listener);
	}
}

/* BPF that lets everything in; -1 where this process may load none. */
static int bpf_filter(void)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = -1}, {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)pass,
		.insn_cnt = sizeof pass / sizeof *pass,
		.license = (uintptr_t) "MIT"};

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
}

/* Filters and keys without an effect on this connection: the socket becomes TCP all the same, for it could have one. */
static void unreadable_options(void)
{
	/* Of a peer that is not this one: else the connection would need the key at both ends. */
	const struct address elsewhere = address_of("192.0.2.9", 0);
	struct tcp_md5sig md5 = {.tcpm_keylen = 3, .tcpm_key = "key"};
	struct xfrm_userpolicy_info policy = {.sel = {.family = AF_INET},
		.dir = XFRM_POLICY_OUT,
		.action = XFRM_POLICY_ALLOW,
		.share = XFRM_SHARE_ANY};
	int bpf = bpf_filter();
	const struct {
		const char *name;
		int level, option;
		const void *value;
		socklen_t len;
	} options[] = {
		{"SO_ATTACH_BPF", SOL_SOCKET, SO_ATTACH_BPF, &bpf, sizeof bpf},
		{"TCP_MD5SIG", IPPROTO_TCP, TCP_MD5SIG, &md5, sizeof md5},
		{"IP_XFRM_POLICY", IPPROTO_IP, IP_XFRM_POLICY, &policy, sizeof policy},
	};

	memcpy(&md5.tcpm_addr, &elsewhere.storage, sizeof md5.tcpm_addr);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		EACH_PLACE(place)
		{
			struct address at;
			int listener = place_listen(place, &at), client = place_socket(0), server;
			int plain = raw_socket(AF_INET, SOCK_STREAM, 0), want, want_error, got, got_error;
			struct counts before = counts_now();

			context("%s, %s", options[i].name, place_name(place));
			errno = 0;
			want = raw_setsockopt(
				plain, options[i].level, options[i].option, options[i].value, options[i].len);
			want_error = errno;
			errno = 0;
			got = setsockopt(client, options[i].level, options[i].option, options[i].value, options[i].len);
			got_error = errno;
			CHECKF(got == want && got_error == want_error, "%d, errno %d; TCP: %d, errno %d", got,
				got_error, want, want_error);
			/* The guest's kernel has all of them, and its root may set them. */
			if (getenv("LAB_MODE"))
				CHECKF(want == 0, "the kernel refuses it: errno %d", want_error);
			if (want == 0) {
				KIND(client, TCP);
				COUNTED(before, SMCSHIM_quirk_refused_option, fresh_is_smc());
				SUCCEEDS(connect_to(client, &at));
				server = raw_accept(listener);
				KIND(client, TCP);
				COUNTED_ONCE(before, SMCSHIM_connect_tcp);
				talk(client, server);
				close(server);
			}
			close(client);
			close(plain);
			close(listener);
		}
	}
	close(bpf);
}

const struct test_case carry_cases[] = {
	{.name = "carry-one-by-one", .run = one_by_one, .seconds = 60},
	{.name = "carry-before-connect", .run = before_connect},
	{.name = "carry-together", .run = together},
	{.name = "carry-untouched", .run = untouched},
	{.name = "carry-linger-resets", .run = linger_resets},
	{.name = "carry-linger-delivers", .run = linger_delivers},
	{.name = "carry-timeout-ends-recv", .run = timeout_ends_recv},
	{.name = "carry-filter-filters", .run = filter_filters},
	{.name = "carry-unreadable", .run = unreadable_options},
	CASE_END,
};
