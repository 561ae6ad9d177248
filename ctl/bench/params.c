/* SPDX-License-Identifier: MIT */
/* The parameters from the command line. */
#include "config.h"

#include "ctl/bench/params.h"

#include <string.h>
#include <unistd.h>

#define MAX_CONNECTIONS 65535u
#define MAX_PAYLOAD (UINT32_C(64) << 20)
#define MAX_QPS 100000000u
#define BULK_PAYLOAD (UINT32_C(1) << 20)

static const char *const workloads[] = {"http", "echo", "connect", "bulk"};

const char *bench_workload_key(enum bench_workload workload)
{
	return workloads[workload];
}

const char *bench_transport_key(enum bench_transport transport)
{
	return transport == BENCH_TCP ? "tcp" : "smc";
}

const char *bench_transport_text(enum bench_transport transport)
{
	return transport == BENCH_TCP ? "TCP" : "SMC";
}

static enum ctl_exit number(struct ctl *ctl, const char *what, const char *text, uint64_t max, uint32_t *out)
{
	uint64_t value;

	if (!text)
		return CTL_OK;
	if (text_to_uint(text, 1, max, &value) < 0)
		return ctl_error(ctl, CTL_USAGE, what, text, "not a number from 1 to %ju", (uintmax_t)max);
	*out = (uint32_t)value;
	return CTL_OK;
}

/* Seconds with at most three decimals, as "0.5". */
static enum ctl_exit seconds(
	struct ctl *ctl, const char *what, const char *text, uint64_t min_ms, uint64_t max_ms, uint64_t *out)
{
	char whole[12] = "";
	char part[4] = "000";
	const char *dot = text ? strchr(text, '.') : NULL;
	uint64_t s;
	uint64_t ms = 0;

	if (!text)
		return CTL_OK;
	if ((size_t)(dot ? dot - text : (ptrdiff_t)strlen(text)) >= sizeof(whole))
		goto wrong;
	memcpy(whole, text, dot ? (size_t)(dot - text) : strlen(text));
	if (dot && (!dot[1] || strlen(dot + 1) > 3))
		goto wrong;
	if (dot)
		memcpy(part, dot + 1, strlen(dot + 1));
	if (text_to_uint(whole, 0, 1000000, &s) < 0 || text_to_uint(part, 0, 999, &ms) < 0)
		goto wrong;
	ms += s * 1000;
	if (ms < min_ms || ms > max_ms)
		goto wrong;
	*out = ms * (BENCH_SECOND / 1000);
	return CTL_OK;
wrong:
	return ctl_error(ctl, CTL_USAGE, what, text, "not a number of seconds from %g to %g", (double)min_ms / 1000,
		(double)max_ms / 1000);
}

enum ctl_exit bench_threads(struct ctl *ctl, const char *text, uint32_t *out)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	*out = processors < 4 ? 1 : processors < 8 ? (uint32_t)processors / 2 : 4;
	return number(ctl, "number of threads", text, 256, out);
}

static enum ctl_exit parse_words(struct ctl *ctl, const struct ctl_args *args, struct bench_params *out)
{
	const char *workload = args->option[BENCH_OPTION_WORKLOAD];
	const char *transport = args->option[BENCH_OPTION_TRANSPORT];
	int found = workload ? -1 : BENCH_HTTP;

	for (int i = 0; workload && i < BENCH_WORKLOADS; i++)
		if (strcmp(workload, workloads[i]) == 0)
			found = i;
	if (found < 0)
		return ctl_error(ctl, CTL_USAGE, "workload", workload, "not one of http, echo, connect and bulk");
	out->workload = (enum bench_workload)found;
	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++)
		out->transport[i] = !transport || strcmp(transport, bench_transport_key(i)) == 0;
	if (!out->transport[BENCH_TCP] && !out->transport[BENCH_SMC])
		return ctl_error(ctl, CTL_USAGE, "transport", transport, "not one of tcp and smc");
	out->get = args->option[BENCH_OPTION_GET];
	if (out->get && (out->workload != BENCH_HTTP || out->get[0] != '/'))
		return ctl_error(ctl, CTL_USAGE, "path", out->get, "%s",
			out->get[0] == '/' ? "only http has one" : "does not begin with a slash");
	/* It becomes a line of a request. */
	if (out->get && strcspn(out->get, " \t\r\n") != strlen(out->get))
		return ctl_error(ctl, CTL_USAGE, "path", out->get, "has a blank");
	if (out->get && strlen(out->get) > 1024)
		return ctl_error(ctl, CTL_USAGE, "path", out->get, "longer than 1024 characters");
	return CTL_OK;
}

enum ctl_exit bench_params_parse(struct ctl *ctl, const struct ctl_args *args, struct bench_params *out)
{
	const char *const *option = args->option;
	uint32_t qps = 0;
	enum ctl_exit code = parse_words(ctl, args, out);

	out->connections = 64;
	out->payload = out->workload == BENCH_BULK ? BULK_PAYLOAD : 128;
	out->rounds = 5;
	out->duration = 30 * BENCH_SECOND;
	out->warmup = BENCH_SECOND;
	out->timeout = 10 * BENCH_SECOND;
	if (code == CTL_OK)
		code = number(ctl, "number of connections", option[BENCH_OPTION_CONNECTIONS], MAX_CONNECTIONS,
			&out->connections);
	if (code == CTL_OK)
		code = number(ctl, "payload", option[BENCH_OPTION_PAYLOAD], MAX_PAYLOAD, &out->payload);
	if (code == CTL_OK)
		code = number(ctl, "number of rounds", option[BENCH_OPTION_ROUNDS], 100, &out->rounds);
	if (code == CTL_OK)
		code = number(ctl, "requests per second", option[BENCH_OPTION_QPS], MAX_QPS, &qps);
	if (code == CTL_OK)
		code = bench_threads(ctl, option[BENCH_OPTION_THREADS], &out->threads);
	if (code == CTL_OK)
		code = seconds(ctl, "duration", option[BENCH_OPTION_DURATION], 10, 86400000, &out->duration);
	if (code == CTL_OK)
		code = seconds(ctl, "warm-up", option[BENCH_OPTION_WARMUP], 0, 600000, &out->warmup);
	if (code == CTL_OK)
		code = seconds(ctl, "time limit", option[BENCH_OPTION_TIMEOUT], 10, 600000, &out->timeout);
	out->qps = qps;
	if (out->threads > out->connections)
		out->threads = out->connections;
	return code;
}
