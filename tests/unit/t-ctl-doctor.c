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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test(no_versions),
		cmocka_unit_test(defects),
		cmocka_unit_test(table),
		cmocka_unit_test(verdict),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
