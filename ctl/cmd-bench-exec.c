/* SPDX-License-Identifier: MIT */
/* smcctl bench exec: a program that is a benchmark itself, without and with the shim in turn. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/apply.h"
#include "ctl/bench/exec.h"
#include "ctl/bench/exec-show.h"
#include "ctl/commands.h"
#include "ctl/preload-list.h"
#include "ctl/smc/open.h"
#include "ctl/smc/statistics.h"

enum { EXEC_PAIRS, EXEC_METRIC, EXEC_POLICY, EXEC_TIMEOUT, EXEC_JSON };

const struct ctl_option cmd_bench_exec_options[] = {
	[EXEC_PAIRS] = {"pairs", 0, "N", "runs of each kind [5]"},
	[EXEC_METRIC] = {"metric", 0, "REGEX", "the number: of the last match, its first group or all of it"},
	[EXEC_POLICY] = {"policy", 0, "FILE", "the policy of the runs with the shim [" CTL_DEFAULT_POLICY "]"},
	[EXEC_TIMEOUT] = {"timeout", 0, "SECONDS", "for each run [600]"},
	[EXEC_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

struct exec {
	struct ctl *ctl;
	char *const *argv;
	char **environment[EXEC_KINDS];
	struct genl *genl;
	regex_t metric;
	uint64_t limit;
	FILE *progress; /* NULL: nobody looks */
};

static void free_environment(char **environment)
{
	for (char **p = environment; p && *p; p++)
		free(*p);
	free(environment);
}

static void exec_clear(struct exec *exec)
{
	for (int i = 0; i < EXEC_KINDS; i++)
		free_environment(exec->environment[i]);
	regfree(&exec->metric);
	if (exec->genl)
		genl_close(exec->genl);
}

/* A copy of ours, in which NAME=VALUE replace what there is. values may be NULL. */
static int make_environment(const char *const *names, const char *const *values, char ***out)
{
	size_t count = 0;
	char **list;
	size_t n = 0;

	while (environ[count])
		count++;
	list = calloc(count + 3, sizeof(*list));
	if (!list)
		return -ENOMEM;
	*out = list;
	for (size_t i = 0; i < count; i++) {
		bool replaced = false;

		for (size_t k = 0; k < 2; k++)
			replaced = replaced ||
				(values[k] && starts_with(environ[i], names[k]) && environ[i][strlen(names[k])] == '=');
		if (!replaced && !(list[n++] = strdup(environ[i])))
			return -ENOMEM;
	}
	for (size_t k = 0; k < 2; k++) {
		if (values[k] && asprintf(&list[n], "%s=%s", names[k], values[k]) < 0) {
			list[n] = NULL;
			return -ENOMEM;
		}
		n += values[k] != NULL;
	}
	return 0;
}

static enum ctl_exit prepare_shim(struct exec *exec, const char *table)
{
	static const char *const names[2] = {"LD_PRELOAD", "SMC_POLICY"};
	const char *const nothing[2] = {NULL, NULL};
	_cleanup_free_ char *library = NULL;
	_cleanup_free_ char *list = NULL;
	const char *values[2];
	const char *found;
	size_t length;
	int r;

	if (preload_list_find(getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "", &found, &length))
		return ctl_error(exec->ctl, CTL_USAGE, "bench exec", NULL,
			"has the library in LD_PRELOAD itself, so no run would be without it; start it without smcctl "
			"run");
	r = paths_library(&library);
	if (r < 0)
		return ctl_error(exec->ctl, CTL_FAILED, "library", PATHS_LIBRARY,
			"not found beside smcctl (%s); install smcshim completely", strerror(-r));
	r = preload_list(getenv("LD_PRELOAD"), library, &list);
	values[0] = list;
	values[1] = table;
	if (r == 0)
		r = make_environment(names, nothing, &exec->environment[EXEC_WITHOUT]);
	if (r == 0)
		r = make_environment(names, values, &exec->environment[EXEC_WITH]);
	return r < 0 ? ctl_error(exec->ctl, CTL_FAILED, "library", library, "%s", strerror(-r)) : CTL_OK;
}

