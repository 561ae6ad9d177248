/* SPDX-License-Identifier: MIT */
/* Finds a program as execvp(3) does, follows its scripts and says what keeps a preloaded library out of it. */
#include "config.h"

#include "ctl/service/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/service/elf.h"
#include "ctl/service/script.h"

/* As the kernel: a chain of five interpreters is ELOOP. */
#define MAX_SCRIPTS 5

static int executable(const char *path)
{
	struct stat st;

	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 || stat(path, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -EACCES;
}

/* Errors of one directory of the search path that the search survives; glibc's list. */
static bool goes_on(int error)
{
	return error == -ENOENT || error == -ESTALE || error == -ENOTDIR || error == -ENODEV || error == -ETIMEDOUT;
}

int program_find(const char *name, const char *search, char **out)
{
	bool refused = false;

	if (!*name)
		return -ENOENT;
	if (strchr(name, '/')) {
		int r = executable(name);

		if (r < 0)
			return r;
		*out = strdup(name);
		return *out ? 0 : -ENOMEM;
	}
	for (const char *part = search ? search : "/bin:/usr/bin"; part;) {
		_cleanup_free_ char *path = NULL;
		size_t length = strcspn(part, ":");
		int r;

		if (asprintf(&path, "%.*s%s%s", (int)length, part, length ? "/" : "", name) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = executable(path);
		if (r == 0) {
			*out = take(path);
			return 0;
		}
		refused = refused || r == -EACCES;
		if (r != -EACCES && !goes_on(r))
			return r;
		part = part[length] ? part + length + 1 : NULL;
	}
	return refused ? -EACCES : -ENOENT;
}

static enum program_obstacle judge(const struct elf_facts *facts, bool ia32)
{
	if (!facts->same_kind && !(facts->ia32 && ia32))
		return facts->complete || facts->ia32 ? PROGRAM_OTHER_KIND : PROGRAM_DAMAGED;
	if (facts->go)
		return PROGRAM_GO;
	if (!facts->complete)
		return PROGRAM_DAMAGED;
	return facts->interpreter[0] || facts->loader ? PROGRAM_FINE : PROGRAM_STATIC;
}

/* Under supervision, which sets no_new_privs for all but root (filter_install()). */
static bool would_lose(int fd, enum privilege_user user)
{
	bool root = user == PRIVILEGE_USER_ROOT || user == PRIVILEGE_USER_ROOT_BARRED ||
		(user == PRIVILEGE_USER_CALLER && geteuid() == 0);

	return !root && privilege_gained(fd, user) != PRIVILEGE_NONE;
}

/* Looks at one file. *next gets the path to look at instead, for a script. */
static int inspect_file(const char *path, const struct program_context *context, struct program *out, char **next)
{
	_cleanup_close_ int fd = open_read(path);
	struct elf_source source;
	struct elf_facts facts;
	enum privilege secure;

	out->obstacle = PROGRAM_UNKNOWN;
	if (fd < 0)
		return 0;
	elf_source_fd(&source, fd);
	if (elf_inspect(&source, &facts) < 0)
		return 0;
	if (!facts.elf)
		return script_next(fd, context->search, &out->obstacle, next);
	out->bits = facts.bits;
	out->musl = facts.musl;
	out->ia32 = facts.ia32;
	out->obstacle = judge(&facts, context->ia32);
	if (out->obstacle == PROGRAM_STATIC || out->obstacle == PROGRAM_GO)
		out->gains = would_lose(fd, context->user);
	if (out->obstacle != PROGRAM_FINE)
		return 0;
	secure = privilege_secure(fd, context->user);
	if (secure == PRIVILEGE_SET_ID)
		out->obstacle = PROGRAM_SET_ID;
	else if (secure == PRIVILEGE_CAPABILITIES)
		out->obstacle = PROGRAM_CAPABILITIES;
	return 0;
}

int program_inspect(const char *path, const struct program_context *context, struct program *out)
{
	_cleanup_program_ struct program found = {.path = strdup(path), .binary = strdup(path)};

	if (!found.path || !found.binary)
		return -ENOMEM;
	for (int i = 0; i <= MAX_SCRIPTS; i++) {
		char *next = NULL;
		int r = inspect_file(found.binary, context, &found, &next);

		if (r < 0)
			return r;
		if (!next) {
			*out = found;
			found = (struct program){.path = NULL};
			return 0;
		}
		free(found.binary);
		found.binary = next;
	}
	found.obstacle = PROGRAM_LOOP;
	*out = found;
	found = (struct program){.path = NULL};
	return 0;
}

void program_clear(struct program *program)
{
	free(program->path);
	free(program->binary);
	*program = (struct program){.path = NULL};
}

bool program_for_supervisor(const struct program *program)
{
	enum program_obstacle obstacle = program->obstacle;

	/* Its calls have other numbers, for which there is no filter. */
	return !program->ia32 && !program->gains &&
		(obstacle == PROGRAM_STATIC || obstacle == PROGRAM_GO || obstacle == PROGRAM_ENVIRONMENT);
}

const char *program_obstacle_text(const struct program *program)
{
	switch (program->obstacle) {
	case PROGRAM_FINE:
		return program->musl ? "is linked dynamically, with musl" : "is linked dynamically";
	case PROGRAM_UNKNOWN:
		return "cannot be read, so nothing is known about it";
	case PROGRAM_DAMAGED:
		return "is a damaged ELF file";
	case PROGRAM_STATIC:
		return program->gains ? "is linked statically, and when supervised it would lose the privilege of its "
					"file (capabilities, set-user-ID)"
				      : "is linked statically: no library can be loaded into it";
	case PROGRAM_GO:
		return program->gains
			? "is a Go program, and when supervised it would lose the privilege of its "
			  "file (capabilities, set-user-ID)"
			: "is a Go program: it makes its system calls itself and uses no library for its sockets";
	case PROGRAM_SET_ID:
		return "is set-user-ID or set-group-ID: the dynamic loader ignores LD_PRELOAD for it";
	case PROGRAM_CAPABILITIES:
		return "has file capabilities: the dynamic loader ignores LD_PRELOAD for it";
	case PROGRAM_OTHER_KIND:
		return program->bits == 32 ? "is a 32-bit program or one for another machine: the library is not"
					   : "is a program for another machine or word size than the library";
	case PROGRAM_ENVIRONMENT:
		return "starts with an empty environment, so without LD_PRELOAD";
	case PROGRAM_LOOP:
		return "is a script of a script of a script: the kernel gives up";
	}
	return "is unknown";
}
