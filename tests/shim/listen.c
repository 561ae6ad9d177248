/* SPDX-License-Identifier: MIT */
/* bind(2), listen(2), accept(2): a listener gets the kind of its rule and loses nothing on the way. */
#include "config.h"

#include "tests/shim/harness.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

static const char *const hosts[] = {"127.0.0.1", "127.0.1.1", "0.0.0.0", "::1", "::"};

#define HOSTS (sizeof hosts / sizeof *hosts)

/* Where a client finds that listener. */
static struct address reach(const char *host, const struct address *at)
{
	bool any6 = host[0] == ':' && host[1] == ':' && !host[2];

	return address_of(any6 ? "::1" : host, port_of(at));
}

/* A client of the protocol, by raw system calls, connects to a listener made by libc. */
static void serve_one(int listener, const struct address *to, int protocol, enum kind want)
{
	int client = raw_socket(to->any.sa_family, SOCK_STREAM, protocol), server;

	MUST(client >= 0);
	EQUAL(raw_connect(client, to), 0);
	CHECK(poll_for(listener, POLLIN, 5000) & POLLIN);
	server = accept(listener, NULL, NULL);
	MUST(server >= 0);
	KIND(server, want);
	talk(client, server);
	close(client);
	close(server);
}

static void serve(int listener, const struct address *to, enum kind kind)
{
	serve_one(listener, to, 0, TCP);
	if (kernel_has_smc())
		serve_one(listener, to, IPPROTO_SMC, to->any.sa_family == AF_INET || ipv6_is_smc() ? kind : TCP);
}

/*
 * A port that no socket has. Not one that the kernel has just given out and taken back: it may give that to a case that
 * runs at the same time. So it is one of a few below the usual ephemeral ports that the runner left to this case alone.
 */
static unsigned free_port(const char *host)
{
	static unsigned used;

	while (used < CASE_PORTS) {
		struct address at = address_of(host, first_port() + used++);
		int fd = raw_socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool is_free = raw_bind(fd, &at) == 0;

		close(fd);
		if (is_free)
			return port_of(&at);
	}
	CHECKF(false, "none of the %u ports from %u on is free", CASE_PORTS, first_port());
	return 0;
}

static void with_port_zero(void)
{
	for (size_t i = 0; i < HOSTS; i++) {
		struct address at = address_of(hosts[i], 0), bound, listening, to;
		int fd = socket(at.any.sa_family, SOCK_STREAM, 0);

		context("%s", hosts[i]);
		SUCCEEDS(bind(fd, &at.any, at.len));
		bound = local_address(fd);
		CHECK(port_of(&bound) != 0);
		SUCCEEDS(listen(fd, 5));
		listening = local_address(fd);
		EQUAL(port_of(&listening), port_of(&bound));
		KIND(fd, listener_kind(hosts[i]));
		to = reach(hosts[i], &bound);
		serve(fd, &to, listener_kind(hosts[i]));
		close(fd);
	}
}

static void with_port_given(void)
{
	for (size_t i = 0; i < HOSTS; i++) {
		struct address at = address_of(hosts[i], free_port(hosts[i])), listening, to;
		int fd = socket(at.any.sa_family, SOCK_STREAM, 0), error = 1;
		socklen_t len = sizeof error;
		bool smc = listener_kind(hosts[i]) == SMC, observed = config_now() == IN_OBSERVE;
		struct counts before = counts_now();

		context("%s", hosts[i]);
		SUCCEEDS(bind(fd, &at.any, at.len));
		KIND(fd, listener_kind(hosts[i]));
		COUNTED(before, SMCSHIM_replaced, fresh_is_smc() && !smc);
		SUCCEEDS(listen(fd, 5));
		COUNTED(before, SMCSHIM_replaced, fresh_is_smc() && !smc);
		COUNTED(before, SMCSHIM_listen_smc, smc);
		COUNTED(before, SMCSHIM_listen_observed, observed);
		COUNTED(before, SMCSHIM_listen_tcp, !smc && !observed);
		/* Counted when it begins: listen() again only changes the backlog. */
		SUCCEEDS(listen(fd, 6));
		COUNTED(before, SMCSHIM_listen_smc, smc);
		COUNTED(before, SMCSHIM_listen_tcp, !smc && !observed);
		listening = local_address(fd);
		EQUAL(port_of(&listening), port_of(&at));
		KIND(fd, listener_kind(hosts[i]));
		EQUAL(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &error, &len), 0);
		EQUAL(error, 1);
		to = reach(hosts[i], &at);
		serve(fd, &to, listener_kind(hosts[i]));
		close(fd);
	}
}

