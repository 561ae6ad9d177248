/* SPDX-License-Identifier: MIT */
/* From the file, the state and the world to steps. Pure: tests feed it worlds. */
#include "config.h"

#include "ctl/cloud/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void plan_clear(struct plan *plan)
{
	free(plan->steps);
	free(plan->refusals);
	*plan = (struct plan){.steps = NULL};
}

struct plan_step *plan_add(struct plan *plan, char sign, enum plan_action action, const char *resource, const char *id)
{
	struct plan_step *larger = realloc(plan->steps, (plan->count + 1) * sizeof(*larger));
	struct plan_step *step;

	if (!larger) {
		plan->no_memory = true;
		return NULL;
	}
	plan->steps = larger;
	step = &larger[plan->count++];
	*step = (struct plan_step){.sign = sign, .action = action};
	snprintf(step->resource, sizeof(step->resource), "%s", resource);
	snprintf(step->id, sizeof(step->id), "%s", id);
	return step;
}

/* plan_add() with its reason. */
__attribute__((format(printf, 6, 7))) static struct plan_step *add(struct plan *plan, char sign,
	enum plan_action action, const char *resource, const char *id, const char *why, ...)
{
	struct plan_step *step = plan_add(plan, sign, action, resource, id);
	va_list ap;

	if (!step)
		return NULL;
	va_start(ap, why);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start() stands above */
	(void)vsnprintf(step->why, sizeof(step->why), why, ap);
	va_end(ap);
	return step;
}

void plan_refuse(struct plan *plan, enum ctl_exit code, const char *resource, const char *why, ...)
{
	struct plan_refusal *larger = realloc(plan->refusals, (plan->refusal_count + 1) * sizeof(*larger));
	struct plan_refusal *refusal;
	va_list ap;

	if (!larger) {
		plan->no_memory = true;
		return;
	}
	plan->refusals = larger;
	refusal = &larger[plan->refusal_count++];
	*refusal = (struct plan_refusal){.code = code};
	snprintf(refusal->resource, sizeof(refusal->resource), "%s", resource);
	va_start(ap, why);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start() stands above */
	(void)vsnprintf(refusal->why, sizeof(refusal->why), why, ap);
	va_end(ap);
}

static const char *const gone = "it is recorded, but does not exist any more";

/* An object that bears the stack's name can be used. */
static bool is_usable(struct plan *plan, const struct world_object *object)
{
	if (object->twin) {
		plan_refuse(plan, CTL_STALE, object->resource,
			"two objects bear its tags, %s is one; remove the one that is too many in the console",
			object->id);
		return false;
	}
	if (!object->tagged && object->kind != WORLD_RULE) {
		plan_refuse(plan, CTL_STALE, object->resource,
			"%s does not bear the stack's tags (any more), so it is not touched; give it its tags back, or "
			"remove it "
			"from the state",
			object->id);
		return false;
	}
	return true;
}

/* Also when the service does not say where it is, or the file needs no group. */
static bool is_in_group(const struct stack *stack, const struct world_object *object)
{
	return !stack->group[0] || !object->group[0] || strcmp(object->group, stack->group) == 0;
}

static void plan_instance(
	const struct stack *stack, const struct state *state, const struct world *world, struct plan *plan)
{
	const struct world_object *own = world_find(world, "instance");
	struct plan_step *step;

	if (stack->instance != STACK_RUN) {
		if (own)
			plan_refuse(plan, CTL_STALE, "instance",
				"the stack runs %s, and the file names another one now; smcctl cloud destroy first",
				own->id);
		return;
	}
	if (!own) {
		step = add(plan, '+', PLAN_RUN, "instance", "", "%s with %s%s", stack->run.type, stack->run.image,
			state_find(state, "instance") ? "; the recorded one does not exist any more" : "");
		if (step)
			step->bills = true;
		return;
	}
	if (!is_usable(plan, own))
		return;
	if (strcmp(own->type, stack->run.type) != 0 || strcmp(own->vswitch, stack->run.vswitch) != 0)
		plan_refuse(plan, CTL_FAILED, "instance",
			"%s is a %s in %s; type and vSwitch of an instance do not change: smcctl cloud destroy first",
			own->id, own->type, own->vswitch);
	else if (!is_in_group(stack, own))
		plan_refuse(plan, CTL_FAILED, "instance",
			"%s is in %s and not in the file's security group %s; add it to that one in the console, or "
			"smcctl cloud destroy first",
			own->id, own->group, stack->group);
	else
		add(plan, '=', PLAN_KEEP, "instance", own->id, "%s", own->status);
}

