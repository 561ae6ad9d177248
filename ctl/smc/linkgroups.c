/* SPDX-License-Identifier: MIT */
/* Reads the link groups and links from the kernel. */
#include "config.h"

#include "ctl/smc/linkgroups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/smc/diag.h"
#include "ctl/smc/system.h"

void smc_linkgroups_clear(struct smc_linkgroups *groups)
{
	free(groups->item);
	*groups = (struct smc_linkgroups){.item = NULL};
}

static int parse_common(struct nlattr *nest, struct smc_linkgroup *group)
{
	struct nlattr *attrs[SMC_NLA_LGR_V2_MAX + 1];
	int r = genl_nested(nest, SMC_NLA_LGR_V2_MAX, attrs);

	if (r < 0)
		return r;
	/* The kernel says it of version 2 only. */
	group->version = (unsigned)genl_number(attrs[SMC_NLA_LGR_V2_VER], nest ? 2 : 1);
	group->release = (unsigned)genl_number(attrs[SMC_NLA_LGR_V2_REL], 0);
	group->peer_os = (unsigned)genl_number(attrs[SMC_NLA_LGR_V2_OS], 0);
	smc_padded_text(attrs[SMC_NLA_LGR_V2_PEER_HOST], group->peer_host, sizeof(group->peer_host));
	smc_padded_text(attrs[SMC_NLA_LGR_V2_NEG_EID], group->eid, sizeof(group->eid));
	return 0;
}

static int parse_smcr_v2(struct nlattr *nest, struct smc_linkgroup *group)
{
	struct nlattr *attrs[UAPI_LGR_R_V2_MAX_LINKS + 1];
	int r = genl_nested(nest, UAPI_LGR_R_V2_MAX_LINKS, attrs);

	if (r < 0)
		return r;
	group->direct = genl_number(attrs[SMC_NLA_LGR_R_V2_DIRECT], SMC_UNKNOWN);
	group->max_connections = genl_number(attrs[UAPI_LGR_R_V2_MAX_CONNS], SMC_UNKNOWN);
	group->max_links = genl_number(attrs[UAPI_LGR_R_V2_MAX_LINKS], SMC_UNKNOWN);
	return 0;
}

static int parse_smcr(struct nlattr *nest, struct smc_linkgroup *group)
{
	struct nlattr *attrs[UAPI_LGR_R_RMB_ALLOC + 1];
	int r = genl_nested(nest, UAPI_LGR_R_RMB_ALLOC, attrs);

	if (r == 0)
		r = parse_common(attrs[SMC_NLA_LGR_R_V2_COMMON], group);
	if (r == 0)
		r = parse_smcr_v2(attrs[SMC_NLA_LGR_R_V2], group);
	if (r < 0)
		return r;
	group->id = (uint32_t)genl_number(attrs[SMC_NLA_LGR_R_ID], 0);
	group->connections = (uint32_t)genl_number(attrs[SMC_NLA_LGR_R_CONNS_NUM], 0);
	group->vlan = (uint8_t)genl_number(attrs[SMC_NLA_LGR_R_VLAN_ID], 0);
	group->role = genl_number(attrs[SMC_NLA_LGR_R_ROLE], SMC_UNKNOWN);
	group->type = genl_number(attrs[SMC_NLA_LGR_R_TYPE], SMC_UNKNOWN);
	group->buffer_type = genl_number(attrs[SMC_NLA_LGR_R_BUF_TYPE], SMC_UNKNOWN);
	group->netns_cookie = genl_number(attrs[SMC_NLA_LGR_R_NET_COOKIE], SMC_UNKNOWN);
	group->send_buffers = genl_number(attrs[UAPI_LGR_R_SNDBUF_ALLOC], SMC_UNKNOWN);
	group->receive_buffers = genl_number(attrs[UAPI_LGR_R_RMB_ALLOC], SMC_UNKNOWN);
	genl_copy_text(attrs[SMC_NLA_LGR_R_PNETID], group->pnetid, sizeof(group->pnetid));
	return 0;
}

