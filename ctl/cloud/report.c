/* SPDX-License-Identifier: MIT */
/* The result of a command that changes something, for programs. */
#include "config.h"

#include <string.h>

#include "ctl/cloud/commands.h"

bool job_is_leftover(const struct job *job, const struct world_object *object)
{
	const struct state_resource *recorded = state_find(&job->state, object->resource);

	return (object->kind != WORLD_RULE || object->tagged) && !(recorded && recorded->pre_existing);
}

static void put_step(struct out *out, const struct job *job, const struct plan_step *step)
{
	const char sign[] = {step->sign, '\0'};

	out_object(out, NULL, NULL);
	out_string(out, "sign", NULL, sign);
	out_string(out, "resource", NULL, step->resource);
	out_string(out, "action", NULL, plan_action_word(step->action));
	out_optional(out, "id", NULL, step->id[0] ? step->id : job_id(job, step->resource));
	out_bool(out, "done", NULL, step->done);
	out_close(out);
}

static void put_resource(struct out *out, const struct job *job, const struct state_resource *recorded, bool fresh)
{
	const struct world_object *object = fresh ? world_find(&job->world, recorded->name) : NULL;

	if (object && strcmp(object->id, recorded->id) != 0)
		object = NULL;
	out_object(out, NULL, NULL);
	out_string(out, "resource", NULL, recorded->name);
	out_string(out, "id", NULL, recorded->id);
	out_bool(out, "pre_existing", NULL, recorded->pre_existing);
	out_optional(out, "status", NULL, object ? object->status : NULL);
	out_optional(out, "attached", NULL, object ? object->attached : NULL);
	out_optional(out, "address", NULL, object ? object->address : NULL);
	out_optional(out, "mac", NULL, object ? object->mac : NULL);
	out_close(out);
}

static void put_leftovers(struct out *out, const struct job *job, bool fresh)
{
	if (!fresh) {
		out_null(out, "left_over", NULL);
		return;
	}
	out_list(out, "left_over", NULL);
	for (size_t i = 0; i < job->world.count; i++) {
		const struct world_object *object = &job->world.objects[i];

		if (!job_is_leftover(job, object))
			continue;
		out_object(out, NULL, NULL);
		out_string(out, "resource", NULL, object->resource);
		out_string(out, "id", NULL, object->id);
		out_optional(out, "status", NULL, object->status);
		out_close(out);
	}
	out_close(out);
}

enum ctl_exit job_report(struct job *job, enum ctl_exit code, bool fresh, bool leftovers)
{
	const struct state_pending *pending = job->state.pending.request ? &job->state.pending : &job->state.unknown;
	struct out *out;

	if (!job->json)
		return code;
	if (out_begin(job->ctl->out, true, &out) < 0)
		return cloud_no_memory(&job->cloud);
	out_string(out, "stack", NULL, job->stack->name);
	out_string(out, "region", NULL, job->stack->region);
	out_optional(out, "instance", NULL, job->world.instance.id);
	out_bool(out, "complete", NULL, code == CTL_OK);
	out_optional(out, "unfinished", NULL, pending->request ? pending->action : NULL);
	out_list(out, "steps", NULL);
	for (size_t i = 0; i < job->plan.count; i++) {
		if (job->plan.steps[i].action != PLAN_KEEP)
			put_step(out, job, &job->plan.steps[i]);
	}
	out_close(out);
	out_list(out, "resources", NULL);
	for (size_t i = 0; i < job->state.count; i++)
		put_resource(out, job, &job->state.resources[i], fresh);
	out_close(out);
	if (leftovers)
		put_leftovers(out, job, fresh);
	if (out_end(out) < 0 || fflush(job->ctl->out) != 0)
		return code == CTL_OK ? CTL_FAILED : code;
	return code;
}