/* listen() on a socket that was never bound binds it to the wildcard address. */
static void without_bind(void)
{
	static const int domains[] = {AF_INET, AF_INET6};

	for (int i = 0; i < 2; i++) {
		const char *host = i ? "::" : "0.0.0.0";
		struct address at, to;
		int fd = socket(domains[i], SOCK_STREAM, 0);

		context("%s", host);
		SUCCEEDS(listen(fd, 5));
		at = local_address(fd);
		CHECK(port_of(&at) != 0);
		KIND(fd, listener_kind(host));
		to = reach(host, &at);
		serve(fd, &to, listener_kind(host));
		close(fd);
	}
}

static const struct {
	int level, name, value;
	bool inherited; /* by what a TCP listener accepts; inherent: by SMC only in part */
} numbers[] = {
	{SOL_SOCKET, SO_REUSEADDR, 1, true},
	{SOL_SOCKET, SO_KEEPALIVE, 1, true},
	{SOL_SOCKET, SO_OOBINLINE, 1, true},
	{SOL_SOCKET, SO_PRIORITY, 3, false},
	{SOL_SOCKET, SO_RCVLOWAT, 7, true},
	{SOL_SOCKET, SO_INCOMING_CPU, 1, false},
	{IPPROTO_TCP, TCP_NODELAY, 1, true},
	{IPPROTO_TCP, TCP_KEEPIDLE, 77, true},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, 5555, true},
	{IPPROTO_TCP, TCP_DEFER_ACCEPT, 7, false},
	{IPPROTO_IP, IP_TTL, 33, true},
};

static void children_inherit(const char *host, int listener)
{
	struct address at = local_address(listener), to = reach(host, &at);
	int client = raw_socket(AF_INET, SOCK_STREAM, 0), server;
	char bytes[] = "as many as SO_RCVLOWAT says, for TCP_DEFER_ACCEPT";
	struct timeval time = {0, 0};
	socklen_t len = sizeof time;

	EQUAL(raw_connect(client, &to), 0);
	EQUAL(send(client, bytes, sizeof bytes, MSG_NOSIGNAL), (ssize_t)sizeof bytes);
	CHECK(poll_for(listener, POLLIN, 5000) & POLLIN);
	server = accept(listener, NULL, NULL);
	MUST(server >= 0);
	for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
		context("accepted at %s, level %d, option %d", host, numbers[n].level, numbers[n].name);
		if (numbers[n].inherited)
			EQUAL(raw_int_option(server, numbers[n].level, numbers[n].name), numbers[n].value);
	}
	EQUAL(getsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &time, &len), 0);
	EQUAL(time.tv_sec, 6);
	close(client);
	close(server);
}

/* What a program has set before listen() is there afterwards, on the listener and on what it accepts as TCP. */
static void keeps_options(void)
{
	for (size_t i = 0; i < 6; i++) {
		const char *host = hosts[i % 3];
		struct address at = address_of(host, i < 3 ? 0 : free_port(host));
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), got;
		struct timeval six = {6, 0}, time = {0, 0};
		socklen_t len = sizeof time;

		context("%s, port %s", host, i < 3 ? "0" : "given");
		for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
			MUST(setsockopt(fd, numbers[n].level, numbers[n].name, &numbers[n].value, sizeof(int)) == 0);
		MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &six, sizeof six) == 0);
		SUCCEEDS(bind(fd, &at.any, at.len));
		SUCCEEDS(listen(fd, 5));
		KIND(fd, listener_kind(host));
		CHECK(is_nonblock(fd));
		EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
		for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
			len = sizeof got;
			context("%s, level %d, option %d", host, numbers[n].level, numbers[n].name);
			EQUAL(getsockopt(fd, numbers[n].level, numbers[n].name, &got, &len), 0);
			EQUAL(got, numbers[n].value);
		}
		len = sizeof time;
		EQUAL(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &len), 0);
		EQUAL(time.tv_sec, 6);
		if (listener_kind(host) == TCP)
			children_inherit(host, fd);
		close(fd);
	}
}

