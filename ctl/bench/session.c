/* SPDX-License-Identifier: MIT */
/* Finds the server, then measures slice by slice and asks the kernel what the connections are. */
#include "config.h"

#include "ctl/bench/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "ctl/bench/socket.h"
#include "ctl/bench/status.h"
#include "ctl/check/outcome.h"

/* A server that is there answers sooner. */
#define STATUS_LIMIT (2 * BENCH_SECOND)

struct session {
	struct ctl *ctl;
	FILE *progress;
	struct bench_result *result;
	struct status_link status; /* to the server, when it is ours */
	struct load_plan plan[BENCH_TRANSPORTS];
	uint32_t round;
};

static void set_port(struct sockaddr_storage *to, uint16_t port)
{
	if (to->ss_family == AF_INET6)
		((struct sockaddr_in6 *)to)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)to)->sin_port = htons(port);
}

/* Where TCP is measured: at a listener that is plain TCP itself, if it can be reached. */
static void find_tcp_port(struct session *session, const struct status *status)
{
	struct status_link link = session->status;
	struct status other;

	if (!status->tcp_port)
		return;
	link.fd = -1;
	set_port(&link.to, status->tcp_port);
	if (status_ask(&link, &other) < 0)
		return;
	close(link.fd);
	session->result->tcp_port = status->tcp_port;
	session->plan[BENCH_TCP].to = link.to;
}

static enum ctl_exit find_server(struct session *session, const struct targets *targets)
{
	const struct bench_params *params = &session->result->params;
	struct bench_result *result = session->result;
	struct status status;
	int r = -ENOENT;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *target = &targets->item[i];

		session->status = (struct status_link){.to = target->to, .length = target->length, .fd = -1};
		session->status.limit = params->timeout < STATUS_LIMIT ? params->timeout : STATUS_LIMIT;
		target_text(target, true, result->address);
		r = status_ask(&session->status, &status);
		if (r == 0 || r == -ENOENT)
			break;
	}
	if (r < 0 && r != -ENOENT)
		return ctl_error(session->ctl, CTL_FAILED, "bench", result->address,
			"not connected: %s; start smcctl bench server there", strerror(-r));
	result->ours = r == 0;
	if (params->workload == BENCH_BULK && !result->ours)
		return ctl_error(session->ctl, CTL_FAILED, "bench", result->address,
			"bulk needs smcctl bench server, and the server there is another one");
	for (int i = 0; i < BENCH_TRANSPORTS; i++)
		session->plan[i] = (struct load_plan){.params = params,
			.transport = (enum bench_transport)i,
			.to = session->status.to,
			.length = session->status.length,
			.ours = result->ours};
	if (result->ours)
		find_tcp_port(session, &status);
	return CTL_OK;
}

