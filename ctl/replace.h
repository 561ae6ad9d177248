/* SPDX-License-Identifier: MIT */
/* Files that are replaced as a whole: at every moment there is the old one or the new one. */
#ifndef SMCSHIM_CTL_REPLACE_H
#define SMCSHIM_CTL_REPLACE_H

#include <sys/types.h>

#include "ctl/util.h"

struct replace {
	int at; /* the directory */
	const char *name;
	const char *temporary; /* in it; what is there of that name, left by one that was killed, is removed */
	mode_t mode;           /* whatever the umask */
	/* NULL, or called with the new file while only temporary names it. Returns 0 or -errno. */
	int (*prepare)(int fd, const void *context);
	const void *context;
};

/* Writes temporary, syncs it, renames it to name, syncs the directory. Returns 0, or -errno and nothing is changed. */
_must_check_ int replace_file(const struct replace *replace, const void *data, size_t size);

/* The same for a file that all may read (0644), by way of .NAME.new. Returns 0 or -errno. */
_must_check_ int replace_plain(int at, const char *name, const void *data, size_t size);

/* Opens the directory that path stands in; path_base() is its name there. Returns a descriptor or -errno. */
_must_check_ int replace_directory(const char *path);

#endif
