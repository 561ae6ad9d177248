/* SPDX-License-Identifier: MIT */
/* Gathers the reports of processes and writes them. */
#ifndef SMCSHIM_CTL_STATUS_H
#define SMCSHIM_CTL_STATUS_H

#include "ctl/ctl.h"
#include "ctl/process/reports.h"

struct status {
	const char *table; /* keep only processes that follow this table; NULL: all */
	bool named;        /* the processes were named one by one */
	struct process_reports reports;
	size_t denied;
	size_t stuck;
};

void status_clear(struct status *status);

/* A worker_sink: keeps what is worth a line. */
void status_add(void *context, const struct process_report *report);

/* Puts together what supervisors and other processes told, once, before it is printed. Returns 0 or -errno. */
_must_check_ int status_join(struct status *status);

/* Returns 0 or -ENOMEM. */
_must_check_ int status_print(const struct status *status, FILE *stream, bool json);

/* Says of each named process why there is no line about it; the exit code for that. */
enum ctl_exit status_complain(const struct status *status, struct ctl *ctl);

#endif
