/* SPDX-License-Identifier: MIT */
/*
 * A static program that LD_PRELOAD does not reach: each mode makes some calls and prints what came of them, in words that
 * must be the same with and without supervision. "server" answers each byte with the next one.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/supervise/talk.h"

static void *echo(void *arg)
{
	int fd = (int)(intptr_t)arg;
	unsigned char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		byte++;
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	close(fd);
	return NULL;
}

static int server(char **args)
{
	struct sockaddr_in a = address(args[0], args[1]);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), other = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 512) || listen(other, 1)) {
		perror("server");
		return 1;
	}
	printf("%d %d %d\n", fd, fcntl(fd, F_GETFD), fcntl(other, F_GETFD));
	fflush(stdout);
	close(other);
	for (;;) {
		pthread_t thread;
		int peer = accept(fd, NULL, NULL);

		if (peer < 0 || pthread_create(&thread, NULL, echo, (void *)(intptr_t)peer))
			return 1;
		pthread_detach(thread);
	}
}

/* The ways a connect can go, blocking and not. */
static int connects(char **args)
{
	struct sockaddr_in a = address(args[0], args[1]), closed = address(args[0], "1");
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int value = -1, left, r;
	socklen_t len = sizeof(value);
	struct pollfd p;
	struct linger linger = {1, 7};
	struct timeval tv = {5, 0};

	printf("descriptor %d, cloexec %d\n", fd, fcntl(fd, F_GETFD));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	value = 1;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof(value));
	r = dial(fd, &a);
	printf("blocking: %s\n", word(r));
	printf("talk %d\n", talk(fd, 41));
	r = dial(fd, &a);
	printf("again: %s\n", word(r));
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &len);
	printf("protocol %d\n", value);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &len);
	printf("domain %d\n", value);
	len = sizeof(linger);
	memset(&linger, 0, sizeof(linger));
	getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len);
	len = sizeof(tv);
	getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len);
	len = sizeof(value);
	getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len);
	printf("linger %d %d, timeout %ld, keepalive %d, flags %o\n", linger.l_onoff, linger.l_linger, (long)tv.tv_sec,
		value, fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	printf("descriptor %d, cloexec %d\n", fd, fcntl(fd, F_GETFD));
	r = dial(fd, &a);
	printf("nonblocking: %s\n", word(r));
	p = (struct pollfd){fd, POLLOUT, 0};
	poll(&p, 1, 10000);
	r = getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len);
	printf("SO_ERROR %d %d\n", r, value);
	fcntl(fd, F_SETFL, 0);
	printf("talk %d\n", talk(fd, 7));
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM, 0);
	r = dial(fd, &closed);
	printf("refused: %s\n", word(r));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	r = dial(fd, &closed);
	p = (struct pollfd){fd, POLLOUT, 0};
	if (r && errno == EINPROGRESS)
		poll(&p, 1, 10000);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len);
	printf("refused, nonblocking: %s\n", strerrorname_np(value));
	close(fd);
	r = connect(fd, (struct sockaddr *)&a, sizeof(a));
	printf("closed: %s\n", word(r));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	r = connect(fd, (struct sockaddr *)8, sizeof(a));
	printf("bad address: %s\n", word(r));
	r = connect(fd, (struct sockaddr *)&a, 3);
	printf("short address: %s\n", word(r));
	a.sin_family = AF_UNSPEC;
	r = connect(fd, (struct sockaddr *)&a, sizeof(a));
	printf("dissolved: %s\n", word(r));
	errno = 0;
	left = (int)waitpid(-1, NULL, WNOHANG | __WALL);
	printf("children: %d %s\n", left, strerrorname_np(errno));
	return 0;
}

