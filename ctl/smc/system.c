/* SPDX-License-Identifier: MIT */
/* Reads SYS_INFO and the EIDs from the kernel. */
#include "config.h"

#include "ctl/smc/system.h"

#include <errno.h>
#include <string.h>

void smc_padded_text(const struct nlattr *attr, char *out, size_t size)
{
	size_t length;

	genl_copy_text(attr, out, size);
	length = strlen(out);
	while (length && out[length - 1] == ' ')
		out[--length] = '\0';
}

int smc_system_info(struct nlattr *const *attrs, void *arg)
{
	struct smc_system *system = arg;
	struct nlattr *info[SMC_NLA_SYS_MAX + 1];
	int r = genl_nested(attrs[SMC_GEN_SYS_INFO], SMC_NLA_SYS_MAX, info);

	if (r < 0)
		return r;
	system->version = (unsigned)genl_number(info[SMC_NLA_SYS_VER], 0);
	system->release = (unsigned)genl_number(info[SMC_NLA_SYS_REL], 0);
	system->smcd_v2 = genl_number(info[SMC_NLA_SYS_IS_ISM_V2], 0) != 0;
	system->smcr_v2 = genl_number(info[SMC_NLA_SYS_IS_SMCR_V2], 0) != 0;
	smc_padded_text(info[SMC_NLA_SYS_LOCAL_HOST], system->host, sizeof(system->host));
	smc_padded_text(info[SMC_NLA_SYS_SEID], system->seid, sizeof(system->seid));
	return 0;
}

int smc_system_ueid(struct nlattr *const *attrs, void *arg)
{
	struct smc_system *system = arg;

	system->ueids += attrs[SMC_NLA_EID_TABLE_ENTRY] != NULL;
	return 0;
}

int smc_system_seid(struct nlattr *const *attrs, void *arg)
{
	struct smc_system *system = arg;

	system->seid_enabled = genl_number(attrs[SMC_NLA_SEID_ENABLED], 0) != 0;
	return 0;
}

static void restart_info(void *arg)
{
	*(struct smc_system *)arg = (struct smc_system){.ueids = 0};
}

static void restart_ueids(void *arg)
{
	((struct smc_system *)arg)->ueids = 0;
}

static void restart_seid(void *arg)
{
	((struct smc_system *)arg)->seid_enabled = false;
}

int smc_system_get(struct genl *genl, struct smc_system *out)
{
	int r = genl_dump(genl, SMC_NETLINK_GET_SYS_INFO, restart_info, smc_system_info, out);

	if (r == 0)
		r = genl_dump(genl, SMC_NETLINK_DUMP_UEID, restart_ueids, smc_system_ueid, out);
	if (r == 0)
		r = genl_dump(genl, SMC_NETLINK_DUMP_SEID, restart_seid, smc_system_seid, out);
	return r == -EOPNOTSUPP ? 0 : r;
}
