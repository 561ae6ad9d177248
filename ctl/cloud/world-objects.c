/* SPDX-License-Identifier: MIT */
/* Objects out of the service's replies; whatever is missing or of another type is empty. */
#include "config.h"

#include <string.h>

#include "ctl/cloud/world.h"

static void copy(char *out, size_t size, const cJSON *item, const char *path)
{
	const char *text = cloud_text(item, path);

	/* What does not fit is no identifier of the service. */
	snprintf(out, size, "%s", strlen(text) < size ? text : "");
}

enum world_kind world_kind_of(const char *resource)
{
	if (strcmp(resource, "instance") == 0)
		return WORLD_INSTANCE;
	if (strcmp(resource, "address") == 0)
		return WORLD_ADDRESS;
	return starts_with(resource, "rule/") ? WORLD_RULE : WORLD_INTERFACE;
}

/*
 * A name that is given to such an object, and to no other: tags can be copied from one to another, and those of an instance
 * are its primary interface's, too (RunInstances, Tag.N).
 */
static bool is_name_of(const struct world_object *object)
{
	const char *name = object->resource;

	if (world_kind_of(name) != object->kind)
		return false;
	return object->kind != WORLD_INTERFACE ||
		(starts_with(name, "interface/") && stack_name_valid(name + strlen("interface/")));
}

/* Interfaces and instances name the halves of a tag otherwise than addresses. */
static void read_tags(
	const cJSON *list, const char *key, const char *value, const char *stack, struct world_object *out)
{
	const cJSON *tag;
	bool ours = false;

	cJSON_ArrayForEach(tag, list)
	{
		if (strcmp(cloud_text(tag, key), TAG_STACK) == 0)
			ours = strcmp(cloud_text(tag, value), stack) == 0;
		else if (strcmp(cloud_text(tag, key), TAG_RESOURCE) == 0)
			copy(out->resource, sizeof(out->resource), tag, value);
	}
	out->tagged = ours && is_name_of(out);
}

void world_group_of(const cJSON *item, const char *wanted, char group[static STACK_ID])
{
	const cJSON *one;

	group[0] = '\0';
	cJSON_ArrayForEach(one, cloud_list(item, "SecurityGroupIds.SecurityGroupId"))
	{
		const char *id = cJSON_GetStringValue(one);

		if (id && strlen(id) < STACK_ID && (!group[0] || strcmp(id, wanted) == 0))
			memcpy(group, id, strlen(id) + 1);
	}
}

void world_of_interface(const cJSON *item, const char *stack, struct world_object *out)
{
	*out = (struct world_object){.kind = WORLD_INTERFACE};
	copy(out->id, sizeof(out->id), item, "NetworkInterfaceId");
	copy(out->status, sizeof(out->status), item, "Status");
	copy(out->attached, sizeof(out->attached), item, "InstanceId");
	if (!out->attached[0])
		copy(out->attached, sizeof(out->attached), item, "Attachment.InstanceId");
	copy(out->address, sizeof(out->address), item, "PrivateIpAddress");
	copy(out->mac, sizeof(out->mac), item, "MacAddress");
	copy(out->vswitch, sizeof(out->vswitch), item, "VSwitchId");
	out->erdma = strcmp(cloud_text(item, "NetworkInterfaceTrafficMode"), "HighPerformance") == 0;
	out->queue_pairs = cloud_number(item, "QueuePairNumber");
	out->goes_along = strcmp(cloud_text(item, "Type"), "Primary") != 0 &&
		!cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(item, "DeleteOnRelease"));
	read_tags(cloud_list(item, "Tags.Tag"), "TagKey", "TagValue", stack, out);
}

void world_of_address(const cJSON *item, const char *stack, struct world_object *out)
{
	*out = (struct world_object){.kind = WORLD_ADDRESS};
	copy(out->id, sizeof(out->id), item, "AllocationId");
	copy(out->status, sizeof(out->status), item, "Status");
	copy(out->attached, sizeof(out->attached), item, "InstanceId");
	copy(out->address, sizeof(out->address), item, "IpAddress");
	copy(out->type, sizeof(out->type), item, "InternetChargeType");
	out->bandwidth = cloud_number(item, "Bandwidth");
	read_tags(cloud_list(item, "Tags.Tag"), "Key", "Value", stack, out);
}

void world_of_instance(const cJSON *item, const char *stack, struct world_object *out)
{
	*out = (struct world_object){.kind = WORLD_INSTANCE};
	copy(out->id, sizeof(out->id), item, "InstanceId");
	copy(out->status, sizeof(out->status), item, "Status");
	copy(out->type, sizeof(out->type), item, "InstanceType");
	copy(out->vswitch, sizeof(out->vswitch), item, "VpcAttributes.VSwitchId");
	read_tags(cloud_list(item, "Tags.Tag"), "TagKey", "TagValue", stack, out);
}

