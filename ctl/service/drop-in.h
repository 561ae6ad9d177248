/* SPDX-License-Identifier: MIT */
/* Our drop-in in the file system: written and removed whole, whatever happens in between. */
#ifndef SMCSHIM_CTL_SERVICE_DROP_IN_H
#define SMCSHIM_CTL_SERVICE_DROP_IN_H

#include "ctl/util.h"

enum drop_in_kind {
	DROP_IN_NONE = 0,
	DROP_IN_OURS,
	DROP_IN_EDITED,  /* ours, and changed since by somebody else */
	DROP_IN_FOREIGN, /* a file of that name that is not ours */
};

struct drop_in {
	enum drop_in_kind kind;
	unsigned made; /* so many directories were made for it */
	char *body;    /* what stands below the head; NULL: there is no file */
	char *text;    /* all of it */
};

#define _cleanup_drop_in_ _cleanup_(drop_in_clear)

void drop_in_clear(struct drop_in *drop_in);

/* What there is in the directory UNIT.d. Returns 0 with *out filled, for the caller to clear, or -errno. */
_must_check_ int drop_in_read(const char *directory, struct drop_in *out);

/*
 * Puts the drop-in in place: directories that are missing are made together with it, under another name, and appear
 * in one rename, as does the file itself. A kill at any point leaves the state before or after; what it leaves behind
 * has a name that systemd does not read, and the next call removes it. unit is named in the head.
 * Returns 0 or -errno: -ELOOP where the directory or the file is a symbolic link, -EBUSY while another smcctl works there.
 */
_must_check_ int drop_in_write(const char *directory, const char *unit, const char *body);

/* Puts back what was read from there, byte for byte. Returns 0 or -errno. */
_must_check_ int drop_in_restore(const char *directory, const struct drop_in *before);

/*
 * Takes it away, with the directories that were made for it and hold nothing else; where there is none, only what a kill
 * left behind. As above.
 */
_must_check_ int drop_in_remove(const char *directory, const struct drop_in *drop_in);

#endif
