/* SPDX-License-Identifier: MIT */
/* What really exists of a stack: found by tags, and by the identifiers that the state recorded. */
#include "config.h"

#include "ctl/cloud/world.h"

#include <string.h>

#define PAGES_MAX 1000u
#define UNSEEN_POLL_MS 3000

void world_clear(struct world *world)
{
	free(world->objects);
	*world = (struct world){.objects = NULL};
}

struct world_object *world_find(const struct world *world, const char *resource)
{
	for (size_t i = 0; i < world->count; i++) {
		if (strcmp(world->objects[i].resource, resource) == 0)
			return &world->objects[i];
	}
	return NULL;
}

struct world_object *world_add(struct world *world, const struct world_object *object)
{
	struct world_object *larger;
	struct world_object *same = world_find(world, object->resource);

	larger = world->count < WORLD_OBJECTS ? realloc(world->objects, (world->count + 1) * sizeof(*larger)) : NULL;
	if (!larger)
		return NULL;
	if (same)
		larger[same - world->objects].twin = true;
	world->objects = larger;
	larger[world->count] = *object;
	larger[world->count].twin = same != NULL;
	return &larger[world->count++];
}

static enum ctl_exit read_page(
	struct cloud *cloud, const struct world_pages *pages, const char *token, struct rpc_reply *reply)
{
	struct cloud_params params = *pages->params;
	enum ctl_exit code;
	char *last = NULL;

	/* One more pair behind those of the caller, for this page alone. */
	params.items = calloc(params.count + 1, sizeof(*params.items));
	if (!params.items)
		return cloud_no_memory(cloud);
	memcpy(params.items, pages->params->items, params.count * sizeof(*params.items));
	if (token[0]) {
		char key[] = "NextToken";

		last = strdup(token);
		if (last) {
			params.items[params.count++] = (struct cloud_param){key, last};
			code = cloud_call(cloud, CLOUD_ECS, pages->action, CLOUD_READ, &params, reply);
		} else {
			code = cloud_no_memory(cloud);
		}
	} else {
		code = cloud_call(cloud, CLOUD_ECS, pages->action, CLOUD_READ, &params, reply);
	}
	free(last);
	free(params.items);
	return code;
}

enum ctl_exit world_read_pages(struct cloud *cloud, const struct world_pages *pages)
{
	char token[512] = "";

	for (unsigned page = 0;; page++) {
		_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
		enum ctl_exit code = read_page(cloud, pages, token, &reply);
		const char *next;
		const cJSON *item;

		if (code == CTL_OK && reply.class == CLOUD_GONE && pages->may_be_gone)
			return CTL_OK;
		if (code == CTL_OK && reply.class != CLOUD_FINE)
			code = cloud_error(cloud, "call", pages->action, &reply);
		if (code != CTL_OK)
			return code;
		cJSON_ArrayForEach(item, cloud_list(reply.json, pages->path))
		{
			code = pages->each(pages->context, item);
			if (code != CTL_OK)
				return code;
		}
		next = cloud_text(reply.json, "NextToken");
		if (!next[0])
			return CTL_OK;
		if (page == PAGES_MAX || strcmp(next, token) == 0 || strlen(next) >= sizeof(token))
			return ctl_error(cloud->net.ctl, CTL_FAILED, "call", pages->action,
				"the service repeats a page; run it again");
		memcpy(token, next, strlen(next) + 1);
	}
}

struct reading {
	struct cloud *cloud;
	const char *stack;
	const char *group; /* of the file */
	struct world *world;
	struct world_object *one; /* where a single object goes instead */
	bool found;
};

static enum ctl_exit keep(struct reading *reading, const struct world_object *object)
{
	reading->found = true;
	if (reading->one) {
		*reading->one = *object;
		return CTL_OK;
	}
	/* On their way out: nothing that could be used or would have to be removed. */
	if (!object->tagged || strcmp(object->status, "Deleting") == 0 || strcmp(object->status, "Releasing") == 0)
		return CTL_OK;
	return world_add(reading->world, object) ? CTL_OK : cloud_no_memory(reading->cloud);
}

static enum ctl_exit keep_interface(void *context, const cJSON *item)
{
	struct reading *reading = context;
	struct world_object object;

	world_of_interface(item, reading->stack, &object);
	world_group_of(item, reading->group, object.group);
	return keep(reading, &object);
}

static enum ctl_exit keep_instance(void *context, const cJSON *item)
{
	struct reading *reading = context;
	struct world_object object;

	world_of_instance(item, reading->stack, &object);
	world_group_of(item, reading->group, object.group);
	return keep(reading, &object);
}

/* EIPs are paged by number; id: one of them. */
static enum ctl_exit read_addresses(struct cloud *cloud, const char *id, struct reading *reading)
{
	uint64_t seen = 0;

	for (unsigned page = 1; page <= PAGES_MAX; page++) {
		_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
		_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
		enum ctl_exit code;
		const cJSON *item, *list;

		cloud_params_add(&params, "RegionId", cloud->region);
		cloud_params_addf(&params, "PageNumber", "%u", page);
		cloud_params_add(&params, "PageSize", "100");
		if (id)
			cloud_params_add(&params, "AllocationId", id);
		else
			cloud_params_tag(&params, 1, TAG_STACK, reading->stack);
		code = cloud_call(cloud, CLOUD_VPC, "DescribeEipAddresses", CLOUD_READ, &params, &reply);
		if (code == CTL_OK && reply.class == CLOUD_GONE && id)
			return CTL_OK;
		if (code == CTL_OK && reply.class != CLOUD_FINE)
			code = cloud_error(cloud, "call", "DescribeEipAddresses", &reply);
		if (code != CTL_OK)
			return code;
		list = cloud_list(reply.json, "EipAddresses.EipAddress");
		cJSON_ArrayForEach(item, list)
		{
			struct world_object object;

			world_of_address(item, reading->stack, &object);
			code = keep(reading, &object);
			if (code != CTL_OK)
				return code;
			seen++;
		}
		if (!cJSON_GetArraySize(list) || seen >= cloud_number(reply.json, "TotalCount"))
			return CTL_OK;
	}
	return CTL_OK;
}

