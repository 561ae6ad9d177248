/* SPDX-License-Identifier: MIT */
/* Tests of looking into other processes: their maps and their counters. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/process/maps.h"
#include "ctl/process/report.h"
#include "ctl/process/supervised.h"
#include "policy/lookup.h"
#include "tests/unit/t-ctl-child.h"

static char directory[] = "/dev/shm/t-ctl-process-XXXXXX";

static char *temporary(const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	return path;
}

/* ---- maps ---- */

static void maps_text(void **state)
{
	static const char text[] = "55d000000000-55d000001000 r--p 00000000 fe:00 12 /usr/bin/prog\n"
				   "7f0000000000-7f0000001000 r--p 00000000 fe:00 99 /usr/lib/smcshim/libsmcshim.so\n"
				   "7f0000001000-7f0000002000 r-xp 00001000 fe:00 99 /usr/lib/smcshim/libsmcshim.so\n"
				   "7f0000002000-7f0000003000 rw-p 00000000 00:00 0 \n"
				   "7f0000004000-7f0000005000 r--p 00000000 fe:00 98 /old/libsmcshim.so (deleted)\n"
				   "7f0000005000-7f0000006000 r--p 00000000 fe:00 98 /x/mylibsmcshim.so\n"
				   "7f1000000000-7f1000011000 r--s 00000000 00:17 5 /run/smc/policy (deleted)\n"
				   "7f1010000000-7f1010010000 r--s 10001000 00:17 5 /run/smc/policy (deleted)\n"
				   "7f1020000000-7f1020011000 r--p 00000000 fe:00 9 /as/large\n"
				   "garbage without end /libsmcshim.so\n"
				   "7f0000006000-7f0000005000 r--p 00000000 fe:00 98 /backwards/libsmcshim.so\n"
				   "7ffe00000000-7ffe00021000 rw-p 00000000 00:00 0 [stack]\n";
	struct maps *maps = malloc(sizeof(*maps));
	FILE *stream = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r");

	(void)state;
	assert_non_null(stream);
	assert_non_null(maps);
	assert_int_equal(maps_read(stream, maps), 0);
	fclose(stream);
	assert_int_equal(maps->lines, 12);
	assert_int_equal(maps->libraries, 2);
	assert_true(maps->library[0].base == UINT64_C(0x7f0000000000));
	assert_string_equal(maps->library[0].path, "/usr/lib/smcshim/libsmcshim.so");
	assert_string_equal(maps->library[1].path, "/old/libsmcshim.so (deleted)");
	assert_true(POLICY_HEADER_SIZE + POLICY_WINDOW_MIN == 0x11000);
	assert_true(maps->table == UINT64_C(0x7f1000000000));
	free(maps);
}

static void maps_too_many(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	struct maps *maps = malloc(sizeof(*maps));

	(void)state;
	assert_non_null(stream);
	assert_non_null(maps);
	for (unsigned i = 0; i < 1000; i++)
		fprintf(stream, "%x000-%x000 r--p 00000000 fe:00 9 /%04096d/libsmcshim.so\n", i + 1, i + 2, 0);
	assert_int_equal(fclose(stream), 0);
	stream = fmemopen(text, size, "r");
	assert_non_null(stream);
	assert_int_equal(maps_read(stream, maps), 0);
	assert_int_equal(maps->libraries, MAPS_LIBRARIES);
	assert_int_equal(strlen(maps->library[0].path), MAPS_PATH - 1);
	fclose(stream);
	free(text);
	free(maps);
}

/* ---- children ---- */

static struct smcshim_counters *load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	struct smcshim_counters *counters = library ? dlsym(library, "smcshim_counters") : NULL;

	if (!counters)
		_exit(2);
	return counters;
}

static void load_and_delete(const char *path)
{
	(void)load(path);
	unlink(path);
}

static void load_other_abi(const char *path)
{
	load(path)->about.abi++;
}

static void load_other_count(const char *path)
{
	load(path)->about.count--;
}

static void load_other_magic(const char *path)
{
	load(path)->about.magic[0] = 'X';
}

static void load_without_end(const char *path)
{
	struct smcshim_counters *counters = load(path);

	/* All that stands behind the fixed fields: no NUL anywhere to the end. */
	memset(counters->about.table, 'x', sizeof(*counters) - offsetof(struct smcshim_counters, about.table));
	counters->about.table_state = UINT64_MAX;
}

static void load_nothing(const char *path)
{
	(void)path;
}

static struct process_report *inspect(child_function *set_up, const char *path)
{
	struct process_report *report = malloc(sizeof(*report));
	pid_t child = child_start(set_up, path);

	assert_non_null(report);
	process_inspect(child, report);
	assert_int_equal(report->pid, child);
	child_stop(child);
	return report;
}

