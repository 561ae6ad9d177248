/* SPDX-License-Identifier: MIT */
/* What the commands of smcctl host begin with: the root directory, the lock, the journal, the profile. */
#ifndef SMCSHIM_CTL_HOST_COMMAND_H
#define SMCSHIM_CTL_HOST_COMMAND_H

#include "ctl/host/change.h"

#define CTL_OPTION_ROOT \
	{ \
		"root", 0, "DIR", "the image of a system below DIR: its files only (as root)" \
	}
#define CTL_OPTION_NODE \
	{ \
		"node", 0, "DIR", "the running host whose root is mounted at DIR in this container (as root)" \
	}

/* Where the host is, at most one of them: an image's files, the running system seen from a container, a network namespace. */
struct host_root {
	const char *image;
	const char *node;
	const char *netns;
};

struct host_command {
	struct host host;
	struct journal journal;
	struct profile *profile;
	char *path; /* of the profile, absolute */
	bool named; /* the caller's, from outside of the root directory; or the default one that is in it */
	int lock;   /* -1: none */
};

void host_command_clear(struct host_command *command);

/*
 * Loads the profile (NULL: the default one), goes where the host is, takes the lock if the command changes
 * something, loads the journal. Says what is wrong.
 */
_must_check_ enum ctl_exit host_command_open(
	struct host_command *command, struct ctl *ctl, const char *profile, const struct host_root *root, bool changes);

/* The same, with the profile that was applied last; NULL where none was. */
_must_check_ enum ctl_exit host_command_reopen(struct host_command *command, struct ctl *ctl);

/* Without a profile. force: a damaged journal is replaced by what can be known without one, the files of our names. */
_must_check_ enum ctl_exit host_command_journal(
	struct host_command *command, struct ctl *ctl, const struct host_root *root, bool force);

/* "smcctl: host: WHY" and the exit code for -errno. */
enum ctl_exit host_failed(struct ctl *ctl, int error);

#endif
