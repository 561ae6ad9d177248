/* SPDX-License-Identifier: MIT */
/* The result for people and for programs, from one walk. */
#include "config.h"

#include "ctl/bench/show.h"

#include <string.h>

#include "ctl/output.h"

void bench_words(const struct bench_params *params, char out[static BENCH_WORDS])
{
	char rate[60] = "as fast as they go";
	char what[60];

	if (params->qps)
		(void)snprintf(rate, sizeof(rate), "%ju requests/s", (uintmax_t)params->qps);
	(void)snprintf(what, sizeof(what), "%u bytes", params->payload);
	(void)snprintf(out, BENCH_WORDS, "%s: %u connection%s, %s, %s, %u thread%s",
		bench_workload_key(params->workload), params->connections, params->connections == 1 ? "" : "s",
		params->get ? "GET" : what, rate, params->threads, params->threads == 1 ? "" : "s");
}

void bench_schedule_words(const struct bench_params *params, char out[static BENCH_WORDS])
{
	bool both = params->transport[BENCH_TCP] && params->transport[BENCH_SMC];

	(void)snprintf(out, BENCH_WORDS, "%u round%s of %s, %g s each after %g s of warm-up", params->rounds,
		params->rounds == 1 ? "" : "s",
		both                                   ? "TCP and SMC in turn"
			: params->transport[BENCH_TCP] ? "TCP"
						       : "SMC",
		(double)params->duration / params->rounds / 1e9, (double)params->warmup / 1e9);
}

static void put_parameters(struct out *out, const struct bench_result *result)
{
	const struct bench_params *params = &result->params;
	char text[BENCH_WORDS];

	out_string(out, "server", "Server", result->address);
	out_string(out, "server_kind", "Kind", result->ours ? "smcctl bench server" : "another program");
	bench_words(params, text);
	out_string(out, NULL, "Workload", text);
	bench_schedule_words(params, text);
	out_string(out, NULL, "Measured", text);
	out_object(out, "parameters", NULL);
	out_string(out, "workload", NULL, bench_workload_key(params->workload));
	out_uint(out, "connections", NULL, params->connections);
	out_uint(out, "payload_bytes", NULL, params->payload);
	out_optional(out, "get", NULL, params->get);
	if (params->qps)
		out_uint(out, "qps", NULL, params->qps);
	else
		out_null(out, "qps", NULL);
	out_uint(out, "threads", NULL, params->threads);
	out_uint(out, "rounds", NULL, params->rounds);
	out_uint(out, "duration_ms", NULL, params->duration / 1000000);
	out_uint(out, "warmup_ms", NULL, params->warmup / 1000000);
	out_uint(out, "timeout_ms", NULL, params->timeout / 1000000);
	if (result->tcp_port)
		out_uint(out, "tcp_port", NULL, result->tcp_port);
	else
		out_null(out, "tcp_port", NULL);
	out_close(out);
}

/* json: in the metric's own unit, a whole number but for the rate. */
static void put_metric(struct out *out, const struct bench_params *params, const struct bench_numbers *numbers,
	enum bench_metric metric, bool measured)
{
	char text[BENCH_NUMBER];
	double value;

	if (!measured || !bench_metric_value(params, numbers, metric, &value)) {
		out_null(out, bench_metric_key(metric), bench_metric_title(metric));
		return;
	}
	out_decimal(out, bench_metric_key(metric), NULL, value, metric == METRIC_REQUESTS ? 1 : 0);
	bench_metric_text(metric, value, text);
	out_string(out, NULL, bench_metric_title(metric), text);
}

static void put_errors(struct out *out, const struct bench_numbers *numbers)
{
	uint64_t sum = 0;

	for (enum load_error i = 0; i < LOAD_ERRORS; i++)
		sum += numbers->load.errors[i];
	out_uint(out, NULL, "ERRORS", sum);
	if (out_is_json(out)) {
		out_object(out, "errors", NULL);
		for (enum load_error i = 0; i < LOAD_ERRORS; i++)
			out_uint(out, load_error_key(i), NULL, numbers->load.errors[i]);
		out_close(out);
		return;
	}
	for (enum load_error i = 0; i < LOAD_ERRORS; i++) {
		const char *why = i == LOAD_REFUSED ? strerror(-numbers->load.connect_error) : "";

		if (numbers->load.errors[i])
			out_note(out, "%ju %s%s%s", (uintmax_t)numbers->load.errors[i], load_error_text(i),
				*why ? ": " : "", why);
	}
}

