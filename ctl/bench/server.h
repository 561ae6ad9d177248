/* SPDX-License-Identifier: MIT */
/* The server of a benchmark: HTTP echo, raw echo and the kinds of protocol.h, over SMC and TCP. */
#ifndef SMCSHIM_CTL_BENCH_SERVER_H
#define SMCSHIM_CTL_BENCH_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "ctl/bench/params.h"

struct server {
	int listener;     /* the port that was asked for: an SMC socket where the host has SMC, which serves TCP, too */
	int tcp_listener; /* another port, of plain TCP: accepting through an SMC listener costs TCP more */
	uint16_t port;
	uint16_t tcp_port;
	int no_smc; /* why the listener is no SMC socket: -errno; 0: it is one */
	int stop;   /* readable when the threads are to end */
	_Atomic uint64_t accepted[BENCH_TRANSPORTS];
};

/*
 * Opens both ports; port 0 is any. Returns 0 or -errno. no_smc stays as it is when it is set: then SMC is not tried.
 */
_must_check_ int server_open(struct server *server, const struct sockaddr *at, socklen_t length);
void server_close(struct server *server);

/* Serves in that many threads until SIGINT or SIGTERM, which stay blocked. Returns 0 or -errno. */
_must_check_ int server_run(struct server *server, uint32_t threads);

/* ---- between its two files ---- */

#define SERVER_BLOCK 16384u

struct server_thread {
	struct server *server;
	int epoll;
	char *block; /* 256 KiB for what is thrown away */
	struct peer *peers;
	struct peer *spare; /* of connections that ended, so that none is allocated for each */
	pthread_t id;
};
#define SERVER_SINK_BLOCK 262144u

struct peer;

/* Takes fd in. Returns 0 or -ENOMEM, -errno; fd is closed then. */
_must_check_ int peer_new(struct server_thread *thread, int fd);
void peer_event(struct server_thread *thread, struct peer *peer, uint32_t events);
void peers_free(struct server_thread *thread);

/* The status, as a response of HTTP. Returns its length. */
size_t server_status(const struct server *server, char *out, size_t size);

#endif
