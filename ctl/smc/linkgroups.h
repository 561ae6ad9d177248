/* SPDX-License-Identifier: MIT */
/* Link groups: the ties between this host and a peer that connections share; those of SMC-R have links. */
#ifndef SMCSHIM_CTL_SMC_LINKGROUPS_H
#define SMCSHIM_CTL_SMC_LINKGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/smc/genl.h"
#include "ctl/smc/uapi.h"

#define SMC_MAX_LINKS 8

/* What a number is that the kernel did not give. */
#define SMC_UNKNOWN UINT64_MAX

struct smc_link {
	uint8_t id;
	uint8_t port;
	uint32_t state; /* enum smc_link_state */
	uint32_t connections;
	uint32_t ifindex;
	uint32_t uid;
	uint32_t peer_uid;
	char device[SMC_DEVICE_NAME_SIZE];
	char gid[SMC_GID_TEXT_SIZE];
	char peer_gid[SMC_GID_TEXT_SIZE];
};

struct smc_linkgroup {
	bool smcd;
	uint32_t id;
	uint32_t connections;
	uint8_t vlan; /* the low 8 bits of it: the kernel gives no more; 0: none */
	char pnetid[SMC_PNETID_SIZE];
	/* bytes of buffers; SMC_UNKNOWN before Linux 6.12 */
	uint64_t send_buffers;
	uint64_t receive_buffers;
	/* SMC-R */
	uint64_t role;         /* enum smc_lgr_role */
	uint64_t type;         /* enum smc_lgr_type */
	uint64_t buffer_type;  /* enum smcr_buf_type */
	uint64_t netns_cookie; /* SO_NETNS_COOKIE of its network namespace: the list is machine-wide */
	uint64_t direct;       /* version 2: 1 without a gateway between */
	uint64_t max_connections;
	uint64_t max_links;
	size_t links;
	struct smc_link link[SMC_MAX_LINKS];
	/* SMC-D */
	uint64_t gid[2];
	uint64_t peer_gid[2];
	uint32_t chid;
	/* version 2 */
	unsigned version;
	unsigned release;
	unsigned peer_os; /* SMC_CLC_OS_* */
	char peer_host[SMC_HOST_SIZE];
	char eid[SMC_EID_SIZE];
};

struct smc_linkgroups {
	struct smc_linkgroup *item;
	size_t count;
};

#define _cleanup_smc_linkgroups_ _cleanup_(smc_linkgroups_clear)
void smc_linkgroups_clear(struct smc_linkgroups *groups);

/*
 * Add to out all SMC-R link groups (smcr_nl_get_lgr()), with their links if asked for (smcr_nl_get_link()); all SMC-D ones
 * (smcd_nl_get_lgr()). Return 0 or -errno; smc_linkgroups_clear() frees what out holds either way.
 */
_must_check_ int smc_linkgroups_smcr(struct genl *genl, bool links, struct smc_linkgroups *out);
_must_check_ int smc_linkgroups_smcd(struct genl *genl, struct smc_linkgroups *out);

/* All of both kinds into the empty out, over a connection of its own; links as above. Returns 0 or -errno. */
_must_check_ int smc_linkgroups_get(struct smc_linkgroups *out);

struct diag_smc; /* of smc/diag.h */

/* The group of that connection, by its ID or its link; NULL if it has none, or if two are alike. */
const struct smc_linkgroup *smc_linkgroups_find(const struct smc_linkgroups *groups, const struct diag_smc *connection);

/*
 * The parser of one answer, a genl_answer: adds a group to the struct smc_linkgroups arg, or a link to its last group.
 * Returns 0, -EBADMSG or -ENOMEM.
 */
_must_check_ int smc_linkgroups_add(struct nlattr *const *attrs, void *arg);

/* Words for the kernel's numbers; NULL for one that is not known. */
const char *smc_role_text(uint64_t role);
const char *smc_group_type_text(uint64_t type);
const char *smc_buffer_type_text(uint64_t type);
const char *smc_link_state_text(uint32_t state);
const char *smc_os_text(unsigned os);

#endif
