/* SPDX-License-Identifier: MIT */
/* Making things, once: the client token is on the disk before the call, so that a repetition is the same call. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/cloud/commands.h"
#include "ctl/cloud/sign.h"

#define UNSEEN_MS (UINT64_C(1000) * WORLD_UNSEEN_S)

/* Of terway, the network of Kubernetes there: it takes no addresses for pods from an interface with this tag. */
#define TAG_TERWAY "terway.alibabacloud.com/excluded"

static void add_tags(const struct job *job, const char *resource, struct cloud_params *params)
{
	cloud_params_tag(params, 1, TAG_STACK, job->stack->name);
	cloud_params_tag(params, 2, TAG_RESOURCE, resource);
}

void job_run_params(const struct job *job, const struct plan_step *step, struct cloud_params *params)
{
	const struct stack_run *run = &job->stack->run;

	cloud_params_add(params, "RegionId", job->cloud.region);
	cloud_params_add(params, "ImageId", run->image);
	cloud_params_add(params, "InstanceType", run->type);
	cloud_params_add(params, "VSwitchId", run->vswitch);
	cloud_params_add(params, "SecurityGroupId", job->stack->group);
	cloud_params_add(params, "InstanceName", job->stack->name);
	cloud_params_add(params, "Amount", "1");
	cloud_params_add(params, "InstanceChargeType", "PostPaid");
	cloud_params_add(params, "KeyPairName", run->key_pair[0] ? run->key_pair : NULL);
	cloud_params_add(params, "SystemDisk.Category", run->disk[0] ? run->disk : NULL);
	if (run->disk_size)
		cloud_params_addf(params, "SystemDisk.Size", "%u", run->disk_size);
	if (run->jumbo_frames)
		cloud_params_add(params, "NetworkOptions.EnableJumboFrame", "true");
	/* The metadata service with session tokens only: the older one answers forged requests. */
	cloud_params_add(params, "HttpEndpoint", "enabled");
	cloud_params_add(params, "HttpTokens", "required");
	add_tags(job, step->resource, params);
	for (size_t i = 0; i < run->tag_count; i++)
		cloud_params_tag(params, (unsigned)i + 3, run->tags[i].key, run->tags[i].value);
}

static const char *create_interface(const struct job *job, const struct plan_step *step, struct cloud_params *params)
{
	const struct stack_interface *interface = job->stack->interfaces;
	const char *vswitch = job->world.instance.vswitch[0] ? job->world.instance.vswitch : job->stack->run.vswitch;

	while (strcmp(interface->name, step->resource + strlen("interface/")) != 0)
		interface++;
	cloud_params_add(params, "RegionId", job->cloud.region);
	cloud_params_add(params, "VSwitchId", interface->vswitch[0] ? interface->vswitch : vswitch);
	cloud_params_add(params, "SecurityGroupId", job->stack->group);
	cloud_params_addf(params, "NetworkInterfaceName", "%s-%s", job->stack->name, interface->name);
	cloud_params_add(params, "NetworkInterfaceTrafficMode", interface->erdma ? "HighPerformance" : "Standard");
	if (interface->erdma)
		cloud_params_addf(params, "QueuePairNumber", "%llu", (unsigned long long)step->queue_pairs);
	add_tags(job, step->resource, params);
	cloud_params_tag(params, 3, TAG_TERWAY, "true");
	return "CreateNetworkInterface";
}

static const char *allocate_address(const struct job *job, const struct plan_step *step, struct cloud_params *params)
{
	cloud_params_add(params, "RegionId", job->cloud.region);
	cloud_params_addf(params, "Bandwidth", "%u", job->stack->address.bandwidth);
	cloud_params_add(
		params, "InternetChargeType", job->stack->address.by_bandwidth ? "PayByBandwidth" : "PayByTraffic");
	cloud_params_add(params, "InstanceChargeType", "PostPaid");
	cloud_params_add(params, "ISP", "BGP");
	cloud_params_add(params, "Name", job->stack->name);
	add_tags(job, step->resource, params);
	return "AllocateEipAddress";
}

