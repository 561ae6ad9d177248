/* SPDX-License-Identifier: MIT */
/* Matches connections with the kernel's link groups. */
#include "config.h"

#include "ctl/smc/link-groups.h"

#include <errno.h>
#include <linux/smc.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/smc/genl.h"

void link_groups_clear(struct link_group_list *list)
{
	free(list->item);
	*list = (struct link_group_list){.item = NULL};
}

static void restart(void *arg)
{
	struct link_group_list *list = arg;

	list->count = 0;
}

static int add(struct link_group_list *list, const struct link_group *group)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		struct link_group *larger = realloc(list->item, room * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		list->item = larger;
		list->room = room;
	}
	list->item[list->count++] = *group;
	return 0;
}

/* A link group comes first, then its links, one an answer. */
static int take_link(struct nlattr *const *attrs, void *arg)
{
	struct link_group_list *list = arg;
	struct link_group link = {.smcd = false, .id = list->id, .role = list->role};
	struct nlattr *nested[SMC_NLA_LGR_R_MAX + SMC_NLA_LINK_MAX + 1];

	if (attrs[SMC_GEN_LGR_SMCR]) {
		if (genl_nested(attrs[SMC_GEN_LGR_SMCR], SMC_NLA_LGR_R_MAX, nested) < 0)
			return -EBADMSG;
		list->id = (uint32_t)genl_number(nested[SMC_NLA_LGR_R_ID], 0);
		list->role = (uint8_t)genl_number(nested[SMC_NLA_LGR_R_ROLE], 0xff);
	}
	if (!attrs[SMC_GEN_LINK_SMCR])
		return 0;
	if (genl_nested(attrs[SMC_GEN_LINK_SMCR], SMC_NLA_LINK_MAX, nested) < 0)
		return -EBADMSG;
	link.link_id = (uint8_t)genl_number(nested[SMC_NLA_LINK_ID], 0);
	link.port = (uint8_t)genl_number(nested[SMC_NLA_LINK_IB_PORT], 0);
	genl_copy_text(nested[SMC_NLA_LINK_IB_DEV], link.device, sizeof(link.device));
	genl_copy_text(nested[SMC_NLA_LINK_GID], link.gid[DIAG_LOCAL], sizeof(link.gid[0]));
	genl_copy_text(nested[SMC_NLA_LINK_PEER_GID], link.gid[DIAG_PEER], sizeof(link.gid[0]));
	return add(list, &link);
}

static int take_smcd(struct nlattr *const *attrs, void *arg)
{
	struct link_group group = {.smcd = true};
	struct nlattr *nested[SMC_NLA_LGR_D_MAX + 1];

	if (!attrs[SMC_GEN_LGR_SMCD])
		return 0;
	if (genl_nested(attrs[SMC_GEN_LGR_SMCD], SMC_NLA_LGR_D_MAX, nested) < 0)
		return -EBADMSG;
	group.id = (uint32_t)genl_number(nested[SMC_NLA_LGR_D_ID], 0);
	group.chid = (uint16_t)genl_number(nested[SMC_NLA_LGR_D_CHID], 0);
	return add(arg, &group);
}

int link_groups_read(struct link_group_list *list)
{
	_cleanup_genl_ struct genl *genl = NULL;
	struct link_group_list smcd = {.item = NULL};
	int r = genl_open(GENL_SMC, &genl);

	if (r == 0)
		r = genl_dump(genl, SMC_NETLINK_GET_LINK_SMCR, restart, take_link, list);
	if (r == 0)
		r = genl_dump(genl, SMC_NETLINK_GET_LGR_SMCD, restart, take_smcd, &smcd);
	for (size_t i = 0; i < smcd.count && r == 0; i++)
		r = add(list, &smcd.item[i]);
	link_groups_clear(&smcd);
	return r;
}

static bool fits(const struct link_group *group, const struct diag_smc *connection)
{
	if (connection->has_dmb)
		return group->smcd && group->id == connection->link_group;
	return connection->has_link && !group->smcd && group->role == connection->link_role &&
		group->link_id == connection->link_id && group->port == connection->device_port &&
		strcmp(group->device, connection->device) == 0 &&
		strcmp(group->gid[DIAG_LOCAL], connection->gid[DIAG_LOCAL]) == 0 &&
		strcmp(group->gid[DIAG_PEER], connection->gid[DIAG_PEER]) == 0;
}

const struct link_group *link_groups_find(const struct link_group_list *list, const struct diag_smc *connection)
{
	const struct link_group *found = NULL;

	for (size_t i = 0; i < list->count; i++) {
		if (!fits(&list->item[i], connection))
			continue;
		if (found)
			return NULL;
		found = &list->item[i];
	}
	return found;
}
