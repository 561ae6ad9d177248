/* SPDX-License-Identifier: MIT */
/* What the static test programs have in common. Their server ("calls server") answers each byte with the next one. */
#ifndef SMCSHIM_TESTS_SUPERVISE_TALK_H
#define SMCSHIM_TESTS_SUPERVISE_TALK_H

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static inline struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	inet_pton(AF_INET, host, &a.sin_addr);
	return a;
}

static inline const char *word(int r)
{
	return r == 0 ? "0" : strerrorname_np(errno);
}

static inline int dial(int fd, const struct sockaddr_in *to)
{
	return connect(fd, (const struct sockaddr *)to, sizeof(*to));
}

/* One byte there and its successor back. */
static inline int talk(int fd, unsigned char byte)
{
	unsigned char back = 0;

	if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &back, 1, 0) != 1)
		return -1;
	return back == (unsigned char)(byte + 1) ? 0 : -2;
}

static inline double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What a program does when its first argument is name, and so many follow. */
struct mode {
	const char *name;
	int (*run)(char **args);
	int args;
};

static inline int run_mode(const struct mode *modes, size_t count, int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < count; i++)
		if (strcmp(argv[1], modes[i].name) == 0 && argc - 2 == modes[i].args)
			return modes[i].run(argv + 2);
	fprintf(stderr, "%s: unknown mode\n", argv[0]);
	return 64;
}

#endif