static const char *add_rule(const struct job *job, const struct plan_step *step, struct cloud_params *params)
{
	const struct stack_rule *rule = job->stack->rules;

	while (strcmp(rule->name, step->resource + strlen("rule/")) != 0)
		rule++;
	cloud_params_add(params, "RegionId", job->cloud.region);
	cloud_params_add(params, "SecurityGroupId", job->stack->group);
	cloud_params_add(params, "Permissions.1.IpProtocol", rule->protocol);
	cloud_params_add(params, "Permissions.1.PortRange", rule->ports);
	cloud_params_add(params, "Permissions.1.SourceCidrIp", rule->cidr[0] ? rule->cidr : NULL);
	cloud_params_add(params, "Permissions.1.SourceGroupId", rule->group[0] ? rule->group : NULL);
	cloud_params_add(params, "Permissions.1.Policy", "accept");
	cloud_params_add(params, "Permissions.1.Priority", "1");
	cloud_params_addf(params, "Permissions.1.Description", "smcctl:%s:%s", job->stack->name, rule->name);
	return "AuthorizeSecurityGroup";
}

static void identifier_of(const char *action, const cJSON *json, char id[static STACK_ID])
{
	const char *text = "";

	if (strcmp(action, "CreateNetworkInterface") == 0)
		text = cloud_text(json, "NetworkInterfaceId");
	else if (strcmp(action, "AllocateEipAddress") == 0)
		text = cloud_text(json, "AllocationId");
	else if (strcmp(action, "RunInstances") == 0)
		text = cJSON_GetStringValue(cJSON_GetArrayItem(cloud_list(json, "InstanceIdSets.InstanceIdSet"), 0));
	snprintf(id, STACK_ID, "%s", text && strlen(text) < STACK_ID ? text : "");
}

static const char *param_of(const struct cloud_params *params, const char *key)
{
	for (size_t i = 0; i < params->count; i++) {
		if (strcmp(params->items[i].key, key) == 0)
			return params->items[i].value;
	}
	return "";
}

/* Reads a rule as it was asked for, where it was asked for: the file may say something else by now. */
static enum ctl_exit read_rule(
	struct job *job, const char *resource, const struct cloud_params *params, struct world *world)
{
	_cleanup_free_ struct stack *asked = calloc(1, sizeof(*asked));
	struct stack_rule *rule;

	if (!asked)
		return cloud_no_memory(&job->cloud);
	memcpy(asked->name, job->stack->name, sizeof(asked->name));
	asked->rule_count = 1;
	rule = asked->rules;
	snprintf(rule->name, sizeof(rule->name), "%.32s", resource + strlen("rule/"));
	snprintf(rule->protocol, sizeof(rule->protocol), "%s", param_of(params, "Permissions.1.IpProtocol"));
	snprintf(rule->ports, sizeof(rule->ports), "%s", param_of(params, "Permissions.1.PortRange"));
	snprintf(rule->cidr, sizeof(rule->cidr), "%s", param_of(params, "Permissions.1.SourceCidrIp"));
	snprintf(rule->group, sizeof(rule->group), "%s", param_of(params, "Permissions.1.SourceGroupId"));
	return world_read_rules(&job->cloud, param_of(params, "SecurityGroupId"), asked, &job->state, world);
}

/* The service does not say which rule it made, nor whether it made one: an equal one is success and nothing new. */
static enum ctl_exit find_rule(
	struct job *job, const char *resource, const struct cloud_params *params, struct world_object *made)
{
	uint64_t end = clock_now(&job->cloud.net.clock) + UNSEEN_MS;

	for (unsigned attempt = 0; attempt == 0 || clock_now(&job->cloud.net.clock) < end; attempt++) {
		_cleanup_world_ struct world world = {.objects = NULL};
		enum ctl_exit code = read_rule(job, resource, params, &world);
		const struct world_object *object = world_find(&world, resource);

		if (code != CTL_OK)
			return code;
		if (object) {
			*made = *object;
			return CTL_OK;
		}
		if (!clock_wait(&job->cloud.net.clock, clock_backoff(attempt, 2000, 10000)))
			return cloud_waited_enough(&job->cloud, resource, "not seen");
	}
	return ctl_error(
		job->ctl, CTL_PARTLY, "rule", resource, "the service took it and does not list it; run it again");
}

/* The call is over, and this is what it made. */
static enum ctl_exit note_created(struct job *job, const char *resource, const struct world_object *object)
{
	struct state_resource *made = state_set(&job->state, resource, object->id);

