/* SPDX-License-Identifier: MIT */
/* Descriptors that are shared, inherited, passed on, closed behind the shim's back or reused; fork, vfork and exec. */
#include "config.h"

#include "tests/shim/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- children ---- */

static void child_connects(pid_t (*make)(void))
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), before = place_socket(0), server;
		volatile int result = -1, client = -1;
		pid_t child = make();

		MUST(child >= 0);
		if (child == 0) {
			client = socket(AF_INET, SOCK_STREAM, 0);
			result = connect(client, &at.any, at.len);
			_exit(result == 0 ? (int)kind_of(client) : 99);
		}
		MUST(waitpid(child, (int *)&result, 0) == child);
		EQUAL(WEXITSTATUS(result), place_is_smc(place) ? SMC : TCP);
		server = raw_accept(listener);
		close(server);

		/* A socket of the parent, connected by the child, used by the parent. */
		child = make();
		MUST(child >= 0);
		if (child == 0)
			_exit(connect(before, &at.any, at.len) == 0 ? 0 : 99);
		MUST(waitpid(child, (int *)&result, 0) == child);
		EQUAL(WEXITSTATUS(result), 0);
		server = raw_accept(listener);
		KIND(before, place_is_smc(place) ? SMC : TCP);
		talk(before, server);
		close(before);
		close(server);
		close(listener);
	}
}

static void fork_connects(void)
{
	child_connects(fork);
}

/* vfork() may not be called through a pointer: its frame must be the caller's. */
static void vfork_connects(void)
{
	for (volatile int p = ALLOWED; p < PLACES; p++) {
		const volatile enum place place = (enum place)p;
		struct address at;
		int listener = place_listen(place, &at), status = -1, server;
		volatile int client = -1;
		pid_t child;

		context("%s", place_name(place));
		child = vfork();

		MUST(child >= 0);
		if (child == 0) {
			client = socket(AF_INET, SOCK_STREAM, 0);
			_exit(client >= 0 && connect(client, &at.any, at.len) == 0 ? (int)kind_of(client) : 99);
		}
		MUST(waitpid(child, &status, 0) == child);
		EQUAL(WEXITSTATUS(status), place_is_smc(place) ? SMC : TCP);
		server = raw_accept(listener);
		close(server);
		/* The parent goes on. */
		client = place_socket(0);
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		KIND(client, place_is_smc(place) ? SMC : TCP);
		talk(client, server);
		close(client);
		close(server);
		close(listener);
	}
}

struct storm {
	struct address at[PLACES];
	_Atomic(bool) over;
	_Atomic(int) connects, failures;
};

static void *connect_until_over(void *arg)
{
	struct storm *storm = arg;
	unsigned turn = 0;

	while (!storm->over) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		storm->connects++;
		if (client < 0 || connect_to(client, &storm->at[turn++ % PLACES])) {
			storm->failures++;
			note("a thread's connect: %s", strerror(errno));
		}
		close(client);
	}
	return NULL;
}

static void *accept_for_ever(void *arg)
{
	struct pollfd p[PLACES];
	const int *listeners = arg;

	for (int i = 0; i < PLACES; i++)
		p[i] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
	for (;;) {
		poll(p, PLACES, -1);
		for (int i = 0; i < PLACES; i++)
			if (p[i].revents)
				close((int)syscall(SYS_accept4, listeners[i], NULL, NULL, SOCK_CLOEXEC));
	}
	return NULL;
}

/* A threaded parent forks while its threads are inside connect(): the child can still connect. */
static void fork_from_threads(void)
{
	static struct storm storm;
	static int listeners[PLACES];
	pthread_t threads[4], acceptor;

	EACH_PLACE(place)
	listeners[place] = place_listen(place, &storm.at[place]);
	context("threads and forks");
	MUST(pthread_create(&acceptor, NULL, accept_for_ever, listeners) == 0);
	for (size_t i = 0; i < 4; i++)
		MUST(pthread_create(&threads[i], NULL, connect_until_over, &storm) == 0);
	for (int i = 0; i < 60; i++) {
		pid_t child = fork();
		int status = -1;

		MUST(child >= 0);
		if (child == 0) {
			int client = socket(AF_INET, SOCK_STREAM, 0);

			alarm(10);
			if (client < 0 || connect_to(client, &storm.at[i % PLACES]))
				_exit(1);
			_exit(kind_of(client) == (place_is_smc((enum place)(i % PLACES)) ? SMC : TCP) ? 0 : 2);
		}
		MUST(waitpid(child, &status, 0) == child);
		CHECKF(status == 0, "child %d ended with %#x", i, (unsigned)status);
	}
	storm.over = true;
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	EQUAL(storm.failures, 0);
	CHECK(storm.connects > 50);
}

