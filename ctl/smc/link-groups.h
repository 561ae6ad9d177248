/* SPDX-License-Identifier: MIT */
/* Which link group and device a connection belongs to: the socket diagnosis alone does not say it in full. */
#ifndef SMCSHIM_CTL_SMC_LINK_GROUPS_H
#define SMCSHIM_CTL_SMC_LINK_GROUPS_H

#include "ctl/smc/diag.h"

/* One link of SMC-R, or one link group of SMC-D. */
struct link_group {
	uint32_t id;
	bool smcd;
	uint16_t chid; /* SMC-D */
	uint8_t role;  /* SMC-R, and the rest: of the link */
	uint8_t link_id;
	uint8_t port;
	char device[64];
	char gid[DIAG_SIDES][41];
};

struct link_group_list {
	struct link_group *item;
	size_t count;
	size_t room;
	uint32_t id; /* of the SMC-R link group whose links are coming */
	uint8_t role;
};

void link_groups_clear(struct link_group_list *list);

/* Fills the empty list from SMC_NETLINK_GET_LINK_SMCR and _LGR_SMCD. Returns 0 or -errno. */
_must_check_ int link_groups_read(struct link_group_list *list);

/* The group of that connection; NULL if it has none, or if two are alike. */
const struct link_group *link_groups_find(const struct link_group_list *list, const struct diag_smc *connection);

#endif
