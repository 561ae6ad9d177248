/* SPDX-License-Identifier: MIT */
/* Tests of looking into processes that lie, loop or never answer. */
#include "config.h"

#include <fcntl.h>
#include <link.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/process/maps.h"
#include "ctl/process/report.h"
#include "ctl/process/worker.h"
#include "tests/unit/t-ctl-child.h"

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static char directory[] = "/dev/shm/t-ctl-process-XXXXXX";

static char *temporary(const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	return path;
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
	char *path = child_library();
	struct process_report *report = malloc(sizeof(*report));
	pid_t child = child_start(child_load, path);
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
		lie(memory, child, base + i, 0, report);
	}
	assert_true(unreadable > 10);
	for (unsigned i = 0; i < 6000; i++) {
		seed = seed * 6364136223846793005u + 1;
		lie(memory, child, base + (off_t)((seed >> 33) % (8 * 4096)), (unsigned char)(seed >> 20), report);
	}
	process_inspect(child, report);
	assert_int_equal(report->kind, PROCESS_CARRIES);
	child_stop(child);
	close(memory);
	free(report);
	free(path);
}

/* A library whose chain of symbols has no end: hours of reading, if nobody counted. */
static void map_endless(const char *path)
{
	struct {
		ElfW(Ehdr) header;
		ElfW(Phdr) segment[2];
		ElfW(Dyn) dynamic[4];
		uint32_t hash[6]; /* one bucket, first symbol 1, no bloom filter; the bucket; then zeros: it goes on */
	} image = {.header = {.e_phoff = sizeof(ElfW(Ehdr)), .e_phentsize = sizeof(ElfW(Phdr)), .e_phnum = 2}};
	const off_t size = (off_t)1 << 36;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	memcpy(image.header.e_ident, __ehdr_start.e_ident, EI_NIDENT);
	image.header.e_machine = __ehdr_start.e_machine;
	image.segment[0] = (ElfW(Phdr)){.p_type = PT_LOAD};
	image.segment[1] = (ElfW(Phdr)){.p_type = PT_DYNAMIC,
		.p_vaddr = offsetof(__typeof__(image), dynamic),
		.p_memsz = sizeof(image.dynamic)};
	image.dynamic[0] = (ElfW(Dyn)){.d_tag = DT_SYMTAB, .d_un.d_ptr = 8192};
	image.dynamic[1] = (ElfW(Dyn)){.d_tag = DT_STRTAB, .d_un.d_ptr = 4096};
	image.dynamic[2] = (ElfW(Dyn)){.d_tag = DT_GNU_HASH, .d_un.d_ptr = offsetof(__typeof__(image), hash)};
	image.hash[0] = image.hash[1] = image.hash[4] = 1;
	if (fd < 0 || ftruncate(fd, size) < 0 || write(fd, &image, sizeof(image)) != (ssize_t)sizeof(image) ||
		mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0) == MAP_FAILED)
		_exit(2);
}

static void endless_library(void **state)
{
	char *path = temporary("libsmcshim.so");
	struct process_report *report = malloc(sizeof(*report));
	pid_t child = child_start(map_endless, path);

	(void)state;
	assert_non_null(report);
	alarm(20);
	process_inspect(child, report);
	alarm(0);
	assert_int_equal(report->kind, PROCESS_UNREADABLE);
	child_stop(child);
	unlink(path);
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
	char *fake = child_library();
	struct seen seen = {.count = 0};
	pid_t pids[3];

	(void)state;
	pids[0] = child_start(child_load, fake);
	pids[1] = child_start(map_silent, path);
	pids[2] = child_start(child_load, fake);
	assert_int_equal(worker_inspect(pids, 3, see, &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.kind[0], PROCESS_CARRIES);
	assert_int_equal(seen.kind[1], PROCESS_STUCK);
	assert_int_equal(seen.kind[2], PROCESS_CARRIES);
	for (size_t i = 0; i < 3; i++)
		child_stop(pids[i]);
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
		cmocka_unit_test(lying_library),
		cmocka_unit_test(endless_library),
		cmocka_unit_test(silent_process),
		cmocka_unit_test(no_processes),
	};

	return cmocka_run_group_tests_name("ctl-hostile", tests, set_up, tear_down);
}
