/* SPDX-License-Identifier: MIT */
/* The kernel's table of pnet identifiers (net/smc/smc_pnet.c): which interfaces and devices are on the same network. */
#ifndef SMCSHIM_CTL_SMC_PNET_H
#define SMCSHIM_CTL_SMC_PNET_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "ctl/smc/genl.h"
#include "ctl/smc/uapi.h"

/* An interface or a device, never both; the other one's name is empty. */
struct pnet_entry {
	char id[SMC_PNETID_SIZE];
	char interface[IFNAMSIZ];
	char device[SMC_DEVICE_NAME_SIZE]; /* RDMA or ISM */
	unsigned int port;                 /* of the device, from 1; 0 for an interface */
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
bool pnet_id_parse(const char *text, char out[static SMC_PNETID_SIZE]);

/*
 * All entries that genl's network namespace sees: its interfaces, and in the initial one the devices. Fills table, which
 * the caller clears. Returns 0 or -errno.
 */
_must_check_ int pnet_load(struct genl *genl, struct pnet_table *table);

/* The parser of one answer, a genl_answer: adds to the struct pnet_table arg. Returns 0 or -ENOMEM. */
_must_check_ int pnet_table_add(struct nlattr *const *attrs, void *arg);

/* The entry of the same interface or device, whatever its identifier and port; or NULL. */
const struct pnet_entry *pnet_find(const struct pnet_table *table, const struct pnet_entry *like);

/* The identifier of that interface or device, or NULL. */
const char *pnet_interface_id(const struct pnet_table *table, const char *interface);
const char *pnet_device_id(const struct pnet_table *table, const char *device);

/* True if an interface has that identifier. */
bool pnet_on_interface(const struct pnet_table *table, const char *id);

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
