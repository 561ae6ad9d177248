/* SPDX-License-Identifier: MIT */
/* Bringing a resource somewhere: look, act, look again. Most of these actions have no token, so nothing is sent blindly. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/cloud/job.h"
#include "ctl/cloud/sign.h"

#define POLL_MS 3000
#define POLL_CAP_MS 10000
/* So many looks may show the old state after a call that was taken, or one nobody answered. */
#define STALE_LOOKS 10u
#define STALE_LOOKS_UNKNOWN 3u
/* "Long Detaching: send again", its page says, and that of deleting the same. */
#define STUCK_LOOKS 20u
/* One that has been listed once may be missing in a list for so long. */
#define UNSEEN_MS 15000u

/* Where a step wants its object, in the words of the service; NULL: no such state. */
struct goal {
	const char *done;
	const char *act;     /* in this state the action is due */
	const char *between; /* on the way */
	const char *what;    /* how things are until then, for messages */
	enum world_kind kind;
	bool absence_is_done;
	bool bound; /* it has to be attached to the right thing */
};

static const struct goal *goal_of(enum plan_action action)
{
	static const struct goal goals[] = {
		[PLAN_RUN] = {"Running", NULL, "Starting", "not running", WORLD_INSTANCE, false, false},
		[PLAN_ATTACH] = {"InUse", "Available", "Attaching", "not attached", WORLD_INTERFACE, false, true},
		[PLAN_ASSOCIATE] = {"InUse", "Available", "Associating", "not associated", WORLD_ADDRESS, false, true},
		[PLAN_UNASSOCIATE] = {"Available", "InUse", "Unassociating", "associated", WORLD_ADDRESS, true, false},
		[PLAN_RELEASE] = {NULL, "Available", "Releasing", "there", WORLD_ADDRESS, true, false},
		[PLAN_DETACH] = {"Available", "InUse", "Detaching", "attached", WORLD_INTERFACE, true, false},
		[PLAN_DELETE] = {NULL, "Available", "Deleting", "there", WORLD_INTERFACE, true, false},
		[PLAN_STOP] = {"Stopped", "Running", "Stopping", "running", WORLD_INSTANCE, true, false},
		[PLAN_DELETE_INSTANCE] = {NULL, "Stopped", NULL, "there", WORLD_INSTANCE, true, false},
	};

	return &goals[action];
}

static bool is_in(const struct world_object *object, const char *status)
{
	return status && strcmp(object->status, status) == 0;
}

/* What the object is to be bound to, or is expected to be bound to when it is taken away. */
static void find_target(const struct job *job, const struct plan_step *step, char target[static STACK_ID])
{
	char resource[STATE_RESOURCE];
	const char *id = job_instance(job);

	if (step->action == PLAN_ASSOCIATE && job->stack->address.on[0]) {
		snprintf(resource, sizeof(resource), "interface/%s", job->stack->address.on);
		id = job_id(job, resource);
	}
	snprintf(target, STACK_ID, "%s", id);
}

struct call {
	enum cloud_product product;
	const char *action;
	enum cloud_kind kind;
};

/* Addresses on an interface name the interface's own address, too, though the metadata call that optional. */
static enum ctl_exit associate_params(struct job *job, const char *target, struct cloud_params *params)
{
	struct world_object interface;
	bool found = false;
	enum ctl_exit code;

	if (!job->stack->address.on[0]) {
		cloud_params_add(params, "InstanceType", "EcsInstance");
		return CTL_OK;
	}
	code = world_await(&job->cloud, WORLD_INTERFACE, target, job_created(job, target), &interface, &found);
	if (code == CTL_OK && !found)
		code = ctl_error(job->ctl, CTL_FAILED, "interface", target, "it does not exist any more");
	if (code != CTL_OK)
		return code;
	cloud_params_add(params, "InstanceType", "NetworkInterface");
	cloud_params_add(params, "PrivateIpAddress", interface.address);
	cloud_params_add(params, "Mode", "NAT");
	return CTL_OK;
}

