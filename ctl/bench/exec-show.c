/* SPDX-License-Identifier: MIT */
/* The numbers of the pairs and their ratio, or why there is none. */
#include "config.h"

#include "ctl/bench/exec-show.h"

#include <math.h>
#include <stdlib.h>

#include "ctl/output.h"
#include "ctl/smc/reasons.h"

/* SMC_CLC_DECL_OPTUNSUPP: how the library turns sockets into TCP that the policy does not name. */
#define REASON_OPTION 0x03060000u

const char *exec_kind_text(enum exec_kind kind)
{
	return kind == EXEC_WITHOUT ? "without" : "with";
}

bool exec_was_smc(const struct exec_result *result)
{
	const struct exec_kernel *with = &result->kernel[EXEC_WITH];
	const struct exec_kernel *without = &result->kernel[EXEC_WITHOUT];

	return with->smcd + with->smcr > 0 && without->smcd + without->smcr == 0;
}

static void why_not(const struct exec_result *result, char *out, size_t size)
{
	const struct exec_kernel *with = &result->kernel[EXEC_WITH];
	const struct exec_kernel *without = &result->kernel[EXEC_WITHOUT];
	const struct reason *reason = reason_find(with->reason);

	if (without->smcd + without->smcr)
		(void)snprintf(out, size,
			"no ratio: %ju connections were SMC while the program ran without the shim; are others at work "
			"here?",
			(uintmax_t)(without->smcd + without->smcr));
	else if (with->fallbacks && reason && with->reason != REASON_OPTION)
		(void)snprintf(out, size, "no ratio: what was meant to be SMC fell back to TCP (%ju): %s: %s; %s",
			(uintmax_t)with->fallbacks, reason->name, reason->meaning, reason->remedy);
	else
		(void)snprintf(out, size,
			"no ratio: not one connection was SMC: the policy names none of its destinations, or the "
			"program "
			"cannot be accelerated; smcctl policy test and smcctl run -v -- %s tell",
			result->program);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double ratio_of(const struct exec_result *result, size_t pair)
{
	return result->value[EXEC_WITH][pair] / result->value[EXEC_WITHOUT][pair];
}

static void put_ratio(struct out *out, const struct exec_result *result)
{
	double ratio[EXEC_MAX_PAIRS];
	size_t count = 0;

	for (size_t i = 0; i < result->pairs; i++)
		if (isfinite(ratio_of(result, i)))
			ratio[count++] = ratio_of(result, i);
	if (!count) {
		out_null(out, "median", "Ratio");
		return;
	}
	qsort(ratio, count, sizeof(*ratio), compare);
	out_decimal(out, "median", "Ratio", (ratio[(count - 1) / 2] + ratio[count / 2]) / 2, 3);
	out_decimal(out, "low", "Lowest", ratio[0], 3);
	out_decimal(out, "high", "Highest", ratio[count - 1], 3);
}

static void put_kernel(struct out *out, const struct exec_result *result, enum exec_kind kind)
{
	const struct exec_kernel *kernel = &result->kernel[kind];
	char text[24];

	out_object(out, NULL, NULL);
	out_string(out, "shim", "SHIM", exec_kind_text(kind));
	out_uint(out, "smcd", "SMC-D", kernel->smcd);
	out_uint(out, "smcr", "SMC-R", kernel->smcr);
	out_uint(out, "fallbacks", "FELL BACK", kernel->fallbacks);
	(void)snprintf(text, sizeof(text), "0x%08x", kernel->reason);
	out_optional(out, "reason", NULL, kernel->reason ? text : NULL);
	out_close(out);
}

int exec_show(FILE *stream, bool json, const struct exec_result *result)
{
	bool smc = exec_was_smc(result);
	char why[400] = "";
	struct out *out;
	int r = out_begin(stream, json, &out);

	if (r < 0)
		return r;
	out_string(out, "program", "Program", result->program);
	out_bool(out, "measured", NULL, smc);
	if (smc) {
		put_ratio(out, result);
	} else {
		why_not(result, why, sizeof(why));
		out_note(out, "%s", why);
	}
	out_optional(out, "why", NULL, why);
	out_note(out, "%s", "");
	out_list(out, "pairs", NULL);
	for (size_t i = 0; i < result->pairs; i++) {
		out_object(out, NULL, NULL);
		out_decimal(out, "without", "WITHOUT", result->value[EXEC_WITHOUT][i], 3);
		out_decimal(out, "with", "WITH", result->value[EXEC_WITH][i], 3);
		if (smc)
			out_decimal(out, "ratio", "RATIO", ratio_of(result, i), 3);
		else
			out_null(out, "ratio", "RATIO");
		out_close(out);
	}
	out_close(out);
	out_note(out, "%s", "");
	out_list(out, "connections", NULL);
	for (enum exec_kind kind = 0; kind < EXEC_KINDS; kind++)
		put_kernel(out, result, kind);
	out_close(out);
	return out_end(out);
}
