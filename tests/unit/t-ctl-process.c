/* SPDX-License-Identifier: MIT */
/* Tests of looking into other processes: their maps, their counters, and those that do not want to be looked into. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/process/maps.h"
#include "ctl/process/report.h"
#include "ctl/process/symbol.h"
#include "ctl/process/worker.h"
#include "policy/table.h"

static char directory[] = "/dev/shm/t-ctl-process-XXXXXX";

static char *fake_library(void)
{
	const char *build = getenv("top_builddir");
	char *path;

	assert_true(asprintf(&path, "%s/tests/ctl/fake/.libs/libsmcshim.so", build ? build : ".") > 0);
	return path;
}

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
				   "7f1000000000-7f1020001000 r--s 00000000 00:17 5 /run/smc/policy (deleted)\n"
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
	assert_int_equal(maps->lines, 10);
	assert_int_equal(maps->libraries, 2);
	assert_true(maps->library[0].base == UINT64_C(0x7f0000000000));
	assert_string_equal(maps->library[0].path, "/usr/lib/smcshim/libsmcshim.so");
	assert_string_equal(maps->library[1].path, "/old/libsmcshim.so (deleted)");
	assert_true(POLICY_TABLE_SIZE == 0x20001000);
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

typedef void child_function(const char *path);

/* A child that runs set_up, says that it is ready, and waits to be killed. */
static pid_t start(child_function *set_up, const char *path)
{
	int ends[2];
	char ready = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		set_up(path);
		if (write(ends[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &ready, 1), 1);
	close(ends[0]);
	return child;
}

static void stop(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static struct smcshim_counters *load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	struct smcshim_counters *counters = library ? dlsym(library, "smcshim_counters") : NULL;

	if (!counters)
		_exit(2);
	return counters;
}

static void load_plain(const char *path)
{
	load(path)->value[SMCSHIM_accept_tcp] = 3;
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

	memset(counters->about.table, 'x', sizeof(counters->about.table));
	counters->about.table_state = UINT64_MAX;
}

static void load_nothing(const char *path)
{
	(void)path;
}

static struct process_report *inspect(child_function *set_up, const char *path)
{
	struct process_report *report = malloc(sizeof(*report));
	pid_t child = start(set_up, path);

	assert_non_null(report);
	process_inspect(child, report);
	assert_int_equal(report->pid, child);
	stop(child);
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
	char *path = fake_library();
	char *copy = temporary("libsmcshim.so");
	struct process_report *report = inspect(load_plain, path);

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
	char *path = fake_library();
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

/* ---- hostile ones ---- */

/* Where the library's first byte is in the child. */
static off_t library_base(pid_t child)
{
	char path[40];
	struct maps *maps = malloc(sizeof(*maps));
	FILE *stream;
	off_t base;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)child);
	stream = fopen(path, "r");
	assert_non_null(stream);
	assert_non_null(maps);
	assert_int_equal(maps_read(stream, maps), 0);
	assert_int_equal(maps->libraries, 1);
	base = (off_t)maps->library[0].base;
	fclose(stream);
	free(maps);
	return base;
}

static void lie(int memory, pid_t child, off_t place, unsigned char value, struct process_report *report)
{
	unsigned char byte;

	if (pread(memory, &byte, 1, place) != 1)
		return;
	assert_int_equal(pwrite(memory, &value, 1, place), 1);
	process_inspect(child, report);
	assert_int_equal(pwrite(memory, &byte, 1, place), 1);
	assert_true(report->kind == PROCESS_UNREADABLE || report->kind == PROCESS_CARRIES ||
		report->kind == PROCESS_OTHER_ABI);
}

/* A loaded library of which single bytes lie, in headers, tables and counters: an answer, in bounded time. */
static void lying_library(void **state)
{
	char *path = fake_library();
	struct process_report *report = malloc(sizeof(*report));
	pid_t child = start(load_plain, path);
	uint64_t seed = 12345;
	off_t base = library_base(child);
	char name[40];
	unsigned unreadable = 0;
	int memory;

	(void)state;
	assert_non_null(report);
	snprintf(name, sizeof(name), "/proc/%d/mem", (int)child);
	memory = open(name, O_RDWR);
	assert_true(memory >= 0);
	for (off_t i = 0; i < 2048; i++) {
		lie(memory, child, base + i, 0xff, report);
		unreadable += report->kind == PROCESS_UNREADABLE;
	}
	assert_true(unreadable > 10);
	for (unsigned i = 0; i < 6000; i++) {
		seed = seed * 6364136223846793005u + 1;
		lie(memory, child, base + (off_t)((seed >> 33) % (8 * 4096)), (unsigned char)(seed >> 20), report);
	}
	process_inspect(child, report);
	assert_int_equal(report->kind, PROCESS_CARRIES);
	stop(child);
	close(memory);
	free(report);
	free(path);
}

/* The library's first page is answered for by the process itself, which never does. */
static void map_silent(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register area = {.range.len = 4096, .mode = UFFDIO_REGISTER_MODE_MISSING};
	void *page;

	if (fd < 0 || ftruncate(fd, 4096) < 0 || faults < 0 || ioctl(faults, UFFDIO_API, &api) < 0)
		_exit(2);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		_exit(3);
	area.range.start = (uintptr_t)page;
	if (ioctl(faults, UFFDIO_REGISTER, &area) < 0)
		_exit(4);
}

struct seen {
	enum process_kind kind[3];
	size_t count;
};

static void see(void *context, const struct process_report *report)
{
	struct seen *seen = context;

	seen->kind[seen->count++] = report->kind;
}

static void silent_process(void **state)
{
	char *path = temporary("libsmcshim.so");
	char *fake = fake_library();
	struct seen seen = {.count = 0};
	pid_t pids[3];

	(void)state;
	pids[0] = start(load_plain, fake);
	pids[1] = start(map_silent, path);
	pids[2] = start(load_plain, fake);
	assert_int_equal(worker_inspect(pids, 3, see, &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.kind[0], PROCESS_CARRIES);
	assert_int_equal(seen.kind[1], PROCESS_STUCK);
	assert_int_equal(seen.kind[2], PROCESS_CARRIES);
	for (size_t i = 0; i < 3; i++)
		stop(pids[i]);
	/* No child of the worker is left. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	unlink(path);
	free(path);
	free(fake);
}

static void no_processes(void **state)
{
	struct seen seen = {.count = 0};

	(void)state;
	assert_int_equal(worker_inspect(NULL, 0, see, &seen), 0);
	assert_int_equal(seen.count, 0);
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
		cmocka_unit_test(lying_library),
		cmocka_unit_test(silent_process),
		cmocka_unit_test(no_processes),
	};

	return cmocka_run_group_tests_name("ctl-process", tests, set_up, tear_down);
}
