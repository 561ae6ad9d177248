/* SPDX-License-Identifier: MIT */
/* What is measured: the parameters of a run, and their words. */
#ifndef SMCSHIM_CTL_BENCH_PARAMS_H
#define SMCSHIM_CTL_BENCH_PARAMS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "ctl/check/target.h"
#include "ctl/ctl.h"

enum bench_workload {
	BENCH_HTTP = 0, /* POST, and the body comes back */
	BENCH_ECHO,     /* bytes come back */
	BENCH_CONNECT,  /* the same on a connection of its own for each request */
	BENCH_BULK,     /* blocks go one way, each is acknowledged by the other program */
	BENCH_WORKLOADS,
};

enum bench_transport {
	BENCH_TCP = 0,
	BENCH_SMC,
	BENCH_TRANSPORTS,
};

struct bench_params {
	char host[TARGET_HOST]; /* as it was given */
	uint16_t port;
	enum bench_workload workload;
	bool transport[BENCH_TRANSPORTS];
	uint32_t connections;
	uint32_t payload; /* bytes */
	uint32_t threads;
	uint32_t rounds;
	uint64_t qps;      /* requests per second of all connections together; 0: as fast as they go */
	uint64_t duration; /* nanoseconds that each transport is measured, over all rounds */
	uint64_t warmup;   /* nanoseconds before each measurement */
	uint64_t timeout;  /* nanoseconds for a connection, and for an answer */
	const char *get;   /* of http: a path to GET instead; or NULL */
};

#define BENCH_SECOND UINT64_C(1000000000)

/* Names on the command line and in JSON. */
const char *bench_workload_key(enum bench_workload workload);
const char *bench_transport_key(enum bench_transport transport);  /* "tcp" */
const char *bench_transport_text(enum bench_transport transport); /* "TCP" */

/* The options of bench, bench run and bench self, in this order. */
enum bench_option {
	BENCH_OPTION_WORKLOAD,
	BENCH_OPTION_CONNECTIONS,
	BENCH_OPTION_PAYLOAD,
	BENCH_OPTION_DURATION,
	BENCH_OPTION_QPS,
	BENCH_OPTION_THREADS,
	BENCH_OPTION_WARMUP,
	BENCH_OPTION_ROUNDS,
	BENCH_OPTION_TRANSPORT,
	BENCH_OPTION_GET,
	BENCH_OPTION_TIMEOUT,
	BENCH_OPTION_HTML,
	BENCH_OPTION_JSON,
	BENCH_OPTION_NETNS,
};

/* Takes all but the host and the port from the options. Says what is wrong. */
_must_check_ enum ctl_exit bench_params_parse(struct ctl *ctl, const struct ctl_args *args, struct bench_params *out);

/* A number of threads, or by default half the processors, at most 4. Says what is wrong. */
_must_check_ enum ctl_exit bench_threads(struct ctl *ctl, const char *text, uint32_t *out);

static inline uint64_t bench_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * BENCH_SECOND + (uint64_t)now.tv_nsec;
}

#endif