bool world_same_rule(const struct stack_rule *a, const struct stack_rule *b)
{
	return strcasecmp(a->protocol, b->protocol) == 0 && strcmp(a->ports, b->ports) == 0 &&
		strcmp(a->cidr, b->cidr) == 0 && strcmp(a->group, b->group) == 0;
}

/* The stack whose description it is: "smcctl:STACK:RULE". */
static void find_owner(const char *description, char out[static STACK_NAME])
{
	const char *name = starts_with(description, "smcctl:") ? description + strlen("smcctl:") : "";
	size_t length = strcspn(name, ":");

	if (length < STACK_NAME && name[length] == ':')
		snprintf(out, STACK_NAME, "%.*s", (int)length, name);
	if (!stack_name_valid(out))
		out[0] = '\0';
}

/* Which of the stack's rules this one is: by its description, by its recorded identifier, by what it says. */
static void find_resource(
	const struct stack *stack, const struct state *state, const cJSON *item, struct world_object *object)
{
	const char *description = cloud_text(item, "Description");
	char prefix[STACK_NAME + 16];

	snprintf(prefix, sizeof(prefix), "smcctl:%s:", stack->name);
	if (starts_with(description, prefix) && stack_name_valid(description + strlen(prefix))) {
		snprintf(object->resource, sizeof(object->resource), "rule/%.32s", description + strlen(prefix));
		object->tagged = true;
		return;
	}
	find_owner(description, object->owner);
	for (size_t i = 0; i < state->count; i++) {
		if (strcmp(state->resources[i].id, object->id) == 0)
			memcpy(object->resource, state->resources[i].name, sizeof(object->resource));
	}
	for (size_t i = 0; i < stack->rule_count && !object->resource[0]; i++) {
		if (world_same_rule(&stack->rules[i], &object->rule))
			snprintf(object->resource, sizeof(object->resource), "rule/%s", stack->rules[i].name);
	}
}

bool world_of_rule(const cJSON *item, const struct stack *stack, const struct state *state, struct world_object *out)
{
	*out = (struct world_object){.kind = WORLD_RULE};
	copy(out->id, sizeof(out->id), item, "SecurityGroupRuleId");
	copy(out->rule.protocol, sizeof(out->rule.protocol), item, "IpProtocol");
	copy(out->rule.ports, sizeof(out->rule.ports), item, "PortRange");
	copy(out->rule.cidr, sizeof(out->rule.cidr), item, "SourceCidrIp");
	copy(out->rule.group, sizeof(out->rule.group), item, "SourceGroupId");
	if (strcasecmp(cloud_text(item, "Policy"), "Accept") != 0 || !out->id[0])
		return false;
	find_resource(stack, state, item, out);
	return true;
}

struct reading {
	struct cloud *cloud;
	const char *group;
	const struct stack *stack;
	const struct state *state;
	struct world *world;
};

static enum ctl_exit keep_rule(void *context, const cJSON *item)
{
	struct reading *reading = context;
	struct world_object object;
	struct world_object *known;

	if (!world_of_rule(item, reading->stack, reading->state, &object))
		return CTL_OK;
	if (!object.resource[0])
		return CTL_OK;
	snprintf(object.group, sizeof(object.group), "%s", reading->group);
	/* Ours by its description comes before one that only says the same; ours in two groups are two. */
	known = world_find(reading->world, object.resource);
	if (known && (!object.tagged || (known->tagged && strcmp(known->group, object.group) == 0)))
		return CTL_OK;
	if (known && !known->tagged) {
		*known = object;
		return CTL_OK;
	}
	return world_add(reading->world, &object) ? CTL_OK : cloud_no_memory(reading->cloud);
}

enum ctl_exit world_read_rules(struct cloud *cloud, const char *group, const struct stack *stack,
	const struct state *state, struct world *world)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	struct reading reading = {cloud, group, stack, state, world};
	const struct world_pages pages = {.action = "DescribeSecurityGroupAttribute",
		.path = "Permissions.Permission",
		.params = &params,
		.each = keep_rule,
		.context = &reading,
		.may_be_gone = true};

	cloud_params_add(&params, "RegionId", cloud->region);
	cloud_params_add(&params, "SecurityGroupId", group);
	cloud_params_add(&params, "Direction", "ingress");
	cloud_params_add(&params, "MaxResults", "100");
	return params.no_memory ? cloud_no_memory(cloud) : world_read_pages(cloud, &pages);
}
