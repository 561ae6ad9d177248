/* SPDX-License-Identifier: MIT */
/* Tests of the planner: files, states and worlds in, steps and refusals out. Nothing else takes part. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/cloud/plan.h"

struct fixture {
	struct stack stack;
	struct state state;
	struct world world;
};

/* A stack with one of each, on an instance with room; the world is empty. */
static struct fixture *set_up(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->stack.name, sizeof(f->stack.name), "s");
	snprintf(f->stack.region, sizeof(f->stack.region), "cn-x");
	snprintf(f->stack.instance_id, sizeof(f->stack.instance_id), "i-1");
	snprintf(f->stack.group, sizeof(f->stack.group), "sg-1");
	f->stack.rules[0] = (struct stack_rule){.name = "a", .protocol = "TCP", .ports = "80/80", .cidr = "10.0.0.0/8"};
	f->stack.rule_count = 1;
	f->stack.interfaces[0] = (struct stack_interface){.name = "x", .erdma = true};
	f->stack.interface_count = 1;
	f->stack.address = (struct stack_address){.wanted = true, .bandwidth = 5, .on = "x"};
	f->world.instance = (struct world_instance){
		.id = "i-1", .status = "Running", .type = "ecs.t", .zone = "z", .vpc = "v", .foreign_interfaces = 1};
	snprintf(f->world.zone, sizeof(f->world.zone), "z");
	f->world.type = (struct world_type){.known = true, .interfaces = 3, .erdma = 2, .queue_pairs = 20};
	return f;
}

static void tear_down(struct fixture *f)
{
	world_clear(&f->world);
	state_clear(&f->state);
	free(f);
}

static struct world_object *put(struct fixture *f, enum world_kind kind, const char *resource, const char *id)
{
	struct world_object object = {.kind = kind, .tagged = true};

	snprintf(object.resource, sizeof(object.resource), "%s", resource);
	snprintf(object.id, sizeof(object.id), "%s", id);
	assert_non_null(state_set(&f->state, resource, id));
	return world_add(&f->world, &object);
}

/* All is there, as the file says. */
static void put_all(struct fixture *f)
{
	struct world_object *object = put(f, WORLD_RULE, "rule/a", "sgr-1");

	object->rule = f->stack.rules[0];
	object = put(f, WORLD_INTERFACE, "interface/x", "eni-1");
	object->erdma = true;
	object->queue_pairs = 10;
	snprintf(object->status, sizeof(object->status), "InUse");
	snprintf(object->attached, sizeof(object->attached), "i-1");
	object = put(f, WORLD_ADDRESS, "address", "eip-1");
	object->bandwidth = 5;
	snprintf(object->type, sizeof(object->type), "PayByTraffic");
	snprintf(object->status, sizeof(object->status), "InUse");
	snprintf(object->attached, sizeof(object->attached), "eni-1");
}

static char *lines_of(const struct plan *plan)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];

		fprintf(out, "%c %s %s %s%s\n", step->sign, plan_action_word(step->action), step->resource, step->id,
			step->bills ? "$" : "");
	}
	for (size_t i = 0; i < plan->refusal_count; i++)
		fprintf(out, "! %d %s\n", (int)plan->refusals[i].code, plan->refusals[i].resource);
	fclose(out);
	return text;
}

static void expect(struct fixture *f, const char *expected)
{
	_cleanup_plan_ struct plan plan = {.steps = NULL};
	_cleanup_free_ char *text = NULL;

	assert_int_equal(plan_make(&f->stack, &f->state, &f->world, &plan), 0);
	text = lines_of(&plan);
	assert_string_equal(text, expected);
}

static void expect_destroy(struct fixture *f, const char *expected)
{
	_cleanup_plan_ struct plan plan = {.steps = NULL};
	_cleanup_free_ char *text = NULL;

	assert_int_equal(plan_destroy(&f->state, &f->world, &plan), 0);
	text = lines_of(&plan);
	assert_string_equal(text, expected);
}

#define ALL_NEW \
	"+ add rule/a \n+ create interface/x \n+ attach interface/x \n+ allocate address $\n+ associate address \n"
#define ALL_KEPT "= keep rule/a sgr-1\n= keep interface/x eni-1\n= keep address eip-1\n"

