/* SPDX-License-Identifier: MIT */
/* Which file decides what a kernel parameter is at boot: by the rules of systemd-sysctl and by those of sysctl --system. */
#ifndef SMCSHIM_CTL_HOST_LOADER_H
#define SMCSHIM_CTL_HOST_LOADER_H

#include "ctl/host/profile.h"

enum loader {
	LOADER_SYSTEMD, /* /etc, /run, /usr/local/lib, /usr/lib; sysctl.d(5) */
	LOADER_PROCPS,  /* the same, and /lib, and /etc/sysctl.conf last; sysctl(8) */
};

/* One assignment, in the order in which the files are read. */
struct loader_line {
	size_t file;   /* index into files */
	unsigned line; /* from 1 */
	char *key;     /* with dots; may be a pattern */
	char *value;   /* normalised; NULL: "-KEY", which keeps patterns off the key */
	bool is_pattern;
	bool unreadable; /* longer than we read values */
};

struct loader_files {
	enum loader loader;
	char **files; /* paths in the order in which they are read; later ones win */
	size_t file_count;
	char **masked; /* links to /dev/null, and what stands in front of other files of the same name */
	size_t masked_count;
	struct loader_line *lines;
	size_t line_count;
};

#define _cleanup_loader_ _cleanup_(loader_clear)
void loader_clear(struct loader_files *files);

/*
 * Reads all that the loader would read, of names ending in .conf. less, or NULL, is the path of one file that is passed
 * over. Files that cannot be read are as if they were empty. Returns 0 or -ENOMEM.
 */
_must_check_ int loader_read(enum loader loader, const char *less, struct loader_files *out);

/* The line that decides for the key, or NULL: none, the kernel's own value stays. */
const struct loader_line *loader_decides(const struct loader_files *files, const char *key);

/* True if one of the modules-load.d files names the module; *file, which the caller frees, is the path. 1, 0 or -ENOMEM. */
_must_check_ int loader_module(const char *module, const char *less, char **file);

#endif
