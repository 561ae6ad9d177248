/* SPDX-License-Identifier: MIT */
/* smcctl cloud status: what exists of a stack, in which state, and where it differs from the file. */
#include "config.h"

#include <string.h>

#include "ctl/cloud-options.h"
#include "ctl/cloud/commands.h"
#include "ctl/commands.h"

static bool is_new(const struct job *job, const char *resource)
{
	const struct state_resource *recorded = state_find(&job->state, resource);
	const struct world_object *object = world_find(&job->world, resource);

	return !recorded || !object || strcmp(recorded->id, object->id) != 0;
}

static void put_object(struct out *out, const struct job *job, const struct world_object *object)
{
	out_object(out, NULL, NULL);
	out_string(out, "resource", "RESOURCE", object->resource);
	out_string(out, "id", "ID", object->id);
	out_string(out, "status", "STATUS", object->kind == WORLD_RULE ? "there" : object->status);
	out_optional(out, "attached", "ATTACHED", object->attached);
	out_optional(out, "address", "ADDRESS", object->address);
	out_optional(out, "mac", "MAC", object->mac);
	out_bool(out, "erdma", "ERDMA", object->erdma);
	out_bool(out, "recorded", "RECORDED", !is_new(job, object->resource));
	if (object->owner[0])
		out_note(out, "of the stack %s: it goes when that one goes", object->owner);
	else if (object->kind == WORLD_RULE && !object->tagged)
		out_note(out, "there before the stack: it stays");
	else if (!object->tagged)
		out_note(out, "does not bear the stack's tags: it is not touched");
	out_close(out);
}

static void put_drift(struct out *out, const struct job *job)
{
	out_list(out, "drift", NULL);
	for (size_t i = 0; i < job->plan.count; i++) {
		const struct plan_step *step = &job->plan.steps[i];

		if (step->action == PLAN_KEEP || !out_is_json(out))
			continue;
		out_object(out, NULL, NULL);
		out_string(out, "resource", NULL, step->resource);
		out_string(out, "why", NULL, step->why);
		out_close(out);
	}
	/* What cannot be mended by an apply is drift all the more. */
	for (size_t i = 0; i < job->plan.refusal_count && out_is_json(out); i++) {
		out_object(out, NULL, NULL);
		out_string(out, "resource", NULL, job->plan.refusals[i].resource);
		out_string(out, "why", NULL, job->plan.refusals[i].why);
		out_close(out);
	}
	out_close(out);
	for (size_t i = 0; i < job->plan.refusal_count; i++)
		out_note(out, "refused: %s: %s", job->plan.refusals[i].resource, job->plan.refusals[i].why);
	if (plan_changes(&job->plan) || job->plan.refusal_count)
		out_note(out, "differs from the file: %zu steps; smcctl cloud plan shows them",
			plan_changes(&job->plan));
	else
		out_note(out, "as the file says");
}

enum ctl_exit cmd_cloud_status(struct ctl *ctl, const struct ctl_args *args)
{
	const struct job_options options = {.file = args->operands ? args->operand[0] : NULL,
		.state = args->option[CLOUD_STATUS_STATE],
		.debug = args->option[CLOUD_STATUS_DEBUG] != NULL};
	_cleanup_job_ struct job job;
	struct out *out;
	enum ctl_exit code = job_open(&job, ctl, &options);

	if (code == CTL_OK)
		code = job_make_plan(&job);
	if (code != CTL_OK)
		return code;
	if (out_begin(ctl->out, args->option[CLOUD_STATUS_JSON] != NULL, &out) < 0)
		return cloud_no_memory(&job.cloud);
	out_string(out, "stack", "stack", job.stack->name);
	out_string(out, "region", "region", job.stack->region);
	out_optional(out, "instance", "instance", job.world.instance.id);
	if (job.state.pending.request)
		out_string(out, "unfinished", "unfinished", job.state.pending.action);
	out_list(out, "resources", NULL);
	for (size_t i = 0; i < job.world.count; i++)
		put_object(out, &job, &job.world.objects[i]);
	out_close(out);
	put_drift(out, &job);
	if (out_end(out) < 0)
		return cloud_no_memory(&job.cloud);
	return plan_changes(&job.plan) || job.plan.refusal_count ? CTL_DIFFERENCE : CTL_OK;
}