/* Other families and types are nobody's business. */
static int others(char **args)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fds[2], fd, client, r;
	socklen_t len;

	(void)args;
	snprintf(name.sun_path, sizeof(name.sun_path), "/run/supervise-test-%d", (int)getpid());
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	len = (socklen_t)(sizeof(sa_family_t) + strlen(name.sun_path) + 1);
	r = bind(fd, (struct sockaddr *)&name, len);
	printf("unix %s", word(r));
	r = listen(fd, 1);
	printf(" %s", word(r));
	r = connect(client, (struct sockaddr *)&name, len);
	printf(" %s\n", word(r));
	unlink(name.sun_path);
	printf("pair %d\n", socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	{
		struct sockaddr_in a = address("127.0.0.1", "9");
		int value = -1;

		len = sizeof(value);
		printf("udp %d", dial(fd, &a));
		getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &len);
		printf(" %d\n", value);
	}
	return 0;
}

static void nothing(int number)
{
	(void)number;
}

/* A destination that never answers: a signal ends the call, or restarts it; so does its own timeout. */
static int silent(char **args)
{
	struct sockaddr_in a = address(args[0], args[1]);
	struct itimerval alarm = {.it_value = {0, 300000}},
			 often = {.it_value = {0, 100000}, .it_interval = {0, 100000}};
	struct itimerval none = {.it_interval = {0, 0}};
	struct sigaction action = {.sa_handler = nothing};
	struct timeval tv = {1, 0};
	double began;
	int fd = socket(AF_INET, SOCK_STREAM, 0), r;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &alarm, NULL);
	began = seconds();
	r = dial(fd, &a);
	printf("signal: %s %s\n", word(r), seconds() - began < 5 ? "soon" : "late");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	r = dial(fd, &a);
	printf("again: %s\n", word(r));
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	/* With a timeout of its own it is never restarted: signal(7). */
	r = dial(fd, &a);
	printf("signal with a timeout: %s\n", word(r));
	setitimer(ITIMER_REAL, &none, NULL);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	began = seconds();
	r = dial(fd, &a);
	printf("timeout: %s %s\n", word(r), seconds() - began > 0.9 ? "in time" : "early");
	close(fd);
	return 0;
}

static int kinds(char **args)
{
	struct sockaddr_in a = address(args[0], args[1]);
	int fd = socket(AF_INET, SOCK_STREAM, 0), value = 5, r;
	socklen_t len = sizeof(value);
	unsigned char tos = 16;

	r = setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &value, sizeof(value));
	printf("fastopen: %s\n", word(r));
	r = setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, 1);
	printf("one byte: %s\n", word(r));
	value = 1;
	r = setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &value, sizeof(value));
	printf("zerocopy: %s\n", word(r));
	value = 0;
	getsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &value, &len);
	printf("is set: %d\n", value);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	r = setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, 1);
	printf("one byte: %s\n", word(r));
	printf("connect: %s\n", word(dial(fd, &a)));
	printf("talk %d\n", talk(fd, 1));
	close(fd);
	return 0;
}

/* ---- many threads ---- */

static struct sockaddr_in target;
static int rounds;
static atomic_int failures, done, children;

static void complain(const char *what, int r)
{
	int error = errno;

	if (atomic_fetch_add(&failures, 1) < 5)
		fprintf(stderr, "%s: %d %s\n", what, r, strerror(error));
}

static void one_round(unsigned number)
{
	bool blocking = number % 3 != 0;
	int fd = socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0), value = -1, r;
	socklen_t len = sizeof(value);

	if (fd < 0) {
		complain("socket", fd);
		return;
	}
	r = dial(fd, &target);
	if (!blocking && r < 0 && errno == EINPROGRESS) {
		struct pollfd p = {fd, POLLOUT, 0};

		while (poll(&p, 1, -1) < 0 && errno == EINTR)
			;
		r = getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len);
		if (r == 0 && value) {
			errno = value;
			r = -1;
		}
	}
	if (r < 0)
		complain(blocking ? "connect" : "nonblocking connect", r);
	if (blocking && (fcntl(fd, F_GETFL) & O_NONBLOCK))
		complain("left nonblocking", 0);
	fcntl(fd, F_SETFL, 0);
	if (r == 0 && (r = talk(fd, (unsigned char)number)))
		complain("talk", r);
	close(fd);
	atomic_fetch_add(&done, 1);
}

