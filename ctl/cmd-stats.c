/* SPDX-License-Identifier: MIT */
/* smcctl stats: what SMC carried in this network namespace, and why connections fell back to TCP. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/commands.h"
#include "ctl/smc/netns.h"
#include "ctl/smc/open.h"
#include "ctl/smc/statistics.h"
#include "ctl/stats.h"

enum { STATS_SINCE_START, STATS_INTERVAL, STATS_COUNT, STATS_NETNS, STATS_JSON };

const struct ctl_option cmd_stats_options[] = {
	[STATS_SINCE_START] = {"since-start", 0, NULL, "totals since the network namespace began [this]"},
	[STATS_INTERVAL] = {"interval", 0, "SECONDS", "what came in each of those intervals, until interrupted"},
	[STATS_COUNT] = {"count", 0, "NUMBER", "end after that many intervals"},
	[STATS_NETNS] = CTL_OPTION_NETNS,
	[STATS_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

static enum ctl_exit put(struct ctl *ctl, const struct statistics *statistics, uint64_t seconds, bool json)
{
	int r = stats_print(ctl->out, statistics, seconds, json);

	return r < 0 ? ctl_error(ctl, CTL_FAILED, "statistics", NULL, "%s", strerror(-r)) : CTL_OK;
}

static enum ctl_exit get(struct ctl *ctl, struct genl *genl, struct statistics *out)
{
	int r = statistics_get(genl, out);

	return r < 0 ? smc_refused(ctl, "statistics", NULL, genl, r) : CTL_OK;
}

/* One interval after the other by the clock, however long a look takes. */
static void wait_until(struct timespec *next, uint64_t seconds)
{
	next->tv_sec += (time_t)seconds;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL) == EINTR)
		;
}

static enum ctl_exit totals(struct ctl *ctl, struct genl *genl, bool json)
{
	struct statistics statistics;
	enum ctl_exit code = get(ctl, genl, &statistics);

	return code == CTL_OK ? put(ctl, &statistics, 0, json) : code;
}

/* before is replaced by what is now. */
static enum ctl_exit look(struct ctl *ctl, struct genl *genl, struct statistics *before, uint64_t seconds, bool json)
{
	struct statistics now;
	struct statistics delta;
	enum ctl_exit code = get(ctl, genl, &now);

	if (code != CTL_OK)
		return code;
	statistics_delta(&now, before, &delta);
	*before = now;
	return put(ctl, &delta, seconds, json);
}

static enum ctl_exit watch(struct ctl *ctl, struct genl *genl, uint64_t seconds, uint64_t count, bool json)
{
	_cleanup_free_ struct statistics *before = malloc(sizeof(*before));
	struct timespec next;
	enum ctl_exit code;

	if (!before)
		return ctl_error(ctl, CTL_FAILED, "statistics", NULL, "%s", strerror(ENOMEM));
	code = get(ctl, genl, before);
	(void)clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint64_t i = 0; code == CTL_OK && (!count || i < count); i++) {
		wait_until(&next, seconds);
		if (i && !json)
			fputc('\n', ctl->out);
		code = look(ctl, genl, before, seconds, json);
		/* What cannot be written ends it; main() says so. */
		if (fflush(ctl->out) != 0)
			break;
	}
	return code;
}

enum ctl_exit cmd_stats(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_genl_ struct genl *genl = NULL;
	const char *interval = args->option[STATS_INTERVAL];
	const char *number = args->option[STATS_COUNT];
	bool json = args->option[STATS_JSON] != NULL;
	uint64_t seconds = 0;
	uint64_t count = 0;
	enum ctl_exit code;

	if (interval && args->option[STATS_SINCE_START])
		return ctl_error(ctl, CTL_USAGE, "option", "--since-start", "excludes --interval");
	if (number && !interval)
		return ctl_error(ctl, CTL_USAGE, "option", "--count", "needs --interval");
	if (interval && text_to_uint(interval, 1, 86400, &seconds) < 0)
		return ctl_error(ctl, CTL_USAGE, "seconds", interval, "not a number from 1 to 86400");
	if (number && text_to_uint(number, 1, UINT32_MAX, &count) < 0)
		return ctl_error(ctl, CTL_USAGE, "number of intervals", number, "not a number from 1 to 4294967295");
	code = smc_open(ctl, args->option[STATS_NETNS], GENL_SMC, &genl);
	if (code != CTL_OK)
		return code;
	return interval ? watch(ctl, genl, seconds, count, json) : totals(ctl, genl, json);
}
