/* SPDX-License-Identifier: MIT */
/* Tests of the texts around systemd: words, assignments, unit files, address families, commands, the drop-in's head. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/service/drop-in-text.h"
#include "ctl/ctl.h"
#include "ctl/service/exec-unit.h"
#include "ctl/service/state.h"
#include "ctl/service/unit-file.h"
#include "ctl/service/words.h"
#include "policy/policy.h"
#include "policy/store.h"

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

/* What becomes of a value of ExecStart=; NULL: an error. */
static char *supervised(const char *value)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	struct exec_command command;
	const char *why;
	int r;

	while ((r = exec_command_next(&value, &command, &why)) > 0) {
		exec_command_put(stream, &command, "/S");
		exec_command_clear(&command);
	}
	fclose(stream);
	if (r == 0)
		return text;
	assert_int_equal(r, -EINVAL);
	assert_non_null(why);
	free(text);
	return NULL;
}

#define RUN "/S run --supervise -- "

static void exec_lines(void **state)
{
	static const struct {
		const char *value;
		const char *lines;
	} rows[] = {
		{"", ""},
		{"  ", ""},
		{"/a", "ExecStart=" RUN "/a\n"},
		{"/a b  c", "ExecStart=" RUN "/a b  c\n"},
		{"-/a b", "ExecStart=-" RUN "/a b\n"},
		{"+/a", "ExecStart=+" RUN "/a\n"},
		{"!!:-/a", "ExecStart=!!:-" RUN "/a\n"},
		{"\"-/a b\" c", "ExecStart=-" RUN "\"/a b\" c\n"},
		{"'/a b' 'c d'", "ExecStart=" RUN "'/a b' 'c d'\n"},
		{"/a\\x20b c", "ExecStart=" RUN "/a\\x20b c\n"},
		{"%h/a %i %%", "ExecStart=" RUN "%h/a %i %%\n"},
		{"/a $A ${B} $$ \\\"", "ExecStart=" RUN "/a $A ${B} $$ \\\"\n"},
		{"@/a b c", "ExecStart=/S run --supervise --argv0 b -- /a c\n"},
		{"-@/a \"b c\"", "ExecStart=-/S run --supervise --argv0 \"b c\" -- /a\n"},
		{"@/a %n d", "ExecStart=/S run --supervise --argv0 %n -- /a d\n"},
		{"/a b ; /c", "ExecStart=" RUN "/a b\nExecStart=" RUN "/c\n"},
		{"/a ;", "ExecStart=" RUN "/a\n"},
		{"/a ; -@/b c ; /d e",
			"ExecStart=" RUN "/a\nExecStart=-/S run --supervise --argv0 c -- /b\nExecStart=" RUN "/d e\n"},
		{"/a \\; \";\" b;c ;d", "ExecStart=" RUN "/a \\; \";\" b;c ;d\n"},
		{"/a 'b ; c'", "ExecStart=" RUN "/a 'b ; c'\n"},
		{"/usr/bin/smcctl run -- /a", "ExecStart=/usr/bin/smcctl run -- /a\n"},
		{"-@/usr/bin/smcctl x run /a", "ExecStart=-@/usr/bin/smcctl x run /a\n"},
		{"/usr/bin/smcctl status", "ExecStart=" RUN "/usr/bin/smcctl status\n"},
		{"/usr/bin/smcctl runs", "ExecStart=" RUN "/usr/bin/smcctl runs\n"},
		{"/a --supervise -- b", "ExecStart=" RUN "/a --supervise -- b\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *lines = supervised(rows[i].value);

		assert_non_null(lines);
		assert_string_equal(lines, rows[i].lines);
		free(lines);
	}
}

static void exec_refusals(void **state)
{
	static const char *const values[] = {"-", "\"\"", "''", "a b", "\"a\"", "/a \"b", "'/a", "/a$b", "/a/${B}",
		"|/a", "@/a", "@/a ; /b", "@/a $B", "/a ; b", "; /a", "/a ; - ; /b"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char *lines = supervised(values[i]);

		if (lines)
			fail_msg("'%s' became '%s'", values[i], lines);
	}
}

static void smcctl_is(const char *body, const char *expected)
{
	char *path = NULL;

	assert_int_equal(exec_text_smcctl(body, &path), 0);
	if (expected)
		assert_string_equal(path, expected);
	else
		assert_null(path);
	free(path);
}

static void exec_texts(void **state)
{
	static const char body[] = "[Service]\nA=b\nExecStart=\nExecStart=-:" RUN "/a\nExecStart=" RUN "/b\nC=d\n";

	(void)state;
	assert_true(exec_text_supervises(body));
	assert_true(exec_text_has(body, "ExecStart=\nExecStart=-:" RUN "/a\nExecStart=" RUN "/b\n"));
	/* One less, one more, another order, another word. */
	assert_false(exec_text_has(body, "ExecStart=\nExecStart=-:" RUN "/a\n"));
	assert_false(
		exec_text_has(body, "ExecStart=\nExecStart=-:" RUN "/a\nExecStart=" RUN "/b\nExecStart=" RUN "/c\n"));
	assert_false(exec_text_has(body, "ExecStart=\nExecStart=" RUN "/b\nExecStart=-:" RUN "/a\n"));
	assert_false(exec_text_has(body, "ExecStart=\nExecStart=-:" RUN "/a\nExecStart=" RUN "/b c\n"));
	smcctl_is(body, "/S");
	assert_false(exec_text_supervises(NULL));
	assert_false(exec_text_supervises("[Service]\nExecStartPre=\nEnvironment=LD_PRELOAD=/x\n"));
	assert_false(exec_text_has("[Service]\n", "ExecStart=\n"));
	smcctl_is("[Service]\nExecStart=\nExecStart=/usr/bin/smcctl run -- /a\n", NULL);
	smcctl_is(NULL, NULL);
}

static int compare(const char *before, const char *after)
{
	struct unit old = {.text = NULL};
	struct unit new = {.text = NULL};
	struct unit *units[] = {&old, &new};
	const char *texts[] = {before, after};
	int r;

	for (size_t i = 0; i < 2; i++) {
		units[i]->text = strdup(texts[i]);
		units[i]->size = strlen(texts[i]);
		units[i]->drop_in = strdup("/e/90-smcctl.conf");
		for (char *p = units[i]->text; (p = strchr(p, '\n')); p++)
			*p = '\0';
	}
	r = exec_unit_verify(&old, &new, "/S");
	unit_clear(&old);
	unit_clear(&new);
	return r;
}

#define SHOWN(path, line, ignores) "ExecStart={ path=" path " ; argv[]=" line " ; ignore_errors=" ignores " ; pid=0 }\n"

static void exec_compared(void **state)
{
	static const char one[] = SHOWN("/a", "/a b", "no");

	(void)state;
	assert_int_equal(compare(one, SHOWN("/S", RUN "/a b", "no")), 1);
	assert_int_equal(compare(one, SHOWN("/S", RUN "/a c", "no")), 0);
	assert_int_equal(compare(one, SHOWN("/S", RUN "/a b", "yes")), 0);
	assert_int_equal(compare(one, SHOWN("/S", RUN "/a", "no")), 0);
	assert_int_equal(compare(one, one), 0);
	assert_int_equal(compare(one, ""), 0);
	assert_int_equal(compare(one, SHOWN("/S", RUN "/a b", "no") SHOWN("/S", RUN "/c", "no")), 0);
	assert_int_equal(compare(SHOWN("/a", "/a b", "no") SHOWN("/c", "/c", "no"), SHOWN("/S", RUN "/a b", "no")), 0);
	assert_int_equal(
		compare(SHOWN("/a", "x b", "no"), SHOWN("/S", "/S run --supervise --argv0 x -- /a b", "no")), 1);
	assert_int_equal(
		compare(SHOWN("/a", "x b", "no"), SHOWN("/S", "/S run --supervise --argv0 y -- /a b", "no")), 0);
	assert_int_equal(
		compare(SHOWN("/u/smcctl", "/u/smcctl run /a", "no"), SHOWN("/u/smcctl", "/u/smcctl run /a", "no")), 1);
	assert_int_equal(
		compare(SHOWN("/a", "x y b", "no"), SHOWN("/S", "/S run --supervise --argv0 x y -- /a b", "no")), 1);
	assert_int_equal(
		compare(SHOWN("/a", "x y", "no"), SHOWN("/S", "/S run --supervise --argv0 x y -- /a", "no")), 1);
	/* What was before is no measure. */
	assert_int_equal(compare("NeedDaemonReload=yes\n" SHOWN("/a", "/a b", "no"), SHOWN("/S", RUN "/c", "no")), 1);
	assert_int_equal(
		compare("DropInPaths=/e/90-smcctl.conf\n" SHOWN("/S", RUN "/a", "no"), SHOWN("/S", RUN "/c", "no")), 1);
	assert_int_equal(compare("NeedDaemonReload=yes\n" SHOWN("/a", "/a b", "no"), one), 0);
}

#define LIBRARY "[Service]\nEnvironment=LD_PRELOAD=/l/libsmcshim.so\n"
#define COMMAND "[Service]\nExecStart=\nExecStart=" RUN "/a\n"
#define CARRIED "Environment=LD_PRELOAD=/l/libsmcshim.so\n"
#define EARLY "ExecMainStartTimestampMonotonic=1\n"
#define TABLE CTL_DEFAULT_TABLE

/* What there is, and what status makes of it. */
static const struct {
	const char *unit;    /* as systemd shows it */
	const char *drop_in; /* its body; NULL: none */
	const char *file;    /* an environment file of the unit; NULL: none */
	bool unread;         /* by systemd */
	bool stopped;
	struct process_report main;
	enum state_kind kind;
	const char *why; /* begins so */
} found[] = {
	{"", NULL, .stopped = true, .kind = STATE_NOT_ENABLED, .why = ""},
	{"", NULL, .main.kind = PROCESS_PLAIN, .kind = STATE_NOT_ENABLED, .why = ""},
	{"", NULL, .main.kind = PROCESS_ABSENT, .kind = STATE_NOT_ENABLED, .why = ""},
	{"", LIBRARY, .unread = true, .kind = STATE_RELOAD,
		.why = "systemd has not read it yet: systemctl daemon-reload"},
	{CARRIED, LIBRARY, .stopped = true, .kind = STATE_NOT_RUNNING, .why = ""},
	{CARRIED, LIBRARY, .main = {.kind = PROCESS_CARRIES, .table = TABLE}, .kind = STATE_ACCELERATED, .why = ""},
	/* Without the drop-in, or no more with it. */
	{CARRIED, NULL, .main = {.kind = PROCESS_CARRIES, .table = TABLE}, .kind = STATE_ACCELERATED,
		.why = "not by smcctl"},
	{SHOWN("/u/smcctl", "/u/smcctl run /a", "no"), NULL,
		.main = {.kind = PROCESS_CARRIES, .table = TABLE, .supervisor = 2}, .kind = STATE_ACCELERATED,
		.why = "not by smcctl"},
	{"", NULL, .file = "A=b\nLD_PRELOAD=/a.so:/l/libsmcshim.so\n",
		.main = {.kind = PROCESS_CARRIES, .table = TABLE}, .kind = STATE_ACCELERATED, .why = "not by smcctl"},
	{"", NULL, .file = "A=b\n", .main = {.kind = PROCESS_CARRIES, .table = TABLE}, .kind = STATE_RESTART_AWAY,
		.why = ""},
	{"", NULL, .file = "LD_PRELOAD=/a.so\n", .main = {.kind = PROCESS_CARRIES, .table = TABLE},
		.kind = STATE_RESTART_AWAY, .why = ""},
	{"EnvironmentFiles=/nowhere/e (ignore_errors=yes)\n", NULL, .main = {.kind = PROCESS_CARRIES, .table = TABLE},
		.kind = STATE_RESTART_AWAY, .why = ""},
	{"", NULL, .main = {.kind = PROCESS_CARRIES, .table = TABLE}, .kind = STATE_RESTART_AWAY, .why = ""},
	/* Started before, or in another way. */
	{CARRIED EARLY, LIBRARY, .main.kind = PROCESS_PLAIN, .kind = STATE_RESTART, .why = ""},
	{CARRIED, LIBRARY, .main = {.kind = PROCESS_CARRIES, .table = "/t"}, .kind = STATE_RESTART,
		.why = "it follows another policy"},
	{"Environment=SMC_POLICY=/t\n", LIBRARY, .main = {.kind = PROCESS_CARRIES, .table = "/t"},
		.kind = STATE_ACCELERATED, .why = ""},
	{"Environment=SMC_POLICY=/t\n", LIBRARY, .main = {.kind = PROCESS_CARRIES, .table = TABLE},
		.kind = STATE_RESTART, .why = "it follows another policy"},
	{CARRIED, LIBRARY, .main = {.kind = PROCESS_CARRIES, .table = TABLE, .supervisor = 2}, .kind = STATE_RESTART,
		.why = "it is accelerated in another way"},
	{"", COMMAND, .main = {.kind = PROCESS_CARRIES, .table = TABLE, .supervisor = 2}, .kind = STATE_ACCELERATED,
		.why = ""},
	{"", COMMAND, .main = {.kind = PROCESS_CARRIES, .table = TABLE}, .kind = STATE_RESTART,
		.why = "it is accelerated in another way"},
	{CARRIED, LIBRARY, .main.kind = PROCESS_OTHER_ABI, .kind = STATE_RESTART,
		.why = "it carries the library of another version"},
	/* The unit's own command is /a. */
	{"", "[Service]\nExecStart=\nExecStart=" RUN "/b\n",
		.main = {.kind = PROCESS_CARRIES, .table = TABLE, .supervisor = 2}, .kind = STATE_STALE,
		.why = "the unit's command has changed"},
	/* Kept from it. */
	{CARRIED, LIBRARY, .main.kind = PROCESS_PLAIN, .kind = STATE_KEPT_OUT,
		.why = "LD_PRELOAD is not in its environment"},
	{"", COMMAND, .main.kind = PROCESS_PLAIN, .kind = STATE_KEPT_OUT, .why = "it could not be supervised"},
	{CARRIED, LIBRARY, .main = {.kind = PROCESS_ABSENT, .absence = ABSENCE_STATIC}, .kind = STATE_KEPT_OUT,
		.why = "its program is linked statically: smcctl service enable --supervise"},
	{CARRIED, LIBRARY, .main = {.kind = PROCESS_ABSENT, .absence = ABSENCE_SECURE}, .kind = STATE_KEPT_OUT,
		.why = "it was started in secure-execution mode"},
	/* Not to be seen. */
	{CARRIED, LIBRARY, .main.kind = PROCESS_DENIED, .kind = STATE_UNKNOWN,
		.why = "its process may not be looked into; run as root"},
	{CARRIED, LIBRARY, .main.kind = PROCESS_STUCK, .kind = STATE_UNKNOWN,
		.why = "its process does not let its memory be read"},
	{CARRIED, LIBRARY, .main.kind = PROCESS_UNREADABLE, .kind = STATE_UNKNOWN,
		.why = "it carries a file of the library's name"},
};

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text), 0);
	close(fd);
}

