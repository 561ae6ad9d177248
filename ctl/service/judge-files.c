/* SPDX-License-Identifier: MIT */
/* Whether a service sees the library and the policy's table, and what makes it see them. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/service/judge.h"
#include "ctl/service/words.h"

#define TABLES "/run/smc"

/* True if path is directory or below it. */
static bool is_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	while (length && directory[length - 1] == '/')
		length--;
	return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* What our own drop-in binds does not count: without it, it would be hidden. */
static bool is_ours(const struct judgement *judgement, const char *path)
{
	return unit_file_has_drop_in(judgement->unit) &&
		(strcmp(path, judgement->tools->library) == 0 || strcmp(path, TABLES) == 0);
}

/* Each may have a prefix "-" or "+" and ":OPTIONS" or ":TARGET" behind. */
bool judge_covers(const struct judgement *judgement, const char *property, const char *path)
{
	const struct unit *unit = judgement->unit;
	size_t place = 0;
	bool found = false;

	for (const char *value; !found && (value = unit_next(unit, property, &place));) {
		char *word;

		while (!found && words_next(&value, &word) > 0) {
			char *directory = word + strspn(word, "-+");

			directory[strcspn(directory, ":")] = '\0';
			found = directory[0] == '/' && !is_ours(judgement, directory) && is_below(path, directory);
			free(word);
		}
	}
	return found;
}

static bool is_private(const struct unit *unit, const char *path)
{
	return unit_is(unit, "PrivateTmp", "yes") && (is_below(path, "/tmp") || is_below(path, "/var/tmp"));
}

static bool is_home(const char *path)
{
	return is_below(path, "/home") || is_below(path, "/root") || is_below(path, "/run/user");
}

bool judge_hides(const struct judgement *judgement, const char *path)
{
	const struct unit *unit = judgement->unit;

	if (judge_covers(judgement, "BindPaths", path) || judge_covers(judgement, "BindReadOnlyPaths", path))
		return false;
	return *judge_root(judgement) || judge_covers(judgement, "TemporaryFileSystem", path) ||
		is_private(unit, path) || (unit_is(unit, "ProtectHome", "tmpfs") && is_home(path));
}

/* "-": a service starts without the file as well, on TCP. */
static void bind(struct judgement *judgement, const char *path)
{
	fputs("BindReadOnlyPaths=", judgement->lines);
	if (strpbrk(path, " \t\"'\\%:")) {
		judgement_add(judgement, REMARK_NEVER, "BindReadOnlyPaths",
			"'%s' has characters that cannot stand there", path);
		return;
	}
	fprintf(judgement->lines, "-%s\n", path);
}

static void judge_path(struct judgement *judgement, const char *what, const char *path, const char *to_bind)
{
	const struct unit *unit = judgement->unit;

	if (judge_covers(judgement, "InaccessiblePaths", path))
		judgement_add(
			judgement, REMARK_TCP, "InaccessiblePaths", "hides the %s '%s' from the service", what, path);
	else if (unit_is(unit, "ProtectHome", "yes") && is_home(path))
		judgement_add(judgement, REMARK_TCP, "ProtectHome", "hides the %s '%s'; install smcshim elsewhere",
			what, path);
	else if (judge_hides(judgement, path)) {
		judgement_add(judgement, REMARK_HANDLED, *judge_root(judgement) ? "RootDirectory" : "mount-namespace",
			"the service does not see the %s '%s'; the drop-in binds it there", what, path);
		bind(judgement, to_bind);
	}
}

void judge_files(struct judgement *judgement)
{
	const struct unit *unit = judgement->unit;
	const char *library = judgement->tools->library;
	const char *table = judgement->table ? judgement->table : CTL_DEFAULT_TABLE;

	if (access(library, R_OK) < 0)
		judgement_add(judgement, REMARK_TCP, "library", "'%s': %s", library, strerror(errno));
	if (unit_sets(unit, "RootImage")) {
		judgement_add(judgement, REMARK_TCP, "RootImage",
			"the image '%s' is not looked into: the library and '%s' must be in it, at the same paths",
			unit_get(unit, "RootImage"), TABLES);
		return;
	}
	/* judge_supervision() has looked at it. */
	if (!judgement->supervise)
		judge_path(judgement, "library", library, library);
	/* The directory: the table in it may be made later. */
	judge_path(judgement, "policy's table", table, is_below(table, TABLES) ? TABLES : table);
	if (!judgement->supervise && judge_covers(judgement, "NoExecPaths", library) &&
		!judge_covers(judgement, "ExecPaths", library)) {
		judgement_add(judgement, REMARK_HANDLED, "NoExecPaths",
			"forbids to execute the library; the drop-in allows that");
		fprintf(judgement->lines, "ExecPaths=-%s\n", library);
	}
}
