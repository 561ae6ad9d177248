/* SPDX-License-Identifier: MIT */
/* Tests of the reader of cloud.json: what it takes, and what it says of the rest, with the place. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/cloud/stack.h"

#define HEAD "{\"version\":1,\"stack\":\"s\",\"region\":\"cn-hangzhou\",\"instance\":\"i-1\""

#define RUN(name) \
	"{\"version\":1,\"stack\":\"" name "\",\"region\":\"cn-hangzhou\",\"security_group\":\"sg-1\",\"instance\":" \
	"{\"image\":\"m\",\"type\":\"ecs.t\",\"vswitch\":\"vsw-1\"}}"

static void test_good(void **state)
{
	static const char text[] =
		HEAD ",\"security_group\":\"sg-1\",\"rules\":[\"smc-peers\",{\"name\":\"a\",\"protocol\":\"tcp\","
		     "\"ports\":\"80-90\",\"source\":\"10.0.0.0/"
		     "8\"},{\"name\":\"b\",\"protocol\":\"icmp\",\"group\":\"sg-2\"}],"
		     "\"interfaces\":[{\"name\":\"x\",\"erdma\":true},{\"name\":\"y\",\"vswitch\":\"vsw-2\"}],"
		     "\"public_address\":{\"bandwidth\":500,\"charge\":\"bandwidth\",\"on\":\"y\"}}";
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	_cleanup_free_ struct stack *stack = NULL;

	(void)state;
	assert_int_equal(stack_parse("c", text, strlen(text), &stack, &errors), 0);
	assert_string_equal(stack->name, "s");
	assert_int_equal(stack->instance, STACK_EXISTING);
	assert_int_equal(stack->rule_count, 3);
	assert_string_equal(stack->rules[0].ports, "65500/65515");
	assert_string_equal(stack->rules[0].group, "sg-1");
	assert_string_equal(stack->rules[1].ports, "80/90");
	assert_string_equal(stack->rules[1].cidr, "10.0.0.0/8");
	assert_string_equal(stack->rules[2].ports, "-1/-1");
	assert_string_equal(stack->rules[2].protocol, "ICMP");
	assert_true(stack->interfaces[0].erdma && !stack->interfaces[0].queue_pairs);
	assert_string_equal(stack->interfaces[1].vswitch, "vsw-2");
	assert_true(stack->address.wanted && stack->address.by_bandwidth);
	assert_string_equal(stack->address.on, "y");
}

static void test_example(void **state)
{
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	_cleanup_free_ struct stack *stack = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;
	const char *top = getenv("top_srcdir");
	size_t size;
	int fd;

	(void)state;
	assert_true(asprintf(&path, "%s/doc/cloud.json", top ? top : ".") > 0);
	fd = open_read(path);
	assert_true(fd >= 0);
	assert_int_equal(read_all(fd, STACK_FILE_MAX, &text, &size), 0);
	close(fd);
	assert_int_equal(stack_parse("cloud.json", text, size, &stack, &errors), 0);
	assert_int_equal(stack->instance, STACK_RUN);
	assert_true(stack->run.jumbo_frames);
	assert_string_equal(stack->run.tags[0].key, "team");
	assert_int_equal(stack->interfaces[0].queue_pairs, 8);
}

/* A text and one line for each thing that has to be said of it, in the order of the text. */
static const struct {
	const char *text;
	const char *said;
} bad[] = {
	{"", "c:1:1: end of file '': there is nothing in it; write { \"version\": 1, ... }\n"},
	{"[]", "c:1:1: stack '[]': is a list; write { \"version\": 1, \"stack\": ... }\n"},
	{"{}",
		"c:1:1: stack '{': has no instance; write \"instance\": ...\n"
		"c:1:1: stack '{': has no region; write \"region\": ...\n"
		"c:1:1: stack '{': has no stack; write \"stack\": ...\n"
		"c:1:1: stack '{': has no version; write \"version\": ...\n"},
	{"{\"version\":2,\"stack\":\"A\",\"region\":\"evil.com/\",\n\"instance\":\"x-1\"}",
		"c:1:12: version '2': is not one that this program knows; write 1\n"
		"c:1:22: stack 'A': is not 1 to 32 of a-z, 0-9 and '-'; write such a name, as in \"redis-1\"\n"
		"c:1:35: region 'evil.com/': is not the name of a region; write one, as in \"cn-hangzhou\"\n"
		"c:2:12: instance 'x-1': is not an identifier that begins with i-; write one\n"},
	{HEAD ",\"bogus\":1,\"stack\":\"t\"}",
		"c:1:66: key 'bogus': is unknown in a stack; write one of version, stack, region, instance, "
		"security_group, rules, "
		"interfaces, public_address, or remove it\n"
		"c:1:76: key 'stack': stands twice in one object; remove one of them\n"},
	{HEAD ",\"interfaces\":[{\"name\":\"x\"}]}",
		"c:1:1: stack '{': has no security_group, which rules, interfaces and a new instance need; write "
		"\"security_group\": \"sg-...\"\n"},
	{HEAD ",\"public_address\":{\"bandwidth\":0,\"charge\":\"x\",\"on\":\"y\"}}",
		"c:1:1: stack '{': has a public address on 'y', which is none of its interfaces; write \"instance\" or "
		"an "
		"interface's name\n"
		"c:1:96: bandwidth '0': is under 1; write a number from 1 to 500\n"
		"c:1:107: charge 'x': is unknown; write \"traffic\" or \"bandwidth\"\n"},
	{HEAD ",\"security_group\":\"sg-1\",\"interfaces\":[{\"name\":\"x\",\"queue_pairs\":8},{\"name\":\"x\"},{"
	      "\"name\":\"instance\"}]}",
		"c:1:104: interface '{': has queue pairs without eRDMA; write \"erdma\": true, or remove queue_pairs\n"
		"c:1:133: interface '{': has the name of another one; rename it\n"
		"c:1:146: interface '{': cannot have the name \"instance\"; rename it\n"},
	{HEAD ",\"security_group\":\"sg-1\",\"rules\":[\"all\",{\"name\":\"a\",\"protocol\":\"tcp\",\"source\":\"10.0."
	      "0.1/8\",\"group\":\"sg-1\"},"
	      "{\"name\":\"a\",\"protocol\":\"icmp\",\"ports\":\"9-8\",\"source\":\"fd00::/8\"}]}",
		"c:1:99: rule 'all': is a string; write \"smc-peers\" or { \"name\": ..., \"protocol\": ..., "
		"\"ports\": ..., \"source\": "
		"... }\n"
		"c:1:105: rule '{': has no ports; write \"ports\": 6379\n"
		"c:1:105: rule '{': needs either a source or a group; write \"source\": \"10.0.0.0/8\" or \"group\": "
		"\"sg-...\"\n"
		"c:1:143: source '10.0.0.1/8': has host bits set behind the prefix; write 10.0.0.0/8 or a longer "
		"prefix\n"
		"c:1:172: rule '{': has ports, which its protocol does not; remove them\n"
		"c:1:172: rule '{': has the name of another one; rename it\n"
		"c:1:210: ports '9-8': is a range that ends before it begins; write 8-9\n"
		"c:1:225: source 'fd00::/8': is IPv6, which interfaces with eRDMA do not have; write an IPv4 CIDR\n"},
	{"{\"version\":1,\"stack\":\"st\",\"region\":\"cn-hangzhou\",\"security_group\":\"sg-1\",\"instance\":{"
	 "\"type\":"
	 "\"small\",\"tags\":"
	 "{\"smcctl:stack\":\"x\"},\"disk\":{\"size\":1}}}",
		"c:1:85: instance '{': has no image; write \"image\": \"...\"\n"
		"c:1:85: instance '{': has no vswitch; write \"vswitch\": \"...\"\n"
		"c:1:93: type 'small': is not an instance type; write one, as in \"ecs.g8ise.2xlarge\"\n"
		"c:1:109: tag 'smcctl:stack': cannot be a key: empty, too long, or one of smcctl's or the service's "
		"own; write "
		"another\n"
		"c:1:144: size '1': is under 20; write a number from 20 to 2048\n"},
	{HEAD ",\"public_address\":{\"charge\":\"traffic\",\"bandwidth\":201}}",
		"c:1:83: public_address '{': has over 200 Mbit/s by traffic; write a smaller \"bandwidth\", or "
		"\"charge\": \"bandwidth\"\n"},
	{HEAD ",\"public_address\":{\"bandwidth\":201}}",
		"c:1:83: public_address '{': has over 200 Mbit/s by traffic; write a smaller \"bandwidth\", or "
		"\"charge\": \"bandwidth\"\n"},
	{RUN("s"),
		"c:1:1: stack '{': runs an instance, whose name it is, and that takes 2 characters at least; write a "
		"longer \"stack\"\n"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
		_cleanup_free_ char *said = NULL;
		struct stack *stack = NULL;
		size_t size;
		FILE *out = open_memstream(&said, &size);

		assert_non_null(out);
		assert_int_equal(stack_parse("c", bad[i].text, strlen(bad[i].text), &stack, &errors), -EINVAL);
		assert_null(stack);
		for (size_t j = 0; j < errors.count; j++)
			fprintf(out, "%s\n", errors.items[j].text);
		fclose(out);
		assert_string_equal(said, bad[i].said);
	}
}

/* The largest that is taken, and the shortest name of what runs no instance. */
static void test_edges(void **state)
{
	static const char *const good[] = {
		HEAD ",\"public_address\":{\"bandwidth\":200}}",
		HEAD ",\"public_address\":{\"bandwidth\":201,\"charge\":\"bandwidth\"}}",
		RUN("ss"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
		_cleanup_free_ struct stack *stack = NULL;

		assert_int_equal(stack_parse("c", good[i], strlen(good[i]), &stack, &errors), 0);
	}
}

static void test_names(void **state)
{
	static const char *const good[] = {"a", "redis-1", "0", "abcdefghijklmnopqrstuvwxyz012345"};
	static const char *const wrong[] = {"", "-a", "a-", "A", "a_b", "a/b", "abcdefghijklmnopqrstuvwxyz0123456"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(stack_name_valid(good[i]));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(stack_name_valid(wrong[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
