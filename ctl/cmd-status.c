/* SPDX-License-Identifier: MIT */
/* smcctl status: which processes carry the shim, and what became of their connections. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/again.h"
#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/process/list.h"
#include "ctl/process/worker.h"
#include "ctl/status.h"

enum { STATUS_POLICY, STATUS_WATCH, STATUS_JSON };

const struct ctl_option cmd_status_options[] = {
	[STATUS_POLICY] = {"policy", 0, "FILE", "only processes that follow FILE's table"},
	[STATUS_WATCH] = {"watch", 0, "[SECONDS]", "again and again, every 2 or that many seconds"},
	[STATUS_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

static enum ctl_exit parse_pids(struct ctl *ctl, const struct ctl_args *args, pid_t **out)
{
	pid_t *pids = calloc(args->operands, sizeof(*pids));

	if (!pids)
		return ctl_error(ctl, CTL_FAILED, "status", NULL, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < args->operands; i++) {
		uint64_t pid;

		if (text_to_uint(args->operand[i], 1, INT32_MAX, &pid) < 0) {
			free(pids);
			return ctl_error(ctl, CTL_USAGE, "process", args->operand[i], "not a process ID");
		}
		pids[i] = (pid_t)pid;
	}
	*out = pids;
	return CTL_OK;
}

/* What to look at. */
struct request {
	const pid_t *named;
	size_t named_count;
	const char *table;
	bool json;
};

/* One look at everything. */
static enum ctl_exit look(struct ctl *ctl, const void *arg)
{
	const struct request *request = arg;
	_cleanup_(status_clear) struct status status = {.table = request->table, .named = request->named_count > 0};
	_cleanup_free_ pid_t *listed = NULL;
	size_t count = request->named_count;
	int r = 0;

	if (!status.named)
		r = process_list(&listed, &count);
	if (r == 0)
		r = worker_inspect(status.named ? request->named : listed, count, status_add, &status);
	if (r == 0)
		r = status.reports.error;
	if (r == 0)
		r = status_join(&status);
	if (r == 0)
		r = status_print(&status, ctl->out, request->json);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "status", NULL, "%s", strerror(-r));
	return status.named ? status_complain(&status, ctl) : CTL_OK;
}

enum ctl_exit cmd_status(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_paths_ struct paths paths = {.file = NULL};
	_cleanup_free_ pid_t *pids = NULL;
	struct request request = {.named_count = args->operands, .json = args->option[STATUS_JSON] != NULL};
	uint64_t seconds;
	enum ctl_exit code = again_seconds(ctl, args->option[STATUS_WATCH], &seconds);

	if (code == CTL_OK && args->operands)
		code = parse_pids(ctl, args, &pids);
	if (code == CTL_OK && args->option[STATUS_POLICY])
		code = apply_find(ctl, args->option[STATUS_POLICY], &paths);
	if (code != CTL_OK)
		return code;
	request.named = pids;
	request.table = paths.table;
	return again_run(ctl, seconds, request.json, look, &request);
}
