/* SPDX-License-Identifier: MIT */
/* Between the files of the load: a thread and its connections. */
#ifndef SMCSHIM_CTL_BENCH_LOAD_THREAD_H
#define SMCSHIM_CTL_BENCH_LOAD_THREAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "ctl/bench/load.h"
#include "ctl/bench/protocol.h"

enum phase {
	PHASE_CLOSED = 0,
	PHASE_CONNECTING,
	PHASE_IDLE,
	PHASE_BUSY,    /* a request is sent, or its answer awaited */
	PHASE_CLOSING, /* the answer is complete; the server's end of the connection belongs to the request */
};

struct connection {
	int fd;
	enum phase phase;
	bool smc;
	bool request;      /* one is under way: also while its connection is made */
	bool prefaced;     /* the preface was sent */
	bool want_write;   /* epoll waits for that, too */
	bool head_done;    /* of an HTTP answer */
	bool last;         /* the server ends the connection after this answer */
	uint32_t answered; /* since it was opened */
	uint64_t first_due;
	uint64_t due;      /* with --qps: when the request that is under way, or else the next one, has to begin */
	uint64_t began;    /* what its latency counts from */
	uint64_t deadline; /* of what it waits for */
	uint64_t retry;    /* after a failure: not before */
	size_t sent;
	uint64_t expected; /* bytes of the answer's body */
	uint64_t received;
	size_t head_have;
	char head[BENCH_HEAD_MAX];
};

#define LOAD_BLOCK 65536u

struct load_thread {
	struct load *load;
	const struct load_plan *plan;
	pthread_t id;
	bool started;
	int epoll;
	int timer;
	struct connection *connection;
	uint32_t count;
	uint32_t first;    /* number of its first connection among all */
	uint32_t busy;     /* requests under way */
	uint32_t opening;  /* connections under way, before the start */
	uint32_t cursor;   /* with --qps: the connection whose time comes next, */
	uint64_t cycle;    /* in that turn */
	uint64_t interval; /* between two requests of one connection; 0: no --qps */
	uint64_t armed;    /* what the timer is set to */
	bool running;      /* requests may begin */
	uint64_t from;
	uint64_t end;
	_Atomic uint64_t completed;
	struct load_result result;
	char block[LOAD_BLOCK];
};

/* What a thread waits for more than answers may take. */
#define LOAD_GRACE (BENCH_SECOND / 2)

struct load {
	struct load_plan plan;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t waiting; /* threads at the start */
	bool begun;       /* from and end are set */
	uint64_t from;
	uint64_t end;
	uint32_t threads;
	struct load_thread *thread;
};

void *load_thread_run(void *arg);

/* Begins to connect, without a request. */
void connection_open(struct load_thread *thread, struct connection *c, uint64_t now);

/* Begins a request whose latency counts from began, on a connection that has none under way. */
void connection_begin(struct load_thread *thread, struct connection *c, uint64_t began, uint64_t now);

void connection_event(struct load_thread *thread, struct connection *c, uint32_t events);

/* What it waits for has come to nothing. */
void connection_fail(struct load_thread *thread, struct connection *c, enum load_error kind, uint64_t now);

/* Asks a connection that is being made, whatever epoll says: kernels before 6.1 forget who waits at a fallback. */
void connection_check(struct load_thread *thread, struct connection *c, uint64_t now);

void connection_close(struct connection *c);

/* A request has ended, well or not: begins the next one when it is time. (load-thread.c) */
void load_next(struct load_thread *thread, struct connection *c, uint64_t now);

#endif