	if (!made)
		return cloud_no_memory(&job->cloud);
	made->created = clock_wall(&job->cloud.net.clock);
	made->pre_existing = !object->tagged;
	if (object->kind == WORLD_RULE)
		memcpy(made->group, object->group, sizeof(made->group));
	state_end(&job->state);
	return CTL_OK;
}

/*
 * An answer of the service that leaves no doubt about its own call. Who has no right to call gets no word about an earlier
 * call: that tells something only when there was none.
 */
static bool is_definite(const struct rpc_reply *reply, bool repeated)
{
	switch (reply->class) {
	case CLOUD_STOP:
	case CLOUD_GONE:
	case CLOUD_MISMATCH:
		return reply->code[0];
	case CLOUD_DENIED:
	case CLOUD_EXPIRED:
		return reply->code[0] && !repeated;
	default:
		return false;
	}
}

/* What the call that is under way has made, if it is seen. */
static const struct world_object *find_made(
	const struct job *job, const struct cloud_params *params, const struct world *world)
{
	const struct world_object *object = world_find(world, job->state.pending.name);

	/* What was known before the call was not made by it. */
	if (!object || !object->tagged || plan_is_going(object) ||
		strcmp(object->id, job_id(job, job->state.pending.name)) == 0)
		return NULL;
	/* The stack may have the same rule in another group. */
	if (object->kind == WORLD_RULE && strcmp(object->group, param_of(params, "SecurityGroupId")) != 0)
		return NULL;
	return object;
}

/* A refusal says nothing about an earlier call with the same token: what that one made may not be listed yet. */
static enum ctl_exit seek_made(struct job *job, const struct cloud_params *params, struct world_object *made)
{
	const char *resource = job->state.pending.name;
	struct cloud_clock *clock = &job->cloud.net.clock;
	uint64_t end = clock_now(clock) + UNSEEN_MS;

	ctl_warn(job->ctl, "%s: an earlier %s may have happened; looking for a minute for what it made", resource,
		job->state.pending.action);
	for (unsigned attempt = 0;; attempt++) {
		_cleanup_world_ struct world world = {.objects = NULL};
		bool last = clock_now(clock) >= end;
		enum ctl_exit code = starts_with(resource, "rule/")
			? read_rule(job, resource, params, &world)
			: world_read(&job->cloud, job->stack, &job->state, false, &world);
		const struct world_object *object = find_made(job, params, &world);

		if (code != CTL_OK)
			return code;
		if (object)
			*made = *object;
		if (object || last)
			return CTL_OK;
		if (!clock_wait(clock, clock_backoff(attempt, 2000, 10000)))
			return cloud_waited_enough(&job->cloud, resource, "not seen");
	}
}

/* After an answer that leaves no doubt the token is of no use any more. */
static enum ctl_exit give_up(struct job *job, const char *resource, const struct cloud_params *params,
	const struct rpc_reply *reply, bool repeated, enum ctl_exit code)
{
	struct world_object made = {.id = ""};
	enum ctl_exit done = CTL_OK;

	repeated = repeated || reply->repeated;
	if (reply->class == CLOUD_GONE)
		code = cloud_error(&job->cloud, "call", job->state.pending.action, reply);
	if (!is_definite(reply, repeated))
		return code;
	if (repeated)
		done = seek_made(job, params, &made);
	if (done == CTL_OK && made.id[0])
		done = note_created(job, resource, &made);
	else if (done == CTL_OK)
		state_end(&job->state);
	if (done == CTL_OK)
		done = job_save(job);
	return done == CTL_OK && !made.id[0] ? code : done;
}

/* Sends the journalled call until there is a clear answer; repeated: it may have been answered before. */
static enum ctl_exit send_create(
	struct job *job, const char *resource, const char *action, const struct cloud_params *params, bool repeated)
{
	enum cloud_product product = strcmp(action, "AllocateEipAddress") == 0 ? CLOUD_VPC : CLOUD_ECS;
	bool is_rule = starts_with(resource, "rule/");
	struct world_object made = {.kind = world_kind_of(resource), .tagged = true};
	enum ctl_exit code;

	for (unsigned attempt = 0;; attempt++) {
		_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};

