/* SPDX-License-Identifier: MIT */
/* The file host.json: how the network of a host is to be set up, as a strict parser gives it. */
#ifndef SMCSHIM_CTL_HOST_PROFILE_H
#define SMCSHIM_CTL_HOST_PROFILE_H

#include <net/if.h>

#include "ctl/host/cpus.h"
#include "ctl/smc/eid.h"
#include "ctl/smc/pnet.h"
#include "policy/policy.h"

#define PROFILE_DEFAULT "/etc/smc/host.json"
#define PROFILE_FILE_MAX (1u << 18)
#define PROFILE_NAME 64u
#define PROFILE_KEY 200u
#define PROFILE_VALUE 200u
#define PROFILE_MODULES 32u
#define PROFILE_SYSCTLS 256u
#define PROFILE_PNETS 64u
#define PROFILE_XPS 32u
#define PROFILE_NICS 32u

struct profile_sysctl {
	char key[PROFILE_KEY];     /* with dots, as sysctl(8) writes it: "net.ipv4.conf.eth0/100.forwarding" */
	char value[PROFILE_VALUE]; /* fields with one blank between them */
	bool at_least;             /* of each field what is larger, the value there or this */
	bool optional;             /* a kernel without the key is fine */
};

/* The switches of SMC: as the kernel has them unless the file says otherwise. */
enum profile_switch { PROFILE_LEAVE = 0, PROFILE_OFF, PROFILE_ON };

enum xps_policy {
	XPS_KERNEL,
	XPS_ONE_TO_ONE,
	XPS_NUMA,
	XPS_IRQ,
	XPS_RXQS,
	XPS_OFF,
	XPS_MASKS,
};

struct profile_xps {
	char pattern[IFNAMSIZ]; /* of interfaces, as fnmatch(3) */
	enum xps_policy policy;
	struct cpus *masks; /* XPS_MASKS: one for each transmit queue */
	size_t mask_count;
};

struct profile_nic {
	char name[IFNAMSIZ];
	bool strict;
};

struct profile {
	char modules[PROFILE_MODULES][PROFILE_NAME];
	size_t module_count;
	struct profile_sysctl sysctls[PROFILE_SYSCTLS];
	size_t sysctl_count;
	char ueids[EID_ROOM][EID_SIZE];
	size_t ueid_count;
	struct pnet_entry pnets[PROFILE_PNETS];
	size_t pnet_count;
	enum profile_switch seid;
	enum profile_switch handshake_limit;
	struct profile_xps xps[PROFILE_XPS];
	size_t xps_count;
	struct profile_nic nics[PROFILE_NICS];
	size_t nic_count;
	char *text; /* the file */
	uint64_t digest;
};

#define _cleanup_profile_ _cleanup_(profile_free)
void profile_free(struct profile **profile);

/*
 * Parses len bytes; name stands for the file in messages. errors receives every error of the text. The caller frees
 * *out. Returns 0, -EINVAL (errors is filled) or -ENOMEM; *out is touched only on success.
 */
_must_check_ int profile_parse(
	const char *name, const char *text, size_t len, struct profile **out, struct policy_errors *errors);

/* The word of a policy in the file. */
const char *xps_policy_word(enum xps_policy policy);

#endif
