/* SPDX-License-Identifier: MIT */
/* Fuzz target over the readers of the kernel's lists of SMC, RDMA ports, queues and IPsec policies: any bytes as a dump. */
#include "config.h"

#include <linux/genetlink.h>
#include <rdma/rdma_netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/host/counters.h"
#include "ctl/smc/devices.h"
#include "ctl/smc/diag.h"
#include "ctl/smc/eid.h"
#include "ctl/smc/linkgroups.h"
#include "ctl/smc/rdma.h"
#include "ctl/smc/serve.h"
#include "ctl/smc/statistics.h"
#include "ctl/smc/system.h"
#include "ctl/smc/xfrm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct all {
	struct smc_devices devices;
	struct smc_linkgroups groups;
	struct statistics statistics;
	struct smc_system system;
	struct pnet_table pnet;
	struct eid_table eids;
	struct rdma_ports ports;
	struct qstats queues;
};

/* What the readers accept may be used. */
static void use(const struct all *all)
{
	static const struct statistics nothing;
	struct statistics *delta = calloc(1, sizeof(*delta));
	const struct rdma_port rdma = {.netdev = "lo"};
	struct serve serve;

	if (!delta)
		abort();
	statistics_delta(&all->statistics, &nothing, delta);
	for (size_t i = 0; i < all->devices.count; i++)
		for (size_t p = 0; p < SMC_MAX_PORTS; p++) {
			serve_smcr(&all->system, &all->pnet, &all->devices.item[i].port[p], &rdma, &serve);
			serve_smcd(&all->system, &all->pnet, &all->devices.item[i].port[p], false, &serve);
		}
	for (size_t i = 0; i < all->groups.count; i++) {
		const struct smc_linkgroup *group = &all->groups.item[i];

		if (group->links > SMC_MAX_LINKS || strlen(group->eid) >= sizeof(group->eid))
			abort();
		(void)smc_role_text(group->role);
		(void)smc_group_type_text(group->type);
		(void)smc_buffer_type_text(group->buffer_type);
		(void)smc_os_text(group->peer_os);
	}
	(void)smc_linkgroups_find(&all->groups, &(struct diag_smc){.has_link = true});
	for (size_t i = 0; i < all->pnet.count; i++)
		if (!pnet_find(&all->pnet, &all->pnet.entries[i]))
			abort();
	for (size_t i = 0; i < all->eids.count; i++)
		if (!eid_has(&all->eids, all->eids.user[i]))
			abort();
	for (size_t i = 0; i < all->ports.count; i++)
		if (!all->ports.item[i].device[0] || strchr(all->ports.item[i].device, '/'))
			abort();
	for (size_t i = 0; i < all->queues.count; i++)
		if (all->queues.queues[i].queue >= 4096)
			abort();
	free(delta);
}

static void read_all_kinds(struct nlattr *const *attrs, struct all *all)
{
	(void)!smc_devices_add(attrs, &all->devices);
	(void)!smc_linkgroups_add(attrs, &all->groups);
	(void)!statistics_add(attrs, &all->statistics);
	(void)!statistics_add_fallback(attrs, &all->statistics);
	(void)!smc_system_info(attrs, &all->system);
	(void)!smc_system_ueid(attrs, &all->system);
	(void)!smc_system_seid(attrs, &all->system);
	(void)!pnet_table_add(attrs, &all->pnet);
	(void)!eid_table_add(attrs, &all->eids);
	(void)!eid_table_set_system(attrs, &all->eids);
	(void)!counters_qstats_add(attrs, &all->queues);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* libnl takes messages at aligned addresses, as the kernel gives them; on the heap a read beyond is seen. */
	uint8_t *copy = malloc(size ? size : 1);
	struct all *all = calloc(1, sizeof(*all));
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)copy;
	int left = (int)size;

	if (!copy || !all)
		abort();
	memcpy(copy, data, size);
	all->queues.interface = 3;
	while (nlmsg_ok(header, left)) {
		struct nlattr *attrs[GENL_MAX_ATTR + 1], *rdma[RDMA_NLDEV_ATTR_MAX];

		if (nlmsg_parse(header, GENL_HDRLEN, attrs, GENL_MAX_ATTR, NULL) == 0)
			read_all_kinds(attrs, all);
		if (nlmsg_parse(header, 0, rdma, RDMA_NLDEV_ATTR_MAX - 1, NULL) == 0)
			(void)!rdma_ports_add(rdma, &all->ports);
		(void)xfrm_policies_in(header);
		header = nlmsg_next(header, &left);
	}
	use(all);
	smc_devices_clear(&all->devices);
	smc_linkgroups_clear(&all->groups);
	pnet_table_clear(&all->pnet);
	rdma_ports_clear(&all->ports);
	free(all->queues.queues);
	free(all);
	free(copy);
	return 0;
}