static void test_whole(void **state)
{
	struct fixture *f = set_up();

	(void)state;
	expect(f, ALL_NEW);
	expect_destroy(f, "");
	put_all(f);
	expect(f, ALL_KEPT);
	expect_destroy(f,
		"- unassociate address eip-1\n- release address eip-1\n- detach interface/x eni-1\n"
		"- delete interface/x eni-1\n- revoke rule/a sgr-1\n");
	tear_down(f);
}

static void test_half(void **state)
{
	struct fixture *f = set_up();

	(void)state;
	put_all(f);
	snprintf(f->world.objects[1].status, sizeof(f->world.objects[1].status), "Available");
	f->world.objects[1].attached[0] = '\0';
	snprintf(f->world.objects[2].status, sizeof(f->world.objects[2].status), "Available");
	f->world.objects[2].attached[0] = '\0';
	expect(f, "= keep rule/a sgr-1\n~ attach interface/x eni-1\n~ associate address eip-1\n");
	/* Recorded and gone. */
	f->world.count = 1;
	expect(f,
		"= keep rule/a sgr-1\n+ create interface/x \n+ attach interface/x \n+ allocate address $\n+ associate "
		"address \n");
	expect_destroy(f, "- revoke rule/a sgr-1\n- forget interface/x eni-1\n- forget address eip-1\n");
	tear_down(f);
}

/* What an earlier run has deleted goes by itself, and is asked for again only by destroy; another takes its place. */
static void test_going(void **state)
{
	struct fixture *f = set_up();

	(void)state;
	put_all(f);
	snprintf(f->world.objects[1].status, sizeof(f->world.objects[1].status), "Deleting");
	f->world.objects[1].attached[0] = '\0';
	snprintf(f->world.objects[2].status, sizeof(f->world.objects[2].status), "Releasing");
	f->world.objects[2].attached[0] = '\0';
	expect(f,
		"= keep rule/a sgr-1\n+ create interface/x \n+ attach interface/x \n+ allocate address $\n+ associate "
		"address \n");
	expect_destroy(f, "- release address eip-1\n- delete interface/x eni-1\n- revoke rule/a sgr-1\n");
	tear_down(f);
}

static void test_unwanted(void **state)
{
	struct fixture *f = set_up();

	(void)state;
	put_all(f);
	f->stack.rule_count = f->stack.interface_count = 0;
	f->stack.address.wanted = false;
	expect(f,
		"- unassociate address eip-1\n- release address eip-1\n- detach interface/x eni-1\n- delete "
		"interface/x eni-1\n"
		"- revoke rule/a sgr-1\n");
	tear_down(f);
}

static void test_foreign(void **state)
{
	struct fixture *f = set_up();

	(void)state;
	put_all(f);
	snprintf(f->world.objects[1].attached, sizeof(f->world.objects[1].attached), "i-2");
	snprintf(f->world.objects[2].attached, sizeof(f->world.objects[2].attached), "i-9");
	expect(f, "= keep rule/a sgr-1\n! 4 interface/x\n! 4 address\n");
	f->world.objects[1].tagged = f->world.objects[2].tagged = false;
	expect(f, "= keep rule/a sgr-1\n! 4 interface/x\n! 4 address\n");
	expect_destroy(f, "- revoke rule/a sgr-1\n! 4 address\n! 4 interface/x\n");
	f->world.objects[1].tagged = f->world.objects[1].twin = true;
	expect(f, "= keep rule/a sgr-1\n! 4 interface/x\n! 4 address\n");
	tear_down(f);
}