static int parse_smcd(struct nlattr *nest, struct smc_linkgroup *group)
{
	struct nlattr *attrs[UAPI_LGR_D_DMB_ALLOC + 1];
	int r = genl_nested(nest, UAPI_LGR_D_DMB_ALLOC, attrs);

	if (r == 0)
		r = parse_common(attrs[SMC_NLA_LGR_D_V2_COMMON], group);
	if (r < 0)
		return r;
	group->id = (uint32_t)genl_number(attrs[SMC_NLA_LGR_D_ID], 0);
	group->connections = (uint32_t)genl_number(attrs[SMC_NLA_LGR_D_CONNS_NUM], 0);
	group->vlan = (uint8_t)genl_number(attrs[SMC_NLA_LGR_D_VLAN_ID], 0);
	group->chid = (uint32_t)genl_number(attrs[SMC_NLA_LGR_D_CHID], 0);
	group->gid[0] = genl_number(attrs[SMC_NLA_LGR_D_GID], 0);
	group->gid[1] = genl_number(attrs[UAPI_LGR_D_EXT_GID], 0);
	group->peer_gid[0] = genl_number(attrs[SMC_NLA_LGR_D_PEER_GID], 0);
	group->peer_gid[1] = genl_number(attrs[UAPI_LGR_D_PEER_EXT_GID], 0);
	group->send_buffers = genl_number(attrs[UAPI_LGR_D_SNDBUF_ALLOC], SMC_UNKNOWN);
	group->receive_buffers = genl_number(attrs[UAPI_LGR_D_DMB_ALLOC], SMC_UNKNOWN);
	genl_copy_text(attrs[SMC_NLA_LGR_D_PNETID], group->pnetid, sizeof(group->pnetid));
	return 0;
}

static int add_link(struct nlattr *nest, struct smc_linkgroups *groups)
{
	struct nlattr *attrs[SMC_NLA_LINK_MAX + 1];
	struct smc_linkgroup *group;
	struct smc_link *link;
	int r = genl_nested(nest, SMC_NLA_LINK_MAX, attrs);

	if (r < 0)
		return r;
	/* The kernel gives a group, then its links. */
	if (!groups->count || groups->item[groups->count - 1].links == SMC_MAX_LINKS)
		return -EBADMSG;
	group = &groups->item[groups->count - 1];
	link = &group->link[group->links++];
	link->id = (uint8_t)genl_number(attrs[SMC_NLA_LINK_ID], 0);
	link->port = (uint8_t)genl_number(attrs[SMC_NLA_LINK_IB_PORT], 0);
	link->state = (uint32_t)genl_number(attrs[SMC_NLA_LINK_STATE], UINT32_MAX);
	link->connections = (uint32_t)genl_number(attrs[SMC_NLA_LINK_CONN_CNT], 0);
	link->ifindex = (uint32_t)genl_number(attrs[SMC_NLA_LINK_NET_DEV], 0);
	link->uid = (uint32_t)genl_number(attrs[SMC_NLA_LINK_UID], 0);
	link->peer_uid = (uint32_t)genl_number(attrs[SMC_NLA_LINK_PEER_UID], 0);
	genl_copy_text(attrs[SMC_NLA_LINK_IB_DEV], link->device, sizeof(link->device));
	genl_copy_text(attrs[SMC_NLA_LINK_GID], link->gid, sizeof(link->gid));
	genl_copy_text(attrs[SMC_NLA_LINK_PEER_GID], link->peer_gid, sizeof(link->peer_gid));
	return 0;
}

