/* SPDX-License-Identifier: MIT */
/* The tables of all policy files that are in sight: where smcctl makes them, for every user. */
#ifndef SMCSHIM_CTL_TABLES_H
#define SMCSHIM_CTL_TABLES_H

#include "ctl/util.h"
#include "policy/table.h"

struct tables {
	char **path;
	size_t count;
};

#define _cleanup_tables_ _cleanup_(tables_clear)

void tables_clear(struct tables *tables);

/*
 * Every name in /run/smc, /run/user/UID/smc and the caller's runtime directory: what is no table shows when it is opened.
 * Directories that cannot be read are passed over. Returns 0 or -ENOMEM.
 */
_must_check_ int tables_find(struct tables *out);

/*
 * Whoever owns it: neither maps the file, which its owner could cut short meanwhile. Returns 0 or -errno as
 * policy_store_open().
 */
_must_check_ int tables_state(const char *path, enum policy_state *out);
_must_check_ int tables_switch(const char *path, enum policy_state state, enum policy_state *before);

/* The errors of what is no table, or is none any more. */
bool tables_is_none(int error);

/* The policy file of a table, in *out for the caller to free: NULL where none leads this user to that table. */
_must_check_ int tables_file(const char *path, char **out);

#endif
