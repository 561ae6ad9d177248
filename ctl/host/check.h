/* SPDX-License-Identifier: MIT */
/* Drift: where the host is no longer as its profile says, now or at the next boot, and why probably. */
#ifndef SMCSHIM_CTL_HOST_CHECK_H
#define SMCSHIM_CTL_HOST_CHECK_H

#include "ctl/host/counters.h"
#include "ctl/host/journal.h"
#include "ctl/host/plan.h"

struct check_item {
	const struct host_plan_item *item; /* of the plan */
	bool now;                          /* in force as wanted, or not due */
	bool boot;                         /* at the next boot too */
	char *cause;                       /* NULL: no drift */
};

struct check_queues {
	char interface[IFNAMSIZ];
	struct queue_counter *queues;
	size_t count;
	bool spreads; /* no queue has more than nine tenths of the packets of many */
};

struct check {
	struct host_plan plan;
	struct check_item *items;
	struct counters counters;
	struct check_queues *interfaces;
	size_t interface_count;
	size_t drift; /* items */
};

void check_clear(struct check *check);

/* Returns 0 or -errno. */
_must_check_ int check_make(
	struct host *host, const struct profile *profile, const struct journal *journal, struct check *out);

void check_show(struct out *out, const struct check *check);

/* As the textfile collector of Prometheus' node exporter reads it. */
void check_metrics(FILE *stream, const struct check *check);

/* ---- for tests ---- */

/* True when no queue has more than nine tenths of the packets, or there are too few to say. */
bool check_spreads(const struct queue_counter *queues, size_t count);

#endif
