/* SPDX-License-Identifier: MIT */
/* smcctl cloud apply: makes the world what the file says, and goes on where an earlier run ended. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/cloud-options.h"
#include "ctl/cloud/commands.h"
#include "ctl/cloud/then-host.h"
#include "ctl/commands.h"

#define PLAN_FILE_MAX (1u << 20)

enum ctl_exit job_make_plan(struct job *job)
{
	enum ctl_exit code = job_look(job, true);
	int r;

	if (code != CTL_OK)
		return code;
	plan_clear(&job->plan);
	r = plan_make(job->stack, &job->state, &job->world, &job->plan);
	return r < 0 ? cloud_no_memory(&job->cloud) : CTL_OK;
}

/* The plan that was written is still the plan, or nothing happens. */
static enum ctl_exit compare_plan(struct job *job, const char *path)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = open_read(path);
	char digest[17];
	size_t size = 0;
	int r = fd < 0 ? fd : read_all(fd, PLAN_FILE_MAX, &text, &size);
	cJSON *tree;
	bool same;

	if (r < 0)
		return ctl_error(job->ctl, CTL_BAD_INPUT, "plan", path, "%s", strerror(-r));
	snprintf(digest, sizeof(digest), "%016" PRIx64,
		plan_digest(&job->plan, job->stack, &job->state, job->world.instance.id));
	tree = cJSON_ParseWithLength(text, size);
	r = cJSON_IsObject(tree) && cloud_text(tree, "digest")[0] ? 0 : -EINVAL;
	same = r == 0 && strcmp(cloud_text(tree, "digest"), digest) == 0;
	cJSON_Delete(tree);
	if (r < 0)
		return ctl_error(
			job->ctl, CTL_BAD_INPUT, "plan", path, "not a plan that smcctl cloud plan --out wrote");
	if (!same)
		return ctl_error(job->ctl, CTL_STALE, "plan", path,
			"stale: the file, the state or what exists has changed since; make it anew. Nothing was "
			"changed");
	return CTL_OK;
}

/* Goes on where an earlier run ended; what has to be sent for that is in no plan, and nobody has been asked yet. */
static enum ctl_exit prepare(struct job *job, const struct ctl_args *args, bool *settled)
{
	enum ctl_exit code = job_look(job, false);

	if (code == CTL_OK)
		code = job_settle(job, settled);
	if (code == CTL_OK && job->state.pending.request) {
		if (args->option[CLOUD_APPLY_PLAN])
			return ctl_error(job->ctl, CTL_STALE, "plan", args->option[CLOUD_APPLY_PLAN],
				"stale: an earlier run ended during %s; smcctl cloud apply without --plan finishes "
				"that "
				"first. Nothing was changed",
				job->state.pending.action);
		code = job_confirm_recovery(job, args->option[CLOUD_APPLY_YES] != NULL);
		if (code == CTL_OK)
			code = job_recover(job);
	}
	return code == CTL_OK ? job_make_plan(job) : code;
}

/* By it destroy knows on another machine, too, from which instance it may take things. */
static enum ctl_exit note_instance(struct job *job, bool settled)
{
	const char *id = job->stack->instance == STACK_THIS ? job->world.instance.id : "";

	if (strcmp(job->state.instance, id) == 0 && !settled)
		return CTL_OK;
	snprintf(job->state.instance, sizeof(job->state.instance), "%s", id);
	return job_save(job);
}

static enum ctl_exit ask(struct job *job, const struct ctl_args *args)
{
	char price[JOB_PRICE];
	enum ctl_exit code;

	job_price(job, price);
	code = job_show_plan(job, job->progress, false, price);
	fflush(job->progress);
	return code == CTL_OK ? job_confirm(job, plan_bills(&job->plan) ? "This costs money. Go on?" : "Go on?",
					args->option[CLOUD_APPLY_YES] != NULL)
			      : code;
}

/* The plan is done when a new one has nothing left to do. */
static enum ctl_exit verify(struct job *job)
{
	struct plan done = job->plan;
	enum ctl_exit code;

	job->plan = (struct plan){.steps = NULL};
	code = job_make_plan(job);
	if (code == CTL_OK)
		code = job_refusals(job);
	if (code == CTL_OK && plan_changes(&job->plan))
		code = ctl_error(job->ctl, CTL_PARTLY, "stack", job->stack->name,
			"not yet as the file says, %zu steps are left; run it again", plan_changes(&job->plan));
	plan_clear(&job->plan);
	job->plan = done;
	return code;
}

enum ctl_exit cmd_cloud_apply(struct ctl *ctl, const struct ctl_args *args)
{
	const struct job_options options = {.file = args->operands ? args->operand[0] : NULL,
		.state = args->option[CLOUD_APPLY_STATE],
		.timeout = args->option[CLOUD_APPLY_TIMEOUT],
		.debug = args->option[CLOUD_APPLY_DEBUG] != NULL,
		.changes = true,
		.json = args->option[CLOUD_APPLY_JSON] != NULL};
	const char *profile = args->option[CLOUD_APPLY_THEN_HOST];
	_cleanup_then_host_ struct then_host then = {.path = NULL};
	_cleanup_job_ struct job job;
	enum ctl_exit code = job_open(&job, ctl, &options);
	bool settled = false;
	size_t changes;

	if (code == CTL_OK && profile)
		code = then_host_open(&then, &job, profile);
	if (code == CTL_OK)
		code = prepare(&job, args, &settled);
	if (code == CTL_OK)
		code = job_refusals(&job);
	if (code == CTL_OK && args->option[CLOUD_APPLY_PLAN])
		code = compare_plan(&job, args->option[CLOUD_APPLY_PLAN]);
	if (code != CTL_OK)
		return code;
	changes = plan_changes(&job.plan);
	if (changes)
		code = ask(&job, args);
	if (code == CTL_OK)
		code = note_instance(&job, settled);
	if (code != CTL_OK)
		return code;
	code = job_run(&job, false);
	if (code == CTL_OK && changes)
		code = verify(&job);
	if (code == CTL_OK)
		fprintf(job.progress, "%s: as the file says; steps done: %zu\n", job.stack->name, changes);
	code = job_report(&job, code, code == CTL_OK, false);
	return code == CTL_OK && profile ? then_host_run(&then, &job) : code;
}