/* An address goes from one thing of the stack to another; what is bound to a stranger stays there. */
static void test_moved(void **state)
{
	struct fixture *f = set_up();
	struct world_object *address;

	(void)state;
	put_all(f);
	address = &f->world.objects[2];
	f->stack.address.on[0] = '\0';
	expect(f,
		"= keep rule/a sgr-1\n= keep interface/x eni-1\n~ unassociate address eip-1\n~ associate address "
		"eip-1\n");
	f->stack.address.bandwidth = 6;
	expect(f,
		"= keep rule/a sgr-1\n= keep interface/x eni-1\n~ unassociate address eip-1\n~ modify address eip-1\n"
		"~ associate address eip-1\n");
	f->stack.address.bandwidth = 5;
	snprintf(f->stack.address.on, sizeof(f->stack.address.on), "x");
	snprintf(address->attached, sizeof(address->attached), "i-1");
	expect(f,
		"= keep rule/a sgr-1\n= keep interface/x eni-1\n~ unassociate address eip-1\n~ associate address "
		"eip-1\n");
	/* First the address, then what it was on. */
	snprintf(address->attached, sizeof(address->attached), "eni-1");
	f->stack.address.on[0] = '\0';
	f->stack.interface_count = 0;
	expect(f, "- detach interface/x eni-1\n- delete interface/x eni-1\n= keep rule/a sgr-1\n! 1 address\n");
	f->stack.interface_count = 1;
	f->world.objects[1].tagged = false;
	expect(f, "= keep rule/a sgr-1\n! 4 interface/x\n! 4 address\n");
	tear_down(f);
}

static void test_pre_existing(void **state)
{
	struct fixture *f = set_up();

	(void)state;
	put_all(f);
	f->world.count = 1;
	f->stack.interface_count = 0;
	f->stack.address.wanted = false;
	f->world.objects[0].tagged = false;
	state_find(&f->state, "rule/a")->pre_existing = true;
	state_remove(&f->state, "interface/x");
	state_remove(&f->state, "address");
	expect(f, "= keep rule/a sgr-1\n");
	expect_destroy(f, "- forget rule/a sgr-1\n");
	/* Not even recorded: nothing of ours. */
	state_remove(&f->state, "rule/a");
	expect_destroy(f, "");
	tear_down(f);
}

static void test_changed(void **state)
{
	struct fixture *f = set_up();

	(void)state;
	put_all(f);
	snprintf(f->stack.rules[0].ports, sizeof(f->stack.rules[0].ports), "81/81");
	f->stack.interfaces[0].queue_pairs = 5;
	f->stack.address.bandwidth = 6;
	expect(f, "- revoke rule/a sgr-1\n+ add rule/a \n~ modify interface/x eni-1\n~ modify address eip-1\n");
	/* By bandwidth it costs more or less; but how it is charged stays. */
	f->stack.address.by_bandwidth = true;
	expect(f, "- revoke rule/a sgr-1\n+ add rule/a \n~ modify interface/x eni-1\n! 1 address\n");
	snprintf(f->world.objects[2].type, sizeof(f->world.objects[2].type), "PayByBandwidth");
	expect(f, "- revoke rule/a sgr-1\n+ add rule/a \n~ modify interface/x eni-1\n~ modify address eip-1$\n");
	tear_down(f);
}

static void put_group(struct world_object *object, const char *group)
{
	snprintf(object->group, sizeof(object->group), "%s", group);
}

/* The file names another security group: rules move, what is in a group stays there. */
static void test_group(void **state)
{
	struct fixture *f = set_up();
	struct world_object *own;

	(void)state;
	put_all(f);
	put_group(&f->world.objects[0], "sg-1");
	put_group(&f->world.objects[1], "sg-1");
	expect(f, ALL_KEPT);
	put_group(&f->world.objects[0], "sg-2");
	expect(f, "- revoke rule/a sgr-1\n+ add rule/a \n= keep interface/x eni-1\n= keep address eip-1\n");
	f->world.objects[0].tagged = false;
	expect(f, "- forget rule/a sgr-1\n+ add rule/a \n= keep interface/x eni-1\n= keep address eip-1\n");
	put_group(&f->world.objects[0], "sg-1");
	f->world.objects[0].tagged = true;
	own = put(f, WORLD_RULE, "rule/a", "sgr-2");
	put_group(own, "sg-2");
	expect(f, "- revoke rule/a sgr-2\n" ALL_KEPT);
	f->world.count--;
	f->world.objects[0].twin = false;
	put_group(&f->world.objects[1], "sg-2");
	expect(f, "= keep rule/a sgr-1\n= keep address eip-1\n! 1 interface/x\n");
	put_group(&f->world.objects[1], "sg-1");
	f->stack.instance = STACK_RUN;
	snprintf(f->stack.run.type, sizeof(f->stack.run.type), "ecs.t");
	own = put(f, WORLD_INSTANCE, "instance", "i-1");
	snprintf(own->type, sizeof(own->type), "ecs.t");
	put_group(own, "sg-1");
	expect(f, "= keep instance i-1\n" ALL_KEPT);
	put_group(own, "sg-2");
	expect(f, ALL_KEPT "! 1 instance\n");
	tear_down(f);
}

