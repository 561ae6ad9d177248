/* SPDX-License-Identifier: MIT */
/* One run of a command over a stack: its file, its state, the service, and the steps of a plan carried out. */
#ifndef SMCSHIM_CTL_CLOUD_JOB_H
#define SMCSHIM_CTL_CLOUD_JOB_H

#include "ctl/cloud/plan.h"

struct job {
	struct ctl *ctl;
	struct cloud cloud;
	struct stack *stack;
	struct state state;
	struct world world;
	struct plan plan;
	uint64_t limit; /* seconds, from the last answer on */
	int lock;       /* held while the state may be written; -1: not */
	bool json;      /* the result is a document on standard output, and nothing else is there */
	FILE *progress; /* where the rest goes */
};

#define _cleanup_job_ _cleanup_(job_close)

struct job_options {
	const char *file;    /* NULL: the default one */
	const char *state;   /* NULL: FILE.state */
	const char *timeout; /* NULL: the default time */
	bool debug;
	bool changes; /* takes the lock, and holds signals between two calls */
	bool json;    /* see struct job */
};

/* Reads file and state and finds credentials. Says what goes wrong; job is to be closed either way. */
enum ctl_exit job_open(struct job *job, struct ctl *ctl, const struct job_options *options);
void job_close(struct job *job);

/* Writes the state; says why it cannot. */
enum ctl_exit job_save(struct job *job);

/* Reads the world anew. */
enum ctl_exit job_look(struct job *job, bool with_surroundings);

/*
 * Of the call that an earlier run was about to send when it ended: drops one that only changed something, and takes in
 * what is seen to have been made, which is *settled and still to be saved. What is pending then has to be sent again.
 */
enum ctl_exit job_settle(struct job *job, bool *settled);

/* Says what has to be sent again, and asks. */
enum ctl_exit job_confirm_recovery(struct job *job, bool yes);

/* Sends it again. */
enum ctl_exit job_recover(struct job *job);

/* Says each refusal of the plan. Returns the exit code of the first one, CTL_OK when there is none. */
enum ctl_exit job_refusals(struct job *job);

/* Asks whether to go on; yes: it was said on the command line. Returns CTL_OK to go on. */
enum ctl_exit job_confirm(struct job *job, const char *question, bool yes);

/* Carries out the plan. Stops at the first failure, or with go_on does what is left and fails at the end. */
enum ctl_exit job_run(struct job *job, bool go_on);

/* ---- the parts ---- */

/* Sends what makes a resource: the token is on the disk before. Leaves its identifier in the state. */
enum ctl_exit job_create(struct job *job, const struct plan_step *step);

/* Brings an existing resource to where the step wants it: looks, acts, looks, until it is there. */
enum ctl_exit job_converge(struct job *job, const struct plan_step *step);

/* Gives an existing resource other values in place. */
enum ctl_exit job_modify(struct job *job, const struct plan_step *step);

/* The identifier of a resource by the state, or "". */
const char *job_id(const struct job *job, const char *resource);

/* The instance that things are attached to, or "". */
const char *job_instance(const struct job *job);

/* When the object of that identifier was made, by the state; 0: unknown. */
uint64_t job_created(const struct job *job, const char *id);

/* Journals a call before it is sent. token NULL: the action takes none. */
enum ctl_exit job_journal(struct job *job, const char *resource, const char *action, const char *token,
	const struct cloud_params *params);

#endif