/* The file is the unit's, and stands for the drop-in where that is looked at: since when it is there. */
static void state_is(size_t i, char *file)
{
	struct unit unit = {.drop_in = file};
	/* The first is not the main one, and large. */
	static struct process_report reports[2] = {{.pid = 2}};
	const struct processes processes = {.main = 1, .reports = {.item = reports, .count = found[i].stopped ? 0 : 2}};
	struct drop_in drop_in = {
		.kind = found[i].drop_in ? DROP_IN_OURS : DROP_IN_NONE, .body = (char *)(uintptr_t)found[i].drop_in};
	struct service_state is;
	char environment[64];

	reports[1] = found[i].main;
	reports[1].pid = 1;
	(void)snprintf(environment, sizeof(environment), "%s.environment", file);
	if (found[i].file)
		write_text(environment, found[i].file);
	/* The first of them is not there. */
	assert_true(asprintf(&unit.text, "FragmentPath=%s\nDropInPaths=%s\n%s%s%s%s", file,
			    found[i].drop_in && !found[i].unread ? file : "", found[i].unit,
			    found[i].file ? "EnvironmentFiles=/nowhere (ignore_errors=yes)\nEnvironmentFiles=" : "",
			    found[i].file ? environment : "", found[i].file ? " (ignore_errors=no)\n" : "") > 0);
	unit.size = strlen(unit.text);
	for (char *p = unit.text; (p = strchr(p, '\n')); p++)
		*p = '\0';
	assert_int_equal(state_find(&unit, &drop_in, &processes, &is), 0);
	if (is.kind != found[i].kind || strncmp(is.why, found[i].why, strlen(found[i].why)) != 0 ||
		!*is.why != !*found[i].why)
		fail_msg("%zu: %s, '%s' instead of %s, '%s'", i, state_key(is.kind), is.why, state_key(found[i].kind),
			found[i].why);
	free(unit.text);
	(void)unlink(environment);
}