static uint64_t connected(const struct statistics_mode *mode, const char *end)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < STATISTICS_COUNTERS; i++)
		if (starts_with(statistics_counter_key(i), end) && mode->counter[i] != SMC_UNKNOWN &&
			(strstr(statistics_counter_key(i), "_v1") || strstr(statistics_counter_key(i), "_v2")))
			sum += mode->counter[i];
	return sum;
}

/* What the kernel says that became of the connections meanwhile. */
static void take_kernel(const struct statistics *now, const struct statistics *before, struct exec_kernel *out)
{
	struct statistics delta;
	const struct statistics_side *client = &delta.side[STATISTICS_CLIENT];

	statistics_delta(now, before, &delta);
	out->smcd += connected(&delta.smcd, "client");
	out->smcr += connected(&delta.smcr, "client");
	out->fallbacks += client->fallbacks;
	for (size_t i = 0; i < client->reasons; i++) {
		if (client->reason[i].count > out->reason_count) {
			out->reason = client->reason[i].code;
			out->reason_count = client->reason[i].count;
		}
	}
}

/* The last line that is not empty, for a message; cut off at a length that a line has. */
static void last_line(const char *text, char out[static 200])
{
	const char *end = text ? text + strlen(text) : "";
	const char *from;

	while (text && end > text && end[-1] == '\n')
		end--;
	from = end;
	while (text && from > text && from[-1] != '\n')
		from--;
	(void)snprintf(out, 200, "%.*s", (int)(end - from < 190 ? end - from : 190), from);
}

static enum ctl_exit say_failure(const struct exec *exec, enum exec_kind kind, int r, const char *output)
{
	char line[200];

	last_line(output, line);
	if (r == -ETIMEDOUT)
		return ctl_error(exec->ctl, CTL_FAILED, "run", exec->argv[0],
			"not ended in time %s the shim; last line: %s", exec_kind_text(kind), line);
	if (r < 0)
		return ctl_error(exec->ctl, ctl_exit_of(r), "run", exec->argv[0], "%s", strerror(-r));
	if (r > 0)
		return ctl_error(exec->ctl, CTL_FAILED, "run", exec->argv[0],
			"ended with %d %s the shim; last line: %s", r, exec_kind_text(kind), line);
	return ctl_error(exec->ctl, CTL_FAILED, "metric", exec->argv[0],
		"no number in the output %s the shim; last line: %s", exec_kind_text(kind), line);
}

/* The line for who waits, which goes when the run is over. */
static void show_progress(const struct exec *exec, const struct exec_result *result, size_t pairs, enum exec_kind kind)
{
	if (!exec->progress)
		return;
	fprintf(exec->progress, "\rpair %zu of %zu: ", result->pairs + 1, pairs);
	if (kind == EXEC_WITH)
		fprintf(exec->progress, "%s the shim %g, ", exec_kind_text(EXEC_WITHOUT),
			result->value[EXEC_WITHOUT][result->pairs]);
	fprintf(exec->progress, "%s the shim ...\033[K", exec_kind_text(kind));
	fflush(exec->progress);
}

static void end_progress(const struct exec *exec)
{
	if (!exec->progress)
		return;
	fputs("\r\033[K", exec->progress);
	fflush(exec->progress);
}

static enum ctl_exit run_once(struct exec *exec, enum exec_kind kind, double *value, struct exec_kernel *kernel)
{
	_cleanup_free_ struct statistics *around = calloc(2, sizeof(*around));
	_cleanup_free_ char *output = NULL;
	int r = around ? statistics_get(exec->genl, &around[0]) : -ENOMEM;
	int code;

