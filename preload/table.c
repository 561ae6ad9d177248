/* SPDX-License-Identifier: MIT */
/* Owns the mapping of the policy table and what of it holds for this process. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "preload/shim.h"

struct table table;

/*
 * Another user's table counts only where it is on a mount that is read-only here: whoever made that mount chose it. In a
 * pod the writer is a container with a user of its own. (fs/statfs.c, flags_by_mnt: of the mount, not the file system.)
 */
static bool is_mounted_read_only(int fd)
{
	struct statfs fs;

	/* Where the structure is that of large files, so has to be the call. */
#ifdef SYS_fstatfs64
	return syscall(SYS_fstatfs64, fd, sizeof fs, &fs) == 0 && (fs.f_flags & ST_RDONLY);
#else
	return syscall(SYS_fstatfs, fd, &fs) == 0 && (fs.f_flags & ST_RDONLY);
#endif
}

/* i386 has another call for numbers of more than 16 bits. */
#ifdef SYS_geteuid32
#define GETEUID SYS_geteuid32
#else
#define GETEUID SYS_geteuid
#endif

static bool trusted(int fd, const struct stat *st)
{
	return S_ISREG(st->st_mode) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
		(st->st_uid == 0 || st->st_uid == (uid_t)syscall(GETEUID) || is_mounted_read_only(fd)) &&
		st->st_size >= (off_t)POLICY_TABLE_SIZE;
}

/*
 * A table is far larger than what stands in it, and what a process maps counts for it: against RLIMIT_AS, and if it
 * calls mlockall(2) against RLIMIT_MEMLOCK, too, and every hole of the file gets a page. So of each half only a window is
 * mapped. One that has become too small is doubled by mremap(2), which needs no descriptor: from an old size of 0 it makes
 * a second mapping of the same pages (mm/mremap.c). The first one stays, for another thread may read it.
 *
 * Address and size in one number: the address is a multiple of 4096, the size a power of two.
 */
#define WINDOW_SHIFT 0xfffu

static uintptr_t window_of(const void *at, unsigned shift)
{
	return (uintptr_t)at | shift;
}

static const void *address_of(uintptr_t window)
{
	return (const void *)(window & ~(uintptr_t)WINDOW_SHIFT);
}

static uint64_t size_of(uintptr_t window)
{
	return UINT64_C(1) << (window & WINDOW_SHIFT);
}

static bool current_map(struct policy_map *map)
{
	uintptr_t first, second;

	map->header = atomic_load_explicit(&table.base, memory_order_acquire);
	if (!map->header)
		return false;
	first = atomic_load_explicit(&table.half[0], memory_order_acquire);
	second = atomic_load_explicit(&table.half[1], memory_order_acquire);
	map->half[0] = address_of(first);
	map->half[1] = address_of(second);
	map->size = size_of(size_of(first) < size_of(second) ? first : second);
	return true;
}

/* Where pages are larger than 4096 bytes a half begins within one. */
static size_t within_page(uint64_t position)
{
	return position & (getauxval(AT_PAGESZ) - 1);
}

/* The smallest shift whose window holds so many bytes. */
static unsigned shift_for(uint64_t bytes)
{
	unsigned shift = 0;

	while (UINT64_C(1) << shift < bytes)
		shift++;
	return shift;
}

static bool widen(unsigned half, unsigned shift)
{
	uintptr_t old = atomic_load_explicit(&table.half[half], memory_order_acquire);

	while ((old & WINDOW_SHIFT) < shift) {
		uintptr_t from = old & ~(uintptr_t)WINDOW_SHIFT;
		size_t before = within_page(from), size = before + ((size_t)1 << shift);
		long at = syscall(SYS_mremap, from - before, 0, size, MREMAP_MAYMOVE, 0);

		if (at == -1)
			return false;
		if (atomic_compare_exchange_strong(
			    &table.half[half], &old, window_of((const char *)(uintptr_t)at + before, shift)))
			return true;
		syscall(SYS_munmap, at, size);
	}
	return true;
}

