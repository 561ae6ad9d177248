/* SPDX-License-Identifier: MIT */
/* smcctl cloud destroy and import: takes away exactly what is the stack's; finds it again by its tags. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/cloud-options.h"
#include "ctl/cloud/commands.h"
#include "ctl/cloud/metadata.h"
#include "ctl/commands.h"

/* The instance that things are expected on: that of the file, the stack's own, or the one that "this" was, or is. */
static enum ctl_exit find_instance(struct job *job)
{
	const struct world_object *own = world_find(&job->world, "instance");
	_cleanup_free_ char *this = NULL;
	const char *id = job->stack->instance_id;

	if (job->stack->instance == STACK_RUN)
		id = own ? own->id : "";
	if (job->stack->instance == STACK_THIS)
		id = job->state.instance;
	if (job->stack->instance == STACK_THIS && !id[0]) {
		if (metadata_get(&job->cloud.net, "instance-id", &this) == -ENOMEM)
			return cloud_no_memory(&job->cloud);
		id = this ? this : "";
	}
	snprintf(job->world.instance.id, sizeof(job->world.instance.id), "%s", id);
	return CTL_OK;
}

static enum ctl_exit look(struct job *job)
{
	enum ctl_exit code = job_look(job, false);

	return code == CTL_OK ? find_instance(job) : code;
}

static enum ctl_exit plan_removal(struct job *job)
{
	enum ctl_exit code = world_read_company(&job->cloud, &job->world);

	if (code != CTL_OK)
		return code;
	plan_clear(&job->plan);
	return plan_destroy(&job->state, &job->world, &job->plan) < 0 ? cloud_no_memory(&job->cloud) : CTL_OK;
}

/* What is still there, with what it is called in the console. */
static enum ctl_exit list_leftovers(struct job *job, enum ctl_exit code, bool *seen)
{
	enum ctl_exit looked = look(job);
	const struct state_pending *unknown = &job->state.unknown;
	size_t left = unknown->request != NULL;

	*seen = looked == CTL_OK;
	if (left)
		ctl_warn(job->ctl, "left over: %s, whose %s may have happened; run it again", unknown->name,
			unknown->action);
	if (looked != CTL_OK)
		return code == CTL_OK ? looked : code;
	for (size_t i = 0; i < job->world.count; i++) {
		const struct world_object *object = &job->world.objects[i];

		if (!job_is_leftover(job, object))
			continue;
		left++;
		ctl_warn(job->ctl, "left over: %s %s %s%s", object->resource, object->id, object->status,
			object->kind == WORLD_ADDRESS || object->kind == WORLD_INSTANCE ? ", which costs money" : "");
	}
	return left && code == CTL_OK ? CTL_PARTLY : code;
}

/* Finishes an unfinished creation first: what it may have made has to be known to be removed. */
static enum ctl_exit prepare(struct job *job, bool yes)
{
	enum ctl_exit code = look(job);
	bool settled = false;

	if (code == CTL_OK)
		code = job_settle(job, &settled);
	if (code == CTL_OK && settled)
		code = job_save(job);
	if (code == CTL_OK && job->state.pending.request) {
		code = job_confirm_recovery(job, yes);
		if (code != CTL_OK)
			return code;
		/* That it failed has been said. All else goes nevertheless, and may be what the quota is used up by. */
		if (job_recover(job) != CTL_OK && job->state.pending.request)
			state_set_aside(&job->state);
		code = look(job);
	}
	return code == CTL_OK ? plan_removal(job) : code;
}

enum ctl_exit cmd_cloud_destroy(struct ctl *ctl, const struct ctl_args *args)
{
	const struct job_options options = {.file = args->operands ? args->operand[0] : NULL,
		.state = args->option[CLOUD_DESTROY_STATE],
		.timeout = args->option[CLOUD_DESTROY_TIMEOUT],
		.debug = args->option[CLOUD_DESTROY_DEBUG] != NULL,
		.changes = true,
		.json = args->option[CLOUD_DESTROY_JSON] != NULL};
	const bool yes = args->option[CLOUD_DESTROY_YES] != NULL;
	_cleanup_job_ struct job job;
	enum ctl_exit code = job_open(&job, ctl, &options);
	enum ctl_exit refused;
	bool seen = false;
	size_t steps;

	if (code == CTL_OK)
		code = prepare(&job, yes);
	if (code != CTL_OK)
		return code;
	refused = job_refusals(&job);
	steps = job.plan.count;
	if (steps) {
		code = job_show_plan(&job, job.progress, false, "");
		fflush(job.progress);
		if (code == CTL_OK)
			code = job_confirm(&job, "Remove all that?", yes);
		if (code != CTL_OK)
			return code;
		code = job_run(&job, true);
	}
	code = list_leftovers(&job, code != CTL_OK ? code : refused, &seen);
	if (code == CTL_OK)
		fprintf(job.progress, "%s: nothing is left; steps done: %zu\n", job.stack->name, steps);
	return job_report(&job, code, seen, true);
}

enum ctl_exit cmd_cloud_import(struct ctl *ctl, const struct ctl_args *args)
{
	const struct job_options options = {.file = args->operands ? args->operand[0] : NULL,
		.state = args->option[CLOUD_IMPORT_STATE],
		.debug = args->option[CLOUD_IMPORT_DEBUG] != NULL,
		.changes = true,
		.json = args->option[CLOUD_IMPORT_JSON] != NULL};
	_cleanup_job_ struct job job;
	enum ctl_exit code = job_open(&job, ctl, &options);
	size_t found, known;
	bool settled;

	if (code == CTL_OK)
		code = job_look(&job, false);
	known = job.state.count;
	/* Else the next run would send again what made something that is recorded by then. */
	if (code == CTL_OK)
		code = job_settle(&job, &settled);
	found = job.state.count - known;
	for (size_t i = 0; code == CTL_OK && i < job.world.count; i++) {
		const struct world_object *object = &job.world.objects[i];
		struct state_resource *recorded = state_find(&job.state, object->resource);

		if (object->twin)
			return ctl_error(ctl, CTL_STALE, "resource", object->resource,
				"two objects bear its tags, %s is one; remove the one that is too many in the console",
				object->id);
		if (!object->tagged || (recorded && strcmp(recorded->id, object->id) == 0))
			continue;
		recorded = state_set(&job.state, object->resource, object->id);
		if (!recorded)
			return cloud_no_memory(&job.cloud);
		if (object->kind == WORLD_RULE)
			memcpy(recorded->group, object->group, sizeof(recorded->group));
		fprintf(job.progress, "%s %s\n", object->resource, object->id);
		found++;
	}
	if (code == CTL_OK)
		code = job_save(&job);
	if (code != CTL_OK)
		return code;
	fprintf(job.progress, "%s: resources taken into the state: %zu\n", job.stack->name, found);
	return job_report(&job, CTL_OK, true, false);
}
