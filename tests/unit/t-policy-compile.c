/* SPDX-License-Identifier: MIT */
/* What a compiled policy answers: named cases, large policies against the explanation, and the limits of a table. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/cleanup.h"
#include "tests/unit/policy-model.h"

/* Parses and compiles text that must be good; the caller frees both. */
static struct policy *compile(const char *text, size_t len, struct policy_image **image)
{
	_cleanup_policy_errors_ struct policy_errors errors = {0};
	struct policy *policy = NULL;
	int r = policy_parse("p.json", text, len, &policy, &errors);

	if (r)
		fail_msg("%s", errors.count ? errors.items[0].text : strerror(-r));
	assert_int_equal(policy_compile(policy, image, &errors), 0);
	return policy;
}

struct question {
	enum policy_role role;
	const char *address;
	uint16_t port;
	uint32_t value;
};

#define SMC(rule) (POLICY_VALUE_SMC | (rule))
#define TCP(rule) (rule)
#define NONE 0
#define BUILTIN POLICY_RULE_BUILTIN

static void ask_all(const char *text, const struct question *questions, size_t count)
{
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = compile(text, strlen(text), &image);
	struct policy_map map;

	model_table(&map);
	model_publish(&map, image);
	for (size_t i = 0; i < count; i++) {
		_cleanup_policy_explanation_ struct policy_explanation *explanation = NULL;
		struct sockaddr_storage address;
		socklen_t len = model_address(questions[i].address, questions[i].port, &address);
		uint32_t value = policy_map_decide(&map, questions[i].role, (struct sockaddr *)&address, len);

		assert_int_equal(
			policy_explain(policy, questions[i].role, (struct sockaddr *)&address, len, &explanation), 0);
		if (value != questions[i].value || explanation->value != value)
			fail_msg("%s port %u: %#x, not %#x; explained as %#x, %s", questions[i].address,
				questions[i].port, value, questions[i].value, explanation->value, explanation->why);
	}
	model_free(&map);
}

#define ASK(text, questions) ask_all(text, questions, sizeof(questions) / sizeof(*(questions)))

static void test_example(void **state)
{
	static const char text[] = "{ \"version\": 1, \"rules\": [\n"
				   "{ \"use\": \"smc\", \"connect\": \"10.0.0.0/8\" },\n"
				   "{ \"use\": \"tcp\", \"connect\": \"10.0.3.0/24\", \"ports\": \"3306\" },\n"
				   "{ \"use\": \"smc\", \"connect\": [\"192.168.7.0/24\", \"fd00:7::/64\"], "
				   "\"ports\": \"6379,7000-7005\" },\n"
				   "{ \"use\": \"smc\", \"listen\": \"any\", \"ports\": 6379 } ] }";
	static const struct question questions[] = {
		{POLICY_CONNECT, "10.0.0.0", 1, SMC(1)},
		{POLICY_CONNECT, "9.255.255.255", 1, NONE},
		{POLICY_CONNECT, "10.255.255.255", 65535, SMC(1)},
		{POLICY_CONNECT, "11.0.0.0", 1, NONE},
		{POLICY_CONNECT, "10.0.3.9", 3306, TCP(2)},
		{POLICY_CONNECT, "10.0.3.9", 80, SMC(1)}, /* the /24 says nothing of port 80 */
		{POLICY_CONNECT, "::ffff:10.0.3.9", 3306, TCP(2)},
		{POLICY_CONNECT, "::10.0.3.9", 80, NONE}, /* IPv4-compatible is not IPv4-mapped */
		{POLICY_CONNECT, "192.168.7.1", 6379, SMC(3)},
		{POLICY_CONNECT, "192.168.7.1", 6999, NONE},
		{POLICY_CONNECT, "192.168.7.1", 7000, SMC(3)},
		{POLICY_CONNECT, "192.168.7.1", 7005, SMC(3)},
		{POLICY_CONNECT, "192.168.7.1", 7006, NONE},
		{POLICY_CONNECT, "fd00:7::ffff:ffff:ffff:ffff", 7003, SMC(3)},
		{POLICY_CONNECT, "fd00:7:0:1::", 7003, NONE},
		{POLICY_LISTEN, "10.0.0.1", 6379, SMC(4)},
		{POLICY_LISTEN, "10.0.0.1", 80, NONE},
		{POLICY_LISTEN, "0.0.0.0", 6379, SMC(4)},
		{POLICY_LISTEN, "::", 6379, SMC(4)},
	};

	(void)state;
	ASK(text, questions);
}

