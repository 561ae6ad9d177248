/* SPDX-License-Identifier: MIT */
/* Supervised trees of processes: a supervisor's report stands for a tree, under the number of its first process. */
#ifndef SMCSHIM_CTL_PROCESS_SUPERVISED_H
#define SMCSHIM_CTL_PROCESS_SUPERVISED_H

#include "ctl/process/reports.h"

/* Looks at all supervisors there are. Returns 0 with *out filled, one report of each, or -errno. */
_must_check_ int supervised_read(struct process_reports *out);

/*
 * The supervisor's report about the tree that the process belongs to, which is its first process or descends from it. NULL:
 * none of these, or it has lost its parents since.
 */
const struct process_report *supervised_find(const struct process_reports *reports, pid_t pid);

/*
 * Of reports about any processes keeps those that no supervisor's stands for: not those of guardians and of a tree's first
 * process; descendants that were meant to carry the library are plain from now on.
 */
void supervised_join(struct process_reports *reports);

/* True for the process that watches over a supervisor: its counters are the supervisor's. */
bool supervised_is_guardian(const struct process_report *report);

#endif
