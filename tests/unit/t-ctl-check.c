/* SPDX-License-Identifier: MIT */
/* Tests of smcctl check without a network: SYNs as bytes, answers from hostile bytes, the marks of their options. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/check/answer.h"
#include "ctl/check/show.h"
#include "tests/unit/manual.h"

static struct syn syn_of(enum syn_kind kind, bool ipv6)
{
	struct syn syn = {.kind = kind,
		.ipv6 = ipv6,
		.from = {10, 0, 0, 1},
		.to = {10, 0, 0, 2},
		.from_port = 0x1234,
		.to_port = 80,
		.sequence = 0x01020304,
		.clock = 0x0a0b0c0d,
		.identifier = {0x5a, 1, 2, 3}};

	if (ipv6)
		memset(syn.from + 4, 0x99, 12);
	return syn;
}

/* RFC 1071 over the pseudo-header of RFC 9293 and the segment: all ones when the checksum is right. */
static uint32_t sum_of(const struct syn *syn, const uint8_t *segment, size_t size)
{
	size_t length = syn->ipv6 ? 16 : 4;
	uint8_t all[200] = {0};
	uint32_t sum = 0;

	memcpy(all, syn->from, length);
	memcpy(all + length, syn->to, length);
	all[2 * length + 1] = 6;
	all[2 * length + 3] = (uint8_t)size;
	memcpy(all + 2 * length + 4, segment, size);
	for (size_t i = 0; i < 2 * length + 4 + size; i += 2)
		sum += (uint32_t)all[i] << 8 | all[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void syns(void **state)
{
	/* A SYN of Linux 6.12 over Ethernet, but for ports, numbers and checksum. */
	static const uint8_t linux_options[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 10, 11, 12, 13, 0, 0, 0, 0, 1, 3, 3, 7, 1,
		1, 254, 6, 0xe2, 0xd4, 0xc3, 0xd9};
	uint8_t out[SYN_MAX];
	size_t size;

	(void)state;
	for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
		for (enum syn_kind kind = SYN_PLAIN; kind < SYN_KINDS; kind++) {
			struct syn syn = syn_of(kind, ipv6);

			size = syn_build(&syn, out);
			assert_int_equal(size, kind == SYN_PLAIN ? 40 : 48);
			assert_int_equal(sum_of(&syn, out, size), 0xffff);
			assert_int_equal(out[12] >> 4, size / 4);
			assert_int_equal(out[13], 2);
			assert_memory_equal(out, "\x12\x34\0\x50\1\2\3\4\0\0\0\0", 12);
			syn_build_reset(&syn, out);
			assert_int_equal(sum_of(&syn, out, SYN_RESET_SIZE), 0xffff);
			assert_memory_equal(out, "\x12\x34\0\x50\1\2\3\5\0\0\0\0\x50\4\0\0", 16);
		}
	}
	size = syn_build(&(struct syn){.kind = SYN_SMC, .clock = 0x0a0b0c0d}, out);
	assert_int_equal(size, 20 + sizeof(linux_options));
	assert_memory_equal(out + 20, linux_options, sizeof(linux_options));
	size = syn_build(&(struct syn){.kind = SYN_OTHER_ID, .identifier = {0x5a, 1, 2, 3}}, out);
	assert_memory_equal(out + size - 8, "\1\1\xfe\x06\x5a\1\2\3", 8);
	size = syn_build(&(struct syn){.kind = SYN_OTHER_KIND, .identifier = {0x5a, 1, 2, 3}}, out);
	assert_memory_equal(out + size - 8, "\1\1\xfd\x06\x5a\1\2\3", 8);
}

static void identifiers(void **state)
{
	static const uint32_t randoms[] = {0, 0xe2d4c3d9, 0xf9890000, UINT32_MAX, 0x5f000000};
	uint8_t out[SYN_IDENTIFIER];

	(void)state;
	for (size_t i = 0; i < sizeof(randoms) / sizeof(randoms[0]); i++) {
		syn_identifier(randoms[i], out);
		assert_memory_not_equal(out, "\xe2\xd4", 2);
		assert_memory_not_equal(out, "\xf9\x89", 2);
		assert_memory_equal(out + 1, ((uint8_t[]){(uint8_t)(randoms[i] >> 16), (uint8_t)(randoms[i] >> 8)}), 2);
	}
}

#define SYNACK "\0\x50\x12\x34\0\0\0\1\1\2\3\5\x60\x12\xff\xff\0\0\0\0\2\4\5\xb4"

/* At its very size, for the sanitizers. */
static int parse(const void *data, size_t size, bool ipv4, struct answer *out)
{
	uint8_t *copy = malloc(size ? size : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, data, size);
	r = ipv4 ? answer_parse_ipv4(copy, size, out) : answer_parse(copy, size, out);
	free(copy);
	return r;
}

static void answers(void **state)
{
	uint8_t segment[] = SYNACK;
	uint8_t packet[24 + sizeof(segment)] = {0x46};
	const size_t size = sizeof(segment) - 1;
	struct answer answer;

	(void)state;
	assert_int_equal(parse(segment, size, false, &answer), 0);
	assert_false(answer.reset);
	assert_int_equal(answer.from_port, 80);
	assert_int_equal(answer.to_port, 0x1234);
	assert_int_equal(answer.acknowledged, 0x01020305);
	assert_int_equal(answer.options_size, 4);
	assert_memory_equal(answer.options, "\2\4\5\xb4", 4);
	/* Behind an IPv4 header with options, and behind none. */
	memcpy(packet + 24, segment, size);
	assert_int_equal(parse(packet, 24 + size, true, &answer), 0);
	assert_int_equal(answer.from_port, 80);
	packet[0] = 0x44;
	assert_int_equal(parse(packet, 24 + size, true, &answer), -EBADMSG);
	packet[0] = 0x66;
	assert_int_equal(parse(packet, 24 + size, true, &answer), -EBADMSG);
	packet[0] = 0x4f;
	assert_int_equal(parse(packet, 24 + size, true, &answer), -EBADMSG);
	packet[0] = 0x46;
	for (size_t cut = 0; cut < 24 + size; cut++)
		assert_int_equal(parse(packet, cut, true, &answer), -EBADMSG);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(parse(segment, cut, false, &answer), -EBADMSG);
}

static void answer_flags(void **state)
{
	static const struct {
		uint8_t flags;
		int result;
		bool reset;
	} rows[] = {
		{0x12, 0, false},
		{0x14, 0, true},
		{0x16, 0, true},
		{0x52, 0, false},        /* ECE beside it */
		{0x02, -EBADMSG, false}, /* our own SYN, on the loopback device */
		{0x04, -EBADMSG, false}, /* TCP in SYN_SENT ignores an RST without ACK, too */
		{0x10, -EBADMSG, false},
		{0x18, -EBADMSG, false},
		{0x00, -EBADMSG, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t segment[] = SYNACK;
		struct answer answer = {.reset = false};

		segment[13] = rows[i].flags;
		assert_int_equal(parse(segment, sizeof(segment) - 1, false, &answer), rows[i].result);
		assert_int_equal(answer.reset, rows[i].reset);
	}
}

#define SMC_OPTION "\1\1\xfe\x06\xe2\xd4\xc3\xd9"
#define OPTIONS(text) text, sizeof(text) - 1

static void marks(void **state)
{
	static const struct {
		enum syn_kind asked;
		const char *options;
		size_t size;
		unsigned marks;
	} rows[] = {
		{SYN_SMC, OPTIONS(""), 0},
		{SYN_SMC, OPTIONS("\2\4\5\xb4\4\2\1\3\3\7"), 0},
		{SYN_SMC, OPTIONS(SMC_OPTION), ANSWER_SMC},
		{SYN_SMC, OPTIONS("\2\4\5\xb4" SMC_OPTION), ANSWER_SMC},
		{SYN_PLAIN, OPTIONS(SMC_OPTION), ANSWER_SMC},
		{SYN_OTHER_ID, OPTIONS(SMC_OPTION), ANSWER_SMC},
		{SYN_SMC, OPTIONS("\0" SMC_OPTION), 0}, /* behind the end of the options */
		{SYN_SMC, OPTIONS(SMC_OPTION SMC_OPTION), ANSWER_SMC | ANSWER_SMC_TWICE},
		{SYN_SMC, OPTIONS("\xfe\x08\xe2\xd4\xc3\xd9\0\0"), ANSWER_SMC_LENGTH},
		{SYN_SMC, OPTIONS("\xfe\x04\xe2\xd4"), ANSWER_SMC_LENGTH},
		{SYN_SMC, OPTIONS("\xfe\x02"), ANSWER_SMC_LENGTH},
		{SYN_SMC, OPTIONS("\xfe\x05\xe2\xd4\xc3"), ANSWER_SMC_LENGTH},
		{SYN_SMC, OPTIONS("\xfe\x06\xe2\xd4\xc3\xda"), ANSWER_FOREIGN},
		{SYN_SMC, OPTIONS("\xfe\x06\xd9\xc3\xd4\xe2"), ANSWER_FOREIGN}, /* the wrong way round */
		{SYN_SMC, OPTIONS("\xfd\x06\xe2\xd4\xc3\xd9"), ANSWER_FOREIGN},
		{SYN_SMC, OPTIONS("\xfe\x0c\xf9\x89\1\2\3\4\5\6\7\x08"), ANSWER_FOREIGN}, /* TCP Fast Open */
		{SYN_SMC, OPTIONS("\xfe\x06\x5a\1\2\3"), ANSWER_FOREIGN},                 /* not sent in this SYN */
		{SYN_OTHER_ID, OPTIONS("\xfe\x06\x5a\1\2\3"), ANSWER_ECHO},
		{SYN_OTHER_ID, OPTIONS("\xfd\x06\x5a\1\2\3"), ANSWER_ECHO},
		{SYN_OTHER_KIND, OPTIONS("\xfd\x06\x5a\1\2\3"), ANSWER_ECHO},
		{SYN_OTHER_ID, OPTIONS("\xfe\x08\x5a\1\2\3\0\0"), ANSWER_FOREIGN},
		{SYN_SMC, OPTIONS("\xfe"), ANSWER_BROKEN},
		{SYN_SMC, OPTIONS("\xfe\0"), ANSWER_BROKEN},
		{SYN_SMC, OPTIONS("\xfe\1"), ANSWER_BROKEN},
		{SYN_SMC, OPTIONS("\xfe\x28\xe2\xd4\xc3\xd9"), ANSWER_BROKEN},
		{SYN_SMC, OPTIONS("\2\x05\5\xb4"), ANSWER_BROKEN},
		{SYN_SMC, OPTIONS(SMC_OPTION "\2"), ANSWER_SMC | ANSWER_BROKEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct syn asked = syn_of(rows[i].asked, false);
		struct answer answer = {.options_size = (uint8_t)rows[i].size};

		memcpy(answer.options, rows[i].options, rows[i].size);
		if (answer_marks(&answer, &asked) != rows[i].marks)
			fail_msg("row %zu: marks %x instead of %x", i, answer_marks(&answer, &asked), rows[i].marks);
	}
}

static void destinations(void **state)
{
	static const struct {
		const char *text;
		bool url;
		const char *host; /* NULL: refused */
		uint16_t port;
	} rows[] = {
		{"10.0.0.1:80", false, "10.0.0.1", 80},
		{"host.example:65535", false, "host.example", 65535},
		{"[fd00::1]:80", false, "fd00::1", 80},
		{"[fe80::1%eth0]:80", false, "fe80::1%eth0", 80},
		{"10.0.0.1", false, NULL, 0},
		{"10.0.0.1:", false, NULL, 0},
		{"10.0.0.1:0", false, NULL, 0},
		{"10.0.0.1:65536", false, NULL, 0},
		{"10.0.0.1:+1", false, NULL, 0},
		{"10.0.0.1:000000080", false, NULL, 0},
		{"fd00::1:80", false, NULL, 0},
		{"[fd00::1]", false, NULL, 0},
		{"[fd00::1", false, NULL, 0},
		{"[host]:80", false, NULL, 0},
		{"[]:80", false, NULL, 0},
		{":80", false, NULL, 0},
		{"", false, NULL, 0},
		{"http://h.example", true, "h.example", 80},
		{"HTTPS://h.example/a:1?b#c", true, "h.example", 443},
		{"http://user:pass@word@h.example:8080/x@y", true, "h.example", 8080},
		{"https://[fd00::1]/", true, "fd00::1", 443},
		{"https://[fd00::1]:8443", true, "fd00::1", 8443},
		{"http://h.example:/", true, "h.example", 80},
		{"http://h.example?x", true, "h.example", 80},
		{"redis://h.example:6379/0", true, "h.example", 6379},
		{"redis://h.example", true, NULL, 0},
		{"redis://h.example:", true, NULL, 0},
		{"http://", true, NULL, 0},
		{"http:///x", true, NULL, 0},
		{"http://user@", true, NULL, 0},
		{"http://:80", true, NULL, 0},
		{"h.example:80", true, NULL, 0},
		{"://h.example:80", true, NULL, 0},
		{"http://h:0/", true, NULL, 0},
	};
	char host[TARGET_HOST];
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = rows[i].url ? target_split_url(rows[i].text, host, &port)
				    : target_split(rows[i].text, host, &port);

		if (r != (rows[i].host ? 0 : -EINVAL))
			fail_msg("'%s': %d", rows[i].text, r);
		if (!rows[i].host)
			continue;
		assert_string_equal(host, rows[i].host);
		assert_int_equal(port, rows[i].port);
	}
}

static void long_hosts(void **state)
{
	char text[600];
	char host[TARGET_HOST];
	uint16_t port;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + TARGET_HOST - 1, ":80", 4);
	assert_int_equal(target_split(text, host, &port), 0);
	assert_int_equal(strlen(host), TARGET_HOST - 1);
	text[TARGET_HOST - 1] = 'a';
	memcpy(text + TARGET_HOST, ":80", 4);
	assert_int_equal(target_split(text, host, &port), -EINVAL);
}

static void addresses(void **state)
{
	static const char *const rows[][2] = {{"10.0.0.1", "10.0.0.1:80"}, {"fd00::1", "[fd00::1]:80"},
		{"::ffff:10.0.0.1", "10.0.0.1:80"}, /* is IPv4 on the wire and in a policy */
		{"::1", "[::1]:80"}};
	const char *why;
	char got[TARGET_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct targets targets = {.item = NULL};

		assert_int_equal(targets_resolve(&targets, rows[i][0], 80, &why), 0);
		assert_int_equal(targets.count, 1);
		target_text(&targets.item[0], true, got);
		assert_string_equal(got, rows[i][1]);
		targets_clear(&targets);
	}
}

static void from_a_policy(void **state)
{
	static const char text[] =
		"{\"version\":1,\"rules\":["
		"{\"use\":\"smc\",\"connect\":[\"10.0.0.2/32\",\"10.0.0.1/32\",\"fd00::1/128\"],\"ports\":\"80-82\"},"
		"{\"use\":\"tcp\",\"connect\":\"10.0.0.1/32\",\"ports\":81},"
		"{\"use\":\"smc\",\"connect\":[\"10.0.0.3/32\",\"10.1.0.0/16\"],\"ports\":80},"
		"{\"use\":\"smc\",\"connect\":\"10.0.0.4/32\"},"
		"{\"use\":\"smc\",\"connect\":\"10.0.0.5/32\",\"ports\":\"1-17\"},"
		"{\"use\":\"smc\",\"connect\":\"10.0.0.6/32\",\"ports\":\"1-16\"},"
		"{\"use\":\"smc\",\"listen\":\"10.0.0.7/32\",\"ports\":80}]}";
	static const unsigned left[] = {0, 0, LEFT_NETWORK, LEFT_NO_PORTS, LEFT_MANY_PORTS, 0, 0};
	static const char *const first[] = {"10.0.0.1:80", "10.0.0.1:81", "10.0.0.1:82", "10.0.0.2:80", "10.0.0.2:81",
		"10.0.0.2:82", "10.0.0.3:80", "10.0.0.6:1"};
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	_cleanup_policy_ struct policy *policy = NULL;
	struct targets targets = {.item = NULL};
	char got[TARGET_TEXT];

	(void)state;
	assert_int_equal(policy_parse("t", text, sizeof(text) - 1, &policy, &errors), 0);
	assert_int_equal(targets_add_policy(&targets, policy), 0);
	assert_int_equal(targets.count, 3 + 3 + 1 + 16 + 3);
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		target_text(&targets.item[i], true, got);
		assert_string_equal(got, first[i]);
	}
	/* The narrower range of ports decides, as in the policy. */
	assert_int_equal(targets.item[1].rule, 2);
	assert_int_equal(targets.item[0].rule, 1);
	target_text(&targets.item[targets.count - 1], true, got);
	assert_string_equal(got, "[fd00::1]:82");
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		assert_int_equal(target_left_out(policy, &policy->rules[i]), left[i]);
	targets_clear(&targets);
}

/* The manual gives each verdict as the program does. */
static void manual(void **state)
{
	const char *text = manual_read("smcctl-check.8");

	(void)state;
	for (enum verdict_path verdict = VERDICT_UNKNOWN; verdict < VERDICT_COUNT; verdict++) {
		const char *remedy = verdict_remedy(verdict);
		char expected[400];

		snprintf(expected, sizeof(expected), ".It Li %s %s%s%s. ", verdict_key(verdict),
			verdict_meaning(verdict), remedy ? "; " : "", remedy ? remedy : "");
		if (!strstr(text, expected))
			fail_msg("not in the manual: '%s'", expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syns),
		cmocka_unit_test(identifiers),
		cmocka_unit_test(answers),
		cmocka_unit_test(answer_flags),
		cmocka_unit_test(marks),
		cmocka_unit_test(destinations),
		cmocka_unit_test(long_hosts),
		cmocka_unit_test(addresses),
		cmocka_unit_test(from_a_policy),
		cmocka_unit_test(manual),
	};

	return cmocka_run_group_tests_name("ctl-check", tests, NULL, NULL);
}