		code = cloud_call(&job->cloud, product, action, CLOUD_TOKEN, params, &reply);

		if (code != CTL_OK || reply.class == CLOUD_GONE)
			return give_up(job, resource, params, &reply, repeated, code);
		repeated = repeated || reply.repeated || reply.class != CLOUD_BUSY;
		if (reply.class == CLOUD_FINE && is_rule)
			break;
		if (reply.class == CLOUD_FINE)
			identifier_of(action, reply.json, made.id);
		/* "If NetworkInterfaceId is empty in the response, try again", its page says. */
		if (made.id[0])
			break;
		if (!clock_wait(&job->cloud.net.clock, clock_backoff(attempt, 2000, 20000)))
			return reply.class == CLOUD_BUSY
				? cloud_error(&job->cloud, "call", action, &reply)
				: cloud_waited_enough(&job->cloud, resource, "without identifier");
	}
	if (is_rule)
		code = find_rule(job, resource, params, &made);
	if (code != CTL_OK)
		return code;
	code = note_created(job, resource, &made);
	return code == CTL_OK ? job_save(job) : code;
}

enum ctl_exit job_create(struct job *job, const struct plan_step *step)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	char token[SIGN_NONCE];
	const char *action;
	enum ctl_exit code;
	int r = sign_nonce(token);

	if (r < 0)
		return ctl_error(job->ctl, CTL_FAILED, "client token", NULL, "%s", strerror(-r));
	cloud_params_add(&params, "ClientToken", token);
	if (step->action == PLAN_RUN) {
		job_run_params(job, step, &params);
		action = "RunInstances";
	} else if (step->action == PLAN_CREATE) {
		action = create_interface(job, step, &params);
	} else if (step->action == PLAN_ALLOCATE) {
		action = allocate_address(job, step, &params);
	} else {
		action = add_rule(job, step, &params);
	}
	code = job_journal(job, step->resource, action, token, &params);
	return code == CTL_OK ? send_create(job, step->resource, action, &params, false) : code;
}

static bool is_creation(const char *action)
{
	static const char *const actions[] = {
		"RunInstances", "CreateNetworkInterface", "AllocateEipAddress", "AuthorizeSecurityGroup"};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i], action) == 0)
			return true;
	}
	return false;
}

static enum ctl_exit parse_pending(struct job *job, struct cloud_params *params)
{
	if (cloud_params_parse(job->state.pending.request, params) < 0)
		return ctl_error(job->ctl, CTL_BAD_INPUT, "state", job->state.path,
			"its unfinished call is damaged; %s", "put the file aside, then smcctl cloud import");
	return CTL_OK;
}

enum ctl_exit job_settle(struct job *job, bool *settled)
{
	const struct state_pending *pending = &job->state.pending;
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	const struct world_object *object;
	enum ctl_exit code;

	*settled = false;
	if (!pending->request)
		return CTL_OK;
	/* What only changes something is seen in the world; what makes something has to be found or repeated. */
	if (!is_creation(pending->action)) {
		state_end(&job->state);
		*settled = true;
		return CTL_OK;
	}
	code = parse_pending(job, &params);
	object = code == CTL_OK ? find_made(job, &params, &job->world) : NULL;
	if (!object)
		return code;
	*settled = true;
	return note_created(job, pending->name, object);
}

enum ctl_exit job_confirm_recovery(struct job *job, bool yes)
{
	const struct state_pending *pending = &job->state.pending;
	bool bills = strcmp(pending->action, "RunInstances") == 0 || strcmp(pending->action, "AllocateEipAddress") == 0;

	ctl_warn(job->ctl, "%s: an earlier run ended during %s; the same call is sent again first", pending->name,
		pending->action);
	return job_confirm(job, bills ? "That costs money. Go on?" : "Go on?", yes);
}

enum ctl_exit job_recover(struct job *job)
{
	const struct state_pending *pending = &job->state.pending;
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	char resource[STATE_RESOURCE], action[64];
	enum ctl_exit code = parse_pending(job, &params);

	if (code != CTL_OK)
		return code;
	memcpy(resource, pending->name, sizeof(resource));
	memcpy(action, pending->action, sizeof(action));
	return send_create(job, resource, action, &params, true);
}