static void fast_open(void)
{
	for (size_t i = 0; i < HOSTS; i++)
		for (int late = 0; late < 2; late++) {
			struct address at = address_of(hosts[i], late ? free_port(hosts[i]) : 0), to;
			int fd = socket(at.any.sa_family, SOCK_STREAM, 0), five = 5, got = -1;
			socklen_t len = sizeof got;

			context("%s, %s bind", hosts[i], late ? "after" : "before");
			if (!late)
				SUCCEEDS(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &five, sizeof five));
			SUCCEEDS(bind(fd, &at.any, at.len));
			if (late)
				SUCCEEDS(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &five, sizeof five));
			SUCCEEDS(listen(fd, 5));
			EQUAL(getsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &got, &len), 0);
			EQUAL(got, 5);
			at = local_address(fd);
			to = reach(hosts[i], &at);
			serve(fd, &to, kind_of(fd));
			/* Once it listens. */
			SUCCEEDS(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &five, sizeof five));
			close(fd);
		}
}

/* Set for the first time on what listens already, SMC or TCP: it goes on listening. */
static void fast_open_late(void)
{
	for (size_t i = 0; i < HOSTS; i++) {
		struct address at = address_of(hosts[i], 0), to;
		int fd = socket(at.any.sa_family, SOCK_STREAM, 0), five = 5;
		enum kind kind = listener_kind(hosts[i]);
		struct counts before = counts_now();

		context("%s, after listen", hosts[i]);
		SUCCEEDS(bind(fd, &at.any, at.len));
		SUCCEEDS(listen(fd, 5));
		KIND(fd, kind);
		SUCCEEDS(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &five, sizeof five));
		COUNTED(before, SMCSHIM_quirk_fastopen, kind == SMC);
		KIND(fd, kind);
		at = local_address(fd);
		to = reach(hosts[i], &at);
		serve(fd, &to, kind);
		close(fd);
	}
}

static void v6_only(void)
{
	for (int only = 0; only < 2; only++) {
		struct address at = address_of("::", free_port("::")), to;
		int fd = socket(AF_INET6, SOCK_STREAM, 0), client = raw_socket(AF_INET, SOCK_STREAM, 0);

		context("IPV6_V6ONLY %d", only);
		SUCCEEDS(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only));
		SUCCEEDS(bind(fd, &at.any, at.len));
		SUCCEEDS(listen(fd, 5));
		KIND(fd, listener_kind("::"));
		EQUAL(raw_int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY), only);
		to = address_of("127.0.0.1", port_of(&at));
		if (only)
			FAILS(raw_connect(client, &to), ECONNREFUSED);
		else
			serve(fd, &to, listener_kind("::"));
		close(client);
		close(fd);
	}
}

