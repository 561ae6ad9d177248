/* SPDX-License-Identifier: MIT */
/* Kernels whose SMC is known to be bad. Pure: it asks nobody. */
#ifndef SMCSHIM_CTL_DOCTOR_KERNELS_H
#define SMCSHIM_CTL_DOCTOR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/util.h"

/* The number of a kernel, as far as it tells something. */
struct kernel_version {
	unsigned part[3];  /* of kernel.org's release that it is, or that it is made of */
	unsigned patch[2]; /* Alibaba's: 17.3 of 5.10.134-17.3 */
	bool alibaba;      /* Alibaba Cloud Linux or Anolis OS */
	bool follows;      /* takes all of kernel.org's stable releases, so that the number tells what is mended */
};

/*
 * Reads uname's release and version, e.g. "6.12.117", "6.1.0-49-amd64" with "... Debian 6.1.172-1 (2026-05-01)",
 * "5.10.134-16.3.al8.x86_64". Returns 0 or -EINVAL for a release that begins with no number.
 */
_must_check_ int kernel_version_parse(const char *release, const char *version, struct kernel_version *out);

struct kernel_defect {
	const char *name; /* of the CVE project's list */
	const char *what;
	bool ordinary; /* seen in ordinary use; else it needs a peer or a local user who is up to it */
};

/*
 * The defects of that kernel.org release, by the CVE project's records of its affected versions: the next one after
 * index *next, which starts at 0; NULL when there are no more.
 */
const struct kernel_defect *kernel_defect_next(const struct kernel_version *version, size_t *next);

/* How many defects the table has. */
size_t kernel_defects(void);

#endif
