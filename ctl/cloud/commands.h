/* SPDX-License-Identifier: MIT */
/* What the commands over a stack have in common beyond the job itself. */
#ifndef SMCSHIM_CTL_CLOUD_COMMANDS_H
#define SMCSHIM_CTL_CLOUD_COMMANDS_H

#include "ctl/cloud/job.h"

#define JOB_PRICE WORLD_PRICE

/* Looks at the world and plans. */
enum ctl_exit job_make_plan(struct job *job);

enum ctl_exit job_show_plan(struct job *job, FILE *stream, bool json, const char *price);

/* What an hour of the instance to be run costs, in words; "" if there is none or nobody knows. */
void job_price(struct job *job, char price[static JOB_PRICE]);

/* The parameters of RunInstances, without a client token. */
void job_run_params(const struct job *job, const struct plan_step *step, struct cloud_params *params);

/*
 * With --json: what was done, what is known to exist, and with leftovers what of the stack is left, as one document.
 * fresh: the world is as it is now. Returns code, or that of a failure to print it.
 */
enum ctl_exit job_report(struct job *job, enum ctl_exit code, bool fresh, bool leftovers);

/* True of an object that is the stack's and is left over by destroy. */
bool job_is_leftover(const struct job *job, const struct world_object *object);

#endif
