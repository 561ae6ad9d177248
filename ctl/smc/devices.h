/* SPDX-License-Identifier: MIT */
/* The devices that the kernel's SMC has: RDMA devices and ISM devices, machine-wide. */
#ifndef SMCSHIM_CTL_SMC_DEVICES_H
#define SMCSHIM_CTL_SMC_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/smc/genl.h"
#include "ctl/smc/uapi.h"

struct smc_port {
	bool present;
	bool active;         /* as SMC knows it; always true at an ISM device, which has no ports */
	bool pnetid_by_user; /* from the pnet table, not from the hardware */
	uint32_t ifindex;    /* in a network namespace that is not said; 0: none */
	uint32_t links;
	char pnetid[SMC_PNETID_SIZE];
};

struct smc_device {
	bool ism;
	bool critical; /* the last device that some connections have */
	uint32_t use;  /* ISM: link groups */
	uint32_t fid;
	uint16_t chid;
	char name[SMC_DEVICE_NAME_SIZE];
	char pci[SMC_PCI_ID_STR_LEN + 1];
	struct smc_port port[SMC_MAX_PORTS];
};

struct smc_devices {
	struct smc_device *item;
	size_t count;
	size_t isms; /* of them, ISM devices; they stand last */
};

#define _cleanup_smc_devices_ _cleanup_(smc_devices_clear)
void smc_devices_clear(struct smc_devices *devices);

/*
 * All of the machine, from any network namespace (smcr_nl_get_device(); smcd_nl_get_device(), which leaves loopback-ism
 * out). Fills the empty out. Returns 0 or -errno; smc_devices_clear() frees what out holds either way.
 */
_must_check_ int smc_devices_get(struct genl *genl, struct smc_devices *out);

/* The name of the device that name or its PCI name means; name itself when it means none. */
const char *smc_device_name(const struct smc_devices *devices, const char *name);

/* Of the list, the device of that name; or NULL. */
const struct smc_device *smc_device_find(const struct smc_devices *devices, const char *name);

/* The identifier of that port (from 1; any of an ISM device) now; "" if it has none or is not known. */
const char *smc_device_pnetid(const struct smc_devices *devices, const char *name, unsigned int port);

/* What of RDMA devices is in sysfs. Returns 0; -ENODEV if there is no such device; -ENXIO if it has no such port. */
_must_check_ int smc_device_in_sysfs(const char *name, unsigned int port);

/* The parser of one answer, a genl_answer: adds to the struct smc_devices arg. Returns 0, -EBADMSG or -ENOMEM. */
_must_check_ int smc_devices_add(struct nlattr *const *attrs, void *arg);

#endif
