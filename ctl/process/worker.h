/* SPDX-License-Identifier: MIT */
/* Looks at many processes without ever being held up by one of them. */
#ifndef SMCSHIM_CTL_PROCESS_WORKER_H
#define SMCSHIM_CTL_PROCESS_WORKER_H

#include "ctl/process/report.h"

/* Called for each process in the order of pids. */
typedef void worker_sink(void *context, const struct process_report *report);

/*
 * Inspects the processes in a child of ours. A page that a process answers for itself (FUSE, userfaultfd) can hold a
 * reader for ever: the child is then killed, the process reported as PROCESS_STUCK, and a new child goes on.
 * Returns 0 or -errno (no child could be made).
 */
_must_check_ int worker_inspect(const pid_t *pids, size_t count, worker_sink *sink, void *context);

#endif
