/* SPDX-License-Identifier: MIT */
/* Numbers from counts, and ratios from numbers. */
#include "config.h"

#include "ctl/bench/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/smc/reasons.h"

static const struct {
	const char *key;
	const char *title;
	double share; /* of a percentile */
	double unit;  /* of the text */
	int digits;
	bool more;
} metrics[METRICS] = {
	[METRIC_REQUESTS] = {"requests_per_second", "REQUESTS/S", 0, 1, 0, true},
	[METRIC_BYTES] = {"bytes_per_second", "MB/S", 0, 1e6, 1, true},
	[METRIC_P50] = {"p50_ns", "P50 US", 0.5, 1e3, 1, false},
	[METRIC_P75] = {"p75_ns", "P75 US", 0.75, 1e3, 1, false},
	[METRIC_P90] = {"p90_ns", "P90 US", 0.9, 1e3, 1, false},
	[METRIC_P99] = {"p99_ns", "P99 US", 0.99, 1e3, 1, false},
	[METRIC_P999] = {"p99.9_ns", "P99.9 US", 0.999, 1e3, 1, false},
	[METRIC_MAX] = {"max_ns", "MAX US", 1, 1e3, 1, false},
	[METRIC_CLIENT_CPU] = {"client_cpu_ns_per_request", "CPU US", 0, 1e3, 2, false},
	[METRIC_SERVER_CPU] = {"server_cpu_ns_per_request", "SERVER CPU US", 0, 1e3, 2, false},
};

const char *bench_metric_key(enum bench_metric metric)
{
	return metrics[metric].key;
}

const char *bench_metric_title(enum bench_metric metric)
{
	return metrics[metric].title;
}

bool bench_metric_more(enum bench_metric metric)
{
	return metrics[metric].more;
}

void bench_metric_text(enum bench_metric metric, double value, char out[static BENCH_NUMBER])
{
	(void)snprintf(out, BENCH_NUMBER, "%.*f", metrics[metric].digits, value / metrics[metric].unit);
}

bool bench_metric_value(
	const struct bench_params *params, const struct bench_numbers *numbers, enum bench_metric metric, double *out)
{
	double completed = (double)numbers->load.completed;
	double seconds = (double)numbers->time / (double)BENCH_SECOND;

	if (!numbers->load.completed || !numbers->time)
		return false;
	switch (metric) {
	case METRIC_REQUESTS:
		*out = completed / seconds;
		return true;
	case METRIC_BYTES:
		*out = completed * params->payload / seconds;
		/* What a GET brings is the server's. */
		return !params->get;
	case METRIC_CLIENT_CPU:
		*out = (double)numbers->client_cpu / completed;
		return true;
	case METRIC_SERVER_CPU:
		*out = (double)numbers->server_cpu / completed;
		return numbers->server_known;
	default:
		*out = (double)histogram_at(&numbers->load.latency, metrics[metric].share);
		return numbers->load.latency.count > 0;
	}
}

