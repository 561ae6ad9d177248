/* SPDX-License-Identifier: MIT */
/* Tells when the file behind a path may have changed, whatever way it was changed. */
#ifndef SMCSHIM_CTL_WATCH_H
#define SMCSHIM_CTL_WATCH_H

#include "ctl/util.h"

/*
 * Watches every directory that resolving the path goes through, symbolic links included, for the names that matter
 * in it: a write, a rename onto the file, a flipped link and a replaced directory are all events.
 */
struct watch;

/* Resolves path (absolute) and watches it. The caller ends *out with watch_close(). Returns 0 or -errno. */
_must_check_ int watch_open(const char *path, struct watch **out);

void watch_close(struct watch *watch); /* NULL is fine */

/* For poll(2): readable when watch_read() has something to say. */
int watch_fd(const struct watch *watch);

/*
 * Reads the events that are there. Returns 1 if one of them concerns the path (then open a new watch: the way may
 * lead elsewhere now), 0 if none does, or -errno.
 */
_must_check_ int watch_read(struct watch *watch);

static inline void watch_cleanup(struct watch **watch)
{
	watch_close(*watch);
}
#define _cleanup_watch_ _cleanup_(watch_cleanup)

#endif
