/* SPDX-License-Identifier: MIT */
/* What was there before us, written down before it changes: two equal files, each replaced as a whole and with a checksum. */
#ifndef SMCSHIM_CTL_HOST_JOURNAL_H
#define SMCSHIM_CTL_HOST_JOURNAL_H

#include "ctl/host/item.h"

#define JOURNAL_DIRECTORY "/var/lib/smcctl"
#define JOURNAL_PLACE 64u /* room for the path of a directory */
#define JOURNAL_NAME "host.journal"
#define JOURNAL_BACKUP "host.journal.backup"

struct journal_entry {
	enum host_kind kind;
	char *name;
	char *before; /* the first run that touched it; NULL: nothing was there */
	char *after;  /* what we set; NULL: took it away */
	char *last;   /* while a run is under way: what an earlier run had set */
	bool renewed; /* last counts */
	bool added;   /* by this run (not written down) */
	bool over;    /* this run brings it back to what was before (not written down) */
};

struct journal {
	char place[JOURNAL_PLACE]; /* its directory */
	struct journal_entry *entries;
	size_t count;
	size_t room;
	bool applying; /* a run is under way, or was cut off */
	char *path;    /* of the profile that was applied last */
	char *profile; /* its text */
};

#define _cleanup_journal_ _cleanup_(journal_clear)
void journal_clear(struct journal *journal);

/* The place of the host's journal; or, numbered, of that of another network namespace: lost at a reboot, as its values are. */
void journal_place(struct journal *journal, uint64_t netns);

/*
 * Reads what there is in the place of out, which is empty otherwise; nothing is an empty journal. Returns 0, -EBADMSG when both
 * files are damaged, or -errno; *damaged: one of the two is.
 */
_must_check_ int journal_load(struct journal *out, bool *damaged);

/* Writes both files; those of an empty journal are removed. Returns 0 or -errno. */
_must_check_ int journal_save(const struct journal *journal);

/* From the text of such a file; the place stays. Returns 0, -EBADMSG or -ENOMEM. */
_must_check_ int journal_parse(const char *text, size_t size, struct journal *out);

/* Removes both files, whatever is in them. */
void journal_remove(const struct journal *journal);

struct journal_entry *journal_find(const struct journal *journal, enum host_kind kind, const char *name);

/* Notes that the thing, which is now as now says, is about to become after. Returns 0 or -ENOMEM. */
_must_check_ int journal_note(
	struct journal *journal, enum host_kind kind, const char *name, const char *now, const char *after);

/* This run is done: what it brought back is forgotten. */
void journal_commit(struct journal *journal);

/* This run has taken back what it did: the journal is as it was before. */
void journal_undo(struct journal *journal);

/* True if the value is one that we set: now, or while a run was under way the one before. */
bool journal_is_ours(const struct journal_entry *entry, const char *value);

/*
 * Takes the one lock, in the directory that it makes; waits some seconds for another. Returns a descriptor for
 * journal_unlock(), -EBUSY or -errno.
 */
_must_check_ int journal_lock(const struct journal *journal);

/* Frees the lock; an empty directory goes too. */
void journal_unlock(const struct journal *journal, int fd);

#endif
