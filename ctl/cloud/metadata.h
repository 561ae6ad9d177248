/* SPDX-License-Identifier: MIT */
/* The metadata service of an instance, in its second version (with a session token). */
#ifndef SMCSHIM_CTL_CLOUD_METADATA_H
#define SMCSHIM_CTL_CLOUD_METADATA_H

#include "ctl/cloud/rpc.h"

/*
 * The text at latest/meta-data/PATH. The caller frees *out (it may be a secret). Returns 0, -ENOENT (no service: this is
 * no instance; or nothing at that path) or -ENOMEM.
 */
_must_check_ int metadata_get(struct cloud_net *net, const char *path, char **out);

#endif
