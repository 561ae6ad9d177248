/* SPDX-License-Identifier: MIT */
/* transfer: sends and receives random amounts over many connections and compares digests of what both ends saw. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/shim/rounds.h"

static const char usage[] =
	"usage: transfer server ADDRESS PORT\n"
	"       transfer client ADDRESS[,ADDRESS]... PORT CONNECTIONS [THREADS [SEED]]\n"
	"The server ends when it is killed. The client prints how many connections were SMC and how many TCP.\n";

static void fail(const char *what)
{
	fprintf(stderr, "transfer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in address(const char *text, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1) {
		fputs(usage, stderr);
		exit(64);
	}
	return a;
}

/* The kernel's answer, not the shim's. */
static bool is_smc(int fd)
{
	int protocol = 0, domain = 0;
	socklen_t len = sizeof protocol;

	syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	return domain == 43 || protocol == 256;
}

/* ---- server ---- */

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	const char *why = rounds_serve(fd);

	if (why)
		fprintf(stderr, "transfer: server: %s\n", why);
	close(fd);
	return NULL;
}

static void server(char **argv) __attribute__((noreturn));

static void server(char **argv)
{
	struct sockaddr_in at = address(argv[2], argv[3]);
	const int on = 1;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pthread_attr_t attributes;

	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
		bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 512))
		fail("listen");
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 256 << 10);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;

		if (fd < 0)
			fail("accept");
		if (pthread_create(&thread, &attributes, serve, (void *)(intptr_t)fd))
			fail("pthread_create");
	}
}

/* ---- client ---- */

static struct {
	struct sockaddr_in to[16];
	unsigned destinations, connections;
	uint64_t seed;
	_Atomic(unsigned) next, failed, smc, tcp;
	_Atomic(uint64_t) bytes;
} job;

static bool one(unsigned number)
{
	const struct sockaddr_in *to = &job.to[number % job.destinations];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const char *why = NULL;
	uint64_t bytes = 0;

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to))
		why = strerror(errno);
	else
		why = rounds_ask(fd, job.seed + number, number % 97 == 0 ? RUN_LARGE : RUN_SMALL, &bytes);
	if (!why) {
		if (is_smc(fd))
			job.smc++;
		else
			job.tcp++;
		job.bytes += bytes;
	} else {
		fprintf(stderr, "transfer: connection %u, seed %llu: %s\n", number,
			(unsigned long long)(job.seed + number), why);
	}
	close(fd);
	return !why;
}

static void *work(void *arg)
{
	unsigned number;

	while ((number = job.next++) < job.connections)
		if (!one(number))
			job.failed++;
	return arg;
}

static int client(int argc, char **argv)
{
	unsigned threads = argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 4;
	pthread_t ids[64];

	for (char *host = strtok(argv[2], ","); host && job.destinations < 16; host = strtok(NULL, ","))
		job.to[job.destinations++] = address(host, argv[3]);
	job.connections = (unsigned)strtoul(argv[4], NULL, 10);
	job.seed = argc > 6 ? strtoull(argv[6], NULL, 0) : 20260101;
	if (!job.destinations || threads < 1 || threads > 64) {
		fputs(usage, stderr);
		return 64;
	}
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, work, NULL))
			fail("pthread_create");
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	printf("connections %u smc %u tcp %u failed %u bytes %llu\n", job.connections, job.smc, job.tcp, job.failed,
		(unsigned long long)job.bytes);
	return job.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "server") == 0)
		server(argv);
	if (argc >= 5 && argc <= 7 && strcmp(argv[1], "client") == 0)
		return client(argc, argv);
	fputs(usage, stderr);
	return 64;
}