static void plan_rule(const struct stack *stack, const struct stack_rule *rule, const struct state *state,
	const struct world *world, struct plan *plan)
{
	char name[STATE_RESOURCE];
	const struct world_object *object;
	const struct state_resource *recorded;
	struct plan_step *step;

	snprintf(name, sizeof(name), "rule/%s", rule->name);
	object = world_find(world, name);
	recorded = state_find(state, name);
	/* A second one is in a group that the file named before: its own comes first. */
	for (size_t i = 0; object && object->twin && i < world->count; i++) {
		if (&world->objects[i] != object && strcmp(world->objects[i].resource, name) == 0)
			plan_remove(plan, &world->objects[i], false, "the file names another security group now");
	}
	if (object && world_same_rule(&object->rule, rule) && is_in_group(stack, object)) {
		step = object->owner[0]
			? add(plan, '=', PLAN_KEEP, name, object->id,
				  "there already, of the stack %s: it goes when that one goes", object->owner)
			: add(plan, '=', PLAN_KEEP, name, object->id, "%s",
				  object->tagged ? "there"
						 : "there already, and not the stack's: it stays when the stack goes");
		if (!step)
			return;
		step->pre_existing = !object->tagged && (!recorded || recorded->pre_existing);
		memcpy(step->group, object->group, sizeof(step->group));
		return;
	}
	if (object)
		plan_remove(plan, object, recorded && recorded->pre_existing,
			is_in_group(stack, object) ? "the file has it otherwise now"
						   : "the file names another security group now");
	add(plan, '+', PLAN_ADD_RULE, name, "", "%s %s from %s%s%s", rule->protocol, rule->ports,
		rule->cidr[0] ? rule->cidr : rule->group, recorded && !object ? "; " : "",
		recorded && !object ? gone : "");
}

/* Neither by the documentation, nor is there an action for it. */
static bool must_be_replaced(const struct stack_interface *wanted, const struct world_object *object)
{
	return (object->erdma && !wanted->erdma) ||
		(wanted->vswitch[0] && strcmp(wanted->vswitch, object->vswitch) != 0);
}

static void plan_new_interface(const struct stack *stack, size_t i, const char *name, bool recorded,
	const struct world *world, struct plan *plan)
{
	uint64_t pairs = plan_queue_pairs(stack, world, i);
	char mode[64] = "an ordinary interface";
	struct plan_step *step;

	if (stack->interfaces[i].erdma)
		snprintf(mode, sizeof(mode), "an eRDMA interface with %llu queue pairs", (unsigned long long)pairs);
	step = add(plan, '+', PLAN_CREATE, name, "", "%s%s%s", mode, recorded ? "; " : "", recorded ? gone : "");
	if (step)
		step->queue_pairs = pairs;
	add(plan, '+', PLAN_ATTACH, name, "", "to %s", world->instance.id[0] ? world->instance.id : "the new instance");
}

/* The part of an interface that is there: what is attached to something else has been refused. */
static void plan_there(const struct stack *stack, size_t i, const struct world *world,
	const struct world_object *object, struct plan *plan)
{
	bool attached = strcmp(object->status, "InUse") == 0;
	bool modified = plan_is_modified(stack, world, i);
	struct plan_step *step;

	if (modified) {
		uint64_t pairs = plan_queue_pairs(stack, world, i);

		step = add(plan, '~', PLAN_MODIFY, object->resource, object->id,
			"%s with %llu queue pairs; should the service refuse: take it out of the file, apply, put it "
			"in again",
			object->erdma ? "eRDMA" : "becomes an eRDMA interface", (unsigned long long)pairs);
		if (step)
			step->queue_pairs = pairs;
	}
	if (!attached)
		add(plan, '~', PLAN_ATTACH, object->resource, object->id, "is %s; to %s", object->status,
			world->instance.id[0] ? world->instance.id : "the new instance");
	else if (!modified)
		add(plan, '=', PLAN_KEEP, object->resource, object->id, "attached, %s", object->address);
}

