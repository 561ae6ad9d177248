/* SPDX-License-Identifier: MIT */
/* The client's side of the status: what the server says of itself, over a TCP connection of its own. */
#ifndef SMCSHIM_CTL_BENCH_STATUS_H
#define SMCSHIM_CTL_BENCH_STATUS_H

#include <sys/socket.h>

#include "ctl/bench/params.h"

struct status {
	uint64_t cpu; /* nanoseconds */
	uint64_t accepted[BENCH_TRANSPORTS];
	uint16_t tcp_port;
	bool smc_listener;
};

struct status_link {
	struct sockaddr_storage to;
	socklen_t length;
	uint64_t limit; /* nanoseconds for all of one question */
	int fd;         /* -1: to be opened */
};

/*
 * Asks. Returns 0; -ENOENT when the server is another program, or says nothing in time; -ECONNREFUSED and others when
 * there is no connection.
 */
_must_check_ int status_ask(struct status_link *link, struct status *out);

/* Reads the body of the answer. Returns 0 or -ENOENT. */
_must_check_ int status_parse(const char *text, size_t size, struct status *out);

#endif
