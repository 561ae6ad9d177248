/* SPDX-License-Identifier: MIT */
/* Which path belongs to what: a policy file to its table, smcctl to its library. */
#ifndef SMCSHIM_CTL_PATHS_H
#define SMCSHIM_CTL_PATHS_H

#include <sys/types.h>

#include "ctl/util.h"

/* Owner of the two paths. */
struct paths {
	char *file;  /* the policy file: the real path of its directory and its own name, so that a Kubernetes
	              * ConfigMap, whose files are symbolic links that flip, keeps its table */
	char *table; /* the table that belongs to it */
};

#define _cleanup_paths_ _cleanup_(paths_clear)

void paths_clear(struct paths *paths);

/*
 * Finds the table of the policy file (NULL: the default one), for the calling user and $XDG_RUNTIME_DIR. Nothing is
 * created. Returns 0, -ENXIO (no runtime directory), -EISDIR (file names no file), -errno of the directory, -ENOMEM.
 */
_must_check_ int paths_find(const char *file, struct paths *out);

/* The sentence about an error of paths_find(); static text. */
const char *paths_strerror(int error);

/* Makes the directory of a table when it is missing; its parent must exist. Returns 0 or -errno. */
_must_check_ int paths_make_directory(const char *table);

/* ---- the parts, for tests ---- */

/* The user's runtime directory for tables: without trailing slash, in *out for the caller to free. 0 or -ENXIO. */
_must_check_ int paths_runtime(const char *xdg_runtime_dir, uid_t uid, char **out);

/* The table of a file other than the default one: RUNTIME/NAME-DIGEST. Returns 0 or -ENOMEM. */
_must_check_ int paths_table(const char *runtime, const char *file, char **out);

/* The way from one absolute directory to another, as "../lib/smcshim". Returns 0 or -ENOMEM. */
_must_check_ int paths_relative(const char *from, const char *to, char **out);

/*
 * The library that belongs to the smcctl at exe: installed, in a staging directory, or in a build tree. *out is
 * absolute, the caller frees it. Returns 0, -ENOENT or -ENOMEM.
 */
_must_check_ int paths_library_of(const char *exe, const char *bindir, const char *pkglibdir, char **out);

/* The same for the running smcctl. */
_must_check_ int paths_library(char **out);

/* That for 32-bit programs; -ENOENT: none was built. */
_must_check_ int paths_library32(char **out);

/* The program of smcctl cloud, found likewise. */
_must_check_ int paths_helper(char **out);

/* The program beside supervised ones, found likewise. */
_must_check_ int paths_supervisor(char **out);

/* And from that one, smcctl. */
_must_check_ int paths_smcctl(char **out);

/* The running smcctl itself. Returns 0 or -ENOMEM. */
_must_check_ int paths_self(char **out);

#define PATHS_LIBRARY "libsmcshim.so"
#define PATHS_HELPER "smcctl-cloud"
#define PATHS_SUPERVISOR "smcctl-supervise"
#define PATHS_SMCCTL "smcctl"

#endif