static void test_builtin(void **state)
{
	static const char text[] =
		"{ \"version\": 1, \"rules\": [\n"
		"{ \"use\": \"smc\", \"connect\": \"any\" },\n"
		"{ \"use\": \"smc\", \"connect\": [ \"100.0.0.0/8\", \"169.254.1.0/24\" ], \"ports\": 80 },\n"
		"{ \"use\": \"smc\", \"connect\": [ \"224.0.0.0/4\", \"fe80::/9\" ] },\n"
		"{ \"use\": \"smc\", \"listen\": \"any\" } ] }";
	static const struct question questions[] = {
		{POLICY_CONNECT, "8.8.8.8", 80, SMC(1)},
		{POLICY_CONNECT, "100.100.100.200", 443, BUILTIN},
		{POLICY_CONNECT, "::ffff:100.100.100.200", 443, BUILTIN},
		{POLICY_CONNECT, "100.100.100.200", 80, SMC(2)}, /* a longer rule reaches in, for its ports */
		{POLICY_CONNECT, "100.100.100.199", 443, SMC(1)},
		{POLICY_CONNECT, "100.100.100.201", 443, SMC(1)},
		{POLICY_CONNECT, "169.254.0.1", 80, BUILTIN},
		{POLICY_CONNECT, "169.253.255.255", 80, SMC(1)},
		{POLICY_CONNECT, "169.255.0.0", 80, SMC(1)},
		{POLICY_CONNECT, "169.254.1.1", 80, SMC(2)},
		{POLICY_CONNECT, "169.254.1.1", 81, BUILTIN},
		{POLICY_CONNECT, "239.1.2.3", 80, SMC(3)}, /* the same CIDR as the built-in one */
		{POLICY_CONNECT, "240.0.0.0", 80, SMC(1)},
		{POLICY_CONNECT, "fe80::1", 80, SMC(3)}, /* around the built-in one */
		{POLICY_CONNECT, "fec0::1", 80, SMC(3)},
		{POLICY_CONNECT, "ff02::1", 80, BUILTIN},
		{POLICY_CONNECT, "2001:db8::1", 80, SMC(1)},
		{POLICY_LISTEN, "169.254.0.1", 80, BUILTIN},
		{POLICY_LISTEN, "fe80::1", 80, BUILTIN},
		{POLICY_LISTEN, "0.0.0.0", 80, SMC(4)},
	};

	(void)state;
	ASK(text, questions);
}

static void test_builtin_without_rules_for_all(void **state)
{
	static const char text[] = "{ \"version\": 1, \"rules\": [\n"
				   "{ \"use\": \"tcp\", \"connect\": \"1.0.0.0/8\" },\n"
				   "{ \"use\": \"smc\", \"connect\": \"128.0.0.0/1\", \"ports\": 5 } ] }";
	static const struct question questions[] = {
		{POLICY_CONNECT, "1.2.3.4", 5, TCP(1)},
		{POLICY_CONNECT, "169.254.0.1", 5, SMC(2)},
		{POLICY_CONNECT, "169.254.0.1", 6, BUILTIN},
		{POLICY_CONNECT, "169.255.0.1", 6, NONE},
		{POLICY_CONNECT, "255.255.255.255", 5, SMC(2)},
		{POLICY_CONNECT, "::", 5, NONE},
	};

	(void)state;
	ASK(text, questions);
}

static void test_wildcard(void **state)
{
	static const char text[] = "{ \"version\": 1, \"rules\": [\n"
				   "{ \"use\": \"smc\", \"listen\": [ \"0.0.0.0/8\", \"::/127\" ] },\n"
				   "{ \"use\": \"smc\", \"listen\": \"0.0.0.0/0\", \"ports\": 80 },\n"
				   "{ \"use\": \"smc\", \"connect\": [ \"0.0.0.0/32\", \"::/128\" ] } ] }";
	static const struct question questions[] = {
		{POLICY_LISTEN, "0.0.0.0", 81, NONE}, /* /0 rules only */
		{POLICY_LISTEN, "0.0.0.0", 80, SMC(2)},
		{POLICY_LISTEN, "::ffff:0.0.0.0", 80, SMC(2)},
		{POLICY_LISTEN, "::", 80, NONE}, /* 0.0.0.0/0 is IPv4 only */
		{POLICY_LISTEN, "::1", 80, SMC(1)},
		{POLICY_LISTEN, "0.0.0.1", 80, SMC(1)},
		{POLICY_CONNECT, "0.0.0.0", 80, SMC(3)}, /* to connect there is an address like any other */
		{POLICY_CONNECT, "::", 80, SMC(3)},
		{POLICY_CONNECT, "0.0.0.1", 80, NONE},
	};

	(void)state;
	ASK(text, questions);
}

