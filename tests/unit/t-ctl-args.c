/* SPDX-License-Identifier: MIT */
/* Tests of smcctl's command line: the tables, their parser, help and completion. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/args.h"
#include "ctl/commands.h"

#define MAX_WORDS 12

enum { ROW_FILE, ROW_FLAG, ROW_EVERY };

static const struct ctl_option options[] = {
	[ROW_FILE] = {"file", 0, "FILE", "a file"},
	[ROW_FLAG] = {"flag", 'f', NULL, "a flag"},
	[ROW_EVERY] = {"every", 0, "[SECONDS]", "an optional value"},
	{NULL, 0, NULL, NULL},
};

static const struct ctl_command plain = {
	.name = "plain", .operands = "[A B]", .help = "", .options = options, .max_operands = 2};
static const struct ctl_command strict = {
	.name = "strict", .operands = "A", .help = "", .options = options, .min_operands = 1, .max_operands = 1};
static const struct ctl_command last = {.name = "last",
	.operands = "[X...]",
	.help = "",
	.options = options,
	.max_operands = SIZE_MAX,
	.operands_last = true};

struct sink {
	struct ctl ctl;
	char *text;
	size_t size;
};

static void sink_open(struct sink *sink)
{
	sink->ctl.err = open_memstream(&sink->text, &sink->size);
	assert_non_null(sink->ctl.err);
	sink->ctl.out = sink->ctl.err;
}

static void sink_close(struct sink *sink, const char *expected)
{
	assert_int_equal(fclose(sink->ctl.err), 0);
	if (expected)
		assert_string_equal(sink->text, expected);
	free(sink->text);
}

/* Splits at blanks; "''" is an empty word. */
static int split(char *line, char *words[static MAX_WORDS + 1])
{
	int n = 0;
	char *rest = NULL;

	for (char *word = strtok_r(line, " ", &rest); word && n < MAX_WORDS; word = strtok_r(NULL, " ", &rest))
		words[n++] = strcmp(word, "''") == 0 ? word + 2 : word;
	words[n] = NULL;
	return n;
}