static void put_reason(struct out *out, const struct bench_side *side)
{
	char why[400];
	char code[16];

	bench_why_not(side, why, sizeof(why));
	out_optional(out, "why", NULL, why);
	(void)snprintf(code, sizeof(code), "0x%08x", side->sample.reason);
	out_optional(out, "reason", NULL, side->outcome == BENCH_FELL_BACK ? code : NULL);
	(void)snprintf(code, sizeof(code), "0x%08x", side->sample.peer_reason);
	out_optional(out, "peer_reason", NULL, side->outcome == BENCH_FELL_BACK ? code : NULL);
	if (why[0])
		out_note(out, "not measured: %s", why);
}

static void put_side(struct out *out, const struct bench_result *result, enum bench_transport transport)
{
	const struct bench_side *side = &result->side[transport];
	bool measured = side->outcome == BENCH_MEASURED;

	out_object(out, NULL, NULL);
	out_string(out, "transport", NULL, bench_transport_key(transport));
	out_string(out, NULL, "TRANSPORT", bench_transport_text(transport));
	out_bool(out, "measured", NULL, measured);
	out_string(out, "sockets", "SOCKETS", measured ? bench_side_kind(result, transport) : "-");
	out_uint(out, "connections_tcp", NULL, side->numbers.load.sockets[BENCH_TCP]);
	out_uint(out, "connections_smc", NULL, side->numbers.load.sockets[BENCH_SMC]);
	out_uint(out, "requests", NULL, measured ? side->numbers.load.completed : 0);
	for (enum bench_metric i = 0; i < METRICS; i++)
		put_metric(out, &result->params, &side->numbers, i, measured);
	out_uint(out, "reopened", NULL, side->numbers.load.reopened);
	put_errors(out, &side->numbers);
	put_reason(out, side);
	out_close(out);
}

static void put_rounds(struct out *out, const struct bench_result *result)
{
	if (!out_is_json(out))
		return;
	out_list(out, "slices", NULL);
	for (size_t i = 0; i < result->slices; i++) {
		const struct bench_slice *slice = &result->slice[i];

		out_object(out, NULL, NULL);
		out_string(out, "transport", NULL, bench_transport_key(slice->transport));
		for (enum bench_metric m = 0; m < METRICS; m++)
			put_metric(out, &result->params, &slice->numbers, m, true);
		out_close(out);
	}
	out_close(out);
}

static void put_ratios(struct out *out, const struct bench_result *result)
{
	struct bench_ratio ratio;

	bench_ratio(result, METRIC_REQUESTS, &ratio);
	if (!ratio.count && !out_is_json(out))
		return;
	out_note(out, "%s", "");
	out_list(out, "ratios", NULL);
	for (enum bench_metric i = 0; i < METRICS; i++) {
		bench_ratio(result, i, &ratio);
		if (!ratio.count)
			continue;
		out_object(out, NULL, NULL);
		out_string(out, NULL, "SMC/TCP", bench_metric_title(i));
		out_string(out, "metric", NULL, bench_metric_key(i));
		out_decimal(out, "median", "MEDIAN", ratio.median, 3);
		out_decimal(out, "low", "LOWEST", ratio.low, 3);
		out_decimal(out, "high", "HIGHEST", ratio.high, 3);
		out_uint(out, "comparisons", "OF", ratio.count);
		out_close(out);
	}
	out_close(out);
}

int bench_show(FILE *stream, bool json, const struct bench_result *result)
{
	struct out *out;
	int r = out_begin(stream, json, &out);

	if (r < 0)
		return r;
	put_parameters(out, result);
	out_note(out, "%s", "");
	out_list(out, "results", NULL);
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++)
		if (result->params.transport[i])
			put_side(out, result, i);
	out_close(out);
	put_ratios(out, result);
	put_rounds(out, result);
	return out_end(out);
}
