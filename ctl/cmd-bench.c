/* SPDX-License-Identifier: MIT */
/* smcctl bench, bench run and bench self: TCP and SMC to one server, side by side. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/bench/server.h"
#include "ctl/bench/session.h"
#include "ctl/bench/show.h"
#include "ctl/commands.h"
#include "ctl/smc/netns.h"

const struct ctl_option cmd_bench_options[] = {
	[BENCH_OPTION_WORKLOAD] = {"workload", 0, "WORD", "http, echo, connect (one for each request) or bulk [http]"},
	[BENCH_OPTION_CONNECTIONS] = {"connections", 'c', "N", "connections at the same time [64]"},
	[BENCH_OPTION_PAYLOAD] = {"payload", 0, "BYTES", "of each request [128; bulk: 1048576]"},
	[BENCH_OPTION_DURATION] = {"duration", 'd', "SECONDS", "how long each transport is measured in all [30]"},
	[BENCH_OPTION_QPS] = {"qps", 0, "N", "requests per second, whatever the answers take [as fast as they go]"},
	[BENCH_OPTION_THREADS] = {"threads", 't', "N", "threads of the client [half the processors, at most 4]"},
	[BENCH_OPTION_WARMUP] = {"warmup", 0, "SECONDS", "before each measurement [1]"},
	[BENCH_OPTION_ROUNDS] = {"rounds", 0, "N", "turns of each transport [5]"},
	[BENCH_OPTION_TRANSPORT] = {"transport", 0, "tcp|smc", "measure that one only"},
	[BENCH_OPTION_GET] = {"get", 0, "PATH", "GET that, instead of the echo of a POST"},
	[BENCH_OPTION_TIMEOUT] = {"timeout", 0, "SECONDS", "for a connection, and for an answer [10]"},
	[BENCH_OPTION_HTML] = {"html", 0, "FILE", "write a page with both histograms and percentile curves"},
	[BENCH_OPTION_JSON] = CTL_OPTION_JSON,
	[BENCH_OPTION_NETNS] = CTL_OPTION_NETNS,
	{NULL, 0, NULL, NULL},
};

static void free_result(struct bench_result **result)
{
	if (!*result)
		return;
	bench_result_clear(*result);
	free(*result);
}

/* What a script wants to know: was everything measured that was asked for. */
static enum ctl_exit exit_of(const struct bench_result *result)
{
	enum ctl_exit code = CTL_OK;

	for (enum bench_transport i = 0; i < BENCH_TRANSPORTS; i++) {
		switch (result->side[i].outcome) {
		case BENCH_NOT_ASKED:
		case BENCH_MEASURED:
			break;
		case BENCH_NOT_CONNECTED:
		case BENCH_NO_ANSWER:
			return CTL_FAILED;
		case BENCH_NO_SMC:
		case BENCH_CONVERTED:
			code = CTL_CANNOT;
			break;
		case BENCH_FELL_BACK:
			code = CTL_DIFFERENCE;
			break;
		}
	}
	return code;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args, struct bench_result *result)
{
	const char *html = args->option[BENCH_OPTION_HTML];
	enum ctl_exit code = session_run(ctl, isatty(fileno(ctl->err)) ? ctl->err : NULL, result);
	int r;

	if (code != CTL_OK)
		return code;
	r = bench_show(ctl->out, args->option[BENCH_OPTION_JSON] != NULL, result);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "bench", NULL, "%s", strerror(-r));
	if (html) {
		r = bench_page(html, result);
		if (r < 0)
			return ctl_error(ctl, ctl_exit_of(r), "page", html, "%s", strerror(-r));
	}
	return exit_of(result);
}

static enum ctl_exit begin(struct ctl *ctl, const struct ctl_args *args, struct bench_result **out)
{
	enum ctl_exit code;

	*out = calloc(1, sizeof(**out));
	if (!*out)
		return ctl_error(ctl, CTL_FAILED, "bench", NULL, "%s", strerror(ENOMEM));
	code = bench_params_parse(ctl, args, &(*out)->params);
	return code;
}

enum ctl_exit cmd_bench(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(free_result) struct bench_result *result = NULL;
	enum ctl_exit code = begin(ctl, args, &result);

	if (code != CTL_OK)
		return code;
	if (target_split(args->operand[0], result->params.host, &result->params.port) < 0)
		return ctl_error(ctl, CTL_USAGE, "destination", args->operand[0],
			"not HOST:PORT, ADDRESS:PORT or [IPV6]:PORT; try smcctl bench --help");
	code = netns_enter(ctl, args->option[BENCH_OPTION_NETNS]);
	return code == CTL_OK ? run(ctl, args, result) : code;
}

/* The other end, which dies with this process. Never returns. */
static _Noreturn void serve(struct server *server, pid_t parent)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent && server_run(server, 1) == 0)
		_exit(CTL_OK);
	_exit(CTL_FAILED);
}

enum ctl_exit cmd_bench_self(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(free_result) struct bench_result *result = NULL;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct server server = {.listener = -1, .tcp_listener = -1};
	enum ctl_exit code = begin(ctl, args, &result);
	pid_t parent = getpid();
	pid_t child;
	int r;

	if (code == CTL_OK)
		code = netns_enter(ctl, args->option[BENCH_OPTION_NETNS]);
	if (code != CTL_OK)
		return code;
	/* Both ports are open before there is a process to wait for. */
	r = server_open(&server, (const struct sockaddr *)&at, sizeof(at));
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "bench self", NULL, "no port on 127.0.0.1: %s", strerror(-r));
	(void)fflush(NULL);
	child = fork();
	if (child == 0)
		serve(&server, parent);
	r = child < 0 ? -errno : 0;
	server_close(&server);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "bench self", NULL, "%s", strerror(-r));
	(void)snprintf(result->params.host, sizeof(result->params.host), "127.0.0.1");
	result->params.port = server.port;
	code = run(ctl, args, result);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	return code;
}