void bench_numbers_add(struct bench_numbers *into, const struct bench_numbers *from)
{
	into->server_known = from->server_known && (into->server_known || !into->time);
	into->time += from->time;
	into->client_cpu += from->client_cpu;
	into->server_cpu += from->server_cpu;
	into->load.completed += from->load.completed;
	into->load.reopened += from->load.reopened;
	for (int i = 0; i < LOAD_ERRORS; i++)
		into->load.errors[i] += from->load.errors[i];
	for (int i = 0; i < BENCH_TRANSPORTS; i++)
		into->load.sockets[i] += from->load.sockets[i];
	if (from->load.connect_error)
		into->load.connect_error = from->load.connect_error;
	histogram_merge(&into->load.latency, &from->load.latency);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The logarithm of slice i's ratio of SMC to TCP. */
static bool ratio_at(const struct bench_result *result, enum bench_metric metric, size_t i, double *out)
{
	const struct bench_slice *slice = &result->slice[i];
	size_t around[2] = {i - 1, i + 1 < result->slices ? i + 1 : i - 1};
	double value;
	double other;
	double sum = 0;

	if (!bench_metric_value(&result->params, &slice->numbers, metric, &value) || value <= 0)
		return false;
	for (size_t k = 0; k < 2; k++) {
		const struct bench_slice *next = &result->slice[around[k]];

		if (next->transport == slice->transport ||
			!bench_metric_value(&result->params, &next->numbers, metric, &other) || other <= 0)
			return false;
		sum += log(other) / 2;
	}
	*out = slice->transport == BENCH_SMC ? log(value) - sum : sum - log(value);
	return true;
}

void bench_ratio(const struct bench_result *result, enum bench_metric metric, struct bench_ratio *out)
{
	double ratio[256];
	size_t count = 0;
	size_t last = result->slices == 2 ? 2 : result->slices ? result->slices - 1 : 0;

	*out = (struct bench_ratio){.count = 0};
	for (size_t i = 1; i < last && count < 256; i++)
		count += ratio_at(result, metric, i, &ratio[count]);
	if (!count)
		return;
	qsort(ratio, count, sizeof(*ratio), compare);
	out->count = count;
	out->low = exp(ratio[0]);
	out->high = exp(ratio[count - 1]);
	out->median = exp((ratio[(count - 1) / 2] + ratio[count / 2]) / 2);
}

void bench_result_clear(struct bench_result *result)
{
	free(result->slice);
	memset(result, 0, sizeof(*result));
}

static void put_fallback(const struct bench_side *side, char *out, size_t size)
{
	const struct reason *reason = reason_find(side->sample.reason);
	const struct reason *peer = reason_find(side->sample.peer_reason);
	char how_many[80] = "";

	if (side->otherwise != side->meant)
		(void)snprintf(how_many, sizeof(how_many), "%ju of %ju connections ", (uintmax_t)side->otherwise,
			(uintmax_t)side->meant);
	if (peer)
		(void)snprintf(out, size, "%sfell back to TCP: the peer declined: %s: %s; %s", how_many, peer->name,
			peer->meaning, peer->remedy);
	else if (reason)
		(void)snprintf(out, size, "%sfell back to TCP: %s: %s; %s", how_many, reason->name, reason->meaning,
			reason->remedy);
	else
		(void)snprintf(out, size, "%sfell back to TCP (reason 0x%08x); smcctl check says more about the path",
			how_many, side->sample.reason);
}

void bench_why_not(const struct bench_side *side, char *out, size_t size)
{
	out[0] = '\0';
	switch (side->outcome) {
	case BENCH_NOT_ASKED:
	case BENCH_MEASURED:
		break;
	case BENCH_NO_SMC:
		(void)snprintf(out, size, "this host has no SMC: %s; smcctl doctor says what is missing",
			strerror(-side->error));
		break;
	case BENCH_FELL_BACK:
		put_fallback(side, out, size);
		break;
	case BENCH_CONVERTED:
		(void)snprintf(out, size,
			"%ju of %ju connections are SMC: the kernel (net.smc.tcp2smc) or a preloaded library makes "
			"them so",
			(uintmax_t)side->otherwise, (uintmax_t)side->meant);
		break;
	case BENCH_NOT_CONNECTED:
		(void)snprintf(out, size, "no connection came about: %s",
			side->error ? strerror(-side->error) : "no answer in time");
		break;
	case BENCH_NO_ANSWER:
		(void)snprintf(out, size, "not one request was answered");
		break;
	}
}

const char *bench_side_kind(const struct bench_result *result, enum bench_transport transport)
{
	const struct bench_side *side = &result->side[transport];

	switch (side->sample.result) {
	case HANDSHAKE_SMC_D:
		return "SMC-D";
	case HANDSHAKE_SMC_R:
		return "SMC-R";
	case HANDSHAKE_SMC:
		return "SMC";
	default:
		return "TCP";
	}
}
