/* SPDX-License-Identifier: MIT */
/* smcctl check: is the path to a peer fit for SMC. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/apply.h"
#include "ctl/check/run.h"
#include "ctl/check/show.h"
#include "ctl/commands.h"
#include "ctl/smc/netns.h"

enum { CHECK_URL, CHECK_POLICY, CHECK_TIMEOUT, CHECK_NO_HANDSHAKE, CHECK_NETNS, CHECK_JSON };

const struct ctl_option cmd_check_options[] = {
	[CHECK_URL] = {"url", 0, "URL", "the host and port of that URL"},
	[CHECK_POLICY] = {"policy", 0, "FILE", "every single host that the connect rules of FILE name, with its ports"},
	[CHECK_TIMEOUT] = {"timeout", 0, "SECONDS", "time for the SYNs, and for the handshake [10]"},
	[CHECK_NO_HANDSHAKE] = {"no-handshake", 0, NULL, "send SYNs only: connect to nobody"},
	[CHECK_NETNS] = CTL_OPTION_NETNS,
	[CHECK_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

#define TIMEOUT_DEFAULT 10u
#define TIMEOUT_MAX 600u

static enum ctl_exit parse(
	struct ctl *ctl, const struct ctl_args *args, char host[static TARGET_HOST], uint16_t *port, uint64_t *seconds)
{
	const char *url = args->option[CHECK_URL];
	const char *timeout = args->option[CHECK_TIMEOUT];

	if ((args->operands != 0) + (url != NULL) + (args->option[CHECK_POLICY] != NULL) != 1)
		return ctl_error(ctl, CTL_USAGE, "check", NULL, "give one of HOST:PORT, --url and --policy");
	*seconds = TIMEOUT_DEFAULT;
	if (timeout && text_to_uint(timeout, 1, TIMEOUT_MAX, seconds) < 0)
		return ctl_error(ctl, CTL_USAGE, "time", timeout, "not a number of seconds from 1 to %u", TIMEOUT_MAX);
	if (args->operands && target_split(args->operand[0], host, port) < 0)
		return ctl_error(
			ctl, CTL_USAGE, "destination", args->operand[0], "not HOST:PORT, ADDRESS:PORT or [IPV6]:PORT");
	if (url && target_split_url(url, host, port) < 0)
		return ctl_error(ctl, CTL_USAGE, "URL", url,
			"not http://HOST, https://HOST or SCHEME://HOST:PORT; of other schemes the port must be named");
	return CTL_OK;
}

/* For a host, and then for a policy: what is to be looked at. */
static enum ctl_exit find_targets(struct ctl *ctl, const char *file, const char *host, uint16_t port,
	struct policy **policy, struct targets *targets)
{
	const char *why = "";
	uint64_t digest;
	enum ctl_exit code;
	int r;

	if (!file) {
		r = targets_resolve(targets, host, port, &why);
		if (r == -ENOENT)
			return ctl_error(ctl, CTL_FAILED, "host", host, "%s", why);
	} else {
		code = apply_load(ctl, file, policy, &digest);
		if (code != CTL_OK)
			return code;
		r = targets_add_policy(targets, *policy);
	}
	return r < 0 ? ctl_error(ctl, CTL_FAILED, "check", NULL, "%s", strerror(-r)) : CTL_OK;
}

/* What could not be done at all is an error in words; a result is printed all the same. */
static enum ctl_exit say_exit(struct ctl *ctl, const struct show *show)
{
	enum ctl_exit code = show_exit(show);

	if (code == CTL_NOT_PERMITTED)
		return ctl_error(ctl, code, "check", NULL, "raw sockets are not permitted (CAP_NET_RAW)%s; run as root",
			show->handshake ? ", nor is SMC" : ", and there is no handshake");
	if (code == CTL_CANNOT)
		return ctl_error(ctl, code, "check", NULL,
			"this host has no SMC, and raw sockets are not permitted (CAP_NET_RAW); run as root");
	return code;
}

enum ctl_exit cmd_check(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_(targets_clear) struct targets targets = {.item = NULL};
	struct run_options options = {.handshake = !args->option[CHECK_NO_HANDSHAKE]};
	struct show show = {
		.targets = &targets, .handshake = options.handshake, .json = args->option[CHECK_JSON] != NULL};
	char host[TARGET_HOST];
	uint16_t port = 0;
	uint64_t seconds = 0;
	enum ctl_exit code = parse(ctl, args, host, &port, &seconds);
	int r;

	if (code == CTL_OK)
		code = netns_enter(ctl, args->option[CHECK_NETNS]);
	if (code == CTL_OK)
		code = find_targets(ctl, args->option[CHECK_POLICY], host, port, &policy, &targets);
	if (code != CTL_OK)
		return code;
	options.limit = seconds * 1000000;
	options.progress = policy && isatty(fileno(ctl->err)) ? ctl->err : NULL;
	show.policy = policy;
	r = run_checks(&targets, &options);
	if (r == 0)
		r = show_checks(&show, ctl->out);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "check", NULL, "%s", strerror(-r));
	return say_exit(ctl, &show);
}
