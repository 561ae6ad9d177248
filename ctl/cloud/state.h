/* SPDX-License-Identifier: MIT */
/* What smcctl knows it has made, and the call that is under way: one file of mode 0600, replaced as a whole, fsync'd. */
#ifndef SMCSHIM_CTL_CLOUD_STATE_H
#define SMCSHIM_CTL_CLOUD_STATE_H

#include "ctl/cloud/clock.h"
#include "ctl/cloud/stack.h"

#define STATE_TOKEN 65u /* a client token: at most 64 of ASCII */
#define STATE_ACCOUNT 33u
#define STATE_RESOURCE 48u /* "interface/" and a name of ours */

struct state_resource {
	char name[STATE_RESOURCE]; /* "instance", "rule/NAME", "interface/NAME", "address" */
	char id[STACK_ID];
	char group[STACK_ID]; /* of a rule */
	bool pre_existing;    /* was there before us: never to be removed */
	uint64_t created;     /* by clock_wall(), 0: unknown */
};

/* A call that was about to be sent when this was written: after a crash nobody knows whether it happened. */
struct state_pending {
	char name[STATE_RESOURCE]; /* "": none */
	char action[64];
	char token[STATE_TOKEN];
	char *request; /* the canonical parameters, token included: what is to be sent again, byte by byte */
};

struct state {
	char *path;
	char stack[STACK_NAME];
	char region[41];
	char account[STATE_ACCOUNT]; /* that it is in; "": unknown */
	uint64_t serial;             /* counts the writes */
	struct state_resource *resources;
	size_t count;
	char instance[STACK_ID]; /* which one "this" was; "": unknown */
	struct state_pending pending;
	struct state_pending unknown; /* a creation without an answer, set aside while the rest is removed */
};

#define _cleanup_state_ _cleanup_(state_clear)

void state_clear(struct state *state);

/*
 * Reads the file at path; a missing one is an empty state. Returns 0, -EINVAL (not such a file), -EPERM (others could
 * write it), -ENOMEM or -errno; state is to be cleared either way.
 */
_must_check_ int state_load(const char *path, struct state *state);

/* From the text of such a file. */
_must_check_ int state_parse(const char *text, size_t size, struct state *state);

/* Writes it whole beside its place, syncs, renames, syncs the directory. Returns 0, -ENOMEM or -errno. */
_must_check_ int state_save(struct state *state);

/*
 * Takes the lock of the file at path (PATH.lock), waiting until the clock's deadline. waits is called once before that.
 * Returns a descriptor whose closing frees it, -ETIMEDOUT, -EINTR or -errno.
 */
_must_check_ int state_lock(const char *path, struct cloud_clock *clock, void (*waits)(void *context), void *context);

struct state_resource *state_find(const struct state *state, const char *name);

/* Adds the resource, or gives it the identifier. Returns it, NULL without memory. */
_must_check_ struct state_resource *state_set(struct state *state, const char *name, const char *id);

void state_remove(struct state *state, const char *name);

/* Notes what is about to be sent. Returns 0 or -ENOMEM; it counts once it is saved. */
_must_check_ int state_begin(
	struct state *state, const char *name, const char *action, const char *token, const char *request);

void state_end(struct state *state);

/* Sets the call aside that nobody knows the end of: others are noted after it, and it stays in the file. */
void state_set_aside(struct state *state);

/* What was set aside is under way again. */
void state_resume(struct state *state);

#endif