/* True if the windows show all of the policy in force: both, for the next one will be in the other half. */
static bool widen_both(void)
{
	struct policy_map map;
	unsigned shift;
	bool first;

	if (!current_map(&map))
		return false;
	shift = shift_for(policy_map_needs(&map));
	first = widen(0, shift);
	return widen(1, shift) && first;
}

static const void *map_part(int fd, uint64_t position, size_t size)
{
	size_t before = within_page(position);
	void *at = mmap(NULL, before + size, PROT_READ, MAP_SHARED, fd, (off_t)(position - before));

	return at == MAP_FAILED ? NULL : (const char *)at + before;
}

static void unmap_part(const void *at, size_t size)
{
	size_t before = within_page((uintptr_t)at);

	if (at)
		syscall(SYS_munmap, (uintptr_t)at - before, before + size);
}

/* Header and first half in one. Where two threads get here together both mappings are good, and one is for nothing. */
static bool map_windows(int fd)
{
	const size_t first_size = POLICY_HEADER_SIZE + POLICY_WINDOW_MIN;
	const unsigned shift = shift_for(POLICY_WINDOW_MIN);
	const char *first = map_part(fd, 0, first_size);
	const char *second = map_part(fd, POLICY_HALF_OFFSET(1), POLICY_WINDOW_MIN);
	const struct policy_map map = {first, {first, second}, POLICY_WINDOW_MIN};

	if (!first || !second || !policy_map_valid(&map)) {
		unmap_part(first, first_size);
		unmap_part(second, POLICY_WINDOW_MIN);
		return false;
	}
	atomic_store_explicit(&table.half[0], window_of(first + POLICY_HEADER_SIZE, shift), memory_order_relaxed);
	atomic_store_explicit(&table.half[1], window_of(second, shift), memory_order_relaxed);
	atomic_store_explicit(&table.base, first, memory_order_release);
	/* Now, for a sandbox that the program makes of itself may forbid it later. */
	widen_both();
	return true;
}

/* Raw system calls: open() of other preloaded libraries is not for our file. The descriptor lives only here. */
static enum smcshim_table_state map_table(const char *path)
{
	enum smcshim_table_state state = SMCSHIM_TABLE_REFUSED;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? SMCSHIM_TABLE_MISSING : SMCSHIM_TABLE_REFUSED;
	if (fstat(fd, &st) == 0 && trusted(fd, &st) && map_windows(fd))
		state = SMCSHIM_TABLE_MAPPED;
	syscall(SYS_close, fd);
	return state;
}

static void look_for_table(void)
{
	int saved = errno;

	__atomic_store_n(
		&smcshim_counters.about.table_state, map_table(smcshim_counters.about.table), __ATOMIC_RELAXED);
	errno = saved;
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = from[i];
	to[i] = '\0';
}

/*
 * The program's name as the kernel's comm has it after execve: the file name's last part, cut to 15 characters
 * (fs/exec.c, begin_new_exec). AT_EXECFN costs no system call.
 */
static void name_program(void)
{
	const char *path = (const char *)getauxval(AT_EXECFN);
	const char *name = path ? path : "";

	for (; path && *path; path++)
		if (*path == '/')
			name = path + 1;
	copy_text(smcshim_counters.about.comm, sizeof smcshim_counters.about.comm, name);
}

void table_start(void)
{
	/* The environment is read here only: later, other threads may change it. In secure-execution mode it reads NULL. */
	const char *path = secure_getenv("SMC_POLICY");

	copy_text(smcshim_counters.about.table, sizeof smcshim_counters.about.table,
		path && *path == '/' ? path : SMCSHIM_DEFAULT_TABLE);
	name_program();
	look_for_table();
	atomic_store_explicit(&table.looked, time(NULL), memory_order_relaxed);
}

