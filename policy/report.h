/* SPDX-License-Identifier: MIT */
/* Messages about a policy text: where they stand, what they quote. */
#ifndef SMCSHIM_POLICY_REPORT_H
#define SMCSHIM_POLICY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/json.h"
#include "policy/policy.h"

struct policy_report {
	struct policy_errors *errors;
	const char *name;
	const char *text;
	size_t len;
	/* The last place that was asked for: questions come nearly in order. */
	size_t at;
	size_t line_start;
	uint32_t line;
	bool no_memory; /* a message was lost */
};

void policy_report_init(
	struct policy_report *report, const char *name, const char *text, size_t len, struct policy_errors *errors);

/* The line of a position, from 1. */
uint32_t policy_report_line(struct policy_report *report, size_t position);

/* Adds "NAME:LINE:COLUMN: WHAT 'the text at where': " and the formatted "WHY; FIX". */
void policy_report_add(struct policy_report *report, struct json_token where, const char *what, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds a finished message without a place in a text; false: no memory. */
bool policy_errors_add(struct policy_errors *errors, const struct policy_error *error, const char *text);

/* Puts the messages into the order of the text. */
void policy_errors_sort(struct policy_errors *errors);

#endif
