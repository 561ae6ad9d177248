/* SPDX-License-Identifier: MIT */
/* smcctl doctor: whether this host is ready for SMC, and if not, what to do. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/doctor/doctor.h"
#include "ctl/doctor/peer.h"
#include "ctl/smc/netns.h"

enum { DOCTOR_PEER, DOCTOR_LISTEN, DOCTOR_POLICY, DOCTOR_NETNS, DOCTOR_JSON };

const struct ctl_option cmd_doctor_options[] = {
	[DOCTOR_PEER] = {"peer", 0, "HOST[:PORT]", "connect to that host too, and compare what both offer"},
	[DOCTOR_LISTEN] = {"listen", 0, "[PORT]", "be the other end of --peer, on that port or 25443, until stopped"},
	[DOCTOR_POLICY] = CTL_OPTION_POLICY,
	[DOCTOR_NETNS] = CTL_OPTION_NETNS,
	[DOCTOR_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

static void cleanup_doctor(struct doctor *doctor)
{
	findings_clear(&doctor->findings);
	genl_close(doctor->genl);
	inventory_clear(&doctor->smc);
	paths_clear(&doctor->paths);
	policy_store_close(doctor->store);
	free(doctor->info);
}

/* The kernel's SMC, if it can be asked. */
static void connect_kernel(struct doctor *doctor)
{
	int r = genl_open(GENL_SMC, &doctor->genl);

	if (r < 0 && r != -EPROTONOSUPPORT)
		finding_add(&doctor->findings, FINDING_UNKNOWN, "kernel", NULL, "generic netlink: %s", strerror(-r));
	else if (r < 0 && doctor->probe.kernel)
		finding_add(&doctor->findings, FINDING_NOTE, "kernel", "kernels from 5.11 on can",
			"this kernel cannot be asked about devices, EIDs and link groups");
}

static void look(struct doctor *doctor, const struct ctl_args *args)
{
	doctor_kernel(doctor);
	doctor_module(doctor);
	connect_kernel(doctor);
	doctor_diagnosis(doctor);
	doctor_devices(doctor);
	doctor_network(doctor);
	doctor_ipsec(doctor);
	doctor_policy(doctor, args->option[DOCTOR_POLICY]);
	doctor_limits(doctor);
	doctor_library(doctor);
	doctor_processes(doctor);
}

static enum ctl_exit parse_listen(struct ctl *ctl, const struct ctl_args *args, uint16_t *port)
{
	const char *text = args->option[DOCTOR_LISTEN];
	uint64_t number = PEER_PORT;

	*port = 0;
	if (!text)
		return CTL_OK;
	if (*text && text_to_uint(text, 1, UINT16_MAX, &number) < 0)
		return ctl_error(ctl, CTL_USAGE, "port", text, "not a number from 1 to 65535");
	if (args->option[DOCTOR_PEER] || args->option[DOCTOR_JSON])
		return ctl_error(ctl, CTL_USAGE, "option", "--listen", "not with --peer or --json");
	*port = (uint16_t)number;
	return CTL_OK;
}

static enum ctl_exit report(struct ctl *ctl, const struct ctl_args *args, struct doctor *doctor)
{
	enum ctl_exit code = CTL_OK;
	int r;

	if (args->option[DOCTOR_PEER])
		code = peer_check(ctl, &doctor->findings, args->option[DOCTOR_PEER], &doctor->offer);
	if (code != CTL_OK)
		return code;
	r = findings_print(&doctor->findings, ctl->out, args->option[DOCTOR_JSON] != NULL);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "doctor", NULL, "%s", strerror(-r));
	return findings_ready(&doctor->findings) ? CTL_OK : CTL_DIFFERENCE;
}

enum ctl_exit cmd_doctor(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(cleanup_doctor) struct doctor doctor = {.entered = args->option[DOCTOR_NETNS] != NULL};
	uint16_t port;
	enum ctl_exit code = parse_listen(ctl, args, &port);

	if (code == CTL_OK)
		code = netns_enter(ctl, args->option[DOCTOR_NETNS]);
	if (code != CTL_OK)
		return code;
	offer_begin(&doctor.offer);
	look(&doctor, args);
	return port ? peer_listen(ctl, port, &doctor.offer) : report(ctl, args, &doctor);
}
