/* SPDX-License-Identifier: MIT */
/* The enterprise identifiers of this machine (net/smc/smc_clc.c): SMC version 2 works with peers that share one. */
#ifndef SMCSHIM_CTL_SMC_EID_H
#define SMCSHIM_CTL_SMC_EID_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/smc/genl.h"

#define EID_SIZE 33 /* SMC_MAX_EID_LEN and a NUL */
#define EID_ROOM 16 /* more than any kernel holds (SMC_MAX_UEID is 4) */

/* All identifiers are without the blanks that the kernel pads them with. */
struct eid_table {
	char user[EID_ROOM][EID_SIZE];
	size_t count;
	char system[EID_SIZE]; /* empty: this machine has none */
	bool system_on;
};

/* True if text is a user EID, which out then holds without blanks at its end (smc_clc_ueid_valid()). */
bool eid_parse(const char *text, char out[static EID_SIZE]);

/* All EIDs of the machine. Returns 0 or -errno; -EOPNOTSUPP from a kernel before 5.16. */
_must_check_ int eid_load(struct genl *genl, struct eid_table *out);

/* The parsers of the two answers, as genl_answer functions; arg is a struct eid_table. Return 0 or -E2BIG. */
_must_check_ int eid_table_add(struct nlattr *const *attrs, void *arg);
_must_check_ int eid_table_set_system(struct nlattr *const *attrs, void *arg);

bool eid_has(const struct eid_table *table, const char *eid);

/* -EEXIST when it is there, -ERANGE when the table is full, whatever it holds (smc_clc_ueid_add()). */
_must_check_ int eid_add(struct genl *genl, const char *eid);

/*
 * -ENOENT when it is not there. *system_on: it was the last one, and so the kernel turned the system EID on, which it
 * says with EAGAIN (smc_clc_ueid_remove()).
 */
_must_check_ int eid_remove(struct genl *genl, const char *eid, bool *system_on);

/* Removes all user EIDs. None is success. */
_must_check_ int eid_flush(struct genl *genl);

/* -EOPNOTSUPP when this machine has no system EID; -ENOENT when it would be the last one that is turned off. */
_must_check_ int eid_set_system(struct genl *genl, bool on);

#endif
