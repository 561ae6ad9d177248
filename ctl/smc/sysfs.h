/* SPDX-License-Identifier: MIT */
/* Small files of sysfs, seen from this network namespace. */
#ifndef SMCSHIM_CTL_SMC_SYSFS_H
#define SMCSHIM_CTL_SMC_SYSFS_H

#include <stddef.h>

#include "ctl/util.h"

/*
 * A directory descriptor of sysfs. What a mount of it shows is the network namespace that made the mount: after
 * netns_enter() (entered) a mount of our own is made, which nobody else sees. Returns it or -errno; the caller closes it.
 */
_must_check_ int sysfs_open(bool entered);

/* The text of a file below sysfs, without the newline at its end. Returns 0 or -errno; -EFBIG when it does not fit. */
__attribute__((format(printf, 4, 5))) _must_check_ int sysfs_read(
	int sysfs, char *out, size_t size, const char *format, ...);

#endif
