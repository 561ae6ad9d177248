/* SPDX-License-Identifier: MIT */
/* Random policies: text, parser, compiler, table and lookup together must answer as a brute-force model does. */
#include "config.h"

#include <arpa/inet.h>
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

#define POLICIES 100000u
#define QUESTIONS 12u
#define RULES_MAX 6u
#define TEXT_MAX 4096u

/* Few values, so that CIDRs nest, meet at their borders and repeat; among them the built-in ranges and the mapped one. */
static const uint8_t corners4[][4] = {{0, 0, 0, 0}, {10, 0, 0, 0}, {10, 0, 0, 255}, {10, 255, 255, 255},
	{100, 100, 100, 200}, {127, 255, 255, 255}, {128, 0, 0, 0}, {169, 254, 0, 1}, {169, 255, 0, 0}, {224, 0, 0, 1},
	{239, 255, 255, 255}, {255, 255, 255, 255}};
static const uint8_t corners6[][16] = {{0}, {[15] = 1}, {[10] = 0xff, 0xff, 10, 0, 0, 1}, {0xfd, 0, 0, 7, [15] = 1},
	{0xfd, 0, 0, 7, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0xfe, 0x80, [15] = 1},
	{0xfe, 0xbf, 0xff, [15] = 1}, {0xfe, 0xc0}, {0xff, 2, [15] = 1},
	{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const uint16_t corner_ports[] = {0, 1, 2, 5, 6, 10, 14, 80, 443, 1024, 65534, 65535};

#define PICK(state, array) ((array)[model_below(state, sizeof(array) / sizeof(*(array)))])

static void random_address(uint64_t *state, bool ipv6, uint8_t out[static 16])
{
	unsigned size = ipv6 ? 16 : 4;

	memset(out, 0, 16);
	memcpy(out, ipv6 ? PICK(state, corners6) : PICK(state, corners4), size);
	if (!model_below(state, 3))
		out[model_below(state, size)] = (uint8_t)model_random(state);
	if (!model_below(state, 3)) /* a neighbour */
		out[size - 1] ^= (uint8_t)(1 << model_below(state, 3));
}

static void clear_host_bits(uint8_t *address, unsigned bits, unsigned prefix)
{
	for (unsigned i = prefix; i < bits; i++)
		address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

/* True for what the parser refuses: mapped CIDRs, and the wildcard alone in "listen". */
static bool refused(const uint8_t *address, unsigned prefix, bool ipv6, enum policy_role role)
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff}, zero[16];

	if (ipv6 && prefix >= 96 && !memcmp(address, mapped, sizeof(mapped)))
		return true;
	return role == POLICY_LISTEN && prefix == (ipv6 ? 128 : 32) && !memcmp(address, zero, ipv6 ? 16 : 4);
}

static void random_rule(uint64_t *state, struct model_rule *rule)
{
	*rule = (struct model_rule){
		.smc = model_below(state, 2), .role = model_below(state, 4) ? POLICY_CONNECT : POLICY_LISTEN};
	for (unsigned wanted = 1 + model_below(state, 3); rule->cidr_count < wanted;) {
		bool ipv6 = model_below(state, 3) == 0;
		unsigned bits = ipv6 ? 128 : 32, prefix = model_below(state, bits + 1);
		uint8_t address[16];

		if (!model_below(state, 4))
			prefix = model_below(state, 2) ? 0 : bits;
		random_address(state, ipv6, address);
		clear_host_bits(address, bits, prefix);
		if (refused(address, prefix, ipv6, rule->role))
			continue;
		memcpy(rule->cidrs[rule->cidr_count].address, address, 16);
		rule->cidrs[rule->cidr_count].prefix = prefix;
		rule->cidrs[rule->cidr_count++].ipv6 = ipv6;
	}
	for (unsigned wanted = model_below(state, 2) ? model_below(state, 4) : 0; rule->port_count < wanted;) {
		uint16_t a = PICK(state, corner_ports), b = model_below(state, 2) ? PICK(state, corner_ports) : a;

		if (a && b)
			rule->ports[rule->port_count++] = (struct policy_port_range){a < b ? a : b, a < b ? b : a};
	}
}

static void print_rule(FILE *out, const struct model_rule *rule)
{
	char text[INET6_ADDRSTRLEN];

	fprintf(out, "{ \"use\": \"%s\", \"%s\": [", rule->smc ? "smc" : "tcp",
		rule->role == POLICY_LISTEN ? "listen" : "connect");
	for (unsigned i = 0; i < rule->cidr_count; i++) {
		(void)inet_ntop(rule->cidrs[i].ipv6 ? AF_INET6 : AF_INET, rule->cidrs[i].address, text, sizeof(text));
		fprintf(out, "%s\"%s/%u\"", i ? ", " : " ", text, rule->cidrs[i].prefix);
	}
	fprintf(out, " ]");
	for (unsigned i = 0; i < rule->port_count; i++) {
		fprintf(out, "%s%u", i ? "," : ", \"ports\": \"", rule->ports[i].from);
		if (rule->ports[i].to != rule->ports[i].from)
			fprintf(out, "-%u", rule->ports[i].to);
	}
	fprintf(out, "%s }", rule->port_count ? "\"" : "");
}

/* The policy as JSON text in buffer. */
static size_t print_policy(const struct model_rule *rules, unsigned count, char *buffer, size_t size)
{
	FILE *out = fmemopen(buffer, size, "w");
	size_t len;

	assert_non_null(out);
	fprintf(out, "{ \"version\": 1, \"rules\": [\n");
	for (unsigned i = 0; i < count; i++) {
		print_rule(out, &rules[i]);
		fprintf(out, i + 1 < count ? ",\n" : "\n");
	}
	fprintf(out, "] }\n");
	len = (size_t)ftell(out);
	(void)fclose(out);
	return len;
}

/* Two rules of one role that tie for one CIDR: by definition, pair by pair. */
static bool has_tie(const struct model_rule *rules, unsigned count)
{
	for (unsigned a = 0; a < count; a++)
		for (unsigned b = 0; b < a; b++)
			for (unsigned i = 0; i < rules[a].cidr_count; i++)
				for (unsigned k = 0; k < rules[b].cidr_count; k++) {
					static const struct policy_port_range all = {0, 65535};
					const struct policy_port_range *p = rules[a].port_count ? rules[a].ports : &all;
					const struct policy_port_range *q = rules[b].port_count ? rules[b].ports : &all;
					unsigned m = rules[a].port_count ? rules[a].port_count : 1;
					unsigned n = rules[b].port_count ? rules[b].port_count : 1;

					if (rules[a].role != rules[b].role || rules[a].smc == rules[b].smc ||
						memcmp(&rules[a].cidrs[i], &rules[b].cidrs[k],
							sizeof(rules[a].cidrs[i])) != 0)
						continue;
					for (unsigned x = 0; x < m; x++)
						for (unsigned y = 0; y < n; y++)
							if (p[x].to - p[x].from == q[y].to - q[y].from &&
								p[x].from <= q[y].to && q[y].from <= p[x].to)
								return true;
				}
	return false;
}

/* One question, as IPv4, IPv6 or IPv4-mapped IPv6. */
static socklen_t random_question(
	uint64_t *state, uint8_t address[static 16], bool *ipv6, uint16_t *port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;
	bool mapped = model_below(state, 3) == 0;

	*ipv6 = model_below(state, 3) == 0;
	*port = PICK(state, corner_ports);
	random_address(state, *ipv6, address);
	memset(out, 0, sizeof(*out));
	in->sin_port = htons(*port);
	if (!*ipv6 && !mapped) {
		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, address, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	if (*ipv6) {
		memcpy(&in6->sin6_addr, address, 16);
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) { /* then it is an IPv4 question */
			memmove(address, address + 12, 4);
			*ipv6 = false;
		}
	} else {
		in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
		memcpy(in6->sin6_addr.s6_addr + 12, address, 4);
	}
	return sizeof(*in6);
}

static void ask(uint64_t *state, const struct policy_map *map, const struct policy *policy,
	const struct model_rule *rules, unsigned count, const char *text)
{
	_cleanup_policy_explanation_ struct policy_explanation *explanation = NULL;
	enum policy_role role = model_below(state, 3) ? POLICY_CONNECT : POLICY_LISTEN;
	struct sockaddr_storage address;
	uint8_t bytes[16];
	bool ipv6, disagree, expected;
	uint16_t port;
	socklen_t len = random_question(state, bytes, &ipv6, &port, &address);
	uint32_t value;

	expected = model_decide(rules, count, role, bytes, ipv6, port, &disagree);
	value = policy_map_decide(map, role, (struct sockaddr *)&address, len);
	assert_int_equal(policy_explain(policy, role, (struct sockaddr *)&address, len, &explanation), 0);
	if (disagree || !!(value & POLICY_VALUE_SMC) != expected || explanation->value != value) {
		char shown[INET6_ADDRSTRLEN];

		(void)inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes, shown, sizeof(shown));
		fail_msg("%s %s port %u: model %s%s, table %#x, explanation %#x (%s) in\n%s",
			role == POLICY_LISTEN ? "listen" : "connect", shown, port, expected ? "smc" : "tcp",
			disagree ? " (tie)" : "", value, explanation->value, explanation->why, text);
	}
}

