/* SPDX-License-Identifier: MIT */
/* Load on one server over one transport for a while: threads, each with its connections, and what they counted. */
#ifndef SMCSHIM_CTL_BENCH_LOAD_H
#define SMCSHIM_CTL_BENCH_LOAD_H

#include <stdatomic.h>
#include <sys/socket.h>

#include "ctl/bench/histogram.h"
#include "ctl/bench/params.h"
#include "ctl/check/judge.h"

/* What may become of a request instead of its answer. */
enum load_error {
	LOAD_REFUSED = 0,     /* the connection was refused or not possible */
	LOAD_CONNECT_TIMEOUT, /* ... was not there in time */
	LOAD_NO_PORT,         /* this host has no port or descriptor left */
	LOAD_CLOSED,          /* the server closed before the answer was complete */
	LOAD_RESET,
	LOAD_TIMEOUT,  /* no complete answer in time */
	LOAD_WRONG,    /* other bytes, more of them, or another length */
	LOAD_STATUS,   /* HTTP: not 2xx */
	LOAD_PROTOCOL, /* HTTP: not an answer, or one without a length */
	LOAD_UNSENT,   /* with --qps: its time had come, and its connection was still waiting for the one before */
	LOAD_ERRORS,
};

/* The same for all threads and connections; does not change while they run. */
struct load_plan {
	const struct bench_params *params;
	enum bench_transport transport;
	struct sockaddr_storage to;
	socklen_t length;
	bool ours;           /* the server understands prefaces */
	const char *request; /* of size bytes: the preface of a connection, then what each request sends */
	size_t preface;
	size_t size;
	const char *payload; /* what comes back: the end of request */
};

struct load_result {
	uint64_t completed; /* in the time that was measured */
	uint64_t errors[LOAD_ERRORS];
	int connect_error;                  /* -errno of the last connection that was not made */
	uint64_t sockets[BENCH_TRANSPORTS]; /* what the kernel said of the connections */
	struct handshake otherwise;         /* the first of them that is not of the plan's transport */
	uint64_t reopened;                  /* connections that the server ended between two requests */
	struct histogram latency;           /* of the requests that began in the time that was measured; nanoseconds */
};

struct load;

/* Starts the threads, which open the connections. Returns 0 or -errno; *out is to be freed with load_free(). */
_must_check_ int load_new(const struct load_plan *plan, struct load **out);

/* Waits until every connection is there or has failed; the threads then wait for load_start(). At most the time limit. */
void load_established(struct load *load);

/* Then: a connection that is of that transport, or -1. It belongs to load. */
int load_find(const struct load *load, enum bench_transport transport);
/* Then: how many there are. */
uint64_t load_count(const struct load *load, enum bench_transport transport);

/* Requests begin now; those from `from` to `end` (CLOCK_MONOTONIC, ns) count. from == end: none, the connections close. */
void load_start(struct load *load, uint64_t from, uint64_t end);

enum bench_transport load_transport(const struct load *load);

/* While it runs: completed requests. */
uint64_t load_completed(const struct load *load);

/* Waits for the threads, at most as long as an answer may take, and adds up what they counted. out is zeroed first. */
void load_finish(struct load *load, struct load_result *out);

/* After load_finish(), or for one that was not started. */
void load_free(struct load *load);

const char *load_error_key(enum load_error error);
const char *load_error_text(enum load_error error);

#endif
