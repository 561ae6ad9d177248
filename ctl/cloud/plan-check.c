/* SPDX-License-Identifier: MIT */
/* What cannot work, said before anything is changed: room on the instance, zones, VPCs, kinds of groups. */
#include "config.h"

#include <string.h>

#include "ctl/cloud/plan.h"

bool plan_is_going(const struct world_object *object)
{
	return strcmp(object->status, "Deleting") == 0 || strcmp(object->status, "Releasing") == 0;
}

const struct world_object *plan_interface_of(const struct stack *stack, const struct world *world, size_t i)
{
	const struct world_object *there;
	char name[STATE_RESOURCE];

	snprintf(name, sizeof(name), "interface/%s", stack->interfaces[i].name);
	there = world_find(world, name);
	return there && plan_is_going(there) ? NULL : there;
}

/*
 * Given in the file, or an equal part: an interface that names no number takes all that the type has, and then there is
 * no second one.
 */
uint64_t plan_queue_pairs(const struct stack *stack, const struct world *world, size_t i)
{
	if (!stack->interfaces[i].erdma || stack->interfaces[i].queue_pairs)
		return stack->interfaces[i].queue_pairs;
	return world->type.erdma ? world->type.queue_pairs / world->type.erdma : 0;
}

/* There are ways to make an interface an eRDMA one and to give that other queue pairs; none to make it an ordinary one. */
bool plan_is_modified(const struct stack *stack, const struct world *world, size_t i)
{
	const struct stack_interface *wanted = &stack->interfaces[i];
	const struct world_object *there = plan_interface_of(stack, world, i);

	return there && wanted->erdma &&
		(!there->erdma || (wanted->queue_pairs && wanted->queue_pairs != there->queue_pairs));
}

static void check_room(const struct stack *stack, const struct world *world, struct plan *plan)
{
	/* An instance to be run brings its primary interface. */
	uint64_t interfaces = world->instance.id[0] ? world->instance.foreign_interfaces : 1;
	uint64_t erdma = world->instance.foreign_erdma, pairs = world->instance.foreign_queue_pairs;
	const char *type = world->instance.id[0] ? world->instance.type : stack->run.type;

	for (size_t i = 0; i < stack->interface_count; i++) {
		const struct world_object *there = plan_interface_of(stack, world, i);

		interfaces++;
		erdma += stack->interfaces[i].erdma;
		pairs += there && !plan_is_modified(stack, world, i) ? there->queue_pairs
								     : plan_queue_pairs(stack, world, i);
	}
	if (interfaces > world->type.interfaces)
		plan_refuse(plan, CTL_CANNOT, "interfaces",
			"%s takes %llu interfaces with the primary one, this would be %llu; "
			"take a larger type or fewer interfaces",
			type, (unsigned long long)world->type.interfaces, (unsigned long long)interfaces);
	if (erdma > world->type.erdma)
		plan_refuse(plan, CTL_CANNOT, "interfaces",
			"%s takes %llu eRDMA interfaces, this would be %llu; take a type with eRDMA, or \"erdma\": "
			"false",
			type, (unsigned long long)world->type.erdma, (unsigned long long)erdma);
	else if (pairs > world->type.queue_pairs && erdma)
		plan_refuse(plan, CTL_CANNOT, "interfaces",
			"%s has %llu queue pairs, these would be %llu; write smaller \"queue_pairs\"", type,
			(unsigned long long)world->type.queue_pairs, (unsigned long long)pairs);
}

/* The first is cut off, and "" where nobody asked. */
static bool is_other(const char found[static 32], const char *wanted)
{
	return found[0] && strncmp(found, wanted, 31) != 0;
}

static void check_zones(const struct stack *stack, const struct world *world, struct plan *plan)
{
	for (size_t i = 0; i < stack->interface_count; i++) {
		if (is_other(world->zones[i], world->zone))
			plan_refuse(plan, CTL_CANNOT, stack->interfaces[i].name,
				"its vSwitch %s is in zone %s, the instance in %s; take a vSwitch of that zone",
				stack->interfaces[i].vswitch, world->zones[i], world->zone);
		if (world->vpc[0] && is_other(world->vpcs[i], world->vpc))
			plan_refuse(plan, CTL_CANNOT, stack->interfaces[i].name,
				"its vSwitch %s is in %s, the instance in %s; take a vSwitch of that VPC",
				stack->interfaces[i].vswitch, world->vpcs[i], world->vpc);
	}
}

static void check_group(const struct stack *stack, const struct world *world, struct plan *plan)
{
	if (world->group_vpc[0] && world->vpc[0] && strcmp(world->group_vpc, world->vpc) != 0)
		plan_refuse(plan, CTL_CANNOT, "security_group",
			"%s is in %s, the instance in %s; take a group of that VPC", stack->group, world->group_vpc,
			world->vpc);
	for (size_t i = 0; i < stack->rule_count && world->group_advanced; i++) {
		if (stack->rules[i].group[0])
			plan_refuse(plan, CTL_CANNOT, stack->rules[i].name,
				"%s is an advanced security group, which lets in no other groups; write a rule with "
				"TCP %s and a source",
				stack->group, STACK_SMC_PORTS);
	}
}

void plan_check(const struct stack *stack, const struct world *world, struct plan *plan)
{
	const struct world_object *address = world_find(world, "address");

	check_room(stack, world, plan);
	check_zones(stack, world, plan);
	check_group(stack, world, plan);
	if (stack->instance == STACK_RUN && stack->run.jumbo_frames && !world->type.jumbo_frames)
		plan_refuse(plan, CTL_CANNOT, "instance", "%s has no jumbo frames; remove \"jumbo_frames\"",
			stack->run.type);
	if (stack->address.wanted && !stack->address.on[0] && world->instance.public_address[0] &&
		!(address && strcmp(address->address, world->instance.public_address) == 0))
		plan_refuse(plan, CTL_CANNOT, "address",
			"the instance has the public address %s already; put the stack's on an interface, or remove it",
			world->instance.public_address);
}
