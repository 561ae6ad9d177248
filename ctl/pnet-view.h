/* SPDX-License-Identifier: MIT */
/* What the pnet commands look at: the kernel's table and its devices; who shares an identifier, in words. */
#ifndef SMCSHIM_CTL_PNET_VIEW_H
#define SMCSHIM_CTL_PNET_VIEW_H

#include "ctl/ctl.h"
#include "ctl/smc/devices.h"
#include "ctl/smc/pnet.h"
#include "ctl/smc/system.h"

struct pnet_view {
	struct genl *genl; /* to GENL_PNET */
	struct pnet_table table;
	struct smc_devices devices;
	struct smc_system system;
	bool elsewhere; /* not in the initial network namespace, so that the table shows no devices */
};

/* Enters the network namespace (NULL: stays) and loads everything. Says what is wrong; the caller clears in any case. */
enum ctl_exit pnet_view_open(struct ctl *ctl, const char *netns, struct pnet_view *view);
void pnet_view_clear(struct pnet_view *view);
#define _cleanup_pnet_view_ _cleanup_(pnet_view_clear)

/* The table again, after a change. Says what is wrong. */
enum ctl_exit pnet_view_reload(struct ctl *ctl, struct pnet_view *view);

/* "eth1" or "mlx5_0 port 1" into out. */
#define PNET_NAME_SIZE (SMC_DEVICE_NAME_SIZE + 24)
void pnet_view_name(const struct pnet_view *view, const struct pnet_entry *entry, char out[static PNET_NAME_SIZE]);

/*
 * Is that an RDMA device, or ISM device, of this machine, with that port? Returns 0; -ENODEV if there is no such device;
 * -ENXIO if it has no such port.
 */
_must_check_ int pnet_view_device(const struct pnet_view *view, const char *name, unsigned int port);

/* True if the interface is in this network namespace, or the device in this machine. */
bool pnet_view_present(const struct pnet_view *view, const struct pnet_entry *entry);

/* True if an interface of this network namespace and a device have the identifier. */
bool pnet_view_shared(const struct pnet_view *view, const char *id);

/* True if a device may have an identifier unseen: loopback-ism, outside the initial network namespace. */
bool pnet_view_unsure(const struct pnet_view *view);

/* Prints "ID: shared by eth1 and mlx5_0 port 1", or which side has nothing. Returns 0 or -ENOMEM. */
_must_check_ int pnet_view_print(const struct pnet_view *view, FILE *stream, const char *id);

#endif