static void copy_file(const char *from, const char *to)
{
	char command[2200];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

static void counters(void **state)
{
	char *path = child_library();
	char *copy = temporary("libsmcshim.so");
	struct process_report *report = inspect(child_load, path);

	(void)state;
	assert_int_equal(report->kind, PROCESS_CARRIES);
	assert_true(report->value[SMCSHIM_connect_smc] == UINT64_MAX);
	assert_int_equal(report->value[SMCSHIM_quirk_retried], 7);
	assert_int_equal(report->value[SMCSHIM_accept_tcp], 3);
	assert_int_equal(report->value[SMCSHIM_accept_smc], 0);
	assert_string_equal(report->table, "/fake/table");
	assert_int_equal(report->policy_state, -1);
	free(report);
	/* After an update of the package the file is another one: memory tells. */
	copy_file(path, copy);
	report = inspect(load_and_delete, copy);
	assert_int_equal(report->kind, PROCESS_CARRIES);
	assert_non_null(strstr(report->library, "(deleted)"));
	assert_int_equal(report->value[SMCSHIM_quirk_retried], 7);
	free(report);
	free(path);
	free(copy);
}

static void other_versions(void **state)
{
	char *path = child_library();
	struct process_report *report = inspect(load_other_abi, path);

	(void)state;
	assert_int_equal(report->kind, PROCESS_OTHER_ABI);
	assert_int_equal(report->abi, SMCSHIM_COUNTERS_ABI + 1);
	free(report);
	report = inspect(load_other_count, path);
	assert_int_equal(report->kind, PROCESS_OTHER_ABI);
	free(report);
	report = inspect(load_other_magic, path);
	assert_int_equal(report->kind, PROCESS_UNREADABLE);
	free(report);
	report = inspect(load_without_end, path);
	assert_int_equal(report->kind, PROCESS_CARRIES);
	assert_int_equal(strlen(report->table), sizeof(report->table) - 1);
	free(report);
	report = inspect(load_nothing, path);
	assert_int_equal(report->kind, PROCESS_PLAIN);
	free(report);
	free(path);
}

static void nobody(void **state)
{
	struct process_report *report = malloc(sizeof(*report));
	pid_t child = fork();

	(void)state;
	assert_non_null(report);
	if (child == 0)
		_exit(0);
	/* A zombie has no memory; then there is no such process. */
	assert_int_equal(waitid(P_PID, (id_t)child, &(siginfo_t){.si_signo = 0}, WEXITED | WNOWAIT), 0);
	process_inspect(child, report);
	assert_int_equal(report->kind, PROCESS_PLAIN);
	assert_int_equal(waitpid(child, NULL, 0), child);
	process_inspect(child, report);
	assert_int_equal(report->kind, PROCESS_GONE);
	free(report);
}

/* ---- supervised trees ---- */

/* Which reports are left, by their kinds: S of a supervisor, g of a guardian, p plain, c carries. */
static void join_of(const char *kinds, const char *pids, const char *left)
{
	struct process_report *item = calloc(8, sizeof(*item));
	struct process_reports reports = {.item = item, .count = strlen(kinds)};
	char text[16] = "";

	assert_non_null(item);
	for (size_t i = 0; i < reports.count; i++) {
		char kind = kinds[i];

		item[i].pid = pids[i] - '0' + INT32_MAX - 100; /* no process has such a number */
		item[i].supervisor = kind == 'S' ? 1 : 0;
		item[i].kind = kind == 'S' || kind == 'c' ? PROCESS_CARRIES : PROCESS_PLAIN;
		snprintf(
			item[i].library, sizeof(item[i].library), "%s", kind == 'g' ? "/libexec/smcctl-supervise" : "");
		item[i].abi = (uint32_t)kind;
	}
	supervised_join(&reports);
	for (size_t i = 0; i < reports.count; i++) {
		text[2 * i] = (char)item[i].abi;
		text[2 * i + 1] = (char)(item[i].pid - INT32_MAX + 100 + '0');
	}
	assert_string_equal(text, left);
	free(item);
}

static void supervised_trees(void **state)
{
	(void)state;
	join_of("", "", "");
	join_of("pc", "12", "p1c2");
	join_of("pgS", "131",
		"S1"); /* the first process, the guardian, and the supervisor under the first one's number */
	join_of("Sgp", "131", "S1");
	join_of("pSgc", "2134", "p2S1c4");
	join_of("pSpgSc", "124512", "S2p4S1"); /* two trees; what stands before its supervisor, and behind it */
	assert_null(supervised_find(&(struct process_reports){.item = NULL}, getpid()));
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_text),
		cmocka_unit_test(maps_too_many),
		cmocka_unit_test(counters),
		cmocka_unit_test(other_versions),
		cmocka_unit_test(nobody),
		cmocka_unit_test(supervised_trees),
	};

	return cmocka_run_group_tests_name("ctl-process", tests, set_up, tear_down);
}
