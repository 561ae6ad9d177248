/* SPDX-License-Identifier: MIT */
/* Tests of the texts around systemd: words, assignments, unit files, address families, commands, the drop-in's head. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/service/drop-in-text.h"
#include "ctl/service/unit-file.h"
#include "ctl/service/words.h"

static void words(void **state)
{
	static const struct {
		const char *text;
		const char *word[4];
	} rows[] = {
		{"", {NULL}},
		{" \t\n", {NULL}},
		{"a", {"a"}},
		{" a  b\nc", {"a", "b", "c"}},
		{"\"a b\" 'c d'", {"a b", "c d"}},
		{"A=\"b c\"d", {"A=b cd"}},
		{"\"D=\\$x\\\"\\\\\"", {"D=$x\"\\"}},
		{"$'a\\tb\\'c' d", {"a\tb'c", "d"}},
		{"'a\\n'", {"a\\n"}},
		{"\"\"", {""}},
		{"\"open a", {"open a"}},
		{"back\\", {"back\\"}},
		{"a\\ b", {"a b"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *rest = rows[i].text;
		char *word;

		for (size_t k = 0; k < 4 && rows[i].word[k]; k++) {
			assert_int_equal(words_next(&rest, &word), 1);
			assert_string_equal(word, rows[i].word[k]);
			free(word);
		}
		assert_int_equal(words_next(&rest, &word), 0);
	}
	assert_true(words_have("a \"b c\" d", "b c"));
	assert_false(words_have("ab", "a"));
	assert_false(words_have(NULL, "a"));
}

static void assigned(const char *text, const char *expected)
{
	char *value = NULL;

	assert_int_equal(words_assigned(text, "LD_PRELOAD", &value), 0);
	if (expected)
		assert_string_equal(value, expected);
	else
		assert_null(value);
	free(value);
}

static void assignments(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	assigned(NULL, NULL);
	assigned("", NULL);
	assigned("A=b LD_PRELOADX=c XLD_PRELOAD=d LD_PRELOAD", NULL);
	assigned("LD_PRELOAD=/a", "/a");
	assigned("\"LD_PRELOAD=/a b\" LD_PRELOAD=", "");
	assigned("LD_PRELOAD=/a X=LD_PRELOAD=/b LD_PRELOAD=/c", "/c");

	words_put_assignment(stream, "A", "b");
	words_put_assignment(stream, "A", "b %c \"\\");
	words_put_argument(stream, "/x y$1%\"\\");
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(text, "A=b\n\"A=b %%c \\\"\\\\\"\n\"/x y$$1%%\\\"\\\\\"\n");
	free(text);
}

static void families(void **state)
{
	static const struct {
		const char *line[4];
		enum families_kind kind;
		const char *list;
	} rows[] = {
		{{NULL}, FAMILIES_ALL, NULL},
		{{"AF_B AF_A"}, FAMILIES_ALLOW, "AF_A AF_B"},
		{{"AF_B", "AF_C AF_A AF_B"}, FAMILIES_ALLOW, "AF_A AF_B AF_C"},
		{{"~AF_B AF_A"}, FAMILIES_DENY, "AF_A AF_B"},
		{{"~AF_B AF_A", "AF_B"}, FAMILIES_DENY, "AF_A"},
		{{"~AF_B", "AF_B"}, FAMILIES_DENY, ""},
		{{"AF_A AF_B", "~AF_A"}, FAMILIES_ALLOW, "AF_B"},
		{{"AF_A", ""}, FAMILIES_ALL, NULL},
		{{"~AF_A", "", "AF_B"}, FAMILIES_ALLOW, "AF_B"},
		{{"AF_A", "none"}, FAMILIES_ALLOW, NULL},
		{{"none", "AF_A"}, FAMILIES_ALLOW, "AF_A"},
		{{"\"AF_B AF_C\" AF_A bogus AF_ö"}, FAMILIES_ALLOW, "AF_A"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_families_ struct families found = {.kind = FAMILIES_ALL};

		for (size_t k = 0; k < 4 && rows[i].line[k]; k++)
			assert_int_equal(families_assign(&found, rows[i].line[k]), 0);
		assert_int_equal(found.kind, rows[i].kind);
		if (rows[i].list)
			assert_string_equal(found.list, rows[i].list);
		else
			assert_null(found.list);
		assert_int_equal(families_allow(&found, "AF_Z"), rows[i].kind != FAMILIES_ALLOW);
	}
}

static int gather(void *context, const char *value)
{
	char *all = context;

	if (strcmp(value, "stop") == 0)
		return -EIO;
	strncat(all, value, 200 - strlen(all));
	strncat(all, "|", 200 - strlen(all));
	return 0;
}

static void parses(const char *text, int result, const char *expected)
{
	char all[256] = "";

	assert_int_equal(unit_file_parse(text, "Key", gather, all), result);
	assert_string_equal(all, expected);
}

static void unit_files(void **state)
{
	(void)state;
	parses("", 0, "");
	parses("Key=outside\n[Service]\nKey=a\n", 0, "a|");
	parses("[Service]\nKey = a b \nKey=\nKeys=c\n Key=d", 0, "a b||d|");
	parses("[Service]\n#Key=a\n;Key=b\n  # Key=c\n", 0, "");
	parses("[Unit]\nKey=a\n[Service]\nKey=b\n[Install]\nKey=c\n[Service]\nKey=d\n", 0, "b|d|");
	parses("[Service]\nKey=a\\\nb\\\n c\nKey=d", 0, "a b  c|d|");
	parses("[Service]\nKey=a \\\n# not this\n; nor this\n b\n", 0, "a   b|");
	parses("[Service]\nKey=a\\\n", 0, "a|");
	parses("[Service]\nKey=a\\", 0, "a|");
	parses("[Service]\n\\\n\nKey=a\n\\", 0, "a|");
	parses("[Service]\r\nKey=a\r\n", 0, "a|");
	parses("[Service]\nKey=a\nKey=stop\nKey=b\n", -EIO, "a|");
	parses("\xff\xfe[Service]\nKey=a\n", 0, "");
}

static void commands(void **state)
{
	char *path = NULL;
	char *line = NULL;

	(void)state;
	assert_int_equal(
		unit_command("{ path=/bin/a ; argv[]=/bin/a -b ; c ; ignore_errors=no ; pid=0 }", &path, &line), 0);
	assert_string_equal(path, "/bin/a");
	assert_string_equal(line, "/bin/a -b ; c");
	free(path);
	free(line);
	assert_int_equal(
		unit_command("{ path=/a ; argv[]=/a ; ignore_errors=no ; ignore_errors=yes ; }", &path, &line), 0);
	assert_string_equal(line, "/a ; ignore_errors=no");
	free(path);
	free(line);
	assert_int_equal(unit_command("", &path, &line), -EINVAL);
	assert_int_equal(unit_command("{ path=/a }", &path, &line), -EINVAL);
	assert_int_equal(unit_command("path=/a ; argv[]=/a", &path, &line), -EINVAL);
}

static void kind_is(const char *text, enum drop_in_kind kind, unsigned made, const char *body)
{
	_cleanup_drop_in_ struct drop_in found = {.kind = DROP_IN_NONE};

	assert_int_equal(drop_in_parse(text, &found), 0);
	assert_int_equal(found.kind, kind);
	assert_int_equal(found.made, made);
	assert_string_equal(found.body, body);
}

static void drop_ins(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(drop_in_compose("x.service", "[Service]\nA=b\n", 3, &text), 0);
	kind_is(text, DROP_IN_OURS, 3, "[Service]\nA=b\n");
	/* One more character, one other, one less. */
	text[strlen(text) - 2] = 'c';
	kind_is(text, DROP_IN_EDITED, 3, "[Service]\nA=c\n");
	text[strlen(text) - 1] = '\0';
	kind_is(text, DROP_IN_EDITED, 3, "[Service]\nA=c");
	free(text);
	kind_is("", DROP_IN_FOREIGN, 0, "");
	kind_is("[Service]\n", DROP_IN_FOREIGN, 0, "[Service]\n");
	kind_is("# smcctl drop-in 1, made 1, digest 0\n", DROP_IN_FOREIGN, 0, "# smcctl drop-in 1, made 1, digest 0\n");
	kind_is("#\n# smcctl drop-in 1, made 1, digest 0", DROP_IN_FOREIGN, 0,
		"#\n# smcctl drop-in 1, made 1, digest 0");
	kind_is("#\n# smcctl drop-in 1, made 99, digest 0\n", DROP_IN_FOREIGN, 0,
		"#\n# smcctl drop-in 1, made 99, digest 0\n");
	kind_is("#\n# smcctl drop-in 1, made 1, digest x\n", DROP_IN_FOREIGN, 0,
		"#\n# smcctl drop-in 1, made 1, digest x\n");
	kind_is("#\n#\n# smcctl drop-in 1, made 1, digest 0\n", DROP_IN_FOREIGN, 0,
		"#\n#\n# smcctl drop-in 1, made 1, digest 0\n");
	kind_is("#\n# smcctl drop-in 1, made 1, digest 0\nx", DROP_IN_EDITED, 1, "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(assignments),
		cmocka_unit_test(families),
		cmocka_unit_test(unit_files),
		cmocka_unit_test(commands),
		cmocka_unit_test(drop_ins),
	};

	return cmocka_run_group_tests_name("ctl-service", tests, NULL, NULL);
}