static enum ctl_exit fill_call(struct job *job, const struct plan_step *step, const struct world_object *object,
	const char *target, struct cloud_params *params, struct call *call)
{
	/* The one action that has no region among its parameters. */
	if (step->action != PLAN_STOP)
		cloud_params_add(params, "RegionId", job->cloud.region);
	switch (step->action) {
	case PLAN_ATTACH:
		*call = (struct call){CLOUD_ECS, "AttachNetworkInterface", CLOUD_MUTATION};
		cloud_params_add(params, "NetworkInterfaceId", object->id);
		cloud_params_add(params, "InstanceId", target);
		break;
	case PLAN_DETACH:
		*call = (struct call){CLOUD_ECS, "DetachNetworkInterface", CLOUD_MUTATION};
		cloud_params_add(params, "NetworkInterfaceId", object->id);
		cloud_params_add(params, "InstanceId", object->attached);
		break;
	case PLAN_DELETE:
		*call = (struct call){CLOUD_ECS, "DeleteNetworkInterface", CLOUD_MUTATION};
		cloud_params_add(params, "NetworkInterfaceId", object->id);
		break;
	case PLAN_ASSOCIATE:
		*call = (struct call){CLOUD_VPC, "AssociateEipAddress", CLOUD_TOKEN};
		cloud_params_add(params, "AllocationId", object->id);
		cloud_params_add(params, "InstanceId", target);
		return associate_params(job, target, params);
	case PLAN_UNASSOCIATE:
		*call = (struct call){CLOUD_VPC, "UnassociateEipAddress", CLOUD_TOKEN};
		cloud_params_add(params, "AllocationId", object->id);
		cloud_params_add(params, "InstanceId", object->attached);
		cloud_params_add(params, "InstanceType",
			starts_with(object->attached, "eni-") ? "NetworkInterface" : "EcsInstance");
		break;
	case PLAN_RELEASE:
		*call = (struct call){CLOUD_VPC, "ReleaseEipAddress", CLOUD_MUTATION};
		cloud_params_add(params, "AllocationId", object->id);
		break;
	case PLAN_STOP:
		*call = (struct call){CLOUD_ECS, "StopInstance", CLOUD_MUTATION};
		cloud_params_add(params, "InstanceId", object->id);
		break;
	default:
		*call = (struct call){CLOUD_ECS, "DeleteInstances", CLOUD_TOKEN};
		cloud_params_add(params, "InstanceId.1", object->id);
		break;
	}
	return CTL_OK;
}

/* What has been seen and done on the way. */
struct progress {
	char status[24]; /* the last one that was said */
	bool was_between;
	bool acted;
	unsigned looks;        /* since the last call, or since the last change */
	unsigned patience;     /* so many looks before the next call */
	uint64_t unseen_since; /* by clock_now(); 0: it is listed */
	struct rpc_reply last; /* of a call that was refused for now */
};

static enum ctl_exit act(struct job *job, const struct plan_step *step, const struct world_object *object,
	const char *target, struct progress *progress)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	struct rpc_reply reply = {.json = NULL};
	char token[SIGN_NONCE] = "";
	struct call call;
	enum ctl_exit code = fill_call(job, step, object, target, &params, &call);

	if (code == CTL_OK && call.kind == CLOUD_TOKEN && sign_nonce(token) == 0)
		cloud_params_add(&params, "ClientToken", token);
	if (code == CTL_OK)
		code = job_journal(job, step->resource, call.action, token, &params);
	if (code == CTL_OK)
		code = cloud_call(&job->cloud, call.product, call.action, call.kind, &params, &reply);
	rpc_reply_clear(&progress->last);
	progress->looks = 0;
	progress->acted = true;
	progress->was_between = false;
	progress->patience = reply.class == CLOUD_FINE ? STALE_LOOKS
		: reply.class == CLOUD_BUSY            ? 1
						       : STALE_LOOKS_UNKNOWN;
	if (reply.class != CLOUD_FINE)
		progress->last = reply;
	else
		rpc_reply_clear(&reply);
	return code;
}

