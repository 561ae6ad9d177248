/* SPDX-License-Identifier: MIT */
/* Finds out whether the kernel has loopback-ism. */
#include "config.h"

#include "ctl/smc/loopback.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* 1: CONFIG_SMC_LO is set, 0: not, -1: there is no such file. */
static int configured(void)
{
	_cleanup_fclose_ FILE *file = NULL;
	struct utsname name;
	char path[sizeof(name.release) + 20];
	char line[256];

	if (uname(&name) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/boot/config-%s", name.release);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (strcmp(line, "CONFIG_SMC_LO=y\n") == 0)
			return 1;
	return 0;
}

const char *loopback_evidence(const struct smc_system *system, const struct smc_devices *devices,
	const struct smc_linkgroups *groups, bool *unknown)
{
	int config;

	*unknown = false;
	for (size_t i = 0; i < groups->count; i++)
		if (groups->item[i].smcd && groups->item[i].chid == SMC_LOOPBACK_CHID)
			return "a link group with its channel 0xffff";
	if (!system->smcd_v2)
		return NULL;
	if (!devices->isms)
		return "SMC-D of version 2 without an ISM device";
	config = configured();
	*unknown = config < 0;
	return config > 0 ? "CONFIG_SMC_LO in /boot" : NULL;
}