static void states(void **state)
{
	char file[] = "/tmp/smcctl-unit-XXXXXX";
	int fd = mkstemp(file);

	(void)state;
	assert_int_equal(write_all(fd, "[Service]\nExecStart=/a\n"), 0);
	close(fd);
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		state_is(i, file);
	assert_int_equal(unlink(file), 0);
}

/* The process carries the library: what its table, its sockets and its counters make of that. */
static const struct {
	const char *what;
	bool missing;
	enum policy_state state;
	uint32_t kernel;
	struct service_sockets sockets;
	uint64_t connected; /* over SMC, by its count */
	enum state_kind kind;
	const char *why; /* begins so */
} proofs[] = {
	{"no socket yet", .state = POLICY_ON, .kernel = POLICY_KERNEL_AF_SMC, .kind = STATE_ACCELERATED, .why = ""},
	{"connections that are TCP", .state = POLICY_ON, .kernel = POLICY_KERNEL_AF_SMC, .sockets.tcp = 3,
		.kind = STATE_ACCELERATED, .why = ""},
	{"no table", .missing = true, .kind = STATE_TCP, .why = "policy: no policy is in force"},
	{"off", .state = POLICY_OFF, .kernel = POLICY_KERNEL_AF_SMC, .sockets.listen_smc = 1, .kind = STATE_TCP,
		.why = "policy: its state is off; smcctl policy on"},
	{"observe", .state = POLICY_OBSERVE, .kernel = POLICY_KERNEL_AF_SMC, .connected = 1, .kind = STATE_TCP,
		.why = "policy: its state is observe"},
	{"no SMC", .state = POLICY_ON, .kind = STATE_TCP, .why = "kernel: had no SMC when the policy was applied"},
	{"listeners that are TCP", .state = POLICY_ON, .kernel = POLICY_KERNEL_AF_SMC,
		.sockets = {.listen_tcp = 2, .tcp = 1, .fell_back = 1}, .kind = STATE_TCP,
		.why = "its listeners are TCP, and nothing is SMC"},
	{"one that is not", .state = POLICY_ON, .kernel = POLICY_KERNEL_AF_SMC,
		.sockets = {.listen_tcp = 2, .listen_smc = 1}, .kind = STATE_ACCELERATED, .why = ""},
	{"an SMC-D connection", .state = POLICY_ON, .kernel = POLICY_KERNEL_AF_SMC,
		.sockets = {.listen_tcp = 1, .smc_d = 1}, .kind = STATE_ACCELERATED, .why = ""},
	{"an SMC-R connection", .state = POLICY_ON, .kernel = POLICY_KERNEL_AF_SMC,
		.sockets = {.listen_tcp = 1, .smc_r = 1}, .kind = STATE_ACCELERATED, .why = ""},
	{"one that is closed", .state = POLICY_ON, .kernel = POLICY_KERNEL_AF_SMC, .sockets.listen_tcp = 1,
		.connected = 1, .kind = STATE_ACCELERATED, .why = ""},
	{"SMC sockets that cannot be seen", .state = POLICY_ON, .kernel = POLICY_KERNEL_AF_SMC,
		.sockets = {.listen_tcp = 1, .smc_error = -EPERM}, .kind = STATE_ACCELERATED, .why = ""},
	{"a kernel that has none any more", .state = POLICY_ON, .kernel = POLICY_KERNEL_AF_SMC,
		.sockets = {.listen_tcp = 1, .smc_error = -EPROTONOSUPPORT}, .kind = STATE_TCP,
		.why = "its listeners are TCP"},
};