	if (r < 0)
		return smc_refused(exec->ctl, "statistics", NULL, exec->genl, r);
	code = exec_capture(exec->argv, exec->environment[kind], exec->limit, &output);
	end_progress(exec);
	if (code != 0 || !output || !exec_number(&exec->metric, output, value))
		return say_failure(exec, kind, code, output);
	r = statistics_get(exec->genl, &around[1]);
	if (r < 0)
		return smc_refused(exec->ctl, "statistics", NULL, exec->genl, r);
	take_kernel(&around[1], &around[0], kernel);
	return CTL_OK;
}

static enum ctl_exit run_pairs(struct exec *exec, size_t pairs, bool json)
{
	_cleanup_free_ struct exec_result *result = calloc(1, sizeof(*result));
	enum ctl_exit code = CTL_OK;
	int r;

	if (!result)
		return ctl_error(exec->ctl, CTL_FAILED, "bench exec", NULL, "%s", strerror(ENOMEM));
	result->program = exec->argv[0];
	for (; code == CTL_OK && result->pairs < pairs; result->pairs++)
		for (enum exec_kind kind = 0; code == CTL_OK && kind < EXEC_KINDS; kind++) {
			show_progress(exec, result, pairs, kind);
			code = run_once(exec, kind, &result->value[kind][result->pairs], &result->kernel[kind]);
		}
	if (code != CTL_OK)
		return code;
	r = exec_show(exec->ctl->out, json, result);
	if (r < 0)
		return ctl_error(exec->ctl, CTL_FAILED, "bench exec", NULL, "%s", strerror(-r));
	return exec_was_smc(result) ? CTL_OK : CTL_DIFFERENCE;
}

static enum ctl_exit prepare(
	struct exec *exec, const struct ctl_args *args, uint64_t *pairs, struct apply_result *policy)
{
	const char *metric = args->option[EXEC_METRIC];
	const char *number = args->option[EXEC_PAIRS];
	const char *timeout = args->option[EXEC_TIMEOUT];
	uint64_t seconds = 600;
	enum ctl_exit code;
	char why[200];
	int r;

	*pairs = 5;
	if (number && text_to_uint(number, 1, EXEC_MAX_PAIRS, pairs) < 0)
		return ctl_error(
			exec->ctl, CTL_USAGE, "number of pairs", number, "not a number from 1 to %u", EXEC_MAX_PAIRS);
	if (timeout && text_to_uint(timeout, 1, 86400, &seconds) < 0)
		return ctl_error(
			exec->ctl, CTL_USAGE, "time limit", timeout, "not a number of seconds from 1 to 86400");
	exec->limit = seconds * BENCH_SECOND;
	if (!metric)
		return ctl_error(exec->ctl, CTL_USAGE, "option", "--metric",
			"missing: a regular expression for the number to compare, as 'requests per second: ([0-9.]+)'");
	r = regcomp(&exec->metric, metric, REG_EXTENDED | REG_NEWLINE);
	if (r != 0) {
		(void)regerror(r, &exec->metric, why, sizeof(why));
		memset(&exec->metric, 0, sizeof(exec->metric));
		return ctl_error(exec->ctl, CTL_USAGE, "metric", metric, "%s", why);
	}
	code = smc_open(exec->ctl, NULL, GENL_SMC, &exec->genl);
	if (code == CTL_OK && args->option[EXEC_POLICY])
		code = apply_policy(exec->ctl, args->option[EXEC_POLICY], APPLY_QUICK, policy);
	return code == CTL_OK ? prepare_shim(exec, policy->paths.table) : code;
}

enum ctl_exit cmd_bench_exec(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_apply_result_ struct apply_result policy = {.changed = false};
	_cleanup_(exec_clear) struct exec exec = {
		.ctl = ctl, .argv = args->operand, .progress = isatty(fileno(ctl->err)) ? ctl->err : NULL};
	uint64_t pairs = 0;
	enum ctl_exit code = prepare(&exec, args, &pairs, &policy);

	if (code != CTL_OK)
		return code;
	/* argv of main ends with NULL, but operands may have been moved: the last one is followed by what was there. */
	args->operand[args->operands] = NULL;
	return run_pairs(&exec, (size_t)pairs, args->option[EXEC_JSON] != NULL);
}