static void test_ports(void **state)
{
	static const char text[] = "{ \"version\": 1, \"rules\": [\n"
				   "{ \"use\": \"smc\", \"connect\": \"10.0.0.0/8\", \"ports\": \"1-1000\" },\n"
				   "{ \"use\": \"tcp\", \"connect\": \"10.0.0.0/8\", \"ports\": \"100-199\" },\n"
				   "{ \"use\": \"smc\", \"connect\": \"10.0.0.0/8\", \"ports\": \"150,65535\" },\n"
				   "{ \"use\": \"tcp\", \"connect\": \"10.1.0.0/16\", \"ports\": \"150-500\" },\n"
				   "{ \"use\": \"tcp\", \"connect\": \"10.0.0.0/8\" } ] }";
	static const struct question questions[] = {
		{POLICY_CONNECT, "10.0.0.1", 0, TCP(5)},
		{POLICY_CONNECT, "10.0.0.1", 1, SMC(1)},
		{POLICY_CONNECT, "10.0.0.1", 99, SMC(1)},
		{POLICY_CONNECT, "10.0.0.1", 100, TCP(2)},
		{POLICY_CONNECT, "10.0.0.1", 150, SMC(3)},
		{POLICY_CONNECT, "10.0.0.1", 199, TCP(2)},
		{POLICY_CONNECT, "10.0.0.1", 200, SMC(1)},
		{POLICY_CONNECT, "10.0.0.1", 1001, TCP(5)},
		{POLICY_CONNECT, "10.0.0.1", 65535, SMC(3)},
		{POLICY_CONNECT, "10.1.0.1", 149, TCP(2)},
		{POLICY_CONNECT, "10.1.0.1", 150, TCP(4)},
		{POLICY_CONNECT, "10.1.0.1", 500, TCP(4)},
		{POLICY_CONNECT, "10.1.0.1", 501, SMC(1)},
		{POLICY_CONNECT, "10.1.0.1", 65535, SMC(3)},
	};

	(void)state;
	ASK(text, questions);
}

static void test_other_families(void **state)
{
	static const char text[] = "{ \"version\": 1, \"rules\": [ { \"use\": \"smc\", \"connect\": \"any\" } ] }";
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = compile(text, strlen(text), &image);
	_cleanup_policy_explanation_ struct policy_explanation *explanation = NULL;
	struct sockaddr_storage address;
	socklen_t len = model_address("10.0.0.1", 80, &address);
	struct policy_map map;

	(void)state;
	model_table(&map);
	model_publish(&map, image);
	assert_int_equal(policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&address, len), SMC(1));
	assert_int_equal(policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&address, len - 1), 0);
	assert_int_equal(policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&address, 0), 0);
	assert_int_equal(policy_map_decide(&map, (enum policy_role)2, (struct sockaddr *)&address, len), 0);
	address.ss_family = AF_UNIX;
	assert_int_equal(policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&address, sizeof(address)), 0);
	address.ss_family = AF_INET6;
	assert_int_equal(
		policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&address, sizeof(struct sockaddr_in6) - 1),
		0);
	assert_int_equal(
		policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&address, sizeof(struct sockaddr_in6)),
		SMC(1));
	address.ss_family = AF_UNIX;
	assert_int_equal(
		policy_explain(policy, POLICY_CONNECT, (struct sockaddr *)&address, sizeof(address), &explanation), 0);
	assert_int_equal(explanation->reason, POLICY_REASON_FAMILY);
	model_free(&map);
}

