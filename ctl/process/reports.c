/* SPDX-License-Identifier: MIT */
/* Keeps reports. */
#include "config.h"

#include "ctl/process/reports.h"

#include <errno.h>
#include <stdlib.h>

void process_reports_clear(struct process_reports *reports)
{
	free(reports->item);
	*reports = (struct process_reports){.item = NULL};
}

void process_reports_add(struct process_reports *reports, const struct process_report *report)
{
	if (reports->count == reports->room) {
		size_t room = reports->room ? reports->room * 2 : 4;
		struct process_report *larger = realloc(reports->item, room * sizeof(*larger));

		if (!larger) {
			reports->error = -ENOMEM;
			return;
		}
		reports->item = larger;
		reports->room = room;
	}
	reports->item[reports->count++] = *report;
}
