/* SPDX-License-Identifier: MIT */
/* Starts the supervision of the calling process, which then executes the program. */
#ifndef SMCSHIM_CTL_SUPERVISE_START_H
#define SMCSHIM_CTL_SUPERVISE_START_H

#include "ctl/supervise/handshake.h"

/* How it ended, for supervise_text(). */
struct supervise_result {
	enum handshake_what what;
	int error;      /* 0 or -errno */
	int signal;     /* that ended the helper, or 0 */
	bool installed; /* the filter is on this process: without a supervisor it must not become the program */
	bool deprived;  /* set-user-ID programs have no privilege any more, and had it before */
};

/*
 * Starts the helper (an absolute path) and puts the filter on the calling process, which must have one thread. table: the
 * policy table or NULL for the default; program: the name that "programs" of the policy are matched with.
 * Returns 0 or -errno; *result is filled.
 */
_must_check_ int supervise_start(
	const char *helper, const char *table, const char *program, struct supervise_result *result);

/* Why it failed, and the remedy, in one sentence in the buffer. */
void supervise_text(const struct supervise_result *result, char *text, size_t size);

/* What GODEBUG says about MPTCP, of which Go's listeners are since 1.24. */
enum supervise_go {
	SUPERVISE_GO_SET,   /* nothing, so it has been set: they are TCP */
	SUPERVISE_GO_TCP,   /* that already */
	SUPERVISE_GO_MPTCP, /* something else, which stands */
};

/* Sets GODEBUG so that Go programs listen over TCP, not over MPTCP, unless it says something about that. Returns 0 or -errno. */
_must_check_ int supervise_set_environment(enum supervise_go *go);

#endif