/* Several levels of blocks, all CIDRs at random and nested; asked at the edges, where mistakes live. */
static void large(uint64_t seed, unsigned count, bool ipv6)
{
	_cleanup_free_ char *text = malloc(count * 64 + 1024);
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	uint64_t state = seed;
	size_t len = 0;
	struct policy_map map;

	assert_non_null(text);
	len += (size_t)sprintf(text, "{ \"version\": 1, \"rules\": [ ");
	for (unsigned rule = 0; rule < 20; rule++) {
		len += (size_t)sprintf(text + len, "%s{ \"use\": \"smc\", %s\"connect\": [ ", rule ? ",\n" : "",
			rule % 3 ? "" : "\"ports\": \"80-90\", ");
		for (unsigned i = 0; i < count / 20; i++) {
			uint32_t host = (uint32_t)model_random(&state) & 0xffffff;
			unsigned prefix = 9 + model_below(&state, 24);
			uint32_t address = 0x0a000000 | (prefix == 32 ? host : host >> (32 - prefix) << (32 - prefix));

			len += (size_t)sprintf(text + len, ipv6 ? "%s\"%x:%x::/%u\"" : "%s\"%u.%u.%u.%u/%u\"",
				i ? ", " : "", ipv6 ? address >> 16 : address >> 24,
				ipv6 ? address & 0xffff : address >> 16 & 0xff, ipv6 ? prefix : address >> 8 & 0xff,
				address & 0xff, prefix);
		}
		len += (size_t)sprintf(text + len, " ] }");
	}
	len += (size_t)sprintf(text + len, " ] }");
	policy = compile(text, len, &image);
	model_table(&map);
	model_publish(&map, image);
	for (unsigned i = 0; i < 2000; i++) {
		_cleanup_policy_explanation_ struct policy_explanation *explanation = NULL;
		const struct policy_cidr *cidr = &policy->cidrs[model_below(&state, (uint32_t)policy->cidr_count)];
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(model_below(&state, 2) ? 80 : 79)};
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = in.sin_port};
		struct sockaddr *address = ipv6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
		socklen_t size = ipv6 ? sizeof(in6) : sizeof(in);
		uint64_t step = model_below(&state, 3) - UINT64_C(1); /* one before it, it, one behind it */

		in.sin_addr.s_addr = htonl((uint32_t)(cidr->address.low + step));
		for (unsigned k = 0; k < 8; k++)
			in6.sin6_addr.s6_addr[k] =
				(uint8_t)((cidr->address.high + (step >> 63 ? step : 0)) >> (56 - 8 * k));
		memset(in6.sin6_addr.s6_addr + 8, step >> 63 ? 0xff : 0, 8);
		assert_int_equal(policy_explain(policy, POLICY_CONNECT, address, size, &explanation), 0);
		if (policy_map_decide(&map, POLICY_CONNECT, address, size) != explanation->value)
			fail_msg("seed %llu question %u: %s", (unsigned long long)seed, i, explanation->why);
	}
	model_free(&map);
}

static void test_large(void **state)
{
	(void)state;
	for (unsigned count = 20; count <= 20000; count *= 10) {
		large(count, count, false);
		large(count, count, true);
	}
}

/* Thousands of addresses that share their high half: the low half must decide at every level. */
static void test_one_network(void **state)
{
	_cleanup_free_ char *text = malloc(1 << 20);
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	size_t len = 0;
	struct policy_map map;

	(void)state;
	assert_non_null(text);
	len += (size_t)sprintf(text, "{ \"version\": 1, \"rules\": [ { \"use\": \"smc\", \"connect\": [ ");
	for (unsigned i = 0; i < 8000; i++) /* every third address */
		len += (size_t)sprintf(
			text + len, "%s\"fd00:7::%x:%x/128\"", i ? ", " : "", i * 3 >> 16, i * 3 & 0xffff);
	len += (size_t)sprintf(text + len, " ] } ] }");
	policy = compile(text, len, &image);
	model_table(&map);
	model_publish(&map, image);
	for (unsigned i = 0; i < 24000; i++) {
		struct sockaddr_storage address;
		char host[64];

		(void)snprintf(host, sizeof(host), "fd00:7::%x:%x", i >> 16, i & 0xffff);
		assert_int_equal(policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&address,
					 model_address(host, 80, &address)),
			i % 3 ? NONE : SMC(1));
	}
	model_free(&map);
}

/* Every third of 3 * count addresses, and what lies around them. */
static void every_third(unsigned count)
{
	_cleanup_free_ char *text = malloc((size_t)count * 20 + 100);
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct policy_map map;
	char *at = text;

	assert_non_null(text);
	at += sprintf(at, "{ \"version\": 1, \"rules\": [ { \"use\": \"smc\", \"connect\": [ ");
	for (unsigned i = 0; i < count; i++)
		at += sprintf(
			at, "%s\"255.%u.%u.%u/32\"", i ? "," : "", i * 3 >> 16 & 0xff, i * 3 >> 8 & 0xff, i * 3 & 0xff);
	at += sprintf(at, " ] } ] }");
	policy = compile(text, (size_t)(at - text), &image);
	model_table(&map);
	model_publish(&map, image);
	for (unsigned i = 0; i < count * 3; i++) {
		in.sin_addr.s_addr = htonl(0xff000000 + i);
		if (policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&in, sizeof(in)) !=
			(i % 3 ? NONE : SMC(1)))
			fail_msg("%u addresses: the wrong answer for address %u", count, i);
	}
	in.sin_addr.s_addr = htonl(0xfeffffff);
	assert_int_equal(policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&in, sizeof(in)), NONE);
	in.sin_addr.s_addr = htonl(0xffffffff);
	assert_int_equal(policy_map_decide(&map, POLICY_CONNECT, (struct sockaddr *)&in, sizeof(in)), NONE);
	model_free(&map);
}