/* Counters of a forked child begin at zero, those of the parent stay. */
static void fork_counts_anew(void)
{
	int server, client = place_connect(DENIED, &server);
	uint64_t before = counter(SMCSHIM_connect_tcp) + counter(SMCSHIM_connect_fallback);
	pid_t child;

	(void)client;
	if (shim_loaded())
		CHECK(before >= 1);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		EQUAL(counter(SMCSHIM_connect_tcp), 0);
		EQUAL(counter(SMCSHIM_connect_fallback), 0);
		finish();
	}
	reap(child);
	EQUAL(counter(SMCSHIM_connect_tcp) + counter(SMCSHIM_connect_fallback), before);
}

/* ---- passing on ---- */

static void send_fd(int channel, int fd)
{
	char byte = 'f';
	struct iovec io = {&byte, 1};
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	struct cmsghdr *c = &control.head;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	MUST(sendmsg(channel, &message, 0) == 1);
}

static int receive_fd(int channel)
{
	char byte;
	struct iovec io = {&byte, 1};
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	int fd = -1;
	struct cmsghdr *c;

	MUST(recvmsg(channel, &message, 0) == 1);
	c = CMSG_FIRSTHDR(&message);
	if (c)
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	MUST(fd >= 0);
	return fd;
}

/* A fresh socket goes to another process, which connects it; the connected one is used by both. */
static void passed_sockets(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(0), channel[2], server;
		pid_t child;

		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0);
		child = fork();
		MUST(child >= 0);
		if (child == 0) {
			close(client);
			client = receive_fd(channel[1]);
			SUCCEEDS(connect_to(client, &at));
			KIND(client, place_is_smc(place) ? SMC : TCP);
			finish();
		}
		send_fd(channel[0], client);
		reap(child);
		server = raw_accept(listener);
		KIND(client, place_is_smc(place) ? SMC : TCP);
		talk(client, server);
		close(client);
		close(server);
		close(listener);
		close(channel[0]);
		close(channel[1]);
	}
}

/* A listener of each kind goes to another process, which calls listen() again and accepts. */
static void passed_listeners(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), channel[2], client = raw_socket(AF_INET, SOCK_STREAM, 0);
		enum kind kind = kind_of(listener);
		pid_t child;

		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0);
		child = fork();
		MUST(child >= 0);
		if (child == 0) {
			int server;

			close(listener);
			listener = receive_fd(channel[1]);
			SUCCEEDS(listen(listener, 20));
			KIND(listener, kind);
			server = accept(listener, NULL, NULL);
			MUST(server >= 0);
			EQUAL(send(server, "hello", 5, 0), 5);
			finish();
		}
		send_fd(channel[0], listener);
		close(listener);
		EQUAL(raw_connect(client, &at), 0);
		CHECK(poll_for(client, POLLIN, 5000) & POLLIN);
		reap(child);
		close(client);
		close(channel[0]);
		close(channel[1]);
	}
}

/* ---- exec: socket activation ---- */

static void activated(void)
{
	enum kind kind = kind_of(3);
	int value = 0, server;
	socklen_t len = sizeof value;
	char buffer[8];

	/* As sd_is_socket(3) and Python's socket(fileno=3) ask. */
	SUCCEEDS(getsockopt(3, SOL_SOCKET, SO_TYPE, &value, &len));
	EQUAL(value, SOCK_STREAM);
	SUCCEEDS(getsockopt(3, SOL_SOCKET, SO_DOMAIN, &value, &len));
	if (shim_loaded())
		EQUAL(value, AF_INET);
	SUCCEEDS(getsockopt(3, SOL_SOCKET, SO_ACCEPTCONN, &value, &len));
	EQUAL(value, 1);
	SUCCEEDS(listen(3, 10));
	KIND(3, kind);
	server = accept(3, NULL, NULL);
	MUST(server >= 0);
	while (read(server, buffer, sizeof buffer) > 0)
		;
	EQUAL(send(server, "served", 6, MSG_NOSIGNAL), 6);
}

