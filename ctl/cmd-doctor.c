/* SPDX-License-Identifier: MIT */
/* smcctl doctor: whether this host is ready for SMC, and if not, what to do. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/doctor/doctor.h"
#include "ctl/smc/netns.h"

enum { DOCTOR_POLICY, DOCTOR_NETNS, DOCTOR_JSON };

const struct ctl_option cmd_doctor_options[] = {
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

enum ctl_exit cmd_doctor(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_(cleanup_doctor) struct doctor doctor = {.entered = args->option[DOCTOR_NETNS] != NULL};
	enum ctl_exit code = netns_enter(ctl, args->option[DOCTOR_NETNS]);
	int r;

	if (code != CTL_OK)
		return code;
	doctor_kernel(&doctor);
	doctor_module(&doctor);
	connect_kernel(&doctor);
	doctor_diagnosis(&doctor);
	doctor_devices(&doctor);
	doctor_network(&doctor);
	doctor_ipsec(&doctor);
	doctor_policy(&doctor, args->option[DOCTOR_POLICY]);
	doctor_limits(&doctor);
	doctor_library(&doctor);
	doctor_processes(&doctor);
	r = findings_print(&doctor.findings, ctl->out, args->option[DOCTOR_JSON] != NULL);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "doctor", NULL, "%s", strerror(-r));
	return findings_ready(&doctor.findings) ? CTL_OK : CTL_DIFFERENCE;
}