static enum ctl_exit read_ecs(struct cloud *cloud, enum world_kind kind, const char *id, struct reading *reading)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	struct world_pages pages = {.params = &params, .context = reading, .may_be_gone = id != NULL};

	cloud_params_add(&params, "RegionId", cloud->region);
	cloud_params_add(&params, "MaxResults", "100");
	if (!id)
		cloud_params_tag(&params, 1, TAG_STACK, reading->stack);
	if (kind == WORLD_INTERFACE) {
		cloud_params_add(&params, "NetworkInterfaceId.1", id);
		pages.action = "DescribeNetworkInterfaces";
		pages.path = "NetworkInterfaceSets.NetworkInterfaceSet";
		pages.each = keep_interface;
	} else {
		if (id)
			cloud_params_addf(&params, "InstanceIds", "[\"%s\"]", id);
		pages.action = "DescribeInstances";
		pages.path = "Instances.Instance";
		pages.each = keep_instance;
	}
	return params.no_memory ? cloud_no_memory(cloud) : world_read_pages(cloud, &pages);
}

__attribute__((nonnull)) static enum ctl_exit look(struct cloud *cloud, enum world_kind kind, const char *id,
	const char *stack, struct world_object *object, bool *found)
{
	struct reading reading = {.cloud = cloud, .stack = stack, .group = "", .one = object};
	enum ctl_exit code =
		kind == WORLD_ADDRESS ? read_addresses(cloud, id, &reading) : read_ecs(cloud, kind, id, &reading);

	*found = reading.found;
	return code;
}

enum ctl_exit world_look(
	struct cloud *cloud, enum world_kind kind, const char *id, struct world_object *object, bool *found)
{
	return look(cloud, kind, id, "", object, found);
}

bool world_is_new(const struct cloud *cloud, uint64_t created)
{
	uint64_t now = clock_wall(&cloud->net.clock);

	/* A clock that was set back in between makes nothing new. */
	return created && now < created + WORLD_UNSEEN_S && now + WORLD_UNSEEN_S > created;
}

static enum ctl_exit await(struct cloud *cloud, enum world_kind kind, const char *id, const char *stack,
	uint64_t created, struct world_object *object, bool *found)
{
	for (bool said = false;; said = true) {
		/* Asked before the look: the last one comes when the time is over. */
		bool is_new = world_is_new(cloud, created);
		enum ctl_exit code = look(cloud, kind, id, stack, object, found);

		if (code != CTL_OK || *found || !is_new)
			return code;
		if (!said)
			ctl_warn(cloud->net.ctl, "%s: made less than a minute ago and not listed yet; waiting for it",
				id);
		if (!clock_wait(&cloud->net.clock, UNSEEN_POLL_MS))
			return cloud_waited_enough(cloud, id, "not listed since it was made");
	}
}

enum ctl_exit world_await(struct cloud *cloud, enum world_kind kind, const char *id, uint64_t created,
	struct world_object *object, bool *found)
{
	return await(cloud, kind, id, "", created, object, found);
}

/* An object of the state that no tag led to: its tags were taken off, it is gone, or it is too new to be seen. */
static enum ctl_exit read_recorded(
	struct cloud *cloud, const char *stack, const struct state_resource *recorded, struct world *world)
{
	struct world_object object;
	bool found = false;
	enum ctl_exit code =
		await(cloud, world_kind_of(recorded->name), recorded->id, stack, recorded->created, &object, &found);

	if (code != CTL_OK || !found)
		return code;
	memcpy(object.resource, recorded->name, sizeof(object.resource));
	return world_add(world, &object) ? CTL_OK : cloud_no_memory(cloud);
}

static enum ctl_exit read_groups(
	struct cloud *cloud, const struct stack *stack, const struct state *state, struct world *world)
{
	enum ctl_exit code = CTL_OK;

	if (stack->group[0])
		code = world_read_rules(cloud, stack->group, stack, state, world);
	for (size_t i = 0; i < state->count && code == CTL_OK; i++) {
		const char *group = state->resources[i].group;
		bool done = !group[0] || strcmp(group, stack->group) == 0;

		for (size_t j = 0; j < i; j++)
			done = done || strcmp(group, state->resources[j].group) == 0;
		if (!done)
			code = world_read_rules(cloud, group, stack, state, world);
	}
	return code;
}

enum ctl_exit world_read(struct cloud *cloud, const struct stack *stack, const struct state *state,
	bool with_surroundings, struct world *world)
{
	struct reading reading = {.cloud = cloud, .stack = stack->name, .group = stack->group, .world = world};
	enum ctl_exit code = read_ecs(cloud, WORLD_INSTANCE, NULL, &reading);

	if (code == CTL_OK)
		code = read_ecs(cloud, WORLD_INTERFACE, NULL, &reading);
	if (code == CTL_OK)
		code = read_addresses(cloud, NULL, &reading);
	for (size_t i = 0; i < state->count && code == CTL_OK; i++) {
		const struct state_resource *recorded = &state->resources[i];

		if (world_kind_of(recorded->name) != WORLD_RULE && !world_find(world, recorded->name))
			code = read_recorded(cloud, stack->name, recorded, world);
	}
	if (code == CTL_OK)
		code = read_groups(cloud, stack, state, world);
	if (code == CTL_OK && with_surroundings)
		code = world_read_surroundings(cloud, stack, world);
	return code;
}