/* A port whose last connection is in TIME_WAIT at the server's side. */
static void time_wait(void)
{
	for (size_t i = 0; i < HOSTS; i++)
		for (int reuse = 0; reuse < 2; reuse++) {
			struct address at = address_of(hosts[i], free_port(hosts[i])), to = reach(hosts[i], &at);
			const int on = 1;
			int first = socket(at.any.sa_family, SOCK_STREAM, 0), second, client, server;
			char byte;

			context("%s, %s SO_REUSEADDR", hosts[i], reuse ? "with" : "without");
			MUST(setsockopt(first, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
			MUST(bind(first, &at.any, at.len) == 0 && listen(first, 5) == 0);
			client = raw_socket(at.any.sa_family, SOCK_STREAM, 0);
			MUST(raw_connect(client, &to) == 0);
			server = accept(first, NULL, NULL);
			MUST(server >= 0);
			close(server);
			MUST(poll_for(client, POLLIN, 5000));
			EQUAL(recv(client, &byte, 1, 0), 0);
			close(client);
			close(first);
			sleep_ms(50);
			second = socket(at.any.sa_family, SOCK_STREAM, 0);
			if (reuse) {
				MUST(setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
				SUCCEEDS(bind(second, &at.any, at.len));
				SUCCEEDS(listen(second, 5));
				serve(second, &to, listener_kind(hosts[i]));
			} else {
				FAILS(bind(second, &at.any, at.len), EADDRINUSE);
			}
			close(second);
		}
}

static int share(const char *host, unsigned port)
{
	struct address at = address_of(host, port);
	const int on = 1;
	int fd = socket(at.any.sa_family, SOCK_STREAM, 0);

	SUCCEEDS(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
	EQUAL(raw_int_option(fd, SOL_SOCKET, SO_REUSEPORT), 1);
	SUCCEEDS(bind(fd, &at.any, at.len));
	SUCCEEDS(listen(fd, 64));
	EQUAL(raw_int_option(fd, SOL_SOCKET, SO_REUSEPORT), 1);
	KIND(fd, listener_kind(host));
	return fd;
}

static void take_one(int fd)
{
	int server = accept(fd, NULL, NULL);

	CHECK(server >= 0);
	close(server);
}

/* The other listener: a byte to counted for each connection, until stop is closed. */
static void accept_and_tell(int fd, int counted, int stop)
{
	for (;;) {
		struct pollfd ready[2] = {{.fd = fd, .events = POLLIN}, {.fd = stop, .events = POLLIN}};

		MUST(poll(ready, 2, -1) > 0);
		if (ready[1].revents)
			_exit(0);
		take_one(fd);
		MUST(write(counted, "", 1) == 1);
	}
}

/* Two processes listen at the same port: both get connections. */
static void reuse_port(void)
{
	for (size_t i = 0; i < HOSTS; i++) {
		struct address at, to;
		int fd = share(hosts[i], free_port(hosts[i])), counted[2], stop[2], mine = 0, others = 0, status = -1;
		char byte;
		pid_t child;

		context("%s", hosts[i]);
		at = local_address(fd);
		to = reach(hosts[i], &at);
		MUST(pipe(counted) == 0 && pipe(stop) == 0);
		child = fork();
		MUST(child >= 0);
		if (child == 0) {
			int other;

			close(fd);
			close(stop[1]);
			other = share(hosts[i], port_of(&at));
			MUST(write(counted[1], "", 1) == 1);
			accept_and_tell(other, counted[1], stop[0]);
		}
		MUST(read(counted[0], &byte, 1) == 1);
		for (int c = 0; c < 40; c++) {
			int client = raw_socket(at.any.sa_family, SOCK_STREAM, 0);

			EQUAL(raw_connect(client, &to), 0);
			close(client);
		}
		while (mine + others < 40) {
			struct pollfd ready[2] = {{.fd = fd, .events = POLLIN}, {.fd = counted[0], .events = POLLIN}};

			/* The kernel may shake hands with the last of them long after the client is gone. */
			if (poll(ready, 2, 10000) <= 0)
				break;
			if (ready[0].revents) {
				take_one(fd);
				mine++;
			}
			if (ready[1].revents) {
				MUST(read(counted[0], &byte, 1) == 1);
				others++;
			}
		}
		close(stop[1]);
		MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
		CHECKF(mine > 0 && others > 0 && mine + others == 40, "accepted %d and %d", mine, others);
		close(fd);
		close(stop[0]);
		close(counted[0]);
		close(counted[1]);
	}
}

/* The same port twice without SO_REUSEPORT. */
static void taken_port(void)
{
	for (size_t i = 0; i < HOSTS; i++) {
		struct address at = address_of(hosts[i], free_port(hosts[i]));
		const int on = 1;
		int first = socket(at.any.sa_family, SOCK_STREAM, 0), second = socket(at.any.sa_family, SOCK_STREAM, 0);

		context("%s", hosts[i]);
		MUST(setsockopt(first, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
		MUST(setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
		SUCCEEDS(bind(first, &at.any, at.len));
		/* SO_REUSEADDR: as long as neither listens. */
		SUCCEEDS(bind(second, &at.any, at.len));
		SUCCEEDS(listen(first, 5));
		FAILS(listen(second, 5), EADDRINUSE);
		close(second);
		second = socket(at.any.sa_family, SOCK_STREAM, 0);
		FAILS(bind(second, &at.any, at.len), EADDRINUSE);
		close(first);
		SUCCEEDS(bind(second, &at.any, at.len));
		SUCCEEDS(listen(second, 5));
		close(second);
	}
}

/* A client that chooses its own port. */
static void bound_client(void)
{
	EACH_PLACE(place)
	{
		for (int given = 0; given < 2; given++) {
			struct address at,
				from = address_of(place_host(place), given ? free_port(place_host(place)) : 0), mine;
			int listener = place_listen(place, &at), client = place_socket(0), server;

			SUCCEEDS(bind(client, &from.any, from.len));
			if (!given)
				from = local_address(client);
			SUCCEEDS(connect_to(client, &at));
			server = raw_accept(listener);
			mine = local_address(client);
			EQUAL(port_of(&mine), port_of(&from));
			KIND(client, place_is_smc(place) ? SMC : TCP);
			talk(client, server);
			close(client);
			close(server);
			close(listener);
		}
	}
}

/* connect() fails, then the same socket listens: TCP allows that. */
static void after_failed_connect(void)
{
	EACH_PLACE(place)
	{
		struct address at, mine;
		int client = place_socket(0);

		close(place_listen(place, &at));
		FAILS(connect_to(client, &at), ECONNREFUSED);
		SUCCEEDS(listen(client, 5));
		mine = local_address(client);
		at = address_of("127.0.0.1", port_of(&mine));
		serve_one(client, &at, 0, TCP);
		close(client);
	}
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof cookie;

	MUST(raw_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0);
	return cookie;
}

/* Lets the child go on until the end of its next socket(2). */
static bool runs_to_socket(pid_t child)
{
	struct __ptrace_syscall_info info;
	int status = 0, entered = -1;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, child, 0L, 0L) || waitpid(child, &status, 0) != child ||
			!WIFSTOPPED(status) || ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) <= 0)
			return false;
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			entered = (int)info.entry.nr;
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT && entered == SYS_socket)
			return true;
	}
}

/* While bind() has a socket of the other kind made, somebody with the same descriptors has another one under the number. */
static void number_taken(void)
{
	struct address at = address_of("127.0.1.1", first_port()), mine;
	int fd = socket(AF_INET, SOCK_STREAM, 0), other = raw_socket(AF_INET, SOCK_STREAM, 0);
	const uint64_t cookie = cookie_of(other);
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	KIND(fd, SMC);
	MUST(child >= 0);
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0L, 0L);
		kill(getpid(), SIGSTOP);
		_exit(bind(fd, &at.any, at.len) != 0);
	}
	MUST(waitpid(child, NULL, 0) == child);
	MUST(ptrace(PTRACE_SETOPTIONS, child, 0L, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
	CHECK(runs_to_socket(child));
	MUST(dup2(other, fd) == fd);
	MUST(ptrace(PTRACE_DETACH, child, 0L, 0L) == 0);
	reap(child);
	CHECK(cookie_of(fd) == cookie);
	/* As without the shim: what stands there now is bound. */
	mine = local_address(other);
	EQUAL(port_of(&mine), first_port());
	close(fd);
	close(other);
}

static uint64_t network_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof cookie;

	MUST(raw_getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) == 0);
	return cookie;
}

