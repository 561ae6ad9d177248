/* SPDX-License-Identifier: MIT */
/* The parameters of a request: pairs of a key and a value, and their canonical text. */
#ifndef SMCSHIM_CTL_CLOUD_PARAMS_H
#define SMCSHIM_CTL_CLOUD_PARAMS_H

#include "ctl/util.h"

struct cloud_param {
	char *key;
	char *value;
};

/* Start with {0}. Without memory no_memory is set and the canonical text fails. */
struct cloud_params {
	struct cloud_param *items;
	size_t count;
	bool no_memory;
};

#define _cleanup_cloud_params_ _cleanup_(cloud_params_clear)

void cloud_params_clear(struct cloud_params *params);

/* Adds key=value; a value of NULL adds nothing. */
void cloud_params_add(struct cloud_params *params, const char *key, const char *value);

__attribute__((format(printf, 3, 4))) void cloud_params_addf(
	struct cloud_params *params, const char *key, const char *format, ...);

/* Tag.N.Key and Tag.N.Value. */
void cloud_params_tag(struct cloud_params *params, unsigned n, const char *key, const char *value);

/*
 * The canonical query of ACS3: sorted by the bytes of the keys, encoded as RFC 3986 has it, upper-case hex, an empty
 * value keeps its "=". The caller frees *out. Returns 0 or -ENOMEM.
 */
_must_check_ int cloud_params_query(const struct cloud_params *params, char **out);

/* The other way round, for a request that was kept. Returns 0, -EINVAL or -ENOMEM. */
_must_check_ int cloud_params_parse(const char *query, struct cloud_params *out);

#endif
