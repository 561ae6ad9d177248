/* SPDX-License-Identifier: MIT */
/* What the environment says of how the service is reached. */
#ifndef SMCSHIM_CTL_CLOUD_SETTINGS_H
#define SMCSHIM_CTL_CLOUD_SETTINGS_H

#include "ctl/cloud/rpc.h"

/* Fills in endpoints, times, retries and the hooks for tests. Says what is wrong with them, and is an exit code then. */
enum ctl_exit settings_read(struct cloud_net *net);

#endif
