/* SPDX-License-Identifier: MIT */
/* The small programs of the benchmark: creates sockets, accepts, or connects in a loop and prints connections per second. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_SMC
#define IPPROTO_SMC 256
#endif

static const char usage[] = "usage: sockets count COUNT\n"
			    "       sockets calls|filtered-calls COUNT\n"
			    "       sockets serve tcp|smc ADDRESS PORT\n"
			    "       sockets connect tcp|smc|downgraded blocking|poll ADDRESS PORT COUNT\n"
			    "       sockets hold ADDRESS PORT COUNT\n";

static _Noreturn void stop(const char *what)
{
	perror(what);
	exit(1);
}

static void check(bool good, const char *what)
{
	if (!good)
		stop(what);
}

static long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value <= 0) {
		fprintf(stderr, "sockets: not a count: '%s'\n", text);
		exit(64);
	}
	return value;
}

/* What a program asks for. */
struct kind {
	int protocol;
	bool downgraded; /* made as SMC and turned into TCP at once, by the one call that does it */
};

static struct kind kind_of(const char *name)
{
	struct kind kind = {.downgraded = strcmp(name, "downgraded") == 0};

	if (kind.downgraded || strcmp(name, "smc") == 0)
		kind.protocol = IPPROTO_SMC;
	return kind;
}

static struct sockaddr_in address_of(const char *address, const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((in_port_t)number(port))};

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1) {
		fprintf(stderr, "sockets: not an address: '%s'\n", address);
		exit(64);
	}
	return at;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int count(long n)
{
	while (n--) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		check(fd >= 0, "socket");
		close(fd);
	}
	return 0;
}

/* The least that any seccomp filter costs. */
static void filter(void)
{
	struct sock_filter allow = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
	struct sock_fprog program = {.len = 1, .filter = &allow};

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

/* A system call that nobody watches, n times; prints calls per second. */
static int calls(long n, bool filtered)
{
	double began;

	if (filtered)
		filter();
	began = seconds();
	for (long i = 0; i < n; i++)
		syscall(SYS_getppid);
	printf("%.1f\n", (double)n / (seconds() - began));
	return 0;
}

/* Accepts and closes until it is killed. */
static _Noreturn void serve(int protocol, const struct sockaddr_in *at)
{
	const int on = 1;
	int listener = socket(AF_INET, SOCK_STREAM, protocol);

	check(listener >= 0, "socket");
	check(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, "SO_REUSEADDR");
	check(bind(listener, (const struct sockaddr *)at, sizeof *at) == 0, "bind");
	check(listen(listener, 4096) == 0, "listen");
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		check(fd >= 0 || errno == ECONNABORTED, "accept");
		if (fd >= 0)
			close(fd);
	}
}

static void wait_connected(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int error = 0;
	socklen_t len = sizeof error;

	check(poll(&p, 1, -1) == 1, "poll");
	check(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0, "SO_ERROR");
	errno = error;
	check(error == 0, "connect");
}

static int connect_one(struct kind kind, bool blocking, const struct sockaddr_in *at)
{
	const int zero = 0;
	int fd = socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), kind.protocol);

	check(fd >= 0, "socket");
	if (kind.downgraded)
		check(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &zero, sizeof zero) == 0, "downgrade");
	if (connect(fd, (const struct sockaddr *)at, sizeof *at) == 0)
		return fd;
	check(!blocking && errno == EINPROGRESS, "connect");
	wait_connected(fd);
	return fd;
}

/* Connects and closes n times, after a tenth of that unmeasured. */
static int connect_many(struct kind kind, bool blocking, const struct sockaddr_in *at, long n)
{
	double began = 0;

	for (long i = -n / 10; i < n; i++) {
		if (i == 0)
			began = seconds();
		close(connect_one(kind, blocking, at));
	}
	printf("%.1f\n", (double)n / (seconds() - began));
	return 0;
}

/* Makes n connections, blocking and not, says "ready" and keeps them until standard input ends. */
static int hold(const struct sockaddr_in *at, long n)
{
	char c;

	for (long i = 0; i < n; i++)
		connect_one((struct kind){0}, i % 2 == 0, at);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		continue;
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	struct sockaddr_in at;

	signal(SIGPIPE, SIG_IGN);
	if (strcmp(verb, "count") == 0 && argc == 3)
		return count(number(argv[2]));
	if ((strcmp(verb, "calls") == 0 || strcmp(verb, "filtered-calls") == 0) && argc == 3)
		return calls(number(argv[2]), *verb == 'f');
	if (strcmp(verb, "serve") == 0 && argc == 5) {
		at = address_of(argv[3], argv[4]);
		serve(kind_of(argv[2]).protocol, &at);
	}
	if (strcmp(verb, "connect") == 0 && argc == 7) {
		at = address_of(argv[4], argv[5]);
		return connect_many(kind_of(argv[2]), strcmp(argv[3], "blocking") == 0, &at, number(argv[6]));
	}
	if (strcmp(verb, "hold") == 0 && argc == 5) {
		at = address_of(argv[2], argv[3]);
		return hold(&at, number(argv[4]));
	}
	fputs(usage, stderr);
	return 64;
}