/* Sockets that were made in another network namespace, as for haproxy's "bind ... namespace", stay there. */
static void other_network(void)
{
	const struct address at = address_of("0.0.0.0", first_port());
	const int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int bound, unbound;
	uint64_t there;

	MUST(here >= 0);
	MUST(unshare(CLONE_NEWNET) == 0);
	bound = raw_socket(AF_INET, SOCK_STREAM, 0);
	unbound = raw_socket(AF_INET, SOCK_STREAM, 0);
	there = network_of(bound);
	MUST(setns(here, CLONE_NEWNET) == 0);
	SUCCEEDS(bind(bound, &at.any, at.len));
	SUCCEEDS(listen(bound, 5));
	CHECK(network_of(bound) == there);
	KIND(bound, TCP);
	SUCCEEDS(listen(unbound, 5));
	CHECK(network_of(unbound) == there);
	KIND(unbound, TCP);
	close(bound);
	close(unbound);
	close(here);
}

const struct test_case listen_cases[] = {
	{.name = "listen-port-zero", .run = with_port_zero, .flags = IN_USUAL | IN_OFF | IN_OBSERVE},
	{.name = "listen-port-given", .run = with_port_given, .flags = IN_USUAL | IN_OFF | IN_OBSERVE},
	{.name = "listen-without-bind", .run = without_bind},
	{.name = "listen-keeps-options", .run = keeps_options},
	{.name = "listen-fast-open", .run = fast_open},
	{.name = "listen-fast-open-late", .run = fast_open_late},
	{.name = "listen-v6-only", .run = v6_only},
	{.name = "listen-time-wait", .run = time_wait},
	{.name = "listen-reuse-port", .run = reuse_port},
	{.name = "listen-taken-port", .run = taken_port},
	{.name = "listen-bound-client", .run = bound_client},
	{.name = "listen-after-failed-connect", .run = after_failed_connect},
	{.name = "listen-number-taken", .run = number_taken, .flags = IN_SOME | NEEDS_SMC},
	{.name = "listen-other-network", .run = other_network, .flags = IN_USUAL | NEEDS_LAB},
	CASE_END,
};