int smc_linkgroups_add(struct nlattr *const *attrs, void *arg)
{
	struct smc_linkgroups *groups = arg;
	struct smc_linkgroup group = {.smcd = attrs[SMC_GEN_LGR_SMCD] != NULL};
	struct smc_linkgroup *items;
	int r;

	if (attrs[SMC_GEN_LINK_SMCR])
		return add_link(attrs[SMC_GEN_LINK_SMCR], groups);
	if (!attrs[SMC_GEN_LGR_SMCD] && !attrs[SMC_GEN_LGR_SMCR])
		return -EBADMSG;
	r = group.smcd ? parse_smcd(attrs[SMC_GEN_LGR_SMCD], &group) : parse_smcr(attrs[SMC_GEN_LGR_SMCR], &group);
	if (r < 0)
		return r;
	items = realloc(groups->item, (groups->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	groups->item = items;
	groups->item[groups->count++] = group;
	return 0;
}

/* An attempt at a dump before the one under way left what it found. */
struct dump {
	struct smc_linkgroups *groups;
	size_t before;
};

static void restart(void *arg)
{
	const struct dump *dump = arg;

	dump->groups->count = dump->before;
}

static int on_answer(struct nlattr *const *attrs, void *arg)
{
	const struct dump *dump = arg;

	return smc_linkgroups_add(attrs, dump->groups);
}

static int get(struct genl *genl, uint8_t command, struct smc_linkgroups *out)
{
	struct dump dump = {.groups = out, .before = out->count};

	return genl_dump(genl, command, restart, on_answer, &dump);
}

int smc_linkgroups_smcr(struct genl *genl, bool links, struct smc_linkgroups *out)
{
	return get(genl, links ? SMC_NETLINK_GET_LINK_SMCR : SMC_NETLINK_GET_LGR_SMCR, out);
}

int smc_linkgroups_smcd(struct genl *genl, struct smc_linkgroups *out)
{
	return get(genl, SMC_NETLINK_GET_LGR_SMCD, out);
}

int smc_linkgroups_get(struct smc_linkgroups *out)
{
	_cleanup_genl_ struct genl *genl = NULL;
	int r = genl_open(GENL_SMC, &genl);

	if (r == 0)
		r = smc_linkgroups_smcr(genl, true, out);
	return r < 0 ? r : smc_linkgroups_smcd(genl, out);
}

static bool has_link(const struct smc_linkgroup *group, const struct diag_smc *connection)
{
	for (size_t i = 0; i < group->links; i++) {
		const struct smc_link *link = &group->link[i];

		if (link->id == connection->link_id && link->port == connection->device_port &&
			strcmp(link->device, connection->device) == 0 &&
			strcmp(link->gid, connection->gid[DIAG_LOCAL]) == 0 &&
			strcmp(link->peer_gid, connection->gid[DIAG_PEER]) == 0)
			return true;
	}
	return false;
}

static bool fits(const struct smc_linkgroup *group, const struct diag_smc *connection)
{
	if (connection->has_dmb)
		return group->smcd && group->id == connection->link_group;
	return connection->has_link && !group->smcd && group->role == connection->link_role &&
		has_link(group, connection);
}

const struct smc_linkgroup *smc_linkgroups_find(const struct smc_linkgroups *groups, const struct diag_smc *connection)
{
	const struct smc_linkgroup *found = NULL;

	for (size_t i = 0; i < groups->count; i++) {
		if (!fits(&groups->item[i], connection))
			continue;
		if (found)
			return NULL;
		found = &groups->item[i];
	}
	return found;
}

static const char *word(const char *const *words, size_t count, uint64_t number)
{
	return number < count ? words[number] : NULL;
}

#define WORD(words, number) word(words, sizeof(words) / sizeof((words)[0]), number)

const char *smc_role_text(uint64_t role)
{
	static const char *const words[] = {"client", "server"};

	return WORD(words, role);
}

const char *smc_group_type_text(uint64_t type)
{
	static const char *const words[] = {"none", "single", "symmetric", "asymmetric-peer", "asymmetric-local"};

	return WORD(words, type);
}

const char *smc_buffer_type_text(uint64_t type)
{
	static const char *const words[] = {"physical", "virtual", "mixed"};

	return WORD(words, type);
}

const char *smc_link_state_text(uint32_t state)
{
	static const char *const words[] = {"unused", "inactive", "activating", "active"};

	return WORD(words, state);
}

const char *smc_os_text(unsigned os)
{
	static const char *const words[] = {NULL, "z/OS", "Linux", "AIX"};

	return WORD(words, os);
}
