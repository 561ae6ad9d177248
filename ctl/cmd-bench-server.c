/* SPDX-License-Identifier: MIT */
/* smcctl bench server: the other end of a benchmark. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/address.h"
#include "ctl/bench/server.h"
#include "ctl/commands.h"
#include "ctl/smc/netns.h"

enum { SERVER_LISTEN, SERVER_THREADS, SERVER_TCP, SERVER_NETNS };

const struct ctl_option cmd_bench_server_options[] = {
	[SERVER_LISTEN] = {"listen", 0, "ADDRESS:PORT", "where to listen; port 0: any [0.0.0.0:7411]"},
	[SERVER_THREADS] = {"threads", 't', "N", "threads [half the processors, at most 4]"},
	[SERVER_TCP] = {"tcp-only", 0, NULL, "offer no SMC"},
	[SERVER_NETNS] = CTL_OPTION_NETNS,
	{NULL, 0, NULL, NULL},
};

#define DEFAULT_LISTEN "0.0.0.0:7411"

/* "0.0.0.0:0": a port of the kernel's choice, which address_parse() has no use for. */
static int parse_listen(const char *text, struct address *out)
{
	size_t length = strlen(text);
	char copy[80];

	if (length < 3 || length >= sizeof(copy) || strcmp(text + length - 2, ":0") != 0)
		return address_parse(text, out) < 0 || !out->has_port ? -EINVAL : 0;
	memcpy(copy, text, length + 1);
	copy[length - 1] = '1';
	if (address_parse(copy, out) < 0 || !out->has_port)
		return -EINVAL;
	if (out->socket.any.sa_family == AF_INET6)
		out->socket.v6.sin6_port = 0;
	else
		out->socket.v4.sin_port = 0;
	return 0;
}

enum ctl_exit cmd_bench_server(struct ctl *ctl, const struct ctl_args *args)
{
	const char *listen = args->option[SERVER_LISTEN] ? args->option[SERVER_LISTEN] : DEFAULT_LISTEN;
	struct server server = {.listener = -1, .tcp_listener = -1};
	struct address at;
	uint32_t threads = 0;
	enum ctl_exit code;
	int r;

	if (parse_listen(listen, &at) < 0)
		return ctl_error(ctl, CTL_USAGE, "address", listen, "not ADDRESS:PORT or [IPV6]:PORT");
	code = bench_threads(ctl, args->option[SERVER_THREADS], &threads);
	if (code == CTL_OK)
		code = netns_enter(ctl, args->option[SERVER_NETNS]);
	if (code != CTL_OK)
		return code;
	if (args->option[SERVER_TCP])
		server.no_smc = -EOPNOTSUPP;
	r = server_open(&server, &at.socket.any, at.length);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "listen on", listen, "%s", strerror(-r));
	if (server.no_smc && !args->option[SERVER_TCP])
		ctl_warn(ctl,
			"every connection will be TCP: this host has no SMC: %s; smcctl doctor says what is missing",
			strerror(-server.no_smc));
	fprintf(ctl->out, "listening on port %u", server.port);
	if (server.tcp_port)
		fprintf(ctl->out, ", for SMC and TCP; for TCP alone on port %u", server.tcp_port);
	fputc('\n', ctl->out);
	r = fflush(ctl->out) == 0 ? server_run(&server, threads) : 0;
	server_close(&server);
	return r < 0 ? ctl_error(ctl, CTL_FAILED, "bench server", NULL, "%s", strerror(-r)) : CTL_OK;
}