enum verdict {
	DONE = 0,
	WAIT = 1,
	ACT = 2,
	TAKEN_BACK = 3, /* the service began and gave up without a word */
	ELSEWHERE = 4,
	VANISHED = 5,
};

/* What is not listed yet is not gone, unless it went by a call of ours. */
static enum verdict judge_absence(const struct goal *goal, bool is_new, uint64_t now, struct progress *progress)
{
	if (goal->absence_is_done && (!is_new || progress->acted))
		return DONE;
	if (!progress->unseen_since)
		progress->unseen_since = now;
	return !is_new && now - progress->unseen_since >= UNSEEN_MS ? VANISHED : WAIT;
}

/*
 * True if it is bound to something that is neither the target nor, when it is taken away, the stack's at all. Where nobody
 * knows the target, an instance is foreign.
 */
static bool is_foreign(const struct job *job, const struct plan_step *step, const struct goal *goal,
	const struct world_object *object, const char *target)
{
	if (!object->attached[0] || strcmp(object->attached, target) == 0)
		return false;
	if (goal->bound || step->action == PLAN_DETACH)
		return true;
	if (step->action != PLAN_UNASSOCIATE)
		return false;
	for (size_t i = 0; i < job->state.count; i++) {
		if (strcmp(job->state.resources[i].id, object->attached) == 0)
			return false;
	}
	for (size_t i = 0; i < job->world.count; i++) {
		if (job->world.objects[i].tagged && strcmp(job->world.objects[i].id, object->attached) == 0)
			return false;
	}
	return true;
}

static enum verdict judge(const struct goal *goal, const struct plan_step *step, const struct world_object *object,
	bool foreign, struct progress *progress)
{
	progress->looks++;
	progress->unseen_since = 0;
	if (foreign)
		return ELSEWHERE;
	if (is_in(object, goal->done))
		return DONE;
	if (is_in(object, goal->between)) {
		progress->was_between = true;
		return (step->action == PLAN_DETACH || step->action == PLAN_DELETE) &&
				progress->looks % STUCK_LOOKS == 0
			? ACT
			: WAIT;
	}
	if (step->action == PLAN_RUN && progress->was_between && is_in(object, "Stopped"))
		return TAKEN_BACK;
	if (is_in(object, goal->act)) {
		if (progress->was_between && step->action == PLAN_ATTACH)
			return TAKEN_BACK;
		return progress->looks > progress->patience ? ACT : WAIT;
	}
	return WAIT;
}

static void say_status(struct job *job, const struct plan_step *step, const struct world_object *object, bool found,
	bool is_new, struct progress *progress)
{
	bool late = !found && is_new && !progress->acted;
	const char *status = found ? object->status : late ? "not listed yet" : "not there";

	if (strcmp(progress->status, status) == 0)
		return;
	if (progress->status[0] || late)
		ctl_warn(job->ctl, "%s: %s", step->resource, status);
	snprintf(progress->status, sizeof(progress->status), "%s", status);
}

static enum ctl_exit pause_or_end(
	struct job *job, const struct plan_step *step, const struct goal *goal, const struct progress *progress)
{
	if (clock_wait(&job->cloud.net.clock, clock_backoff(progress->looks / 3, POLL_MS, POLL_CAP_MS)))
		return CTL_OK;
	if (progress->last.code[0])
		return cloud_error(&job->cloud, "wait for", step->resource, &progress->last);
	return cloud_waited_enough(&job->cloud, step->resource, progress->unseen_since ? "not listed" : goal->what);
}

static enum ctl_exit say_foreign(
	struct job *job, const struct plan_step *step, const struct world_object *object, const char *target)
{
	return ctl_error(job->ctl, CTL_STALE, "resource", step->resource,
		"%s is attached to %s, and %s; it is not touched", object->id, object->attached,
		target[0] ? "that is not the stack's doing"
			  : "which instance is the stack's is not known here; run it there");
}

