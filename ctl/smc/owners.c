/* SPDX-License-Identifier: MIT */
/* One walk over /proc/PID/fd of all processes. */
#include "config.h"

#include "ctl/smc/owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}
#define _cleanup_dir_ _cleanup_(cleanup_dir)

void owners_clear(struct owners *owners)
{
	free(owners->process);
	free(owners->holding);
	*owners = (struct owners){.process = NULL};
}

static int add_process(struct owners *owners, int dir, pid_t pid)
{
	struct owner_process *process;

	if (owners->processes == owners->process_room) {
		size_t room = owners->process_room ? owners->process_room * 2 : 64;

		process = realloc(owners->process, room * sizeof(*process));
		if (!process)
			return -ENOMEM;
		owners->process = process;
		owners->process_room = room;
	}
	process = &owners->process[owners->processes++];
	*process = (struct owner_process){.pid = pid};
	if (read_line_at(dir, "comm", process->program, sizeof(process->program)) < 0)
		process->program[0] = '\0';
	return owners_unit_of(dir, process->unit, sizeof(process->unit));
}

static int add_holding(struct owners *owners, uint64_t inode, uint32_t process)
{
	if (owners->holdings == owners->holding_room) {
		size_t room = owners->holding_room ? owners->holding_room * 2 : 1024;
		struct owner_holding *larger = realloc(owners->holding, room * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		owners->holding = larger;
		owners->holding_room = room;
	}
	owners->holding[owners->holdings++] = (struct owner_holding){.inode = inode, .process = process};
	return 0;
}

/* The inode of "socket:[INODE]"; 0 for descriptors of other kinds. */
static uint64_t socket_inode(int dir, const char *name)
{
	static const char prefix[] = "socket:[";
	char text[40];
	uint64_t inode;
	ssize_t n = readlinkat(dir, name, text, sizeof(text) - 1);

	if (n <= (ssize_t)sizeof(prefix) || text[n - 1] != ']')
		return 0;
	text[n - 1] = '\0';
	if (!starts_with(text, prefix) || text_to_uint(text + sizeof(prefix) - 1, 1, UINT64_MAX, &inode) < 0)
		return 0;
	return inode;
}

/* A process that ends meanwhile has no sockets. */
static int read_process(struct owners *owners, int proc, const char *name, pid_t pid)
{
	_cleanup_close_ int dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *fds = NULL;
	const struct dirent *entry;
	bool known = false;
	int fd = dir < 0 ? -1 : openat(dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0 && is_shortage(errno))
		return -errno;
	if (fd < 0) {
		owners->denied += errno == EACCES || errno == EPERM;
		return 0;
	}
	fds = fdopendir(fd);
	if (!fds) {
		close(fd);
		return -ENOMEM;
	}
	errno = 0;
	while (r == 0 && (entry = readdir(fds))) {
		uint64_t inode = entry->d_name[0] == '.' ? 0 : socket_inode(fd, entry->d_name);

		if (inode && !known)
			r = add_process(owners, dir, pid);
		known = known || inode;
		if (inode && r == 0)
			r = add_holding(owners, inode, (uint32_t)owners->processes - 1);
		errno = 0;
	}
	if (r == 0 && (errno == EACCES || errno == EPERM))
		owners->denied++;
	return r;
}

static int compare_holdings(const void *a, const void *b)
{
	const struct owner_holding *x = a;
	const struct owner_holding *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return (x->process > y->process) - (x->process < y->process);
}

static void sort_holdings(struct owners *owners)
{
	size_t kept = 0;

	if (owners->holdings)
		qsort(owners->holding, owners->holdings, sizeof(*owners->holding), compare_holdings);
	for (size_t i = 0; i < owners->holdings; i++)
		if (!kept || compare_holdings(&owners->holding[kept - 1], &owners->holding[i]) != 0)
			owners->holding[kept++] = owners->holding[i];
	owners->holdings = kept;
}

int owners_read(struct owners *owners)
{
	_cleanup_dir_ DIR *proc = opendir("/proc");
	const struct dirent *entry;
	int r = 0;

	if (!proc)
		return -errno;
	while (r == 0 && (entry = readdir(proc))) {
		uint64_t pid;

		if (text_to_uint(entry->d_name, 1, INT32_MAX, &pid) == 0)
			r = read_process(owners, dirfd(proc), entry->d_name, (pid_t)pid);
	}
	sort_holdings(owners);
	return r;
}

const struct owner_holding *owners_find(const struct owners *owners, uint64_t inode, size_t *count)
{
	size_t from = 0;
	size_t to = owners->holdings;

	*count = 0;
	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (owners->holding[middle].inode < inode)
			from = middle + 1;
		else
			to = middle;
	}
	while (from + *count < owners->holdings && owners->holding[from + *count].inode == inode)
		++*count;
	return *count ? &owners->holding[from] : NULL;
}
