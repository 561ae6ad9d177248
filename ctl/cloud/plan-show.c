/* SPDX-License-Identifier: MIT */
/* A plan for people and for programs. */
#include "config.h"

#include <string.h>

#include "ctl/cloud/plan.h"

const char *plan_action_word(enum plan_action action)
{
	static const char *const words[] = {
		[PLAN_KEEP] = "keep",
		[PLAN_RUN] = "run",
		[PLAN_ADD_RULE] = "add",
		[PLAN_CREATE] = "create",
		[PLAN_ATTACH] = "attach",
		[PLAN_ALLOCATE] = "allocate",
		[PLAN_ASSOCIATE] = "associate",
		[PLAN_UNASSOCIATE] = "unassociate",
		[PLAN_RELEASE] = "release",
		[PLAN_DETACH] = "detach",
		[PLAN_DELETE] = "delete",
		[PLAN_REVOKE] = "revoke",
		[PLAN_STOP] = "stop",
		[PLAN_DELETE_INSTANCE] = "delete",
		[PLAN_FORGET] = "forget",
		[PLAN_MODIFY] = "modify",
	};

	return words[action];
}

size_t plan_changes(const struct plan *plan)
{
	size_t changes = 0;

	for (size_t i = 0; i < plan->count; i++)
		changes += plan->steps[i].action != PLAN_KEEP;
	return changes;
}

bool plan_bills(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->steps[i].bills)
			return true;
	}
	return false;
}

uint64_t plan_digest(
	const struct plan *plan, const struct stack *stack, const struct state *state, const char *instance)
{
	uint64_t digest = stack->digest ^ (state->serial * UINT64_C(0x9e3779b97f4a7c15));

	/* "this" is another one on another machine. */
	digest = digest * UINT64_C(0x100000001b3) ^ policy_digest(instance, strlen(instance));
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];
		char text[STATE_RESOURCE + STACK_ID + 64];

		snprintf(text, sizeof(text), "%zu %u %s %s %llu", i, (unsigned)step->action, step->resource, step->id,
			(unsigned long long)step->queue_pairs);
		digest = digest * UINT64_C(0x100000001b3) ^ policy_digest(text, strlen(text));
	}
	return digest;
}

static void show_costs(struct out *out, const struct plan *plan, const struct stack *stack, const char *price)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->steps[i].action == PLAN_RUN)
			out_note(out, "bills: the instance %s, %s%s", stack->run.type,
				price[0] ? price : "price unknown",
				price[0] ? " an hour (an estimate; disks and traffic come on top)" : "");
		if (plan->steps[i].action == PLAN_MODIFY && plan->steps[i].bills)
			out_note(out, "bills: the public address by another bandwidth");
		if (plan->steps[i].action == PLAN_ALLOCATE)
			out_note(out, "bills: the public address, by %s, and by the hour while it is bound to nothing",
				stack->address.by_bandwidth ? "bandwidth" : "traffic");
	}
}

void plan_show(struct out *out, const struct plan *plan, const struct stack *stack, const char *price)
{
	out_list(out, "steps", NULL);
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];
		const char sign[] = {step->sign, '\0'};

		out_object(out, NULL, NULL);
		out_string(out, "sign", " ", sign);
		out_string(out, "resource", "RESOURCE", step->resource);
		out_string(out, "action", "ACTION", plan_action_word(step->action));
		out_optional(out, "id", "ID", step->id);
		out_bool(out, "bills", NULL, step->bills);
		out_string(out, "why", "WHY", step->why);
		out_close(out);
	}
	out_close(out);
	out_list(out, "refusals", NULL);
	for (size_t i = 0; i < plan->refusal_count && out_is_json(out); i++) {
		out_object(out, NULL, NULL);
		out_string(out, "resource", NULL, plan->refusals[i].resource);
		out_string(out, "why", NULL, plan->refusals[i].why);
		out_close(out);
	}
	out_close(out);
	show_costs(out, plan, stack, price);
}