/* Where the index gets one level more: at more than 1, 32 and 1,024 leaves, of which the built-in rules take a few. */
static void test_levels(void **state)
{
	(void)state;
	for (unsigned leaves = 1; leaves <= POLICY_CHILDREN * POLICY_CHILDREN; leaves *= POLICY_CHILDREN) {
		unsigned intervals = leaves * POLICY_LEAF;

		for (unsigned count = intervals / 2 - 12; count <= intervals / 2; count++)
			every_third(count);
	}
}

/* Through a window there is the same answer, or none; through one of the size that is needed there is one. */
static void test_windows(void **state)
{
	_cleanup_free_ char *text = malloc(1 << 20);
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct policy_map whole, part;
	unsigned beyond = 0;
	uint64_t needs;
	char *at = text;

	(void)state;
	assert_non_null(text);
	at += sprintf(at,
		"{ \"version\": 1, \"rules\": [ { \"use\": \"smc\", \"connect\": \"255.0.0.0/16\", \"ports\": 80 },"
		"{ \"use\": \"smc\", \"connect\": [ ");
	for (unsigned i = 0; i < 12000; i++)
		at += sprintf(at, "%s\"255.%u.%u.%u/32\"", i ? "," : "", i * 3 >> 16, i * 3 >> 8 & 0xff, i * 3 & 0xff);
	at += sprintf(at, " ] } ] }");
	policy = compile(text, (size_t)(at - text), &image);
	model_table(&whole);
	assert_int_equal(policy_map_needs(&whole), 0);
	model_publish(&whole, image);
	needs = policy_map_needs(&whole);
	assert_true(needs > POLICY_WINDOW_MIN && needs <= image->size && image->size - needs < 64);
	part = whole;
	for (unsigned i = 0; i < 36000; i += 5) {
		uint32_t value, answer;

		in.sin_addr.s_addr = htonl(0xff000000 + i);
		in.sin_port = htons(i % 2 ? 80 : 81);
		value = policy_map_decide(&whole, POLICY_CONNECT, (struct sockaddr *)&in, sizeof(in));
		part.size = needs;
		assert_int_equal(policy_map_decide(&part, POLICY_CONNECT, (struct sockaddr *)&in, sizeof(in)), value);
		part.size = i % 4 ? POLICY_WINDOW_MIN : needs - 1;
		answer = policy_map_decide(&part, POLICY_CONNECT, (struct sockaddr *)&in, sizeof(in));
		assert_true(answer == value || answer == POLICY_VALUE_BEYOND);
		beyond += answer == POLICY_VALUE_BEYOND;
	}
	assert_true(beyond > 0);
	model_free(&whole);
}

/* A list of count host routes, which can never be joined. */
static char *many(unsigned count, const char *ports, size_t *len)
{
	char *text = malloc((size_t)count * 32 + 1024 + strlen(ports));
	char *at = text;

	assert_non_null(text);
	at += sprintf(at, "{ \"version\": 1, \"rules\": [ { \"use\": \"smc\"%s, \"connect\": [\n", ports);
	for (unsigned i = 0; i < count; i++)
		at += sprintf(at, "\"10.%u.%u.%u/32\"%s\n", i >> 16 & 0xff, i >> 8 & 0xff, i & 0xff,
			i + 1 < count ? "," : "");
	at += sprintf(at, "] } ] }");
	*len = (size_t)(at - text);
	return text;
}

static void test_capacity(void **state)
{
	_cleanup_policy_errors_ struct policy_errors errors = {0};
	_cleanup_policy_image_ struct policy_image *image = NULL;
	struct policy *policy = NULL;
	size_t len;
	char *text = many(POLICY_MAX_CIDRS, "", &len);

	(void)state;
	policy = compile(text, len, &image);
	assert_int_equal(policy->cidr_count, POLICY_MAX_CIDRS);
	policy_free(policy);
	free(text);
	text = many(POLICY_MAX_CIDRS + 10, "", &len);
	assert_int_equal(policy_parse("p.json", text, len, &policy, &errors), -EINVAL);
	free(text);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.items[0].text,
		"p.json:1000002:1: connect '10.15.66.64/32': is one more than the 1000000 CIDRs that a table holds; "
		"join neighbours into shorter prefixes");
}