static void test_modified(void **state)
{
	struct fixture *f = set_up();
	struct world_object *object;

	(void)state;
	f->stack.rule_count = 0;
	f->stack.address.wanted = false;
	object = put(f, WORLD_INTERFACE, "interface/x", "eni-1");
	snprintf(object->status, sizeof(object->status), "InUse");
	snprintf(object->attached, sizeof(object->attached), "i-1");
	snprintf(object->vswitch, sizeof(object->vswitch), "vsw-1");
	/* An ordinary one becomes an eRDMA one, with its share; the way back is none. */
	expect(f, "~ modify interface/x eni-1\n");
	object->erdma = true;
	object->queue_pairs = 10;
	expect(f, "= keep interface/x eni-1\n");
	f->stack.interfaces[0].erdma = false;
	expect(f, "! 1 interface/x\n");
	f->stack.interfaces[0].erdma = true;
	snprintf(f->stack.interfaces[0].vswitch, sizeof(f->stack.interfaces[0].vswitch), "vsw-2");
	expect(f, "! 1 interface/x\n");
	f->stack.interfaces[0].vswitch[0] = '\0';
	/* One that is not attached gets both. */
	f->stack.interfaces[0].queue_pairs = 4;
	snprintf(object->status, sizeof(object->status), "Available");
	object->attached[0] = '\0';
	expect(f, "~ modify interface/x eni-1\n~ attach interface/x eni-1\n");
	snprintf(object->status, sizeof(object->status), "InUse");
	snprintf(object->attached, sizeof(object->attached), "i-9");
	expect(f, "! 4 interface/x\n");
	snprintf(object->attached, sizeof(object->attached), "i-1");
	/* Who gives queue pairs away comes before who takes them; and what is wanted in the end has to fit. */
	f->stack.interfaces[0].queue_pairs = 15;
	f->stack.interfaces[1] = (struct stack_interface){.name = "y", .erdma = true, .queue_pairs = 5};
	f->stack.interface_count = 2;
	object = put(f, WORLD_INTERFACE, "interface/y", "eni-2");
	object->erdma = true;
	object->queue_pairs = 10;
	snprintf(object->status, sizeof(object->status), "InUse");
	snprintf(object->attached, sizeof(object->attached), "i-1");
	expect(f, "~ modify interface/y eni-2\n~ modify interface/x eni-1\n");
	f->stack.interfaces[1].queue_pairs = 6;
	expect(f, "~ modify interface/y eni-2\n~ modify interface/x eni-1\n! 3 interfaces\n");
	f->world.type.erdma = 1;
	f->world.type.queue_pairs = 21;
	expect(f, "~ modify interface/y eni-2\n~ modify interface/x eni-1\n! 3 interfaces\n");
	tear_down(f);
}

static void test_room(void **state)
{
	struct fixture *f = set_up();

	(void)state;
	f->world.instance.foreign_interfaces = 2;
	expect(f, ALL_NEW);
	f->world.instance.foreign_interfaces = 3;
	expect(f, ALL_NEW "! 3 interfaces\n");
	f->world.instance.foreign_interfaces = 2;
	f->world.instance.foreign_erdma = 1;
	f->world.instance.foreign_queue_pairs = 10;
	expect(f, ALL_NEW);
	/* The other one was made without a number, so it has all. */
	f->world.instance.foreign_queue_pairs = 20;
	expect(f, ALL_NEW "! 3 interfaces\n");
	f->world.instance.foreign_erdma = 2;
	expect(f, ALL_NEW "! 3 interfaces\n");
	f->world.instance.foreign_erdma = 0;
	f->world.instance.foreign_queue_pairs = 0;
	f->stack.interfaces[0].queue_pairs = 20;
	expect(f, ALL_NEW);
	f->stack.interfaces[0].queue_pairs = 21;
	expect(f, ALL_NEW "! 3 interfaces\n");
	tear_down(f);
}

