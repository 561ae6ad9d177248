/* SPDX-License-Identifier: MIT */
/* Changing what exists in place: look, set, look again. The actions take no token, but only set values: twice is once. */
#include "config.h"

#include <string.h>

#include "ctl/cloud/job.h"

#define POLL_MS 3000
#define POLL_CAP_MS 10000
/* So many looks may show the old values after a call that was taken. */
#define STALE_LOOKS 10u

struct wanted {
	enum world_kind kind;
	uint64_t queue_pairs;
	uint64_t bandwidth;
};

static bool is_as_wanted(const struct wanted *wanted, const struct world_object *object)
{
	if (wanted->kind == WORLD_ADDRESS)
		return object->bandwidth == wanted->bandwidth;
	return object->erdma && object->queue_pairs == wanted->queue_pairs;
}

/* Since the plan was made, somebody may have bound it to something else. */
static bool is_foreign(const struct job *job, const struct wanted *wanted, const struct world_object *object)
{
	const char *target = job_instance(job);
	char resource[STATE_RESOURCE];

	if (wanted->kind == WORLD_ADDRESS && job->stack->address.on[0]) {
		snprintf(resource, sizeof(resource), "interface/%s", job->stack->address.on);
		target = job_id(job, resource);
	}
	return object->attached[0] && strcmp(object->attached, target) != 0;
}

static enum ctl_exit act(struct job *job, const struct plan_step *step, const struct wanted *wanted, const char *id,
	struct rpc_reply *reply)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	enum cloud_product product = wanted->kind == WORLD_ADDRESS ? CLOUD_VPC : CLOUD_ECS;
	const char *action =
		wanted->kind == WORLD_ADDRESS ? "ModifyEipAddressAttribute" : "ModifyNetworkInterfaceAttribute";
	enum ctl_exit code;

	cloud_params_add(&params, "RegionId", job->cloud.region);
	if (wanted->kind == WORLD_ADDRESS) {
		cloud_params_add(&params, "AllocationId", id);
		cloud_params_addf(&params, "Bandwidth", "%llu", (unsigned long long)wanted->bandwidth);
	} else {
		cloud_params_add(&params, "NetworkInterfaceId", id);
		cloud_params_add(
			&params, "NetworkInterfaceTrafficConfig.NetworkInterfaceTrafficMode", "HighPerformance");
		cloud_params_addf(&params, "NetworkInterfaceTrafficConfig.QueuePairNumber", "%llu",
			(unsigned long long)wanted->queue_pairs);
	}
	code = job_journal(job, step->resource, action, NULL, &params);
	return code == CTL_OK ? cloud_call(&job->cloud, product, action, CLOUD_MUTATION, &params, reply) : code;
}

static enum ctl_exit pause_or_end(
	struct job *job, const struct plan_step *step, unsigned looks, const struct rpc_reply *reply)
{
	if (clock_wait(&job->cloud.net.clock, clock_backoff(looks / 3, POLL_MS, POLL_CAP_MS)))
		return CTL_OK;
	if (reply->code[0])
		return cloud_error(&job->cloud, "wait for", step->resource, reply);
	return cloud_waited_enough(&job->cloud, step->resource, "not modified");
}

static enum ctl_exit converge(
	struct job *job, const struct plan_step *step, const struct wanted *wanted, const char *id)
{
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	/* Until the next call; none has been sent yet. */
	unsigned patience = 0;

	for (unsigned looks = 0;; looks++) {
		struct world_object object = {.kind = wanted->kind};
		bool found = false;
		enum ctl_exit code = world_await(&job->cloud, wanted->kind, id, job_created(job, id), &object, &found);

		if (code != CTL_OK)
			return code;
		if (!found)
			return ctl_error(
				job->ctl, CTL_FAILED, "resource", step->resource, "%s does not exist any more", id);
		if (is_foreign(job, wanted, &object))
			return ctl_error(job->ctl, CTL_STALE, "resource", step->resource,
				"%s is attached to %s, and that is not the stack's doing; it is not touched", id,
				object.attached);
		if (is_as_wanted(wanted, &object))
			return CTL_OK;
		if (patience) {
			patience--;
		} else {
			rpc_reply_clear(&reply);
			code = act(job, step, wanted, id, &reply);
			patience = reply.class == CLOUD_FINE ? STALE_LOOKS : 0;
		}
		if (code == CTL_OK)
			code = pause_or_end(job, step, looks, &reply);
		if (code != CTL_OK)
			return code;
	}
}

enum ctl_exit job_modify(struct job *job, const struct plan_step *step)
{
	const struct wanted wanted = {
		.kind = strcmp(step->resource, "address") == 0 ? WORLD_ADDRESS : WORLD_INTERFACE,
		.queue_pairs = step->queue_pairs,
		.bandwidth = job->stack->address.bandwidth,
	};
	enum ctl_exit code = converge(job, step, &wanted, step->id);

	if (code != CTL_OK || !job->state.pending.request)
		return code;
	state_end(&job->state);
	return job_save(job);
}
