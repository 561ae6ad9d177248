/* SPDX-License-Identifier: MIT */
/* What bounds a stack: its instance, the instance's type, the zones of vSwitches, the security group. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/cloud/metadata.h"
#include "ctl/cloud/world.h"

static void copy(char *out, size_t size, const cJSON *item, const char *path)
{
	const char *text = cloud_text(item, path);

	snprintf(out, size, "%s", strlen(text) < size ? text : "");
}

static enum ctl_exit find_instance(struct cloud *cloud, const struct stack *stack, struct world *world)
{
	struct world_object *own = world_find(world, "instance");
	_cleanup_free_ char *this = NULL;
	const char *id = stack->instance_id;
	int r = 0;

	if (stack->instance == STACK_RUN)
		id = own ? own->id : "";
	if (stack->instance == STACK_THIS) {
		r = metadata_get(&cloud->net, "instance-id", &this);
		id = this;
	}
	if (r == -EIO)
		return ctl_error(cloud->net.ctl, CTL_PARTLY, "instance", "this",
			"the metadata service is there and does not answer; run it again");
	if (r == -ENOENT)
		return ctl_error(cloud->net.ctl, CTL_CANNOT, "instance", "this",
			"the metadata service does not answer, so this is no instance; write its identifier into the "
			"file");
	if (r < 0)
		return cloud_no_memory(cloud);
	snprintf(world->instance.id, sizeof(world->instance.id), "%s", id);
	return CTL_OK;
}

static enum ctl_exit keep_instance(void *context, const cJSON *item)
{
	struct world_instance *instance = context;

	copy(instance->status, sizeof(instance->status), item, "Status");
	copy(instance->type, sizeof(instance->type), item, "InstanceType");
	copy(instance->zone, sizeof(instance->zone), item, "ZoneId");
	copy(instance->vpc, sizeof(instance->vpc), item, "VpcAttributes.VpcId");
	copy(instance->vswitch, sizeof(instance->vswitch), item, "VpcAttributes.VSwitchId");
	copy(instance->public_address, sizeof(instance->public_address), item, "EipAddress.IpAddress");
	if (!instance->public_address[0]) {
		const char *first =
			cJSON_GetStringValue(cJSON_GetArrayItem(cloud_list(item, "PublicIpAddress.IpAddress"), 0));

		snprintf(instance->public_address, sizeof(instance->public_address), "%.45s", first ? first : "");
	}
	return CTL_OK;
}

static enum ctl_exit read_instance(struct cloud *cloud, struct world *world)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	struct world_pages pages = {.action = "DescribeInstances",
		.path = "Instances.Instance",
		.params = &params,
		.each = keep_instance,
		.context = &world->instance,
		.may_be_gone = true};
	enum ctl_exit code;

	cloud_params_add(&params, "RegionId", cloud->region);
	cloud_params_addf(&params, "InstanceIds", "[\"%s\"]", world->instance.id);
	code = params.no_memory ? cloud_no_memory(cloud) : world_read_pages(cloud, &pages);
	if (code == CTL_OK && !world->instance.status[0])
		return ctl_error(cloud->net.ctl, CTL_FAILED, "instance", world->instance.id,
			"there is none in region %s", cloud->region);
	return code;
}

static bool is_known(const struct world *world, const char *id)
{
	for (size_t i = 0; i < world->count; i++) {
		if (strcmp(world->objects[i].id, id) == 0)
			return true;
	}
	return false;
}

static enum ctl_exit count_interface(void *context, const cJSON *item)
{
	struct world *world = context;
	struct world_object object;

	world_of_interface(item, "", &object);
	if (is_known(world, object.id))
		return CTL_OK;
	world->instance.foreign_interfaces++;
	world->instance.foreign_erdma += object.erdma;
	world->instance.foreign_queue_pairs += object.erdma ? object.queue_pairs : 0;
	return CTL_OK;
}

static enum ctl_exit read_attached(struct cloud *cloud, const char *instance,
	enum ctl_exit (*each)(void *context, const cJSON *item), void *context)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	struct world_pages pages = {.action = "DescribeNetworkInterfaces",
		.path = "NetworkInterfaceSets.NetworkInterfaceSet",
		.params = &params,
		.each = each,
		.context = context};

	cloud_params_add(&params, "RegionId", cloud->region);
	cloud_params_add(&params, "InstanceId", instance);
	cloud_params_add(&params, "MaxResults", "100");
	return params.no_memory ? cloud_no_memory(cloud) : world_read_pages(cloud, &pages);
}

struct company {
	const struct world *world;
	struct world_object *instance;
};

static enum ctl_exit keep_company(void *context, const cJSON *item)
{
	const struct company *company = context;
	struct world_object object;

	world_of_interface(item, "", &object);
	if (object.goes_along && !is_known(company->world, object.id))
		memcpy(company->instance->company, object.id, sizeof(object.id));
	return CTL_OK;
}

enum ctl_exit world_read_company(struct cloud *cloud, struct world *world)
{
	enum ctl_exit code = CTL_OK;

	for (size_t i = 0; i < world->count && code == CTL_OK; i++) {
		struct company company = {world, &world->objects[i]};

		if (company.instance->kind == WORLD_INSTANCE)
			code = read_attached(cloud, company.instance->id, keep_company, &company);
	}
	return code;
}

void world_of_type(const cJSON *reply, const char *type, struct world_type *out)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, cloud_list(reply, "InstanceTypes.InstanceType"))
	{
		if (strcmp(cloud_text(item, "InstanceTypeId"), type) != 0)
			continue;
		*out = (struct world_type){.known = true,
			.interfaces = cloud_number(item, "EniQuantity"),
			.erdma = cloud_number(item, "EriQuantity"),
			.queue_pairs = cloud_number(item, "QueuePairNumber"),
			.jumbo_frames = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "JumboFrameSupport"))};
	}
}

static enum ctl_exit read_type(struct cloud *cloud, const char *type, struct world *world)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	enum ctl_exit code;

	cloud_params_add(&params, "InstanceTypes.1", type);
	code = cloud_read(cloud, CLOUD_ECS, "DescribeInstanceTypes", &params, &reply);
	if (code != CTL_OK)
		return code;
	world_of_type(reply.json, type, &world->type);
	if (!world->type.known)
		return ctl_error(cloud->net.ctl, CTL_CANNOT, "instance type", type,
			"the service does not know it in region %s", cloud->region);
	return CTL_OK;
}

bool world_of_vswitch(const cJSON *reply, char zone[static 64], char vpc[static STACK_ID])
{
	const cJSON *item = cJSON_GetArrayItem(cloud_list(reply, "VSwitches.VSwitch"), 0);

	if (!item)
		return false;
	copy(zone, 64, item, "ZoneId");
	copy(vpc, STACK_ID, item, "VpcId");
	return true;
}

static enum ctl_exit read_vswitch(struct cloud *cloud, const char *id, char zone[static 64], char vpc[static STACK_ID])
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	enum ctl_exit code;

	cloud_params_add(&params, "RegionId", cloud->region);
	cloud_params_add(&params, "VSwitchId", id);
	code = cloud_read(cloud, CLOUD_VPC, "DescribeVSwitches", &params, &reply);
	if (code != CTL_OK)
		return code;
	if (!world_of_vswitch(reply.json, zone, vpc))
		return ctl_error(
			cloud->net.ctl, CTL_FAILED, "vSwitch", id, "there is none in region %s", cloud->region);
	return CTL_OK;
}

bool world_of_group(const cJSON *reply, struct world *world)
{
	const cJSON *item = cJSON_GetArrayItem(cloud_list(reply, "SecurityGroups.SecurityGroup"), 0);

	if (!item)
		return false;
	copy(world->group_vpc, sizeof(world->group_vpc), item, "VpcId");
	world->group_advanced = strcmp(cloud_text(item, "SecurityGroupType"), "enterprise") == 0;
	return true;
}

static enum ctl_exit read_group(struct cloud *cloud, const char *id, struct world *world)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	enum ctl_exit code;

	cloud_params_add(&params, "RegionId", cloud->region);
	cloud_params_addf(&params, "SecurityGroupIds", "[\"%s\"]", id);
	code = cloud_read(cloud, CLOUD_ECS, "DescribeSecurityGroups", &params, &reply);
	if (code != CTL_OK)
		return code;
	if (!world_of_group(reply.json, world))
		return ctl_error(
			cloud->net.ctl, CTL_FAILED, "security group", id, "there is none in region %s", cloud->region);
	return CTL_OK;
}

enum ctl_exit world_read_surroundings(struct cloud *cloud, const struct stack *stack, struct world *world)
{
	const char *type = stack->run.type;
	enum ctl_exit code = find_instance(cloud, stack, world);

	if (code == CTL_OK && world->instance.id[0]) {
		code = read_instance(cloud, world);
		type = world->instance.type;
		memcpy(world->zone, world->instance.zone, sizeof(world->zone));
		memcpy(world->vpc, world->instance.vpc, sizeof(world->vpc));
		if (code == CTL_OK)
			code = read_attached(cloud, world->instance.id, count_interface, world);
	} else if (code == CTL_OK) {
		code = read_vswitch(cloud, stack->run.vswitch, world->zone, world->vpc);
	}
	if (code == CTL_OK)
		code = read_type(cloud, type, world);
	for (size_t i = 0; i < stack->interface_count && code == CTL_OK; i++) {
		char zone[64] = "", vpc[STACK_ID] = "";

		if (stack->interfaces[i].vswitch[0])
			code = read_vswitch(cloud, stack->interfaces[i].vswitch, zone, vpc);
		snprintf(world->zones[i], sizeof(world->zones[i]), "%.31s", zone);
		snprintf(world->vpcs[i], sizeof(world->vpcs[i]), "%.31s", vpc);
	}
	if (code == CTL_OK && stack->group[0])
		code = read_group(cloud, stack->group, world);
	return code;
}

void world_of_price(const cJSON *reply, char price[static WORLD_PRICE])
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(reply, "PriceInfo"), "Price"),
		"TradePrice");

	price[0] = '\0';
	if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e9)
		snprintf(price, WORLD_PRICE, "about %.4f %.8s", item->valuedouble,
			cloud_text(reply, "PriceInfo.Price.Currency"));
}
