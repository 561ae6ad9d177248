/* SPDX-License-Identifier: MIT */
/* smcctl cloud plan: what apply would do, without doing any of it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/cloud-options.h"
#include "ctl/cloud/commands.h"
#include "ctl/commands.h"

static void show(struct out *out, const struct job *job, const char *price)
{
	char digest[17];

	snprintf(digest, sizeof(digest), "%016" PRIx64,
		plan_digest(&job->plan, job->stack, &job->state, job->world.instance.id));
	out_string(out, "stack", "stack", job->stack->name);
	out_string(out, "region", "region", job->stack->region);
	out_optional(out, "instance", "instance", job->world.instance.id);
	out_string(out, "digest", NULL, digest);
	out_uint(out, "changes", NULL, plan_changes(&job->plan));
	plan_show(out, &job->plan, job->stack, price);
	if (!plan_changes(&job->plan) && !job->plan.refusal_count)
		out_note(out, "nothing to change");
}

enum ctl_exit job_show_plan(struct job *job, FILE *stream, bool json, const char *price)
{
	struct out *out;

	if (out_begin(stream, json, &out) < 0)
		return cloud_no_memory(&job->cloud);
	show(out, job, price);
	return out_end(out) < 0 ? cloud_no_memory(&job->cloud) : CTL_OK;
}

static enum ctl_exit write_plan(struct job *job, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "w");
	enum ctl_exit code;

	if (!stream)
		return ctl_error(job->ctl, ctl_exit_of(-errno), "plan", path, "%s", strerror(errno));
	code = job_show_plan(job, stream, true, "");
	if (fclose(stream) != 0 && code == CTL_OK)
		return ctl_error(job->ctl, CTL_FAILED, "plan", path, "%s", strerror(errno));
	return code;
}

void job_price(struct job *job, char price[static JOB_PRICE])
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	const struct stack_run *run = &job->stack->run;

	price[0] = '\0';
	if (job->stack->instance != STACK_RUN)
		return;
	cloud_params_add(&params, "RegionId", job->cloud.region);
	cloud_params_add(&params, "ResourceType", "instance");
	cloud_params_add(&params, "InstanceType", run->type);
	cloud_params_add(&params, "SystemDisk.Category", run->disk[0] ? run->disk : NULL);
	if (run->disk_size)
		cloud_params_addf(&params, "SystemDisk.Size", "%u", run->disk_size);
	cloud_params_add(&params, "PriceUnit", "Hour");
	/* An estimate that cannot be had is said to be unknown; it stops nothing. */
	if (cloud_try(&job->cloud, CLOUD_ECS, "DescribePrice", CLOUD_READ, &params, &reply) != CTL_OK)
		return;
	if (reply.class != CLOUD_FINE) {
		ctl_warn(job->ctl, "price: the service does not tell it: %s: %s", reply.code, reply.text);
		return;
	}
	world_of_price(reply.json, price);
}

/* Of our changing actions only this one can be tried without being done; its success comes as an error. */
static enum ctl_exit server_check(struct job *job)
{
	for (size_t i = 0; i < job->plan.count; i++) {
		_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
		_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
		enum ctl_exit code;

		if (job->plan.steps[i].action != PLAN_RUN)
			continue;
		job_run_params(job, &job->plan.steps[i], &params);
		cloud_params_add(&params, "DryRun", "true");
		code = cloud_read(&job->cloud, CLOUD_ECS, "RunInstances", &params, &reply);
		if (code != CTL_OK)
			return code;
		ctl_warn(job->ctl, "instance: the service would run it");
		return CTL_OK;
	}
	ctl_warn(job->ctl, "instance: none is to be run, and the service can check nothing else");
	return CTL_OK;
}

enum ctl_exit cmd_cloud_plan(struct ctl *ctl, const struct ctl_args *args)
{
	const struct job_options options = {.file = args->operands ? args->operand[0] : NULL,
		.state = args->option[CLOUD_PLAN_STATE],
		.debug = args->option[CLOUD_PLAN_DEBUG] != NULL};
	_cleanup_job_ struct job job;
	char price[JOB_PRICE];
	bool settled;
	enum ctl_exit code = job_open(&job, ctl, &options);

	if (code == CTL_OK)
		code = job_make_plan(&job);
	/* What is left then is what apply has to send again. */
	if (code == CTL_OK)
		code = job_settle(&job, &settled);
	if (code != CTL_OK)
		return code;
	if (job.state.pending.request)
		ctl_warn(ctl,
			"%s: an earlier run ended during %s; apply finishes that first, and what is planned may change",
			job.state.pending.name, job.state.pending.action);
	job_price(&job, price);
	code = job_show_plan(&job, ctl->out, args->option[CLOUD_PLAN_JSON] != NULL, price);
	if (code == CTL_OK)
		code = job_refusals(&job);
	if (code == CTL_OK && args->option[CLOUD_PLAN_CHECK])
		code = server_check(&job);
	if (code == CTL_OK && args->option[CLOUD_PLAN_OUT])
		code = write_plan(&job, args->option[CLOUD_PLAN_OUT]);
	if (code == CTL_OK && args->option[CLOUD_PLAN_EXITCODE] && plan_changes(&job.plan))
		return CTL_DIFFERENCE;
	return code;
}
