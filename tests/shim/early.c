/* SPDX-License-Identifier: MIT */
/*
 * Another library that stands in front of the same calls, to be preloaded before or behind the shim. Its constructor, which
 * may run before the shim's, talks to itself over a TCP connection; afterwards it says which calls passed through it.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
	int socket, connect, setsockopt;
} passed;

static const char *trouble;
static bool before;

#define NEXT(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

int socket(int domain, int type, int protocol)
{
	passed.socket++;
	return NEXT(socket)(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	passed.connect++;
	return NEXT(connect)(fd, addr, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	passed.setsockopt++;
	return NEXT(setsockopt)(fd, level, name, value, len);
}

/* Returns what went wrong. */
static const char *talk(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), one = 1, got = 0;
	socklen_t len = sizeof at, got_len = sizeof got;
	char byte = 0;
	int server, second;

	if (listener < 0 || client < 0)
		return "socket";
	if (setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one))
		return "setsockopt";
	if (getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &got, &got_len) || got != 1)
		return "getsockopt";
	if (bind(listener, (struct sockaddr *)&at, sizeof at) || getsockname(listener, (struct sockaddr *)&at, &len))
		return "bind";
	if (listen(listener, 2))
		return "listen";
	if (connect(client, (struct sockaddr *)&at, sizeof at))
		return "connect";
	server = accept(listener, NULL, NULL);
	if (server < 0 || send(server, "x", 1, 0) != 1 || recv(client, &byte, 1, 0) != 1 || byte != 'x')
		return "accept";
	close(client);
	client = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(client, (struct sockaddr *)&at, sizeof at))
		return "the second connect";
	second = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (second < 0)
		return "accept4";
	close(client);
	close(second);
	close(server);
	close(listener);
	return NULL;
}

__attribute__((constructor)) static void start(void)
{
	/* The shim's constructor begins the object with its magic. */
	const char *counters = dlsym(RTLD_DEFAULT, "smcshim_counters");

	before = counters && !counters[0];
	trouble = talk();
	memset(&passed, 0, sizeof passed);
}

/* Of the program alone: where the shim stands in front, what the constructor calls comes here or not, as it likes. */
__attribute__((destructor)) static void end(void)
{
	printf("constructor %s the shim's: %s; passed: socket %d, connect %d, setsockopt %d\n",
		before ? "before" : "after", trouble ? trouble : "fine", passed.socket, passed.connect,
		passed.setsockopt);
}
