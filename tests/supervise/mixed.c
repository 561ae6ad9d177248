/* SPDX-License-Identifier: MIT */
/*
 * A static program with many connects to where the policy keeps TCP, and now and then one to where it does not: what comes of
 * that one must not depend on those before. Says the same with and without supervision; the server is that of calls.c.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in kept, wanted;
static int epoll;

enum way { BLOCKING, NONBLOCKING, BOUND, WATCHED, DOUBLED, FAST_OPEN, ZERO_COPY };

/* What SMC cannot do, and a program may ask for before it connects. */
static const struct {
	int level, name;
} options[] = {[FAST_OPEN] = {IPPROTO_TCP, TCP_FASTOPEN_CONNECT}, [ZERO_COPY] = {SOL_SOCKET, SO_ZEROCOPY}};

static int open_socket(enum way way)
{
	int fd = socket(AF_INET, SOCK_STREAM | (way == NONBLOCKING || way == WATCHED ? SOCK_NONBLOCK : 0), 0);
	int on = 1;
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = wanted.sin_addr};
	struct epoll_event event = {.events = EPOLLOUT | EPOLLIN | EPOLLET, .data = {.fd = fd}};

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (way == BOUND && bind(fd, (struct sockaddr *)&any, sizeof(any)))
		perror("bind");
	if (way == WATCHED && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		perror("epoll_ctl");
	if (way >= FAST_OPEN && setsockopt(fd, options[way].level, options[way].name, &on, sizeof(on)))
		perror("setsockopt");
	return fd;
}

/* One byte there and its successor back; waits where the descriptor does not. */
static bool talks(int fd)
{
	unsigned char byte = 41;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && poll(&p, 1, 20000) == 1 && recv(fd, &byte, 1, 0) == 1 &&
		byte == 42;
}

static bool comes_up(int fd, enum way way)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct epoll_event event;
	int error = -1;
	socklen_t len = sizeof(error);

	if (way == NONBLOCKING && poll(&p, 1, 20000) != 1)
		return false;
	/* The first events may be those of a socket that is not connected yet. */
	while (way == WATCHED)
		if (epoll_wait(epoll, &event, 1, 20000) != 1)
			return false;
		else if (event.data.fd == fd && (event.events & EPOLLOUT) && !(event.events & EPOLLHUP))
			break;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

static bool is_on(int fd, int level, int name)
{
	int on = -1;
	socklen_t len = sizeof(on);

	return getsockopt(fd, level, name, &on, &len) == 0 && on == 1;
}

static bool one(const struct sockaddr_in *to, enum way way)
{
	int fd = open_socket(way);
	int other = way == DOUBLED ? dup(fd) : -1;
	bool well = connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0 || errno == EINPROGRESS;

	well = well && comes_up(fd, way) && talks(other >= 0 ? other : fd) && talks(fd);
	well = well && is_on(fd, SOL_SOCKET, SO_KEEPALIVE);
	well = well && (way < FAST_OPEN || is_on(fd, options[way].level, options[way].name));
	close(fd);
	if (other >= 0)
		close(other);
	return well;
}

/* NUMBER connects of that way that stay TCP, and one that need not. */
static void round_of(const char *what, int number, enum way before, enum way last)
{
	int well = 0;

	for (int i = 0; i < number; i++)
		well += one(&kept, before);
	printf("%s: %d of %d, then %s\n", what, well, number, one(&wanted, last) ? "one more" : "none");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 64;
	wanted = kept = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
	inet_pton(AF_INET, argv[1], &kept.sin_addr);
	inet_pton(AF_INET, argv[2], &wanted.sin_addr);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (strcmp(argv[4], "watched") == 0) {
		round_of("watched before connect", 40, WATCHED, WATCHED);
		round_of("watched before connect, again", 40, WATCHED, WATCHED);
	} else if (strcmp(argv[4], "doubled") == 0) {
		round_of("one is doubled", 40, BLOCKING, DOUBLED);
		round_of("then not", 40, BLOCKING, BLOCKING);
	} else if (strcmp(argv[4], "options") == 0) {
		round_of("one opens fast", 40, BLOCKING, FAST_OPEN);
		round_of("one copies nothing", 40, BLOCKING, ZERO_COPY);
		round_of("then neither", 70, BLOCKING, BLOCKING);
	} else {
		round_of("blocking", 40, BLOCKING, BLOCKING);
		round_of("nonblocking", 40, NONBLOCKING, NONBLOCKING);
		round_of("bound", 70, BLOCKING, BOUND);
		round_of("the last one is watched", 140, BLOCKING, WATCHED);
		round_of("never guessed again", 40, BLOCKING, BLOCKING);
	}
	return 0;
}
