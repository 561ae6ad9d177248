/* SPDX-License-Identifier: MIT */
/* What the parts of doctor share; each part looks at one thing and adds its findings. */
#ifndef SMCSHIM_CTL_DOCTOR_DOCTOR_H
#define SMCSHIM_CTL_DOCTOR_DOCTOR_H

#include "ctl/doctor/findings.h"
#include "ctl/doctor/offer.h"
#include "ctl/paths.h"
#include "ctl/probe.h"
#include "ctl/smc/genl.h"
#include "ctl/smc/inventory.h"
#include "policy/store.h"

struct doctor {
	struct findings findings;
	bool entered;               /* in another network namespace than the caller */
	struct probe probe;         /* by doctor_kernel() */
	struct genl *genl;          /* to GENL_SMC; NULL: the kernel has no SMC, or none that can be asked */
	struct inventory smc;       /* by doctor_devices(); empty without genl */
	struct offer offer;         /* filled in by the parts as they look */
	struct paths paths;         /* of the policy, by doctor_policy() */
	struct policy_store *store; /* NULL: no policy is published */
	struct policy_info *info;   /* the same */
};

/* The kernel and its module: measured with real sockets, and compared with the table of known defects. */
void doctor_kernel(struct doctor *doctor);
void doctor_module(struct doctor *doctor);
void doctor_diagnosis(struct doctor *doctor);

/* Devices and what they can serve, EIDs, pnet identifiers that only one side has. */
void doctor_devices(struct doctor *doctor);

/* Buffers and the memory for them, the limit of handshakes. */
void doctor_limits(struct doctor *doctor);

/* SYN cookies, reserved ports, IPv4 addresses; IPsec. */
void doctor_network(struct doctor *doctor);
void doctor_ipsec(struct doctor *doctor);

/* The policy of that file (NULL: the default one) and its table; the library. */
void doctor_policy(struct doctor *doctor, const char *file);
void doctor_library(struct doctor *doctor);

/* Processes and listeners that should be accelerated and are not. */
void doctor_processes(struct doctor *doctor);

#endif
