/* SPDX-License-Identifier: MIT */
/* Carries a plan out, or takes back what was carried out; under the lock, with the journal first. */
#ifndef SMCSHIM_CTL_HOST_CHANGE_H
#define SMCSHIM_CTL_HOST_CHANGE_H

#include "ctl/host/journal.h"
#include "ctl/host/plan.h"

/* How far apply may go. */
struct change_options {
	bool keep_going;   /* leave out what cannot be */
	bool at_boot;      /* run-time values only, of what was applied before */
	const char *stale; /* a digest that the plan must have, or NULL */
};

/* Plans and does it all. Says what is wrong, and at the end what was done. */
enum ctl_exit change_apply(struct host *host, const struct profile *profile, const char *path, struct journal *journal,
	const struct change_options *options);

enum ctl_exit change_revert(struct host *host, struct journal *journal);

/* host_plan_make(), and what an earlier profile set and this one does not name any more. */
_must_check_ int change_plan(
	struct host *host, const struct profile *profile, const struct journal *journal, struct host_plan *out);

/* Makes udev, NetworkManager and networkd read what changed, where they run. names: paths of files. */
void change_tell(struct host *host, const struct journal *journal);

/*
 * After change_tell(), of a file that was changed, with its values: NetworkManager 1.42 looks at "managed" of a section of
 * devices only when a device comes, and so has to be told to give that one up or take it back.
 */
void change_tell_file(struct host *host, const char *path, const char *before, const char *after);

/* As change_plan's digest in hexadecimal digits. */
#define CHANGE_DIGEST 17
void change_digest(const struct host_plan *plan, const struct profile *profile, char out[static CHANGE_DIGEST]);

#endif
