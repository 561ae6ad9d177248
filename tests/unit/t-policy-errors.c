/* SPDX-License-Identifier: MIT */
/* The golden test of a policy's error messages: t-policy-errors.txt holds policies and all that must be said of them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/cleanup.h"
#include "policy/policy.h"

/* A case is "=== NAME", the policy, and, where it is wrong, "---" and the messages. */
#define CASE "=== "
#define EXPECTED "---\n"

static char *read_golden(void)
{
	const char *srcdir = getenv("srcdir");
	char path[2048];
	FILE *file;
	char *text = calloc(1, 1 << 20);

	(void)snprintf(path, sizeof(path), "%s/tests/unit/t-policy-errors.txt", srcdir ? srcdir : ".");
	file = fopen(path, "r");
	if (!file || !text || !fread(text, 1, (1 << 20) - 1, file)) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(1);
	}
	(void)fclose(file);
	return text;
}

/* All that is said of a policy, a message per line. */
static char *messages_of(const char *text, size_t len)
{
	_cleanup_policy_errors_ struct policy_errors errors = {0};
	_cleanup_policy_ struct policy *policy = NULL;
	char *said = NULL;
	size_t size;
	FILE *out = open_memstream(&said, &size);
	int r = policy_parse("p.json", text, len, &policy, &errors);

	assert_non_null(out);
	for (size_t i = 0; i < errors.count; i++)
		fprintf(out, "%s\n", errors.items[i].text);
	assert_true((r == 0) == (errors.count == 0));
	assert_true((policy != NULL) == (r == 0));
	(void)fclose(out);
	return said;
}

struct golden_case {
	char *text; /* owns the three */
	char *name;
	char *policy;
	char *expected; /* "" if the policy is good */
};

/* Cuts the case at *golden out, which then stands at the next one or is NULL. */
static struct golden_case next_case(const char **golden)
{
	const char *next = strstr(*golden + 1, "\n" CASE);
	struct golden_case one = {.text = next ? strndup(*golden, (size_t)(next + 1 - *golden)) : strdup(*golden)};
	char *line;

	assert_non_null(one.text);
	assert_int_equal(strncmp(one.text, CASE, strlen(CASE)), 0);
	one.name = one.text + strlen(CASE);
	line = strchr(one.name, '\n');
	assert_non_null(line);
	*line = '\0';
	one.policy = line + 1;
	*golden = next ? next + 1 : NULL;
	for (line = one.policy; line && strncmp(line, EXPECTED, strlen(EXPECTED)) != 0;) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (line)
		*line = '\0';
	one.expected = line ? line + strlen(EXPECTED) : one.text + strlen(one.text);
	return one;
}

static void test_golden(void **state)
{
	_cleanup_free_ char *golden = read_golden();
	unsigned cases = 0, wrong = 0;

	(void)state;
	for (const char *at = golden; at; cases++) {
		struct golden_case one = next_case(&at);
		_cleanup_free_ char *said = messages_of(one.policy, strlen(one.policy));

		if (strcmp(said, one.expected) != 0) {
			wrong++;
			fprintf(stderr, "case '%s' says\n%sand not\n%s", one.name, said, one.expected);
		}
		free(one.text);
	}
	assert_true(cases > 50);
	assert_int_equal(wrong, 0);
}

/* Writes the golden file anew, to be read by a human before it is kept. */
static int print_golden(void)
{
	_cleanup_free_ char *golden = read_golden();

	for (const char *at = golden; at;) {
		struct golden_case one = next_case(&at);
		_cleanup_free_ char *said = messages_of(one.policy, strlen(one.policy));

		printf(CASE "%s\n%s%s%s", one.name, one.policy, *said ? EXPECTED : "", said);
		free(one.text);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
	};

	if (argc > 1 && !strcmp(argv[1], "--print"))
		return print_golden();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
