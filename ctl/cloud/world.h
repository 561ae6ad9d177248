/* SPDX-License-Identifier: MIT */
/* What really exists: the stack's objects by their tags and recorded identifiers, and what bounds them. */
#ifndef SMCSHIM_CTL_CLOUD_WORLD_H
#define SMCSHIM_CTL_CLOUD_WORLD_H

#include "ctl/cloud/client.h"
#include "ctl/cloud/stack.h"
#include "ctl/cloud/state.h"

#define TAG_STACK "smcctl:stack"
#define TAG_RESOURCE "smcctl:resource"
#define WORLD_OBJECTS 256u
#define WORLD_PRICE 48u
/* For so long after its creation an object may not be listed yet. */
#define WORLD_UNSEEN_S 60

enum world_kind {
	WORLD_INSTANCE = 0,
	WORLD_INTERFACE = 1,
	WORLD_ADDRESS = 2,
	WORLD_RULE = 3,
};

struct world_object {
	enum world_kind kind;
	char resource[STATE_RESOURCE]; /* which of the stack's it is */
	char id[STACK_ID];
	char status[24];
	char attached[STACK_ID]; /* the instance, or for an address what it is bound to; "": nothing */
	char address[46];
	char mac[18];
	char vswitch[STACK_ID];
	char type[64]; /* of an instance; of an address how it is charged */
	bool erdma;
	uint64_t queue_pairs;
	uint64_t bandwidth;
	bool tagged;            /* its tags say that it is the stack's */
	bool twin;              /* another object bears the same tags */
	bool goes_along;        /* of an interface: released with its instance, or nobody says that it is not */
	char company[STACK_ID]; /* of an instance: an interface that is not the stack's and goes along; "": none */
	char owner[STACK_NAME]; /* of a rule: another stack, whose description it bears */
	struct stack_rule rule;
	char group[STACK_ID]; /* that it is in, the file's if it is in several; "": unknown */
};

struct world_instance {
	char id[STACK_ID];
	char status[24];
	char type[64];
	char zone[64];
	char vpc[STACK_ID];
	char vswitch[STACK_ID];
	char public_address[46];     /* any that it has */
	uint64_t foreign_interfaces; /* attached and not the stack's, the primary one among them */
	uint64_t foreign_erdma;
	uint64_t foreign_queue_pairs;
};

struct world_type {
	bool known;
	uint64_t interfaces; /* with the primary one */
	uint64_t erdma;
	uint64_t queue_pairs;
	bool jumbo_frames;
};

struct world {
	struct world_instance instance; /* the one that everything is attached to; id "": not there yet */
	struct world_type type;
	char zone[64]; /* of the instance to be run */
	char vpc[STACK_ID];
	char group_vpc[STACK_ID];
	bool group_advanced; /* such a group lets in no other groups */
	/* Zones and VPCs of the interfaces' vSwitches, in the order of the file, cut off; "": not asked. */
	char zones[STACK_INTERFACES][32];
	char vpcs[STACK_INTERFACES][32];
	struct world_object *objects;
	size_t count;
};

#define _cleanup_world_ _cleanup_(world_clear)

void world_clear(struct world *world);

/* The kind of thing that a resource of that name is. */
enum world_kind world_kind_of(const char *resource);

struct world_object *world_find(const struct world *world, const char *resource);

/*
 * Reads the stack's objects without changing anything; with_surroundings: also what bounds them, for which the instance
 * must exist.
 */
enum ctl_exit world_read(struct cloud *cloud, const struct stack *stack, const struct state *state,
	bool with_surroundings, struct world *world);

/* The state of one object now; *found is false when it does not exist. Instances, interfaces and addresses. */
enum ctl_exit world_look(
	struct cloud *cloud, enum world_kind kind, const char *id, struct world_object *object, bool *found);

/* True of an object that was made so lately (by clock_wall()) that it may not be listed yet; created 0: unknown when. */
bool world_is_new(const struct cloud *cloud, uint64_t created);

/* world_look() for an object made then: one that may not be listed yet is waited for. */
enum ctl_exit world_await(struct cloud *cloud, enum world_kind kind, const char *id, uint64_t created,
	struct world_object *object, bool *found);

/* ---- the parts ---- */

/* Appends a copy; NULL without memory. */
struct world_object *world_add(struct world *world, const struct world_object *object);

/* Objects from the service's replies. */
void world_of_interface(const cJSON *item, const char *stack, struct world_object *out);
void world_of_address(const cJSON *item, const char *stack, struct world_object *out);
void world_of_instance(const cJSON *item, const char *stack, struct world_object *out);

/* Of the groups that an interface or instance is in the one that is wanted, else the first, else "". */
void world_group_of(const cJSON *item, const char *wanted, char group[static STACK_ID]);

/* False if it lets nothing in; its resource is "" when it has nothing to do with the stack. */
bool world_of_rule(const cJSON *item, const struct stack *stack, const struct state *state, struct world_object *out);

/* The same from whole replies. False if there is none; a type that is not in the reply leaves *out as it was. */
void world_of_type(const cJSON *reply, const char *type, struct world_type *out);
bool world_of_vswitch(const cJSON *reply, char zone[static 64], char vpc[static STACK_ID]);
bool world_of_group(const cJSON *reply, struct world *world);

/* The price in words; "" if there is none. */
void world_of_price(const cJSON *reply, char price[static WORLD_PRICE]);

/* True if both let in the same; the service changes the case of words. */
bool world_same_rule(const struct stack_rule *a, const struct stack_rule *b);

/* Reads the rules of a group: those of the stack, and those of the file that are there already. */
enum ctl_exit world_read_rules(struct cloud *cloud, const char *group, const struct stack *stack,
	const struct state *state, struct world *world);

/* Reads the instance, its type, zones and group. */
enum ctl_exit world_read_surroundings(struct cloud *cloud, const struct stack *stack, struct world *world);

/* Fills in the company of the stack's instances. */
enum ctl_exit world_read_company(struct cloud *cloud, struct world *world);

/* Calls a paged action of ECS until its last page; each gets the list at path. */
struct world_pages {
	const char *action;
	const char *path;
	const struct cloud_params *params;
	enum ctl_exit (*each)(void *context, const cJSON *item);
	void *context;
	bool may_be_gone; /* CLOUD_GONE is an empty list */
};

enum ctl_exit world_read_pages(struct cloud *cloud, const struct world_pages *pages);

#endif