static uint64_t cpu_now(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * BENCH_SECOND +
		(uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void show_progress(const struct session *session, const struct load *load, uint64_t from)
{
	const struct bench_params *params = &session->result->params;
	const char *name = bench_transport_text(load_transport(load));
	uint64_t now = bench_now();

	if (!session->progress)
		return;
	if (now <= from)
		fprintf(session->progress, "\rround %u of %u: %s: warming up\033[K", session->round + 1, params->rounds,
			name);
	else
		fprintf(session->progress, "\rround %u of %u: %s: %.0f requests/s\033[K", session->round + 1,
			params->rounds, name, (double)load_completed(load) * 1e9 / (double)(now - from));
	fflush(session->progress);
}

static void wait_until(const struct session *session, const struct load *load, uint64_t from, uint64_t when)
{
	for (uint64_t now = bench_now(); now < when; now = bench_now()) {
		uint64_t next = session->progress && now + BENCH_SECOND / 4 < when ? now + BENCH_SECOND / 4 : when;
		struct timespec at = {.tv_sec = (time_t)(next / BENCH_SECOND), .tv_nsec = (long)(next % BENCH_SECOND)};

		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		show_progress(session, load, from);
	}
}

/* What both ends have used up to now. */
static void sample_cpu(struct session *session, uint64_t *client, uint64_t *server, bool *known)
{
	struct status status = {.cpu = 0};

	*known = session->result->ours && status_ask(&session->status, &status) == 0;
	*server = status.cpu;
	*client = cpu_now();
}

static void measure(struct session *session, struct load *load, struct bench_numbers *out)
{
	const struct bench_params *params = &session->result->params;
	uint64_t from = bench_now() + params->warmup;
	uint64_t end = from + params->duration / params->rounds;
	uint64_t client[2];
	uint64_t server[2];
	bool known[2];

	load_start(load, from, end);
	wait_until(session, load, from, from);
	sample_cpu(session, &client[0], &server[0], &known[0]);
	wait_until(session, load, from, end);
	sample_cpu(session, &client[1], &server[1], &known[1]);
	load_finish(load, &out->load);
	out->time = end - from;
	out->client_cpu = client[1] - client[0];
	out->server_known = known[0] && known[1] && server[1] >= server[0];
	out->server_cpu = out->server_known ? server[1] - server[0] : 0;
}

static enum bench_transport other_than(enum bench_transport transport)
{
	return transport == BENCH_SMC ? BENCH_TCP : BENCH_SMC;
}

/* Takes the side out when sockets are not what they are meant to be. */
static bool as_meant(struct bench_side *side, enum bench_transport transport, const uint64_t sockets[BENCH_TRANSPORTS])
{
	if (!sockets[other_than(transport)])
		return true;
	side->otherwise = sockets[other_than(transport)];
	side->meant = sockets[BENCH_TCP] + sockets[BENCH_SMC];
	side->outcome = transport == BENCH_SMC ? BENCH_FELL_BACK : BENCH_CONVERTED;
	return false;
}

/* The connections are there, and nobody uses them yet. */
static void judge_connections(struct load *load, enum bench_transport transport, struct bench_side *side)
{
	uint64_t sockets[BENCH_TRANSPORTS] = {load_count(load, BENCH_TCP), load_count(load, BENCH_SMC)};
	int fd = as_meant(side, transport, sockets) ? load_find(load, transport) : -1;

	if (!sockets[BENCH_TCP] && !sockets[BENCH_SMC])
		side->outcome = BENCH_NOT_CONNECTED;
	if (fd >= 0 && outcome_find(fd, &side->sample) < 0)
		side->sample.result = HANDSHAKE_NONE;
}

static int run_slice(struct session *session, enum bench_transport transport)
{
	struct bench_result *result = session->result;
	struct bench_slice *slice = &result->slice[result->slices];
	struct bench_side *side = &result->side[transport];
	struct load *load;
	int r = load_new(&session->plan[transport], &load);

	if (r < 0)
		return r;
	load_established(load);
	side->outcome = BENCH_MEASURED;
	judge_connections(load, transport, side);
	slice->transport = transport;
	if (side->outcome == BENCH_MEASURED) {
		measure(session, load, &slice->numbers);
		bench_numbers_add(&side->numbers, &slice->numbers);
		/* Connections that were made since then. */
		if (as_meant(side, transport, slice->numbers.load.sockets))
			result->slices++;
		else
			side->sample = slice->numbers.load.otherwise;
	} else {
		load_start(load, 0, 0);
		load_finish(load, &side->numbers.load);
		side->sample = side->numbers.load.otherwise;
		side->error = side->numbers.load.connect_error;
	}
	load_free(load);
	return 0;
}

/* A side that could not be measured to the end has no numbers, and the other one has no ratios. */
static void drop_unmeasured(struct bench_result *result)
{
	size_t kept = 0;

	for (size_t i = 0; i < BENCH_TRANSPORTS; i++)
		if (result->side[i].outcome == BENCH_MEASURED && !result->side[i].numbers.load.completed)
			result->side[i].outcome = BENCH_NO_ANSWER;
	for (size_t i = 0; i < result->slices; i++)
		if (result->side[result->slice[i].transport].outcome == BENCH_MEASURED)
			result->slice[kept++] = result->slice[i];
	result->slices = kept;
}

static bool asked(const struct bench_side *side)
{
	return side->outcome == BENCH_NOT_ASKED || side->outcome == BENCH_MEASURED;
}

static int run_rounds(struct session *session)
{
	const struct bench_params *params = &session->result->params;
	int fd;

	if (params->transport[BENCH_SMC]) {
		fd = bench_socket(BENCH_SMC, session->status.to.ss_family);
		if (fd < 0) {
			session->result->side[BENCH_SMC].outcome = BENCH_NO_SMC;
			session->result->side[BENCH_SMC].error = fd;
		} else {
			close(fd);
		}
	}
	for (session->round = 0; session->round < params->rounds; session->round++) {
		for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++) {
			int r = 0;

			if (params->transport[i] && asked(&session->result->side[i]))
				r = run_slice(session, i);
			if (r < 0)
				return r;
		}
	}
	drop_unmeasured(session->result);
	return 0;
}

enum ctl_exit session_run(struct ctl *ctl, FILE *progress, struct bench_result *result)
{
	_cleanup_(targets_clear) struct targets targets = {.item = NULL};
	struct session session = {.ctl = ctl, .progress = progress, .result = result};
	_cleanup_free_ char *request = NULL;
	const char *why = "";
	enum ctl_exit code;
	int r = targets_resolve(&targets, result->params.host, result->params.port, &why);

	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "host", result->params.host, "%s", r == -ENOENT ? why : strerror(-r));
	raise_limit(RLIMIT_NOFILE);
	code = find_server(&session, &targets);
	if (code != CTL_OK)
		return code;
	result->slice = calloc((size_t)result->params.rounds * BENCH_TRANSPORTS, sizeof(*result->slice));
	r = result->slice ? session_request(&result->params, &session.plan[BENCH_TCP], &request) : -ENOMEM;
	if (r == 0) {
		session.plan[BENCH_SMC].request = session.plan[BENCH_TCP].request;
		session.plan[BENCH_SMC].preface = session.plan[BENCH_TCP].preface;
		session.plan[BENCH_SMC].size = session.plan[BENCH_TCP].size;
		session.plan[BENCH_SMC].payload = session.plan[BENCH_TCP].payload;
		r = run_rounds(&session);
	}
	if (progress)
		fputs("\r\033[K", progress);
	if (session.status.fd >= 0)
		close(session.status.fd);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "bench", result->address, "%s", strerror(-r));
	return CTL_OK;
}
