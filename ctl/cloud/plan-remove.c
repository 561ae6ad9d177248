/* SPDX-License-Identifier: MIT */
/* The steps that remove things: only what tags, descriptions and the state prove to be the stack's. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/cloud/plan.h"

static void add(struct plan *plan, enum plan_action action, const struct world_object *object, const char *why)
{
	struct plan_step *step = plan_add(plan, '-', action, object->resource, object->id);

	if (!step)
		return;
	snprintf(step->why, sizeof(step->why), "%s", why);
	if (object->kind == WORLD_RULE)
		memcpy(step->group, object->group, sizeof(step->group));
}

/* Bound to nothing: nothing to be undone before it is deleted. */
static bool is_free(const struct world_object *object)
{
	return strcmp(object->status, "Available") == 0 || plan_is_going(object);
}

void plan_remove(struct plan *plan, const struct world_object *object, bool pre_existing, const char *why)
{
	if (object->kind == WORLD_RULE) {
		/* Somebody else's rule that says what ours would have said. */
		if (pre_existing || !object->tagged)
			add(plan, PLAN_FORGET, object, "was there before the stack and stays");
		else
			add(plan, PLAN_REVOKE, object, why);
		return;
	}
	if (!object->tagged) {
		plan_refuse(plan, CTL_STALE, object->resource,
			"%s does not bear the stack's tags (any more), so it is not removed; do it in the console",
			object->id);
		return;
	}
	if (object->company[0]) {
		plan_refuse(plan, CTL_STALE, object->resource,
			"%s has the interface %s, which is not the stack's and is released with it; detach that first",
			object->id, object->company);
		return;
	}
	switch (object->kind) {
	case WORLD_ADDRESS:
		if (!is_free(object))
			add(plan, PLAN_UNASSOCIATE, object, why);
		add(plan, PLAN_RELEASE, object, why);
		break;
	case WORLD_INTERFACE:
		if (!is_free(object))
			add(plan, PLAN_DETACH, object, why);
		add(plan, PLAN_DELETE, object, why);
		break;
	default:
		if (strcmp(object->status, "Stopped") != 0)
			add(plan, PLAN_STOP, object, why);
		add(plan, PLAN_DELETE_INSTANCE, object, why);
		break;
	}
}

int plan_destroy(const struct state *state, const struct world *world, struct plan *out)
{
	static const enum world_kind order[] = {WORLD_ADDRESS, WORLD_INTERFACE, WORLD_RULE, WORLD_INSTANCE};

	*out = (struct plan){.steps = NULL};
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = 0; i < world->count; i++) {
			const struct world_object *object = &world->objects[i];
			const struct state_resource *recorded = state_find(state, object->resource);
			bool ours = object->kind != WORLD_RULE || object->tagged || recorded;

			if (object->kind == order[k] && ours)
				plan_remove(out, object, recorded && recorded->pre_existing, "the stack goes");
		}
	}
	for (size_t i = 0; i < state->count; i++) {
		const struct state_resource *recorded = &state->resources[i];
		struct plan_step *step;

		if (world_find(world, recorded->name))
			continue;
		step = plan_add(out, '-', PLAN_FORGET, recorded->name, recorded->id);
		if (step)
			snprintf(step->why, sizeof(step->why), "it does not exist any more");
	}
	return out->no_memory ? -ENOMEM : 0;
}
