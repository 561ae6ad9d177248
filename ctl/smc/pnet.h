/* SPDX-License-Identifier: MIT */
/* The kernel's table of pnet identifiers (net/smc/smc_pnet.c): which interfaces and devices are on the same network. */
#ifndef SMCSHIM_CTL_SMC_PNET_H
#define SMCSHIM_CTL_SMC_PNET_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "ctl/smc/genl.h"

#define PNET_ID_SIZE 17     /* SMC_MAX_PNETID_LEN and a NUL */
#define PNET_DEVICE_SIZE 64 /* IB_DEVICE_NAME_MAX */
#define PNET_MAX_PORT 2     /* SMC_MAX_PORTS */

/* An interface or a device, never both; the other one's name is empty. */
struct pnet_entry {
	char id[PNET_ID_SIZE];
	char interface[IFNAMSIZ];
	char device[PNET_DEVICE_SIZE]; /* RDMA or ISM */
	unsigned int port;             /* of the device, from 1; 0 for an interface */
};

struct pnet_table {
	struct pnet_entry *entries;
	size_t count;
};

void pnet_table_clear(struct pnet_table *table);
#define _cleanup_pnet_table_ _cleanup_(pnet_table_clear)

/*
 * True if text is an identifier, which out then holds as the kernel keeps it: blanks around it gone, upper case
 * (smc_pnetid_valid()).
 */
bool pnet_id_parse(const char *text, char out[static PNET_ID_SIZE]);

/*
 * All entries that genl's network namespace sees: its interfaces, and in the initial one the devices. Fills table, which
 * the caller clears. Returns 0 or -errno.
 */
_must_check_ int pnet_load(struct genl *genl, struct pnet_table *table);

/* The entry of the same interface or device, whatever its identifier and port; or NULL. */
const struct pnet_entry *pnet_find(const struct pnet_table *table, const struct pnet_entry *like);

/* True if an entry has that identifier. */
bool pnet_has_id(const struct pnet_table *table, const char *id);

/*
 * Enters one entry. Returns 0 or -errno: -EEXIST when the interface or device has an identifier, or for a device outside
 * the initial network namespace (smc_pnet_enter()).
 */
_must_check_ int pnet_add(struct genl *genl, const struct pnet_entry *entry);

/* Takes the identifier from everything that has it; the kernel does not do it one by one. -ENOENT when nothing has. */
_must_check_ int pnet_del(struct genl *genl, const char *id);

/* Empties the table. An empty one is success. */
_must_check_ int pnet_flush(struct genl *genl);

#endif
