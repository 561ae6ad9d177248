/* SPDX-License-Identifier: MIT */
/* Interfaces that stand upon each other: VLANs, bonds, bridges. */
#ifndef SMCSHIM_CTL_NEIGHBOURS_H
#define SMCSHIM_CTL_NEIGHBOURS_H

#include <net/if.h>
#include <stdbool.h>

/*
 * Calls each(name, context) for every interface that the kernel links from this one's directory in sysfs with that prefix,
 * "upper_" or "lower_" (netdev_adjacent_sysfs_add()): those right above, or right below. In the network namespace that sysfs was
 * mounted in.
 */
void neighbours_each(
	const char *interface, const char *prefix, void (*each)(const char *name, void *context), void *context);

/* What the interface stands on in the end, of several the first that is found, as __pnet_find_base_ndev(); false: on nothing. */
bool neighbours_base(const char *interface, char base[static IFNAMSIZ]);

#endif
