/* SPDX-License-Identifier: MIT */
/* smcctl sockets: every SMC socket, whose it is, what became of it, and why. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/again.h"
#include "ctl/commands.h"
#include "ctl/smc/netns-list.h"
#include "ctl/smc/netns.h"
#include "ctl/smc/reasons.h"
#include "ctl/smc/sockets-show.h"
#include "policy/cidr.h"

enum {
	SOCKETS_PID,
	SOCKETS_PROGRAM,
	SOCKETS_PORT,
	SOCKETS_CIDR,
	SOCKETS_MODE,
	SOCKETS_REASON,
	SOCKETS_SUMMARY,
	SOCKETS_WATCH,
	SOCKETS_NETNS,
	SOCKETS_ALL_NETNS,
	SOCKETS_JSON,
};

const struct ctl_option cmd_sockets_options[] = {
	[SOCKETS_PID] = {"pid", 0, "PID", "only those of that process"},
	[SOCKETS_PROGRAM] = {"program", 0, "NAME", "only those of programs of that name"},
	[SOCKETS_PORT] = {"port", 0, "PORT", "only with that local or peer port"},
	[SOCKETS_CIDR] = {"cidr", 0, "CIDR", "only with a local or peer address in there"},
	[SOCKETS_MODE] = {"mode", 0, "MODE", "only smc-r, smc-d, tcp (fell back) or none (not connected)"},
	[SOCKETS_REASON] = {"reason", 0, "CODE|NAME", "only those on TCP for that reason, ours or the peer's"},
	[SOCKETS_SUMMARY] = {"summary", 0, NULL, "count them by mode and reason"},
	[SOCKETS_WATCH] = {"watch", 0, "[SECONDS]", "again and again, every 2 or that many seconds"},
	[SOCKETS_NETNS] = CTL_OPTION_NETNS,
	[SOCKETS_ALL_NETNS] = {"all-netns", 0, NULL, "in all network namespaces that have a name or a process"},
	[SOCKETS_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

struct request {
	struct socket_filter filter;
	bool all_netns;
	bool summary;
	bool json;
};

static enum ctl_exit parse_cidr(struct ctl *ctl, const char *text, struct policy_cidr *out)
{
	char why[POLICY_CIDR_WHY];

	if (!policy_cidr_parse(text, out, why))
		return ctl_error(ctl, CTL_USAGE, "CIDR", text, "%s", why);
	return CTL_OK;
}

static enum ctl_exit parse_filter(struct ctl *ctl, const struct ctl_args *args, struct socket_filter *out)
{
	const char *const *option = args->option;
	uint64_t number;

	if (option[SOCKETS_PID]) {
		if (text_to_uint(option[SOCKETS_PID], 1, INT32_MAX, &number) < 0)
			return ctl_error(ctl, CTL_USAGE, "process", option[SOCKETS_PID], "not a process ID");
		out->pid = (pid_t)number;
	}
	if (option[SOCKETS_PORT]) {
		if (text_to_uint(option[SOCKETS_PORT], 1, 65535, &number) < 0)
			return ctl_error(ctl, CTL_USAGE, "port", option[SOCKETS_PORT], "not a number from 1 to 65535");
		out->port = (uint16_t)number;
	}
	out->program = option[SOCKETS_PROGRAM];
	out->has_mode = option[SOCKETS_MODE] != NULL;
	if (out->has_mode && socket_mode_parse(option[SOCKETS_MODE], &out->mode) < 0)
		return ctl_error(ctl, CTL_USAGE, "mode", option[SOCKETS_MODE], "not smc-r, smc-d, tcp or none");
	out->has_reason = option[SOCKETS_REASON] != NULL;
	if (out->has_reason && reason_parse(option[SOCKETS_REASON], &out->reason) < 0)
		return ctl_error(ctl, CTL_USAGE, "reason", option[SOCKETS_REASON],
			"not a reason's code in hex and not its name; smcctl-sockets(8) lists them");
	out->has_cidr = option[SOCKETS_CIDR] != NULL;
	return out->has_cidr ? parse_cidr(ctl, option[SOCKETS_CIDR], &out->cidr) : CTL_OK;
}

static enum ctl_exit complain(struct ctl *ctl, int error)
{
	if (error == -EPROTONOSUPPORT)
		return ctl_error(ctl, CTL_CANNOT, "sockets", NULL, "this kernel has no SMC");
	if (error == -ENOENT)
		return ctl_error(ctl, CTL_CANNOT, "sockets", NULL,
			"the kernel's module smc_diag is not there; try modprobe smc_diag");
	return ctl_error(ctl, ctl_exit_of(error), "sockets", NULL, "%s", strerror(-error));
}

static enum ctl_exit add_namespace(struct ctl *ctl, struct sockets *sockets)
{
	int r = sockets_add_namespace(sockets);

	return r < 0 ? complain(ctl, r) : CTL_OK;
}

static enum ctl_exit add_all_namespaces(struct ctl *ctl, struct sockets *sockets, struct netns_list *list)
{
	_cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	enum ctl_exit code = CTL_OK;
	int r = own < 0 ? -errno : netns_list_read(list);

	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "network namespaces", NULL, "%s", strerror(-r));
	for (size_t i = 0; i < list->count && code == CTL_OK; i++) {
		if (setns(list->item[i].fd, CLONE_NEWNET) < 0)
			return ctl_error(ctl, ctl_exit_of(-errno), "network namespace", list->item[i].name, "%s%s",
				strerror(errno), errno == EPERM ? "; run as root" : "");
		code = add_namespace(ctl, sockets);
	}
	if (setns(own, CLONE_NEWNET) < 0 && code == CTL_OK)
		return ctl_error(
			ctl, ctl_exit_of(-errno), "network namespace", "/proc/self/ns/net", "%s", strerror(errno));
	if (list->denied)
		ctl_warn(ctl, "the network namespaces of %zu processes could not be seen", list->denied);
	return code;
}

static void warn(struct ctl *ctl, const struct sockets *sockets)
{
	if (sockets->tcp_error)
		ctl_warn(ctl, "addresses of IPPROTO_SMC sockets are missing: TCP's diagnosis (tcp_diag): %s",
			strerror(-sockets->tcp_error));
	if (sockets->group_error)
		ctl_warn(ctl, "link groups are missing: %s", strerror(-sockets->group_error));
}

static enum ctl_exit look(struct ctl *ctl, const void *arg)
{
	const struct request *request = arg;
	_cleanup_(sockets_clear) struct sockets sockets = {.item = NULL};
	_cleanup_(netns_list_clear) struct netns_list list = {.item = NULL};
	const struct sockets_view view = {.sockets = &sockets,
		.filter = &request->filter,
		.namespaces = request->all_netns ? &list : NULL,
		.json = request->json};
	enum ctl_exit code =
		request->all_netns ? add_all_namespaces(ctl, &sockets, &list) : add_namespace(ctl, &sockets);
	int r;

	if (code != CTL_OK)
		return code;
	r = sockets_join(&sockets);
	if (r == 0 && !request->summary)
		r = sockets_find_supervised(&sockets);
	if (r == 0) {
		warn(ctl, &sockets);
		r = request->summary ? sockets_summarise(&view, ctl->out) : sockets_show(&view, ctl->out);
	}
	return r < 0 ? complain(ctl, r) : CTL_OK;
}

enum ctl_exit cmd_sockets(struct ctl *ctl, const struct ctl_args *args)
{
	struct request request = {.all_netns = args->option[SOCKETS_ALL_NETNS] != NULL,
		.summary = args->option[SOCKETS_SUMMARY] != NULL,
		.json = args->option[SOCKETS_JSON] != NULL};
	uint64_t seconds;
	enum ctl_exit code = parse_filter(ctl, args, &request.filter);

	if (code == CTL_OK)
		code = again_seconds(ctl, args->option[SOCKETS_WATCH], &seconds);
	if (code != CTL_OK)
		return code;
	if (request.all_netns && args->option[SOCKETS_NETNS])
		return ctl_error(ctl, CTL_USAGE, "option", "--all-netns", "cannot stand beside --netns");
	code = netns_enter(ctl, args->option[SOCKETS_NETNS]);
	return code == CTL_OK ? again_run(ctl, seconds, request.json, look, &request) : code;
}
