/* SPDX-License-Identifier: MIT */
/* What a run has found out: of each slice, of both transports over all slices, and their ratios. Pure but for its memory. */
#ifndef SMCSHIM_CTL_BENCH_RESULT_H
#define SMCSHIM_CTL_BENCH_RESULT_H

#include "ctl/bench/load.h"
#include "ctl/check/judge.h"

/* What was counted in some time. */
struct bench_numbers {
	uint64_t time; /* nanoseconds */
	uint64_t client_cpu;
	uint64_t server_cpu;
	bool server_known;
	struct load_result load;
};

/* One transport for one stretch of time. */
struct bench_slice {
	enum bench_transport transport;
	struct bench_numbers numbers;
};

enum bench_outcome {
	BENCH_NOT_ASKED = 0,
	BENCH_MEASURED,
	BENCH_NO_SMC,        /* this host has none */
	BENCH_FELL_BACK,     /* sockets meant to be SMC are TCP */
	BENCH_CONVERTED,     /* sockets meant to be TCP are SMC: the kernel makes them so */
	BENCH_NOT_CONNECTED, /* no connection came about */
	BENCH_NO_ANSWER,     /* not one request was answered */
};

struct bench_side {
	enum bench_outcome outcome;
	struct handshake sample; /* what one of the connections is; of a fallback the reason */
	uint64_t meant;          /* connections asked when the outcome was not as meant, */
	uint64_t otherwise;      /* and how many of them were the other transport */
	int error;               /* -errno */
	struct bench_numbers numbers;
};

struct bench_result {
	struct bench_params params;
	char address[TARGET_TEXT]; /* of the server */
	bool ours;                 /* it is smcctl bench server */
	uint16_t tcp_port;         /* where TCP was measured, if not at the same port; 0: there */
	struct bench_side side[BENCH_TRANSPORTS];
	struct bench_slice *slice; /* in the order of time; only of sides that were measured to the end */
	size_t slices;
};

void bench_result_clear(struct bench_result *result);

enum bench_metric {
	METRIC_REQUESTS = 0, /* per second */
	METRIC_BYTES,        /* of payload per second */
	METRIC_P50,          /* nanoseconds, as all of latency */
	METRIC_P75,
	METRIC_P90,
	METRIC_P99,
	METRIC_P999,
	METRIC_MAX,
	METRIC_CLIENT_CPU, /* nanoseconds per request */
	METRIC_SERVER_CPU,
	METRICS,
};

const char *bench_metric_key(enum bench_metric metric);
const char *bench_metric_title(enum bench_metric metric); /* with its unit */

/* As text in the unit of its title. */
#define BENCH_NUMBER 32u
void bench_metric_text(enum bench_metric metric, double value, char out[static BENCH_NUMBER]);

/* True if more of it is better. */
bool bench_metric_more(enum bench_metric metric);

/* false: it is not known. */
bool bench_metric_value(
	const struct bench_params *params, const struct bench_numbers *numbers, enum bench_metric metric, double *out);

/* Adds the numbers of one slice to those of its side. */
void bench_numbers_add(struct bench_numbers *into, const struct bench_numbers *from);

struct bench_ratio {
	double median;
	double low;
	double high;
	size_t count; /* comparisons; 0: there is no ratio */
};

/*
 * SMC against TCP. Each slice but the first and the last is compared with the geometric mean of the two around it, so that a
 * drift cancels; two slices are compared with each other.
 */
void bench_ratio(const struct bench_result *result, enum bench_metric metric, struct bench_ratio *out);

/* Why a side was not measured, in words with the remedy. */
void bench_why_not(const struct bench_side *side, char *out, size_t size);

/* "SMC-D", "SMC-R", "SMC" or "TCP": what its sockets were. */
const char *bench_side_kind(const struct bench_result *result, enum bench_transport transport);

#endif
