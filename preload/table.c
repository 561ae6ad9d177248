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
		st->st_size >= (off_t)POLICY_HEADER_SIZE;
}

/* Raw system calls: open() of other preloaded libraries is not for our file. The descriptor lives only here. */
static enum smcshim_table_state map_table(const char *path)
{
	enum smcshim_table_state state = SMCSHIM_TABLE_REFUSED;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct policy_map map;
	struct stat st;
	void *base;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? SMCSHIM_TABLE_MISSING : SMCSHIM_TABLE_REFUSED;
	if (fstat(fd, &st) || !trusted(fd, &st))
		goto out;
	base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		goto out;
	map = (struct policy_map){base, (size_t)st.st_size};
	if (policy_map_valid(&map)) {
		const void *none = NULL;

		/* Two threads may get here together: the second one's mapping is the same, and dropped. */
		__atomic_store_n(&table.size, map.size, __ATOMIC_RELAXED);
		if (atomic_compare_exchange_strong_explicit(
			    &table.base, &none, base, memory_order_release, memory_order_relaxed))
			base = NULL;
		state = SMCSHIM_TABLE_MAPPED;
	}
	if (base)
		syscall(SYS_munmap, base, (size_t)st.st_size);
out:
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

static bool current_map(struct policy_map *map)
{
	map->base = atomic_load_explicit(&table.base, memory_order_acquire);
	map->size = __atomic_load_n(&table.size, __ATOMIC_RELAXED);
	return map->base != NULL;
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
	if (summary.program && (summary.flags & POLICY_HAS_CONNECT_SMC))
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

bool table_says_smc(enum policy_role role, const struct sockaddr *addr, socklen_t len)
{
	struct policy_map map;

	return current_map(&map) && (policy_map_decide(&map, role, addr, len) & POLICY_VALUE_SMC);
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
	half = (const void *)((const char *)map.base + POLICY_HALF_OFFSET(sequence & 1));
	return sequence && __atomic_load_n(&half->program_mode, __ATOMIC_RELAXED) != POLICY_PROGRAMS_ALL;
}
