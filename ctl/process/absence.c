/* SPDX-License-Identifier: MIT */
/* Why a process that was started with the library in LD_PRELOAD does not carry it. */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ctl/process/report.h"
#include "ctl/service/elf.h"

/* AT_SECURE of a process of our word size. */
static bool is_secure(int dir)
{
	_cleanup_close_ int fd = openat(dir, "auxv", O_RDONLY | O_CLOEXEC);
	unsigned long entry[2];

	/* An entry is a pair; the kernel gives some twenty of them. */
	for (int i = 0; fd >= 0 && i < 64 && read(fd, entry, sizeof(entry)) == (ssize_t)sizeof(entry); i++) {
		if (entry[0] == AT_SECURE)
			return entry[1] != 0;
		if (entry[0] == AT_NULL)
			break;
	}
	return false;
}

/* The path as the process sees it: in its own root directory, where absolute links stay inside too. */
static int stat_inside(int dir, const char *path, struct stat *out)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	_cleanup_close_ int root = openat(dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = -1;

	if (root < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	return fstat(fd, out) < 0 ? -errno : 0;
}

static bool readable(int dir, const struct stat *file)
{
	struct stat process;

	/* The /proc directory belongs to the process's effective user, or to root if that is to be hidden. */
	/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): set by stat_inside(), where that returns 0 */
	if (fstat(dir, &process) < 0 || process.st_uid == 0 || (file->st_mode & S_IROTH))
		return true;
	if (process.st_uid == file->st_uid)
		return file->st_mode & S_IRUSR;
	return process.st_gid == file->st_gid && (file->st_mode & S_IRGRP);
}

enum process_absence process_absence(int dir, const char *library)
{
	_cleanup_close_ int exe = openat(dir, "exe", O_RDONLY | O_CLOEXEC);
	struct elf_source source;
	struct elf_facts facts;
	struct stat st;
	int r;

	elf_source_fd(&source, exe);
	if (exe >= 0 && elf_inspect(&source, &facts) == 0 && facts.elf) {
		if (!facts.same_kind)
			return ABSENCE_OTHER_KIND;
		if (!facts.interpreter[0] && !facts.loader)
			return ABSENCE_STATIC;
	}
	if (is_secure(dir))
		return ABSENCE_SECURE;
	r = library[0] == '/' ? stat_inside(dir, library, &st) : -EINVAL;
	if (r == -ENOENT || r == -ENOTDIR)
		return ABSENCE_MISSING;
	return r == 0 && !readable(dir, &st) ? ABSENCE_FORBIDDEN : ABSENCE_UNKNOWN;
}

const char *process_absence_text(enum process_absence absence)
{
	switch (absence) {
	case ABSENCE_STATIC:
		return "its program is linked statically";
	case ABSENCE_OTHER_KIND:
		return "its program has another word size or machine";
	case ABSENCE_SECURE:
		return "it was started in secure-execution mode (set-user-ID or file capabilities)";
	case ABSENCE_MISSING:
		return "the library is not in its root directory";
	case ABSENCE_FORBIDDEN:
		return "the library is not readable for its user";
	case ABSENCE_UNKNOWN:
		break;
	}
	return "the dynamic loader did not load it";
}