static void test_random_policies(void **unused)
{
	const char *seed_text = getenv("POLICY_SEED"), *count_text = getenv("POLICY_COUNT");
	uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : 1, ties = 0;
	unsigned policies = count_text ? (unsigned)strtoul(count_text, NULL, 0) : POLICIES;
	_cleanup_free_ char *text = malloc(TEXT_MAX);
	struct policy_map map;

	(void)unused;
	assert_non_null(text);
	printf("# seed %llu, %u policies, %u questions each\n", (unsigned long long)seed, policies, QUESTIONS);
	model_table(&map);
	for (unsigned i = 0; i < policies; i++) {
		_cleanup_policy_errors_ struct policy_errors errors = {0};
		_cleanup_policy_ struct policy *policy = NULL;
		_cleanup_policy_image_ struct policy_image *image = NULL;
		uint64_t state = seed * UINT64_C(1000003) + i;
		unsigned count = 1 + model_below(&state, RULES_MAX);
		struct model_rule rules[RULES_MAX];
		size_t len;
		int r;

		for (unsigned k = 0; k < count; k++)
			random_rule(&state, &rules[k]);
		len = print_policy(rules, count, text, TEXT_MAX);
		r = policy_parse("random", text, len, &policy, &errors);
		if (r && !has_tie(rules, count))
			fail_msg("policy %u is refused: %s\n%s", i, errors.count ? errors.items[0].text : "?", text);
		if (has_tie(rules, count)) {
			assert_int_equal(r, -EINVAL);
			ties++;
			continue;
		}
		assert_int_equal(policy_compile(policy, &image, &errors), 0);
		model_publish(&map, image);
		for (unsigned k = 0; k < QUESTIONS; k++)
			ask(&state, &map, policy, rules, count, text);
	}
	printf("# %llu of them were refused for a tie\n", (unsigned long long)ties);
	assert_true(ties < policies / 2);
	model_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
