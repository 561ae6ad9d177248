/* SPDX-License-Identifier: MIT */
/* Looks at one process: its mappings, its counters, its environment. */
#include "config.h"

#include "ctl/process/report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/preload-list.h"
#include "ctl/process/maps.h"
#include "ctl/process/symbol.h"
#include "policy/table.h"

#define ENVIRONMENT_MAX (8u << 20)
#define KERNEL_THREAD 0x00200000u /* PF_KTHREAD */

/* The text of a small file in the /proc directory, with a NUL. Returns the length or -errno. */
static ssize_t read_small(int dir, const char *name, char *buffer, size_t size)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buffer, size - 1);
	if (n < 0)
		return -errno;
	buffer[n] = '\0';
	return n;
}

static bool is_kernel_thread(int dir)
{
	char text[1024];
	const char *p;
	uint64_t flags = 0;

	if (read_small(dir, "stat", text, sizeof(text)) < 0)
		return false;
	/* "PID (COMM) STATE PPID PGRP SESSION TTY TPGID FLAGS": COMM may hold blanks and parentheses. */
	p = strrchr(text, ')');
	for (int i = 0; p && i < 7; i++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return false;
	flags = strtoull(p, NULL, 10);
	return flags & KERNEL_THREAD;
}

static int read_maps(int dir, struct maps *out)
{
	_cleanup_close_ int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *stream = NULL;

	if (fd < 0)
		return -errno;
	stream = fdopen(fd, "r");
	if (!stream)
		return -errno;
	(void)take_fd(fd);
	return maps_read(stream, out);
}

/* What a supervisor says of itself. */
struct about {
	uint64_t program;
	uint64_t supervisor;
	char comm[16];
};

/* The counters in the library at base. Returns 0, -EPROTO (not ours), -EPROTONOSUPPORT (another ABI) or -errno. */
static int read_counters(pid_t pid, uint64_t base, struct about *about, struct process_report *out)
{
	_cleanup_free_ struct smcshim_counters *counters = NULL;
	uint64_t address;
	int r = symbol_find(pid, base, "smcshim_counters", &address);

	if (r < 0)
		return r;
	counters = aligned_alloc(__alignof__(struct smcshim_counters), sizeof(*counters));
	if (!counters)
		return -ENOMEM;
	/* What another ABI has behind the head is not known: it is looked at alone. */
	r = memory_read(pid, address, counters, offsetof(struct smcshim_counters, about.table));
	if (r < 0)
		return r;
	if (memcmp(counters->about.magic, SMCSHIM_COUNTERS_MAGIC, sizeof(counters->about.magic)) != 0)
		return -EPROTO;
	out->abi = counters->about.abi;
	if (counters->about.abi != SMCSHIM_COUNTERS_ABI || counters->about.count != SMCSHIM_COUNTER_MAX)
		return -EPROTONOSUPPORT;
	r = memory_read(pid, address, counters, sizeof(*counters));
	if (r < 0)
		return r;
	out->table_state = counters->about.table_state;
	snprintf(out->table, sizeof(out->table), "%.*s", (int)sizeof(counters->about.table) - 1, counters->about.table);
	memcpy(out->value, counters->value, sizeof(out->value));
	about->program = counters->about.program;
	about->supervisor = counters->about.supervisor;
	snprintf(about->comm, sizeof(about->comm), "%.*s", (int)sizeof(counters->about.comm) - 1, counters->about.comm);
	return 0;
}

/* The state in the table that the process has mapped: true also when its file is gone or another one has its name. */
static int read_policy_state(pid_t pid, uint64_t table)
{
	struct policy_header header;

	if (!table || memory_read(pid, table, &header, sizeof(header)) < 0 ||
		memcmp(header.magic, POLICY_TABLE_MAGIC, sizeof(header.magic)) != 0 || header.abi != POLICY_TABLE_ABI)
		return -1;
	return header.state <= POLICY_OBSERVE ? (int)header.state : POLICY_OFF;
}

/* The report is about the tree of processes, under its first one's number and name. */
static void describe_supervised(uint64_t base, const struct about *about, struct process_report *out)
{
	int serving = 0;
	uint64_t address;

	/* Its guardian has the same counters. */
	if (symbol_find(out->pid, base, "smcshim_serving", &address) < 0 ||
		memory_read(out->pid, address, &serving, sizeof(serving)) < 0 || !serving) {
		out->kind = PROCESS_PLAIN;
		return;
	}
	out->supervisor = out->pid;
	snprintf(out->program, sizeof(out->program), "%s", about->comm);
	/* In another PID namespace its numbers are not ours. */
	if (about->supervisor == (uint64_t)out->pid && about->program <= INT32_MAX &&
		kill((pid_t)about->program, 0) == 0)
		out->pid = (pid_t)about->program;
}

static void inspect_libraries(const struct maps *maps, struct process_report *out)
{
	struct about about = {.program = 0};
	size_t found = 0;

	for (size_t i = 0; i < maps->libraries; i++) {
		int r = read_counters(out->pid, maps->library[i].base, &about, out);

		if (i > 0 && r < 0)
			continue;
		snprintf(out->library, sizeof(out->library), "%s", maps->library[i].path);
		out->kind = r == 0                    ? PROCESS_CARRIES
			: r == -EPROTONOSUPPORT       ? PROCESS_OTHER_ABI
			: r == -EPERM || r == -EACCES ? PROCESS_DENIED
			: r == -ESRCH                 ? PROCESS_GONE
						      : PROCESS_UNREADABLE;
		found = i;
		if (r == 0)
			break;
	}
	if (out->kind != PROCESS_CARRIES)
		return;
	out->policy_state = read_policy_state(out->pid, maps->table);
	if (maps->library[found].supervisor)
		describe_supervised(maps->library[found].base, &about, out);
}

/* The process does not carry the library: was it meant to? */
static void inspect_environment(int dir, struct process_report *out)
{
	_cleanup_close_ int fd = openat(dir, "environ", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	size_t length;
	const char *element;

	if (fd < 0 || read_all(fd, ENVIRONMENT_MAX, &text, &size) < 0)
		return;
	for (const char *p = text; p < text + size; p += strlen(p) + 1) {
		if (!starts_with(p, "LD_PRELOAD=") || !preload_list_find(p + strlen("LD_PRELOAD="), &element, &length))
			continue;
		snprintf(out->library, sizeof(out->library), "%.*s",
			(int)(length < sizeof(out->library) ? length : sizeof(out->library) - 1), element);
		out->kind = PROCESS_ABSENT;
		out->absence = process_absence(dir, out->library);
		return;
	}
}

void process_inspect(pid_t pid, struct process_report *out)
{
	_cleanup_free_ struct maps *maps = malloc(sizeof(*maps));
	_cleanup_close_ int dir = -1;
	char path[32];
	int r;

	*out = (struct process_report){.pid = pid, .policy_state = -1};
	snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || !maps) {
		out->kind = PROCESS_GONE;
		return;
	}
	if (read_small(dir, "comm", out->program, sizeof(out->program)) > 0)
		out->program[strcspn(out->program, "\n")] = '\0';
	r = read_maps(dir, maps);
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): read_maps() sets it where it returns 0 */
	if (r < 0 || maps->lines == 0) {
		if ((r == -EACCES || r == -EPERM) && !is_kernel_thread(dir))
			out->kind = PROCESS_DENIED;
		else if (r == -ENOENT || r == -ESRCH)
			out->kind = PROCESS_GONE;
		return;
	}
	if (maps->libraries)
		inspect_libraries(maps, out);
	else
		inspect_environment(dir, out);
}