static void inherited_by_exec(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = raw_socket(AF_INET, SOCK_STREAM, 0);
		char buffer[8];
		pid_t child = fork();

		MUST(child >= 0);
		if (child == 0) {
			if (listener == 3)
				fcntl(3, F_SETFD, 0);
			else
				dup2(listener, 3);
			run_helper("helper-activated");
		}
		close(listener);
		EQUAL(raw_connect(client, &at), 0);
		shutdown(client, SHUT_WR);
		CHECK(poll_for(client, POLLIN, 5000) & POLLIN);
		EQUAL(recv(client, buffer, sizeof buffer, 0), 6);
		reap(child);
		close(client);
	}
}

/* A client socket, fresh, connecting or connected, in a new program. */
static void takes_over(void)
{
	struct address at;
	socklen_t len = sizeof(int);
	int error = -1;
	char byte = 0;

	at = address_of(getenv("SHIMTEST_HOST"), (unsigned)strtoul(getenv("SHIMTEST_PORT"), NULL, 10));
	if (getenv("SHIMTEST_FRESH"))
		SUCCEEDS(connect_to(3, &at));
	MUST(poll_for(3, POLLOUT, 5000) & POLLOUT);
	SUCCEEDS(getsockopt(3, SOL_SOCKET, SO_ERROR, &error, &len));
	EQUAL(error, 0);
	EQUAL(send(3, "x", 1, MSG_NOSIGNAL), 1);
	MUST(poll_for(3, POLLIN, 5000) & POLLIN);
	EQUAL(recv(3, &byte, 1, 0), 1);
}

static void clients_by_exec(void)
{
	EACH_PLACE(place)
	{
		for (int fresh = 0; fresh < 2; fresh++) {
			struct address at;
			int listener = place_listen(place, &at), client = place_socket(fresh ? 0 : SOCK_NONBLOCK),
			    server;
			char port[8], byte;
			pid_t child;

			context("%s, %s", place_name(place), fresh ? "fresh" : "connecting");
			if (!fresh)
				FAILS(connect_to(client, &at), EINPROGRESS);
			child = fork();
			MUST(child >= 0);
			if (child == 0) {
				unsigned p = port_of(&at);
				int i = 0;

				for (unsigned d = 10000; d; d /= 10)
					port[i++] = (char)('0' + p / d % 10);
				port[i] = '\0';
				setenv("SHIMTEST_HOST", place_host(place), 1);
				setenv("SHIMTEST_PORT", port, 1);
				if (fresh)
					setenv("SHIMTEST_FRESH", "1", 1);
				dup2(client, 3);
				run_helper("helper-takes-over");
			}
			server = raw_accept(listener);
			MUST(poll_for(server, POLLIN, 8000) & POLLIN);
			EQUAL(recv(server, &byte, 1, 0), 1);
			EQUAL(send(server, "y", 1, MSG_NOSIGNAL), 1);
			reap(child);
			close(client);
			close(server);
			close(listener);
		}
	}
}

/* posix_spawn(3) of a program with the library. */
static void spawned(void)
{
	char name[] = "shimtest", option[] = "--case", which[] = "identity-connected";
	char *argv[] = {name, option, which, NULL};
	pid_t child;

	MUST(posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, environ) == 0);
	reap(child);
}

/* ---- closed behind the shim's back ---- */

enum closing { RAW_CLOSE, CLOSE_RANGE, DUP2_OVER, CLOSINGS };

static void vanish(int fd, enum closing how)
{
	int other;

	switch (how) {
	case RAW_CLOSE:
		MUST(syscall(SYS_close, fd) == 0);
		break;
	case CLOSE_RANGE:
		MUST(syscall(SYS_close_range, fd, fd, 0) == 0);
		break;
	default:
		other = open("/dev/null", O_RDWR);
		MUST(dup2(other, fd) == fd);
		close(other);
		close(fd);
	}
}

static void reused_numbers(void)
{
	EACH_PLACE(place)
	{
		for (enum closing how = RAW_CLOSE; how < CLOSINGS; how++) {
			struct address at;
			int listener = place_listen(place, &at), first = place_socket(SOCK_NONBLOCK), second, server,
			    error = -1;
			socklen_t len = sizeof error;

			/* One whose outcome nobody asks for. */
			FAILS(connect_to(first, &at), EINPROGRESS);
			vanish(first, how);
			/*
			 * Inherent: an SMC listener polls readable for what was closed in the handshake, and then has
			 * nothing to accept.
			 */
			set_nonblock(listener, true);
			for (int i = 0; i < 5 && poll_for(listener, POLLIN, 50); i++)
				close((int)syscall(SYS_accept4, listener, NULL, NULL, 0));
			set_nonblock(listener, false);
			second = place_socket(SOCK_NONBLOCK);
			EQUAL(second, first);
			SUCCEEDS(getsockopt(second, SOL_SOCKET, SO_ERROR, &error, &len));
			EQUAL(error, 0);
			KIND(second, fresh_is_smc() ? SMC : TCP);
			FAILS(connect_to(second, &at), EINPROGRESS);
			EQUAL(poll_for(second, POLLOUT, 5000), POLLOUT);
			SUCCEEDS(getsockopt(second, SOL_SOCKET, SO_ERROR, &error, &len));
			EQUAL(error, 0);
			server = raw_accept(listener);
			KIND(second, place_is_smc(place) ? SMC : TCP);
			talk(second, server);
			close(second);
			close(server);
			close(listener);
		}
	}
}