/* Interfaces that give queue pairs away come first. */
static bool gives_away(const struct stack *stack, const struct world *world, size_t i)
{
	const struct world_object *object = plan_interface_of(stack, world, i);

	return object && plan_is_modified(stack, world, i) && plan_queue_pairs(stack, world, i) < object->queue_pairs;
}

static void plan_interface(
	const struct stack *stack, size_t i, const struct state *state, const struct world *world, struct plan *plan)
{
	char name[STATE_RESOURCE];
	const struct world_object *object = plan_interface_of(stack, world, i);

	snprintf(name, sizeof(name), "interface/%s", stack->interfaces[i].name);
	if (!object) {
		plan_new_interface(stack, i, name, state_find(state, name) != NULL, world, plan);
		return;
	}
	if (!is_usable(plan, object))
		return;
	if (must_be_replaced(&stack->interfaces[i], object))
		plan_refuse(plan, CTL_FAILED, name,
			"%s is %s in %s, which cannot be changed in place; it must be replaced: take it out of the "
			"file, "
			"apply, put it in again",
			object->id, object->erdma ? "an eRDMA interface" : "an ordinary interface", object->vswitch);
	else if (!is_in_group(stack, object))
		plan_refuse(plan, CTL_FAILED, name,
			"%s is in %s and not in the file's security group %s; add it to that one in the console, or "
			"take it out of the file, apply, put it in again",
			object->id, object->group, stack->group);
	else if (object->attached[0] && strcmp(object->attached, world->instance.id) != 0)
		plan_refuse(plan, CTL_STALE, name,
			"%s is attached to %s, and that is not the stack's doing; detach it there first", object->id,
			object->attached);
	else
		plan_there(stack, i, world, object, plan);
}

/* What the address shall be bound to: an identifier, or "" when that is still to be made. */
static const char *address_target(const struct stack *stack, const struct world *world)
{
	char name[STATE_RESOURCE];
	const struct world_object *object;

	if (!stack->address.on[0])
		return world->instance.id;
	snprintf(name, sizeof(name), "interface/%s", stack->address.on);
	object = world_find(world, name);
	return object ? object->id : "";
}

static bool is_wanted(const struct stack *stack, const char *resource);

/* What of the stack the address is bound to by an earlier file: "instance", "interface/NAME", or NULL. */
static const char *bound_before(const struct world *world, const struct world_object *address)
{
	if (strcmp(address->attached, world->instance.id) == 0)
		return "instance";
	for (size_t i = 0; i < world->count; i++) {
		if (world->objects[i].tagged && strcmp(world->objects[i].id, address->attached) == 0)
			return world->objects[i].resource;
	}
	return NULL;
}

/* An address that is there and bound to nothing but what is the stack's; before: to another thing than is wanted now. */
static void plan_address_there(const struct stack *stack, const struct world_object *object, const char *before,
	const char *on, struct plan *plan)
{
	bool bound = !before && strcmp(object->status, "InUse") == 0;
	bool modified = object->bandwidth != stack->address.bandwidth;
	struct plan_step *step;

	if (before)
		add(plan, '~', PLAN_UNASSOCIATE, "address", object->id, "from %s", before);
	if (modified) {
		step = add(plan, '~', PLAN_MODIFY, "address", object->id, "%u Mbit/s instead of %llu",
			stack->address.bandwidth, (unsigned long long)object->bandwidth);
		/* By traffic the bandwidth is only a limit. */
		if (step)
			step->bills = stack->address.by_bandwidth;
	}
	if (!bound)
		add(plan, '~', PLAN_ASSOCIATE, "address", object->id, "is %s; with %s",
			before ? "taken from there" : object->status, on);
	else if (!modified)
		add(plan, '=', PLAN_KEEP, "address", object->id, "%s on %s", object->address, on);
}

