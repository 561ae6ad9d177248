/* SPDX-License-Identifier: MIT */
/* The readers of the sections of host.json, on the policy's reader of objects, which knows the places; to is a struct profile. */
#ifndef SMCSHIM_CTL_HOST_PROFILE_PARSE_H
#define SMCSHIM_CTL_HOST_PROFILE_PARSE_H

#include "ctl/host/profile.h"
#include "policy/parse.h"

void profile_read_sysctl(struct parser *parser, void *to, const cJSON *value, struct json_token where);
void profile_read_smc(struct parser *parser, void *to, const cJSON *value, struct json_token where);
void profile_read_xps(struct parser *parser, void *to, const cJSON *value, struct json_token where);
void profile_read_nic(struct parser *parser, void *to, const cJSON *value, struct json_token where);

/* True if name can be that of an interface (dev_valid_name() of the kernel); or, with wildcards, a pattern of such. */
bool profile_interface_valid(const char *name, bool pattern);

#endif