static enum ctl_exit loop(struct job *job, const struct plan_step *step, const char *id, struct progress *progress)
{
	const struct goal *goal = goal_of(step->action);
	char target[STACK_ID];

	find_target(job, step, target);
	for (;;) {
		struct world_object object = {.kind = goal->kind};
		/* Before the look: the last one comes when the time is over. */
		bool is_new = world_is_new(&job->cloud, job_created(job, id));
		bool found = false;
		enum ctl_exit code = world_look(&job->cloud, goal->kind, id, &object, &found);

		if (code != CTL_OK)
			return code;
		say_status(job, step, &object, found, is_new, progress);
		switch (found ? judge(goal, step, &object, is_foreign(job, step, goal, &object, target), progress)
			      : judge_absence(goal, is_new, clock_now(&job->cloud.net.clock), progress)) {
		case DONE:
			return CTL_OK;
		case ACT:
			code = act(job, step, &object, target, progress);
			break;
		case TAKEN_BACK:
			return ctl_error(job->ctl, CTL_FAILED, "resource", step->resource,
				"the service began, and then took %s back to %s without a reason; look at its events "
				"in the console",
				id, object.status);
		case ELSEWHERE:
			return say_foreign(job, step, &object, target);
		case VANISHED:
			return ctl_error(job->ctl, CTL_FAILED, "resource", step->resource,
				"the service does not list %s (any more); run it again", id);
		default:
			break;
		}
		if (code == CTL_OK)
			code = pause_or_end(job, step, goal, progress);
		if (code != CTL_OK)
			return code;
	}
}

/* Rules have no state: the call, and then a look whether it is gone. */
static enum ctl_exit revoke_rule(struct job *job, const struct plan_step *step)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	char token[SIGN_NONCE];
	enum ctl_exit code;

	if (sign_nonce(token) < 0)
		return ctl_error(job->ctl, CTL_FAILED, "client token", NULL, "no random numbers");
	cloud_params_add(&params, "RegionId", job->cloud.region);
	cloud_params_add(&params, "SecurityGroupId", step->group);
	cloud_params_add(&params, "SecurityGroupRuleId.1", step->id);
	cloud_params_add(&params, "ClientToken", token);
	code = job_journal(job, step->resource, "RevokeSecurityGroup", token, &params);
	if (code == CTL_OK)
		code = cloud_call(&job->cloud, CLOUD_ECS, "RevokeSecurityGroup", CLOUD_TOKEN, &params, &reply);
	if (code == CTL_OK && reply.class != CLOUD_FINE && reply.class != CLOUD_GONE)
		code = cloud_error(&job->cloud, "call", "RevokeSecurityGroup", &reply);
	return code;
}

/* A step whose end means that the resource is no more. */
static bool ends_it(enum plan_action action)
{
	return action == PLAN_RELEASE || action == PLAN_DELETE || action == PLAN_REVOKE ||
		action == PLAN_DELETE_INSTANCE;
}

enum ctl_exit job_converge(struct job *job, const struct plan_step *step)
{
	struct progress progress = {.status = ""};
	char id[STACK_ID];
	enum ctl_exit code;

	snprintf(id, sizeof(id), "%s", step->id[0] ? step->id : job_id(job, step->resource));
	code = step->action == PLAN_REVOKE ? revoke_rule(job, step) : loop(job, step, id, &progress);
	rpc_reply_clear(&progress.last);
	if (code != CTL_OK)
		return code;
	/* Another object of the same name stays recorded. */
	if (ends_it(step->action) && strcmp(job_id(job, step->resource), id) == 0)
		state_remove(&job->state, step->resource);
	if (!ends_it(step->action) && !job->state.pending.request)
		return CTL_OK;
	state_end(&job->state);
	return job_save(job);
}
