/* SPDX-License-Identifier: MIT */
/* Tests of which table belongs to a policy file, and of where smcctl finds its library. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/paths.h"

static char *directory; /* made for the test, real path */

static char *path(const char *name)
{
	char *text;

	assert_true(asprintf(&text, "%s/%s", directory, name) > 0);
	return text;
}

static void make_file(const char *name)
{
	char *full = path(name);
	int fd = open(full, O_CREAT | O_WRONLY, 0644);

	assert_true(fd >= 0);
	close(fd);
	free(full);
}

static void make_directory(const char *name)
{
	char *full = path(name);

	assert_int_equal(mkdir(full, 0755), 0);
	free(full);
}

static void make_link(const char *target, const char *name)
{
	char *full = path(name);

	assert_int_equal(symlink(target, full), 0);
	free(full);
}

static int set_up(void **state)
{
	char template[] = "/tmp/t-ctl-paths-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(template));
	directory = realpath(template, NULL);
	assert_non_null(directory);
	return setenv("XDG_RUNTIME_DIR", directory, 1);
}

static int tear_down(void **state)
{
	char command[200];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%.150s'", directory);
	free(directory);
	return system(command);
}

static void relative(void **state)
{
	static const struct {
		const char *from, *to, *result;
	} rows[] = {
		{"/usr/bin", "/usr/lib/smcshim", "../lib/smcshim"},
		{"/usr/local/bin", "/usr/local/lib64/smcshim", "../lib64/smcshim"},
		{"/usr/bin", "/usr/lib/x86_64-linux-gnu/smcshim", "../lib/x86_64-linux-gnu/smcshim"},
		{"/opt/smc/bin", "/usr/lib", "../../../usr/lib"},
		{"/usr/bin", "/usr/bin", ""},
		{"/usr/bin/", "/usr/lib/", "../lib"},
		{"/usr/bin", "/usr/bin/sub", "sub"},
		{"/usr/bin", "/usr/bin2", "../bin2"},
		{"/", "/lib", "lib"},
		{"/bin", "/", "../"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text;

		assert_int_equal(paths_relative(rows[i].from, rows[i].to, &text), 0);
		/* A slash more at the end means the same place. */
		if (strcmp(rows[i].result, "../") != 0)
			assert_string_equal(text, rows[i].result);
		free(text);
	}
}

static void library(void **state)
{
	char *exe;
	char *expected;
	char *found;

	(void)state;
	make_directory("usr");
	make_directory("usr/bin");
	make_directory("usr/lib");
	make_directory("usr/lib/smcshim");
	exe = path("usr/bin/smcctl");
	assert_int_equal(paths_library_of(exe, "/usr/bin", "/usr/lib/smcshim", &found), -ENOENT);
	/* Beside smcctl, as in a build tree; then the installed one wins. */
	make_directory("usr/bin/.libs");
	make_file("usr/bin/.libs/libsmcshim.so");
	assert_int_equal(paths_library_of(exe, "/usr/bin", "/usr/lib/smcshim", &found), 0);
	expected = path("usr/bin/.libs/libsmcshim.so");
	assert_string_equal(found, expected);
	free(found);
	free(expected);
	make_file("usr/lib/smcshim/libsmcshim.so");
	assert_int_equal(paths_library_of(exe, "/usr/bin", "/usr/lib/smcshim", &found), 0);
	expected = path("usr/lib/smcshim/libsmcshim.so");
	assert_string_equal(found, expected);
	free(found);
	free(expected);
	free(exe);
}

static void runtime(void **state)
{
	char *text;
	char *slash = path("");

	(void)state;
	assert_int_equal(paths_runtime("/nowhere", 0, &text), 0);
	assert_string_equal(text, "/run/smc");
	free(text);
	assert_int_equal(paths_runtime(NULL, 0, &text), 0);
	assert_string_equal(text, "/run/smc");
	free(text);
	/* No directory of that user's own anywhere: neither somebody else's nor a relative one will do. */
	assert_int_equal(paths_runtime("/root", 4294967290u, &text), -ENXIO);
	assert_int_equal(paths_runtime("relative", 4294967290u, &text), -ENXIO);
	assert_int_equal(paths_runtime("", 4294967290u, &text), -ENXIO);
	assert_int_equal(paths_runtime(slash, geteuid(), &text), 0);
	free(slash);
	slash = path("smc");
	assert_string_equal(text, slash);
	free(slash);
	free(text);
}

static void table_names(void **state)
{
	char *a;
	char *b;

	(void)state;
	assert_int_equal(paths_table("/run/smc", "/srv/my policy%.json", &a), 0);
	assert_int_equal(strncmp(a, "/run/smc/my_policy_.json-", 25), 0);
	assert_int_equal(strlen(a), 25 + 16);
	assert_int_equal(paths_table("/run/smc", "/srv/my policy%.json", &b), 0);
	assert_string_equal(a, b);
	free(b);
	assert_int_equal(paths_table("/run/smc", "/srv2/my policy%.json", &b), 0);
	assert_string_not_equal(a, b);
	free(a);
	free(b);
}

/* A table's path follows the file's directory, however it is spelled, and its name, whatever that links to. */
static void files(void **state)
{
	struct paths plain, other;
	char *name;

	(void)state;
	make_directory("etc");
	make_file("etc/one.json");
	make_link("etc", "link");
	make_link("..data/policy.json", "etc/policy.json");
	make_link("first", "etc/..data");
	name = path("etc/one.json");
	assert_int_equal(paths_find(name, &plain), 0);
	assert_string_equal(plain.file, name);
	free(name);
	name = path("link/../link/one.json");
	assert_int_equal(paths_find(name, &other), 0);
	assert_string_equal(plain.table, other.table);
	assert_string_equal(plain.file, other.file);
	paths_clear(&plain);
	paths_clear(&other);
	free(name);
	/* A ConfigMap: the file is a link that leads elsewhere tomorrow. */
	name = path("etc/policy.json");
	assert_int_equal(paths_find(name, &plain), 0);
	assert_string_equal(plain.file, name);
	paths_clear(&plain);
	free(name);
	assert_int_equal(chdir(directory), 0);
	assert_int_equal(paths_find("new.json", &plain), 0);
	name = path("new.json");
	assert_string_equal(plain.file, name);
	free(name);
	paths_clear(&plain);
	assert_int_equal(chdir("/"), 0);
}

static void default_file(void **state)
{
	struct paths found;

	(void)state;
	assert_int_equal(paths_find(NULL, &found), 0);
	assert_string_equal(found.table, "/run/smc/policy");
	paths_clear(&found);
	assert_int_equal(paths_find("/etc/smc/policy.json", &found), 0);
	assert_string_equal(found.table, "/run/smc/policy");
	paths_clear(&found);
}

static void bad_files(void **state)
{
	struct paths found;

	(void)state;
	assert_int_equal(paths_find("", &found), -ENOENT);
	assert_int_equal(paths_find("/", &found), -EISDIR);
	assert_int_equal(paths_find("/tmp/", &found), -EISDIR);
	assert_int_equal(paths_find("/tmp/.", &found), -EISDIR);
	assert_int_equal(paths_find("..", &found), -EISDIR);
	assert_int_equal(paths_find("/no/such/policy.json", &found), -ENOENT);
	assert_int_equal(paths_find("/etc/passwd/policy.json", &found), -ENOTDIR);
}

static void directories(void **state)
{
	char *table = path("made/table");
	char *blocked = path("blocked/table");
	char *deep = path("deep/deeper/table");
	struct stat st;
	mode_t mask = umask(077);
	char *made = path("made");

	(void)state;
	assert_int_equal(paths_make_directory(table), 0);
	assert_int_equal(stat(made, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(paths_make_directory(table), 0);
	make_file("blocked");
	assert_int_equal(paths_make_directory(blocked), -ENOTDIR);
	assert_int_equal(paths_make_directory(deep), -ENOENT);
	umask(mask);
	free(made);
	free(table);
	free(blocked);
	free(deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative),
		cmocka_unit_test(library),
		cmocka_unit_test(runtime),
		cmocka_unit_test(table_names),
		cmocka_unit_test(files),
		cmocka_unit_test(default_file),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(directories),
	};

	return cmocka_run_group_tests_name("ctl-paths", tests, set_up, tear_down);
}