static void publish(const char *table, enum policy_state state, uint32_t kernel)
{
	static const char text[] = "{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":\"any\"}]}";
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	_cleanup_policy_ struct policy *policy = NULL;
	_cleanup_policy_image_ struct policy_image *image = NULL;
	_cleanup_policy_store_ struct policy_store *store = NULL;
	struct policy_publication publication = {.kernel = kernel, .source = "/p"};

	assert_int_equal(policy_parse("p", text, strlen(text), &policy, &errors), 0);
	assert_int_equal(policy_compile(policy, &image, &errors), 0);
	assert_int_equal(policy_store_open(table, POLICY_STORE_CREATE, &store), 0);
	publication.image = image;
	assert_int_equal(policy_store_publish(store, &publication, NULL), 0);
	assert_int_equal(policy_store_set_state(store, state), 0);
}

static void proven(void **state)
{
	char directory[] = "/tmp/smcctl-table-XXXXXX";
	static struct process_report report = {.pid = 1, .kind = PROCESS_CARRIES};
	const struct processes processes = {.main = 1, .reports = {.item = &report, .count = 1}};

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(report.table, sizeof(report.table), "%s/policy", directory);
	for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		struct service_state is = {.kind = STATE_ACCELERATED, .why = ""};

		report.value[SMCSHIM_connect_smc] = proofs[i].connected;
		if (!proofs[i].missing)
			publish(report.table, proofs[i].state, proofs[i].kernel);
		assert_int_equal(state_prove(&processes, &proofs[i].sockets, &is), 0);
		if (is.kind != proofs[i].kind || strncmp(is.why, proofs[i].why, strlen(proofs[i].why)) != 0 ||
			!*is.why != !*proofs[i].why)
			fail_msg("%s: %s, '%s' instead of %s, '%s'", proofs[i].what, state_key(is.kind), is.why,
				state_key(proofs[i].kind), proofs[i].why);
		state_clear(&is);
		(void)unlink(report.table);
	}
	assert_int_equal(rmdir(directory), 0);
}

/* What is not accelerated stays what it is. */
static void proven_otherwise(void **state)
{
	struct service_state is = {.kind = STATE_RESTART, .why = "x"};

	(void)state;
	assert_int_equal(
		state_prove(&(struct processes){.main = 0}, &(struct service_sockets){.listen_tcp = 1}, &is), 0);
	assert_int_equal(is.kind, STATE_RESTART);
	assert_string_equal(is.why, "x");
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
		cmocka_unit_test(exec_lines),
		cmocka_unit_test(exec_refusals),
		cmocka_unit_test(exec_texts),
		cmocka_unit_test(exec_compared),
		cmocka_unit_test(states),
		cmocka_unit_test(proven),
		cmocka_unit_test(proven_otherwise),
	};

	return cmocka_run_group_tests_name("ctl-service", tests, NULL, NULL);
}