static void parser(void **state)
{
	static const struct {
		const struct ctl_command *command;
		const char *line;
		enum args_result result;
		const char *file, *flag, *every;
		size_t operands;
		const char *first;
		const char *message;
	} rows[] = {
		{&plain, "", ARGS_OK, NULL, NULL, NULL, 0, NULL, ""},
		{&plain, "a --flag b", ARGS_OK, NULL, "", NULL, 2, "a", ""},
		{&plain, "--file x -f a", ARGS_OK, "x", "", NULL, 1, "a", ""},
		{&plain, "--file=x=y", ARGS_OK, "x=y", NULL, NULL, 0, NULL, ""},
		{&plain, "--file --flag", ARGS_OK, "--flag", NULL, NULL, 0, NULL, ""},
		{&plain, "-- --flag", ARGS_OK, NULL, NULL, NULL, 1, "--flag", ""},
		{&plain, "-", ARGS_OK, NULL, NULL, NULL, 1, "-", ""},
		{&plain, "''", ARGS_OK, NULL, NULL, NULL, 1, "", ""},
		{&plain, "--every", ARGS_OK, NULL, NULL, "", 0, NULL, ""},
		{&plain, "--every 5 a", ARGS_OK, NULL, NULL, "5", 1, "a", ""},
		{&plain, "--every a", ARGS_OK, NULL, NULL, "", 1, "a", ""},
		{&plain, "--every=7", ARGS_OK, NULL, NULL, "7", 0, NULL, ""},
		{&plain, "--flag --help", ARGS_HELP, NULL, "", NULL, 0, NULL, ""},
		{&last, "-f prog --flag --help", ARGS_OK, NULL, "", NULL, 3, "prog", ""},
		{&last, "-- -f", ARGS_OK, NULL, NULL, NULL, 1, "-f", ""},
		{&plain, "--fl", ARGS_WRONG, NULL, NULL, NULL, 0, NULL,
			"smcctl: option '--fl': unknown; try smcctl plain --help\n"},
		{&plain, "--flagg", ARGS_WRONG, NULL, NULL, NULL, 0, NULL,
			"smcctl: option '--flagg': unknown; try smcctl plain --help\n"},
		{&plain, "-ff", ARGS_WRONG, NULL, NULL, NULL, 0, NULL,
			"smcctl: option '-ff': unknown; try smcctl plain --help\n"},
		{&plain, "---", ARGS_WRONG, NULL, NULL, NULL, 0, NULL,
			"smcctl: option '---': unknown; try smcctl plain --help\n"},
		{&plain, "--flag=1", ARGS_WRONG, NULL, NULL, NULL, 0, NULL,
			"smcctl: option '--flag=1': takes no value; try smcctl plain --help\n"},
		{&plain, "--file", ARGS_WRONG, NULL, NULL, NULL, 0, NULL,
			"smcctl: option '--file': needs a value; try smcctl plain --help\n"},
		{&plain, "--file ''", ARGS_WRONG, NULL, NULL, NULL, 0, NULL,
			"smcctl: option '--file': needs a value that is not empty; try smcctl plain --help\n"},
		{&plain, "-f -f", ARGS_WRONG, NULL, "", NULL, 0, NULL,
			"smcctl: option '-f': given twice; try smcctl plain --help\n"},
		{&plain, "a b c", ARGS_WRONG, NULL, NULL, NULL, 3, "a",
			"smcctl: argument 'c': one too many; try smcctl plain --help\n"},
		{&strict, "", ARGS_WRONG, NULL, NULL, NULL, 0, NULL,
			"smcctl: command 'strict': A is missing; try smcctl strict --help\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[100];
		char *words[MAX_WORDS + 1];
		struct ctl_args args;
		struct sink sink;
		int n;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		n = split(line, words);
		sink_open(&sink);
		assert_int_equal(args_parse(&sink.ctl, rows[i].command, n, words, &args), rows[i].result);
		sink_close(&sink, rows[i].message);
		if (rows[i].result == ARGS_WRONG)
			continue;
		assert_int_equal(args.option[ROW_FILE] != NULL, rows[i].file != NULL);
		assert_int_equal(args.option[ROW_FLAG] != NULL, rows[i].flag != NULL);
		assert_int_equal(args.option[ROW_EVERY] != NULL, rows[i].every != NULL);
		if (rows[i].file)
			assert_string_equal(args.option[ROW_FILE], rows[i].file);
		if (rows[i].every)
			assert_string_equal(args.option[ROW_EVERY], rows[i].every);
		if (rows[i].result == ARGS_HELP)
			continue;
		assert_int_equal(args.operands, rows[i].operands);
		if (rows[i].first)
			assert_string_equal(args.operand[0], rows[i].first);
	}
}

static void tables(void **state)
{
	size_t count;
	const struct ctl_command *commands = ctl_commands(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		size_t rows = 0;

		assert_non_null(commands[i].run);
		assert_true(commands[i].max_operands >= commands[i].min_operands);
		for (const struct ctl_option *o = commands[i].options; o && o->name; o++) {
			assert_non_null(o->help);
			rows++;
		}
		assert_true(rows <= CTL_MAX_OPTIONS);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(commands[i].name, commands[k].name);
	}
}

static void lookup(void **state)
{
	char *policy_apply[] = {(char *)(uintptr_t) "policy", (char *)(uintptr_t) "apply", NULL};
	char *part[] = {(char *)(uintptr_t) "polic", (char *)(uintptr_t) "apply", NULL};
	char *stat[] = {(char *)(uintptr_t) "status", NULL};
	size_t words = 0;

	(void)state;
	assert_string_equal(args_command(2, policy_apply, &words)->name, "policy apply");
	assert_int_equal(words, 2);
	assert_null(args_command(1, policy_apply, &words));
	assert_null(args_command(2, part, &words));
	assert_null(args_command(0, stat, &words));
	assert_string_equal(args_command(1, stat, &words)->name, "status");
	assert_int_equal(words, 1);
	assert_true(args_is_group("policy"));
	assert_false(args_is_group("poli"));
	assert_false(args_is_group("status"));
	assert_false(args_is_group(""));
}

static void completion(void **state)
{
	static const struct {
		const char *line;
		const char *result;
	} rows[] = {
		{"ru", "run\n"},
		{"polic", "policy\n"},
		{"policy o", "on\noff\nobserve\n"},
		{"policy w", "watch\n"},
		{"status --w", "--watch\n"},
		{"run --",
			"--policy\n--require\n--print-env\n--supervise\n--no-supervise\n--argv0\n--verbose\n--help\n"},
		{"status 1", ""},
		{"nothing ''", ""},
		{"comp", ""},
		{"--v", "--version\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[100];
		char *words[MAX_WORDS + 1];
		struct ctl_args args = {.operand = words};
		struct sink sink;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		args.operands = (size_t)split(line, words);
		sink_open(&sink);
		assert_int_equal(cmd_complete(&sink.ctl, &args), CTL_OK);
		sink_close(&sink, rows[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parser),
		cmocka_unit_test(tables),
		cmocka_unit_test(lookup),
		cmocka_unit_test(completion),
	};

	return cmocka_run_group_tests_name("ctl-args", tests, NULL, NULL);
}
