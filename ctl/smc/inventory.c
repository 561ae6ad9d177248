/* SPDX-License-Identifier: MIT */
/* Gathers what bears on SMC's devices. */
#include "config.h"

#include "ctl/smc/inventory.h"

#include <stdio.h>
#include <unistd.h>

#include "ctl/smc/loopback.h"
#include "ctl/smc/sysfs.h"

void inventory_clear(struct inventory *inventory)
{
	smc_devices_clear(&inventory->devices);
	smc_linkgroups_clear(&inventory->groups);
	pnet_table_clear(&inventory->pnet);
	rdma_ports_clear(&inventory->ports);
}

static int get_rdma(bool entered, struct inventory *out)
{
	int sysfs = sysfs_open(entered);
	int r;

	if (sysfs < 0)
		return sysfs;
	r = rdma_ports_get(sysfs, &out->ports);
	if (r == 0 &&
		sysfs_read(sysfs, out->netns_mode, sizeof(out->netns_mode), "module/ib_core/parameters/netns_mode") < 0)
		out->netns_mode[0] = '\0';
	close(sysfs);
	return r;
}

int inventory_get(struct genl *genl, bool entered, struct inventory *out, const char **what)
{
	_cleanup_genl_ struct genl *table = NULL;
	int r;

	*out = (struct inventory){.loopback = NULL};
	*what = "devices";
	r = smc_system_get(genl, &out->system);
	if (r == 0)
		r = smc_devices_get(genl, &out->devices);
	if (r == 0)
		r = smc_linkgroups_smcd(genl, &out->groups);
	if (r < 0)
		return r;
	out->loopback = loopback_evidence(&out->system, &out->devices, &out->groups, &out->loopback_unknown);
	*what = "pnet table";
	r = genl_open(GENL_PNET, &table);
	if (r == 0)
		r = pnet_load(table, &out->pnet);
	if (r < 0)
		return r;
	*what = "RDMA devices";
	return get_rdma(entered, out);
}

/* The pnet table shows identifiers of devices in the initial network namespace only; a link group shows it everywhere. */
void inventory_loopback(const struct inventory *inventory, struct smc_device *out)
{
	const char *pnetid = pnet_device_id(&inventory->pnet, SMC_LOOPBACK_NAME);

	*out = (struct smc_device){.ism = true, .chid = SMC_LOOPBACK_CHID, .name = SMC_LOOPBACK_NAME};
	for (size_t i = 0; i < inventory->groups.count; i++) {
		if (inventory->groups.item[i].chid != SMC_LOOPBACK_CHID)
			continue;
		out->use++;
		pnetid = inventory->groups.item[i].pnetid;
	}
	out->critical = out->use > 0;
	out->port[0].pnetid_by_user = pnetid && *pnetid;
	(void)snprintf(out->port[0].pnetid, sizeof(out->port[0].pnetid), "%s", pnetid ? pnetid : "");
}