/* A connect whose outcome nobody has asked for gives way to the next of the same number and port. */
static void unseen_outcomes(void)
{
	EACH_PLACE(place)
	{
		const int on = 1;
		struct address at, other, from = address_of(place_host(place), 0);
		int listener = place_listen(place, &at), second = place_listen(place, &other), client, number = -1,
		    error = -1;
		socklen_t len = sizeof error;
		struct counts before = counts_now();

		for (int i = 0; i < 2; i++) {
			client = place_socket(SOCK_NONBLOCK);
			MUST(setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
			MUST(bind(client, &from.any, from.len) == 0);
			from = local_address(client);
			FAILS(connect_to(client, i ? &other : &at), EINPROGRESS);
			COUNTED(before, SMCSHIM_connect_pending, place_is_tried(place));
			COUNTED(before, SMCSHIM_connect_unseen, i ? place_is_tried(place) : 0);
			if (i == 0)
				vanish(number = client, RAW_CLOSE);
		}
		EQUAL(client, number);
		EQUAL(poll_for(client, POLLOUT, 5000), POLLOUT);
		SUCCEEDS(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len));
		EQUAL(error, 0);
		COUNTED(before, SMCSHIM_connect_pending, 0);
		COUNTED(before, SMCSHIM_connect_unseen, place_is_tried(place));
		close(client);
		close(listener);
		close(second);
	}
}

/* The number of a shim socket comes to mean something else, and a plain socket comes in its place. */
static void changed_meaning(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), fd = place_socket(0),
		    plain = raw_socket(AF_INET, SOCK_STREAM, 0), server;
		int null = open("/dev/null", O_RDWR);

		MUST(dup2(null, fd) == fd);
		FAILS(connect_to(fd, &at), ENOTSOCK);
		MUST(dup2(plain, fd) == fd);
		KIND(fd, TCP);
		SUCCEEDS(connect_to(fd, &at));
		KIND(fd, TCP);
		server = raw_accept(listener);
		talk(plain, server);
		close(fd);
		close(plain);
		close(null);
		close(server);
		close(listener);
	}
}

/* Two numbers, one socket: whatever is done through one holds for the other. */
static void duplicated(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), one = place_socket(0), two = dup(one), server;

		SUCCEEDS(connect_to(two, &at));
		server = raw_accept(listener);
		KIND(one, place_is_smc(place) ? SMC : TCP);
		KIND(two, place_is_smc(place) ? SMC : TCP);
		CHECK(!is_nonblock(one));
		talk(one, server);
		talk(two, server);
		close(one);
		talk(two, server);
		close(two);
		close(server);
		close(listener);
	}
}

const struct test_case process_cases[] = {
	{.name = "process-fork", .run = fork_connects},
	{.name = "process-vfork", .run = vfork_connects},
	{.name = "process-fork-from-threads", .run = fork_from_threads, .seconds = 60},
	{.name = "process-fork-counts-anew", .run = fork_counts_anew},
	{.name = "process-passed-sockets", .run = passed_sockets},
	{.name = "process-passed-listeners", .run = passed_listeners},
	{.name = "process-inherited-listener", .run = inherited_by_exec},
	{.name = "helper-activated", .run = activated, .flags = HELPER},
	{.name = "process-inherited-client", .run = clients_by_exec, .seconds = 30},
	{.name = "helper-takes-over", .run = takes_over, .flags = HELPER},
	{.name = "process-spawned", .run = spawned},
	{.name = "process-reused-numbers", .run = reused_numbers},
	{.name = "process-unseen-outcomes", .run = unseen_outcomes},
	{.name = "process-changed-meaning", .run = changed_meaning},
	{.name = "process-duplicated", .run = duplicated},
	CASE_END,
};