/* Nested CIDRs, each with its own ports: each group holds those of all around it, until half a table is full. */
static void test_too_big(void **state)
{
	_cleanup_policy_errors_ struct policy_errors errors = {0};
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_free_ char *text = malloc(32 << 20);
	char *at = text;

	(void)state;
	assert_non_null(text);
	at += sprintf(at, "{ \"version\": 1, \"rules\": [ { \"use\": \"tcp\", \"connect\": \"any\", \"ports\": \"1");
	for (unsigned port = 3; port < 65536; port += 2)
		at += sprintf(at, ",%u", port);
	at += sprintf(at, "\" }");
	for (unsigned i = 0; i < 2000; i++)
		at += sprintf(at, ",\n{ \"use\": \"smc\", \"connect\": \"10.0.%u.%u/32\", \"ports\": \"2\" }", i >> 8,
			i & 0xff);
	at += sprintf(at, " ] }");
	assert_int_equal(policy_parse("p.json", text, (size_t)(at - text), &policy, &errors), 0);
	assert_int_equal(policy_compile(policy, &image, &errors), -EINVAL);
	assert_null(image);
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.items[0].text, "more than 256 MiB"));
}

/* One list in two rules with other ports: a million CIDRs share one group. */
static void test_shared_groups(void **state)
{
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_ struct policy *policy = NULL;
	size_t len;
	char *text = many(100000, ", \"ports\": \"80,443,8000-8100\"", &len);

	(void)state;
	policy = compile(text, len, &image);
	free(text);
	assert_true(((struct policy_half *)image->data)->ports.count < 100);
}

static void test_many_errors(void **state)
{
	_cleanup_policy_errors_ struct policy_errors errors = {0};
	struct policy *policy = NULL;
	_cleanup_free_ char *text = malloc(1 << 20);
	char *at = text;

	(void)state;
	assert_non_null(text);
	at += sprintf(at, "{ \"version\": 1, \"rules\": [ { \"use\": \"smc\", \"connect\": [");
	for (unsigned i = 0; i < 250; i++)
		at += sprintf(at, "\"10.0.0.0/%u\"%s\n", i + 33, i < 249 ? "," : "");
	at += sprintf(at, "] } ] }");
	assert_int_equal(policy_parse("p.json", text, (size_t)(at - text), &policy, &errors), -EINVAL);
	assert_int_equal(errors.count, POLICY_ERRORS_KEPT);
	assert_int_equal(errors.more, 150);
	assert_int_equal(errors.items[99].line, 100);
}

static void test_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *message;
	} cases[] = {
		{"{\0}", 3, "p:1:2: byte '\\x00': a NUL byte has no place in a text; remove it"},
		{"{\n \"\xff\" }", 8, "p:2:3: byte '\\xff': is not UTF-8; save the file as UTF-8"},
		{"\"\xc0\xaf\"", 4, "p:1:2: byte '\\xc0': is not UTF-8; save the file as UTF-8"},
		{"\"\xed\xa0\x80\"", 5, "p:1:2: byte '\\xed': is not UTF-8; save the file as UTF-8"},
		{"\"\xf4\x90\x80\x80\"", 6, "p:1:2: byte '\\xf4': is not UTF-8; save the file as UTF-8"},
		{"\"\xe2\x82", 3, "p:1:2: byte '\\xe2': is not UTF-8; save the file as UTF-8"},
		{"\xef\xbb\xbf{}", 5,
			"p:1:1: byte order mark '\\xef\\xbb\\xbf': JSON begins without one; save the file without it"},
		{"{\"\xc3\xbc\": \x01}", 8,
			"p:1:7: text '\\x01': a value must stand here; write a string in double quotes, a number, [ or "
			"{"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		_cleanup_policy_errors_ struct policy_errors errors = {0};
		struct policy *policy = NULL;

		assert_int_equal(policy_parse("p", cases[i].text, cases[i].len, &policy, &errors), -EINVAL);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.items[0].text, cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_builtin),
		cmocka_unit_test(test_builtin_without_rules_for_all),
		cmocka_unit_test(test_wildcard),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_other_families),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_one_network),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_shared_groups),
		cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