static void test_surroundings(void **state)
{
	struct fixture *f = set_up();

	(void)state;
	snprintf(f->stack.interfaces[0].vswitch, sizeof(f->stack.interfaces[0].vswitch), "vsw-2");
	snprintf(f->world.zones[0], sizeof(f->world.zones[0]), "other");
	expect(f, ALL_NEW "! 3 x\n");
	f->world.zones[0][0] = '\0';
	snprintf(f->world.vpc, sizeof(f->world.vpc), "v");
	snprintf(f->world.vpcs[0], sizeof(f->world.vpcs[0]), "v");
	expect(f, ALL_NEW);
	snprintf(f->world.vpcs[0], sizeof(f->world.vpcs[0]), "w");
	expect(f, ALL_NEW "! 3 x\n");
	f->world.vpcs[0][0] = '\0';
	snprintf(f->world.group_vpc, sizeof(f->world.group_vpc), "w");
	expect(f, ALL_NEW "! 3 security_group\n");
	f->world.group_vpc[0] = '\0';
	f->world.group_advanced = true;
	expect(f, ALL_NEW);
	f->stack.rules[0].cidr[0] = '\0';
	snprintf(f->stack.rules[0].group, sizeof(f->stack.rules[0].group), "sg-1");
	expect(f, ALL_NEW "! 3 a\n");
	tear_down(f);
}

static void test_instance(void **state)
{
	struct fixture *f = set_up();
	struct world_object *own;

	(void)state;
	f->stack.instance = STACK_RUN;
	snprintf(f->stack.run.image, sizeof(f->stack.run.image), "m");
	snprintf(f->stack.run.type, sizeof(f->stack.run.type), "ecs.t");
	snprintf(f->stack.run.vswitch, sizeof(f->stack.run.vswitch), "vsw-1");
	f->world.instance = (struct world_instance){.id = ""};
	expect(f, "+ run instance $\n" ALL_NEW);
	f->stack.run.jumbo_frames = true;
	expect(f, "+ run instance $\n" ALL_NEW "! 3 instance\n");
	f->world.type.jumbo_frames = true;
	expect(f, "+ run instance $\n" ALL_NEW);
	own = put(f, WORLD_INSTANCE, "instance", "i-7");
	snprintf(own->type, sizeof(own->type), "ecs.t");
	snprintf(own->vswitch, sizeof(own->vswitch), "vsw-1");
	snprintf(own->status, sizeof(own->status), "Running");
	expect(f, "= keep instance i-7\n" ALL_NEW);
	expect_destroy(f, "- stop instance i-7\n- delete instance i-7\n");
	snprintf(f->stack.run.type, sizeof(f->stack.run.type), "ecs.u");
	expect(f, ALL_NEW "! 1 instance\n");
	f->stack.instance = STACK_EXISTING;
	expect(f, ALL_NEW "! 4 instance\n");
	tear_down(f);
}

static void test_digest(void **state)
{
	_cleanup_plan_ struct plan plan = {.steps = NULL};
	struct fixture *f = set_up();
	uint64_t before;

	(void)state;
	assert_int_equal(plan_make(&f->stack, &f->state, &f->world, &plan), 0);
	before = plan_digest(&plan, &f->stack, &f->state, f->world.instance.id);
	assert_true(before == plan_digest(&plan, &f->stack, &f->state, f->world.instance.id));
	f->state.serial++;
	assert_true(before != plan_digest(&plan, &f->stack, &f->state, f->world.instance.id));
	f->state.serial--;
	f->stack.digest++;
	assert_true(before != plan_digest(&plan, &f->stack, &f->state, f->world.instance.id));
	f->stack.digest--;
	snprintf(f->world.instance.id, sizeof(f->world.instance.id), "i-2");
	assert_true(before != plan_digest(&plan, &f->stack, &f->state, f->world.instance.id));
	snprintf(f->world.instance.id, sizeof(f->world.instance.id), "i-1");
	assert_true(before == plan_digest(&plan, &f->stack, &f->state, f->world.instance.id));
	plan.steps[0].action = PLAN_KEEP;
	assert_true(before != plan_digest(&plan, &f->stack, &f->state, f->world.instance.id));
	tear_down(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_going),
		cmocka_unit_test(test_unwanted),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_pre_existing),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_modified),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_instance),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