static void *many_rounds(void *arg)
{
	unsigned number = (unsigned)(intptr_t)arg;

	for (int i = 0; i < rounds; i++) {
		one_round(number + (unsigned)i);
		if (i % 16 == 2) {
			pid_t child = fork();

			if (child == 0) {
				one_round(number + 1);
				_exit(atomic_load(&failures) != 0);
			}
			int status = 0;
			pid_t r = waitpid(child, &status, 0);

			if (child < 0 || r != child || status)
				complain("child", status);
			else
				atomic_fetch_add(&children, 1);
		}
	}
	return NULL;
}

static int storm(char **args)
{
	int threads = atoi(args[2]);
	pthread_t thread[256];
	struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
	struct itimerval often = {.it_value = {0, 3000}, .it_interval = {0, 3000}};

	target = address(args[0], args[1]);
	rounds = atoi(args[3]);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, many_rounds, (void *)(intptr_t)(i * 1000)))
			return 1;
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("%d rounds, %d children, %d failures\n", atomic_load(&done), atomic_load(&children),
		atomic_load(&failures));
	return atomic_load(&failures) != 0;
}

/* Connections one after the other, timed. */
static int rate(char **args)
{
	double began = seconds(), took;
	int n = atoi(args[2]);

	target = address(args[0], args[1]);
	for (int i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || dial(fd, &target))
			complain("connect", -1);
		close(fd);
	}
	took = seconds() - began;
	printf("%.1f\n", n / took);
	return atomic_load(&failures) != 0;
}

/* Connects as soon as a line comes in: a policy can be flipped between. */
static int lines(char **args)
{
	struct sockaddr_in a = address(args[0], args[1]);
	char line[16];

	while (fgets(line, sizeof(line), stdin)) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		const char *dialled = word(dial(fd, &a));

		printf("%s %d\n", dialled, talk(fd, 3));
		fflush(stdout);
		close(fd);
	}
	return 0;
}

/* The session of a supervisor or guardian that is alive, else 0: /proc/PID/stat is "PID (COMM) STATE PPID PGRP SESSION ...". */
static int session_of(const char *pid)
{
	char path[280], text[128] = "", state;
	const char *at;
	FILE *stream;
	int session = 0;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	stream = fopen(path, "r");
	if (!stream)
		return 0;
	if (!fgets(text, sizeof(text), stream))
		text[0] = '\0';
	fclose(stream);
	at = strstr(text, "(smcctl-supervis) ");
	if (!at || sscanf(at, "%*s %c %*d %*d %d", &state, &session) != 2 || state == 'Z' || state == 'X')
		return 0;
	return session;
}

struct victim {
	pid_t pid;
	int session;
};

static int list_victims(struct victim *victims, int room)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	int n = 0;

	while (dir && n < room && (entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		victims[n] = (struct victim){atoi(entry->d_name), session_of(entry->d_name)};
		n += victims[n].session != 0;
	}
	if (dir)
		closedir(dir);
	return n;
}

/*
 * Kills one of them after the other until its standard input ends: of two that are both alive, for what loses both at once
 * is lost, and nobody promises otherwise.
 */
static int assassin(char **args)
{
	int kills = 0, pause = atoi(args[0]);
	struct pollfd input = {0, POLLIN, 0};

	srand((unsigned)getpid());
	while (poll(&input, 1, pause / 2 + rand() % pause) == 0) {
		struct victim victims[64];
		int n = list_victims(victims, 64);
		int chosen = n ? rand() % n : 0, partners = 0;

		for (int i = 0; i < n; i++)
			partners += victims[i].session == victims[chosen].session;
		if (partners == 2 && kill(victims[chosen].pid, SIGKILL) == 0)
			kills++;
	}
	printf("%d\n", kills);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {{"server", server, 2}, {"connects", connects, 2}, {"others", others, 0},
		{"silent", silent, 2}, {"kinds", kinds, 2}, {"storm", storm, 4}, {"rate", rate, 3}, {"lines", lines, 2},
		{"assassin", assassin, 1}};

	return run_mode(modes, sizeof(modes) / sizeof(*modes), argc, argv);
}