static void plan_address(
	const struct stack *stack, const struct state *state, const struct world *world, struct plan *plan)
{
	const struct world_object *object = world_find(world, "address");
	const char *target = address_target(stack, world);
	const char *on = stack->address.on[0] ? stack->address.on : "instance";
	const char *charge = stack->address.by_bandwidth ? "PayByBandwidth" : "PayByTraffic";
	const char *before = NULL;
	struct plan_step *step;

	if (!object || plan_is_going(object)) {
		step = add(plan, '+', PLAN_ALLOCATE, "address", "", "%u Mbit/s, %s%s%s", stack->address.bandwidth,
			charge, state_find(state, "address") ? "; " : "", state_find(state, "address") ? gone : "");
		if (step)
			step->bills = true;
		add(plan, '+', PLAN_ASSOCIATE, "address", "", "with %s", on);
		return;
	}
	if (!is_usable(plan, object))
		return;
	if (strcmp(object->type, charge) != 0)
		plan_refuse(plan, CTL_FAILED, "address",
			"%s is charged %s, which cannot be changed in place; it must be replaced, and the address is "
			"then "
			"another one: take it out of the file, apply, put it in again",
			object->id, object->type);
	else if (object->attached[0] && strcmp(object->attached, target) != 0 &&
		!(before = bound_before(world, object)))
		plan_refuse(plan, CTL_STALE, "address",
			"%s is associated with %s, and that is not the stack's doing; release it there first",
			object->id, object->attached);
	else if (before && !is_wanted(stack, before))
		plan_refuse(plan, CTL_FAILED, "address",
			"%s is on %s, which goes; give it another \"on\" and apply, then remove the interface",
			object->id, before);
	else
		plan_address_there(stack, object, before, on, plan);
}

static bool is_wanted(const struct stack *stack, const char *resource)
{
	char name[STATE_RESOURCE];

	if (strcmp(resource, "instance") == 0)
		return true; /* plan_instance() has its say */
	if (strcmp(resource, "address") == 0)
		return stack->address.wanted;
	for (size_t i = 0; i < stack->rule_count; i++) {
		snprintf(name, sizeof(name), "rule/%s", stack->rules[i].name);
		if (strcmp(name, resource) == 0)
			return true;
	}
	for (size_t i = 0; i < stack->interface_count; i++) {
		snprintf(name, sizeof(name), "interface/%s", stack->interfaces[i].name);
		if (strcmp(name, resource) == 0)
			return true;
	}
	return false;
}

/* What the file does not name any more; first of all, to make room. Addresses, interfaces, rules. */
static void plan_unwanted(
	const struct stack *stack, const struct state *state, const struct world *world, struct plan *plan)
{
	static const enum world_kind order[] = {WORLD_ADDRESS, WORLD_INTERFACE, WORLD_RULE};

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = 0; i < world->count; i++) {
			const struct world_object *object = &world->objects[i];
			const struct state_resource *recorded = state_find(state, object->resource);

			if (object->kind == order[k] && !is_wanted(stack, object->resource))
				plan_remove(plan, object, recorded && recorded->pre_existing,
					"the file does not name it any more");
		}
	}
	for (size_t i = 0; i < state->count; i++) {
		const struct state_resource *recorded = &state->resources[i];

		if (!world_find(world, recorded->name) && !is_wanted(stack, recorded->name))
			add(plan, '-', PLAN_FORGET, recorded->name, recorded->id, "%s", gone);
	}
}

int plan_make(const struct stack *stack, const struct state *state, const struct world *world, struct plan *out)
{
	*out = (struct plan){.steps = NULL};
	plan_check(stack, world, out);
	plan_unwanted(stack, state, world, out);
	plan_instance(stack, state, world, out);
	for (size_t i = 0; i < stack->rule_count; i++)
		plan_rule(stack, &stack->rules[i], state, world, out);
	for (int first = 1; first >= 0; first--) {
		for (size_t i = 0; i < stack->interface_count; i++) {
			if (gives_away(stack, world, i) == first)
				plan_interface(stack, i, state, world, out);
		}
	}
	if (stack->address.wanted)
		plan_address(stack, state, world, out);
	return out->no_memory ? -ENOMEM : 0;
}
