/* SPDX-License-Identifier: MIT */
/* What doctor found out: a list of verdicts with their remedies. */
#ifndef SMCSHIM_CTL_DOCTOR_FINDINGS_H
#define SMCSHIM_CTL_DOCTOR_FINDINGS_H

#include <stdio.h>

#include "ctl/util.h"

enum finding_level {
	FINDING_OK,
	FINDING_NOTE,    /* worth knowing */
	FINDING_UNKNOWN, /* could not be looked at */
	FINDING_WARNING, /* SMC works, but worse or riskier than it could */
	FINDING_PROBLEM, /* connections stay TCP, or programs are in danger: not ready */
	FINDING_LEVELS,
};

struct finding {
	enum finding_level level;
	const char *topic; /* static */
	char *text;
	const char *remedy; /* static, or NULL */
};

struct findings {
	struct finding *item;
	size_t count;
	size_t number[FINDING_LEVELS];
	bool failed; /* no memory for one of them; sticks */
};

#define _cleanup_findings_ _cleanup_(findings_clear)
void findings_clear(struct findings *findings);

/*
 * Adds one: topic and remedy (or NULL) are static texts, the finding itself is formatted; neither ends with a full stop.
 */
__attribute__((format(printf, 5, 6))) void finding_add(struct findings *findings, enum finding_level level,
	const char *topic, const char *remedy, const char *format, ...);

/* True if nothing found keeps this host from SMC. */
bool findings_ready(const struct findings *findings);

/* Writes them all, a line each, and the one verdict. Returns 0 or -ENOMEM. */
_must_check_ int findings_print(const struct findings *findings, FILE *stream, bool json);

#endif