static unsigned summarise(const struct policy_map *map)
{
	static const struct {
		uint32_t kernel;
		unsigned mode;
	} bits[] = {
		{POLICY_KERNEL_IPPROTO_SMC, MODE_INET},
		{POLICY_KERNEL_IPPROTO_SMC6, MODE_INET6},
		{POLICY_KERNEL_AF_SMC, MODE_AF_SMC},
	};
	struct policy_summary summary;
	unsigned mode = 0;

	policy_map_summary(map, smcshim_counters.about.comm, &summary);
	if (!summary.sequence)
		return 0;
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		if (summary.kernel & bits[i].kernel)
			mode |= bits[i].mode;
	if (summary.program)
		mode |= MODE_ON;
	/* To stay TCP, a socket that begins as SMC has to become TCP in place, and nothing that waits for it may miss that. */
	if (summary.program && (summary.flags & POLICY_HAS_CONNECT_SMC) &&
		(summary.kernel & POLICY_KERNEL_DOWNGRADE_EPOLL))
		mode |= MODE_CONNECT;
	if (summary.program && (summary.flags & POLICY_HAS_LISTEN_SMC))
		mode |= MODE_LISTEN;
	if (summary.buffers)
		mode |= MODE_BUFFERS;
	atomic_store_explicit(&table.known, summary.sequence << 16 | TABLE_KNOWN | mode, memory_order_relaxed);
	return mode;
}

unsigned table_mode_slow(void)
{
	struct policy_map map;
	unsigned mode;
	enum policy_state state;

	if (!current_map(&map))
		return 0;
	state = policy_map_state(&map);
	if (state == POLICY_OFF)
		return 0;
	mode = summarise(&map);
	if (state == POLICY_OBSERVE && (mode & MODE_ON))
		mode = (mode & ~MODE_ON) | MODE_OBSERVE;
	return mode;
}

/* Of the clocks time(2) is by far the cheapest. It can be set: any other second than the last one's is time to look. */
unsigned table_mode_without(void)
{
	int64_t last = atomic_load_explicit(&table.looked, memory_order_relaxed);
	int64_t now = time(NULL);

	if (__builtin_expect(now == last, 1) || !smcshim_counters.about.table[0] ||
		!atomic_compare_exchange_strong(&table.looked, &last, now))
		return 0;
	look_for_table();
	return table_mode_slow();
}

/* Out of line: a policy that has grown beyond the windows is rare. */
static __attribute__((noinline, cold)) uint32_t decide_further(
	enum policy_role role, const struct sockaddr *addr, socklen_t len)
{
	struct policy_map map;
	int saved = errno;
	bool wide = widen_both();

	errno = saved;
	return wide && current_map(&map) ? policy_map_decide(&map, role, addr, len) : 0;
}

bool table_says_smc(enum policy_role role, const struct sockaddr *addr, socklen_t len)
{
	struct policy_map map;
	uint32_t value;

	if (!current_map(&map))
		return false;
	value = policy_map_decide(&map, role, addr, len);
	if (__builtin_expect(value & POLICY_VALUE_BEYOND, 0))
		value = decide_further(role, addr, len);
	return value & POLICY_VALUE_SMC;
}

unsigned table_buffers(void)
{
	struct policy_summary summary;
	struct policy_map map;

	if (!current_map(&map))
		return 0;
	policy_map_summary(&map, smcshim_counters.about.comm, &summary);
	return summary.buffers;
}

void table_stand_aside(void)
{
	atomic_store_explicit(&table.aside, true, memory_order_relaxed);
}

void table_name_program(const char *comm)
{
	copy_text(smcshim_counters.about.comm, sizeof smcshim_counters.about.comm, comm);
	atomic_store_explicit(&table.known, 0, memory_order_relaxed);
}

bool table_names_programs(void)
{
	struct policy_map map;
	uint64_t sequence;
	const struct policy_half *half;

	if (!current_map(&map))
		return false;
	sequence = policy_map_sequence(&map);
	half = map.half[sequence & 1];
	return sequence && __atomic_load_n(&half->program_mode, __ATOMIC_RELAXED) != POLICY_PROGRAMS_ALL;
}
