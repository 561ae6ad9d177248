/* SPDX-License-Identifier: MIT */
/* Tests of doctor's table of kernels and of its list of findings. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/doctor/findings.h"
#include "ctl/doctor/kernels.h"
#include "ctl/doctor/peer.h"

static void versions(void **state)
{
	static const struct {
		const char *release;
		const char *version;
		struct kernel_version expected;
	} cases[] = {
		{"6.12.117", "#1 SMP", {.part = {6, 12, 117}, .follows = true}},
		{"6.12", "#1 SMP", {.part = {6, 12, 0}, .follows = true}},
		{"7.0.0-rc3", "#1 SMP", {.part = {7, 0, 0}, .follows = true}},
		{"6.1.0-49-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.172-1 (2026-05-01)",
			{.part = {6, 1, 172}, .follows = true}},
		{"6.12.117+deb12-amd64", "#1 SMP Debian 6.12.117-1~deb12u1 (2026-10-01)",
			{.part = {6, 12, 117}, .follows = true}},
		{"5.14.0-427.13.1.el9_4.x86_64", "#1 SMP", {.part = {5, 14, 0}}},
		{"6.8.0-49-generic", "#49-Ubuntu SMP", {.part = {6, 8, 0}}},
		{"5.10.134-16.3.al8.x86_64", "#1 SMP", {.part = {5, 10, 134}, .patch = {16, 3}, .alibaba = true}},
		{"5.10.134-18.al8.aarch64", "#1 SMP", {.part = {5, 10, 134}, .patch = {18, 0}, .alibaba = true}},
		{"6.6.71-3.an23.x86_64", "#1 SMP", {.part = {6, 6, 71}, .patch = {3, 0}, .alibaba = true}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kernel_version version;

		assert_int_equal(kernel_version_parse(cases[i].release, cases[i].version, &version), 0);
		if (memcmp(version.part, cases[i].expected.part, sizeof(version.part)) != 0 ||
			memcmp(version.patch, cases[i].expected.patch, sizeof(version.patch)) != 0 ||
			version.alibaba != cases[i].expected.alibaba || version.follows != cases[i].expected.follows)
			fail_msg("%s: %u.%u.%u patch %u.%u alibaba %d follows %d", cases[i].release, version.part[0],
				version.part[1], version.part[2], version.patch[0], version.patch[1], version.alibaba,
				version.follows);
	}
}

static void no_versions(void **state)
{
	static const char *const releases[] = {"", "6", "custom", "v6.12.1"};
	struct kernel_version version;

	(void)state;
	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++)
		assert_int_equal(kernel_version_parse(releases[i], "#1", &version), -EINVAL);
	assert_int_equal(kernel_version_parse("6.1.0-1-amd64", "#1 Debian unknown", &version), -EINVAL);
}

static bool has(const char *release, const char *name)
{
	struct kernel_version version;
	const struct kernel_defect *defect;
	size_t next = 0;

	assert_int_equal(kernel_version_parse(release, "#1", &version), 0);
	while ((defect = kernel_defect_next(&version, &next)))
		if (strcmp(defect->name, name) == 0)
			return true;
	return false;
}

/* The edges of the ranges: the release before a correction has the defect, the one with it does not. */
static void defects(void **state)
{
	static const struct {
		const char *release;
		bool expected;
	} cases[] = {
		{"5.15.200", false}, /* before the code came */
		{"5.16.0", true},
		{"5.19.17", true}, /* a series that was never mended */
		{"6.1.30", true},
		{"6.1.31", false},
		{"6.1.172", false},
		{"6.2.16", true},
		{"6.3.4", true},
		{"6.3.5", false},
		{"6.4.0", false},
		{"6.12.117", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (has(cases[i].release, "CVE-2023-53382") != cases[i].expected)
			fail_msg("%s: expected %d", cases[i].release, cases[i].expected);
	assert_true(has("6.18.19", "CVE-2026-23450"));
	assert_false(has("6.18.20", "CVE-2026-23450"));
	assert_true(has("6.17.99", "CVE-2026-23450"));
	assert_true(has("7.0.3", "CVE-2026-46027"));
	assert_false(has("7.0.4", "CVE-2026-46027"));
	assert_false(has("7.1.0", "CVE-2026-46027"));
	assert_true(has("4.19.306", "CVE-2024-26615"));
	assert_false(has("4.19.307", "CVE-2024-26615"));
}

/* In each row the corrections are in order, or a lookup would go wrong; no release of tomorrow has any. */
static void table(void **state)
{
	struct kernel_version version;
	size_t next = 0;

	(void)state;
	assert_int_equal(kernel_version_parse("99.0.0", "#1", &version), 0);
	assert_null(kernel_defect_next(&version, &next));
	assert_int_equal(next, kernel_defects());
	assert_int_equal(kernel_version_parse("6.12.117", "#1", &version), 0);
	next = 0;
	assert_null(kernel_defect_next(&version, &next));
}

static char *printed(const struct findings *findings, bool json)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(findings_print(findings, stream, json), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void verdict(void **state)
{
	_cleanup_findings_ struct findings findings = {.item = NULL};
	char *text;

	(void)state;
	finding_add(&findings, FINDING_OK, "kernel", NULL, "Linux %d", 6);
	finding_add(&findings, FINDING_WARNING, "eid", "smcctl eid ensure NAME", "none");
	assert_true(findings_ready(&findings));
	text = printed(&findings, false);
	assert_string_equal(text,
		"VERDICT  TOPIC   FINDING\n"
		"ok       kernel  Linux 6\n"
		"warning  eid     none; smcctl eid ensure NAME\n"
		"This host is ready for SMC, 1 warning.\n");
	free(text);
	finding_add(&findings, FINDING_PROBLEM, "policy", NULL, "missing");
	finding_add(&findings, FINDING_UNKNOWN, "ipsec", "run as root", "?");
	assert_false(findings_ready(&findings));
	text = printed(&findings, false);
	assert_non_null(strstr(text, "\nThis host is NOT ready for SMC: 1 problem, 1 warning, 1 not looked at.\n"));
	free(text);
	text = printed(&findings, true);
	assert_non_null(strstr(text,
		"{\"verdict\":\"warning\",\"topic\":\"eid\",\"finding\":\"none\",\"remedy\":\"smcctl eid "
		"ensure NAME\"}"));
	assert_non_null(strstr(text, "\"ready\":false,\"problems\":1,\"warnings\":1,\"unknown\":1}"));
	free(text);
}

static void offers(void **state)
{
	static const char *const bad[] = {"", "x", "{}", "[]", "\"smcctl_doctor\"", "{\"smcctl_doctor\":2}",
		"{\"smcctl_doctor\":-1}", "{\"smcctl_doctor\":\"1\"}", "{\"smcctl_doctor\":1,\"eids\":[1]}",
		"{\"smcctl_doctor\":1", "SSH-2.0-OpenSSH_9.2\r\n",
		"{\"smcctl_doctor\":1,\"eids\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
		"\"\",\"\","
		"\"\",\"\"]}"};
	struct offer ours = {.boot = "b",
		.host = "h",
		.release = "6.12",
		.can = {[OFFER_SMCR_V2] = true},
		.eids = 2,
		.eid = {"A", "B.C-D"},
		.send = 1 << 20,
		.receive = 65536};
	struct offer theirs;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	assert_non_null(stream);
	assert_int_equal(offer_print(&ours, stream), 0);
	assert_int_equal(fclose(stream), 0);
	assert_true(size < OFFER_MAX);
	assert_int_equal(offer_parse(text, &theirs), 0);
	assert_memory_equal(&ours, &theirs, sizeof(ours));
	free(text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (offer_parse(bad[i], &theirs) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	/* Longer than there is room for, or of another type: cut off, or not there. */
	assert_int_equal(
		offer_parse("{\"smcctl_doctor\":1,\"boot\":\"0123456789012345678901234567890123456789\",\"host\":7,"
			    "\"smcr_v2\":1,\"send\":-5,\"receive\":1e300}",
			&theirs),
		0);
	assert_int_equal(strlen(theirs.boot), sizeof(theirs.boot) - 1);
	assert_string_equal(theirs.host, "");
	assert_false(theirs.can[OFFER_SMCR_V2]);
	assert_int_equal(theirs.send, 0);
	assert_int_equal(theirs.receive, 0);
}

/* Compares ours with theirs; the first two findings as "LEVEL TEXT". */
static void compared(const struct offer *ours, const struct offer *theirs, enum finding_level first,
	const char *first_text, enum finding_level second, const char *second_text)
{
	_cleanup_findings_ struct findings findings = {.item = NULL};

	peer_compare(&findings, ours, theirs);
	assert_int_equal(findings.count, second_text ? 2 : 1);
	assert_int_equal(findings.item[0].level, first);
	assert_string_equal(findings.item[0].text, first_text);
	if (!second_text)
		return;
	assert_int_equal(findings.item[1].level, second);
	assert_string_equal(findings.item[1].text, second_text);
}

static void comparison(void **state)
{
	const struct offer here = {
		.boot = "1", .can = {[OFFER_SMCR_V2] = true, [OFFER_LOOPBACK] = true}, .eids = 1, .eid = {"A"}};
	struct offer there = here;

	(void)state;
	memcpy(there.host, "peer", 5);
	memcpy(there.release, "6.1", 4);
	compared(&here, &there, FINDING_OK,
		"peer (Linux 6.1) and this host both serve SMC-R v2, SMC-D v2 within the machine", FINDING_OK,
		"both hosts have the EID A");
	there.boot[0] = '2';
	compared(&here, &there, FINDING_OK, "peer (Linux 6.1) and this host both serve SMC-R v2", FINDING_OK,
		"both hosts have the EID A");
	there.eid[0][0] = 'B';
	compared(&here, &there, FINDING_OK, "peer (Linux 6.1) and this host both serve SMC-R v2", FINDING_PROBLEM,
		"the hosts have no EID in common (here A, there B): no version 2 of SMC between them");
	there.can[OFFER_SMCR_V2] = false;
	compared(&here, &there, FINDING_PROBLEM,
		"peer (Linux 6.1) and this host serve no kind of SMC in common: here SMC-R v2, SMC-D v2 within the "
		"machine, there SMC-D v2 within the machine",
		FINDING_OK, NULL);
	/* Two machines whose boot IDs could not be read are not one. */
	there = here;
	there.boot[0] = '\0';
	there.can[OFFER_SMCR_V2] = false;
	compared(&there, &there, FINDING_PROBLEM,
		" (Linux ) and this host serve no kind of SMC in common: here SMC-D v2 within the machine, there SMC-D "
		"v2 "
		"within the machine",
		FINDING_OK, "both hosts have the EID A");
	there = here;
	there.eids = 0;
	there.can[OFFER_SMCR_V1] = true;
	compared(&there, &there, FINDING_OK,
		" (Linux ) and this host both serve SMC-R v1, SMC-R v2, SMC-D v2 within the machine", FINDING_WARNING,
		"the hosts have no EID in common (here none, there none): no version 2 of SMC between them");
	there = here;
	there.send = 2048;
	compared(&here, &here, FINDING_OK, " (Linux ) and this host both serve SMC-R v2, SMC-D v2 within the machine",
		FINDING_OK, "both hosts have the EID A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test(no_versions),
		cmocka_unit_test(defects),
		cmocka_unit_test(table),
		cmocka_unit_test(verdict),
		cmocka_unit_test(offers),
		cmocka_unit_test(comparison),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
