/* SPDX-License-Identifier: MIT */
/* A growing list of reports: what a worker_sink keeps. */
#ifndef SMCSHIM_CTL_PROCESS_REPORTS_H
#define SMCSHIM_CTL_PROCESS_REPORTS_H

#include "ctl/process/report.h"
#include "ctl/util.h"

struct process_reports {
	struct process_report *item;
	size_t count;
	size_t room;
	int error; /* -ENOMEM sticks: a worker_sink returns nothing */
};

#define _cleanup_process_reports_ _cleanup_(process_reports_clear)

void process_reports_clear(struct process_reports *reports);

/* Adds a copy. */
void process_reports_add(struct process_reports *reports, const struct process_report *report);

#endif
