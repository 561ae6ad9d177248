/* SPDX-License-Identifier: MIT */
/* What has to happen, and what cannot: from the file, the state and the world, without asking anybody. */
#ifndef SMCSHIM_CTL_CLOUD_PLAN_H
#define SMCSHIM_CTL_CLOUD_PLAN_H

#include "ctl/cloud/world.h"
#include "ctl/ctl.h"
#include "ctl/output.h"

enum plan_action {
	PLAN_KEEP = 0, /* as it should be; a step of this kind does nothing but note what exists */
	PLAN_RUN = 1,
	PLAN_ADD_RULE = 2,
	PLAN_CREATE = 3,
	PLAN_ATTACH = 4,
	PLAN_ALLOCATE = 5,
	PLAN_ASSOCIATE = 6,
	PLAN_UNASSOCIATE = 7,
	PLAN_RELEASE = 8,
	PLAN_DETACH = 9,
	PLAN_DELETE = 10,
	PLAN_REVOKE = 11,
	PLAN_STOP = 12,
	PLAN_DELETE_INSTANCE = 13,
	PLAN_FORGET = 14, /* takes it out of the state; it is gone, or was never ours */
	PLAN_MODIFY = 15, /* in place: an interface's mode and queue pairs, an address's bandwidth */
};

struct plan_step {
	char sign; /* '+', '~', '-', '=' */
	enum plan_action action;
	char resource[STATE_RESOURCE];
	char id[STACK_ID];    /* "": made by an earlier step */
	char group[STACK_ID]; /* of a rule that exists */
	char why[192];
	bool bills;
	bool pre_existing;
	bool failed; /* when it was carried out */
	bool done;
	uint64_t queue_pairs; /* of an interface to be made or modified */
};

struct plan_refusal {
	enum ctl_exit code;
	char resource[STATE_RESOURCE];
	char why[256];
};

struct plan {
	struct plan_step *steps;
	size_t count;
	struct plan_refusal *refusals;
	size_t refusal_count;
	bool no_memory;
};

#define _cleanup_plan_ _cleanup_(plan_clear)

void plan_clear(struct plan *plan);

/* The plan that makes the world what the file says. Returns 0 or -ENOMEM. */
_must_check_ int plan_make(
	const struct stack *stack, const struct state *state, const struct world *world, struct plan *out);

/* The plan that removes all that is the stack's. */
_must_check_ int plan_destroy(const struct state *state, const struct world *world, struct plan *out);

/* "create", "attach", ...; static text. */
const char *plan_action_word(enum plan_action action);

/* How many steps change something. */
size_t plan_changes(const struct plan *plan);

/* True if a step makes something that costs money. */
bool plan_bills(const struct plan *plan);

/* A number for what the plan does, to which instance, and the file and the state it was made from. */
uint64_t plan_digest(
	const struct plan *plan, const struct stack *stack, const struct state *state, const char *instance);

/* Prints the plan; price: of the instance an hour, "" if unknown. */
void plan_show(struct out *out, const struct plan *plan, const struct stack *stack, const char *price);

/* ---- the parts ---- */

struct plan_step *plan_add(struct plan *plan, char sign, enum plan_action action, const char *resource, const char *id);
__attribute__((format(printf, 4, 5))) void plan_refuse(
	struct plan *plan, enum ctl_exit code, const char *resource, const char *why, ...);

/* The queue pairs that interface i of the file gets. */
uint64_t plan_queue_pairs(const struct stack *stack, const struct world *world, size_t i);

/* True of an object on its way out: an earlier run deleted it. */
bool plan_is_going(const struct world_object *object);

/* The object of interface i of the file, or NULL. */
const struct world_object *plan_interface_of(const struct stack *stack, const struct world *world, size_t i);

/* True if interface i of the file is there in another mode or with other queue pairs, and can be given these in place. */
bool plan_is_modified(const struct stack *stack, const struct world *world, size_t i);

/* Refuses what the instance type, zones and groups do not allow. */
void plan_check(const struct stack *stack, const struct world *world, struct plan *plan);

/* The steps that remove an object of the stack. */
void plan_remove(struct plan *plan, const struct world_object *object, bool pre_existing, const char *why);

#endif
