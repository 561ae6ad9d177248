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
	return unit_file_has_ours(judgement->unit) &&
		(strcmp(path, judgement->tools->library) == 0 || strcmp(path, TABLES) == 0);
}

/* What is looked for in the values of a setting that holds paths. */
struct search {
	const struct judgement *judgement; /* leave out what is ours; NULL: it is not in there */
	const char *path;
	bool binds; /* the values are "SOURCE:TARGET:OPTIONS": it is seen at the target */
	bool found;
};

/* Each may have a prefix "-" or "+" and ":OPTIONS" behind; an empty value takes back all that were before it. */
static int search_value(void *context, const char *value)
{
	struct search *search = context;
	char *word;
	int r;

	search->found = search->found && *value;
	while ((r = words_next(&value, &word)) > 0) {
		char *directory = word + strspn(word, "-+");
		char *target = search->binds ? strchr(directory, ':') : NULL;

		if (target)
			directory = target + 1;
		directory[strcspn(directory, ":")] = '\0';
		if (directory[0] == '/' && is_below(search->path, directory) &&
			!(search->judgement && is_ours(search->judgement, directory)))
			search->found = true;
		free(word);
	}
	return r;
}

bool judge_covers(const struct judgement *judgement, const char *property, const char *path)
{
	bool binds = starts_with(property, "Bind");
	struct search shown = {.judgement = judgement, .path = path, .binds = binds};
	struct search own = {.path = path, .binds = binds};
	size_t place = 0;

	for (const char *value; (value = unit_next(judgement->unit, property, &place));) {
		if (search_value(&shown, value) < 0)
			return false;
	}
	if (shown.found || !unit_file_has_ours(judgement->unit))
		return shown.found;
	return unit_file_own(judgement->unit, property, search_value, &own) == 0 && own.found;
}

static bool is_private(const struct unit *unit, const char *path)
{
	return unit_is(unit, "PrivateTmp", "yes") && (is_below(path, "/tmp") || is_below(path, "/var/tmp"));
}

bool judge_is_home(const char *path)
{
	return is_below(path, "/home") || is_below(path, "/root") || is_below(path, "/run/user");
}

bool judge_hides(const struct judgement *judgement, const char *path)
{
	const struct unit *unit = judgement->unit;

	if (judge_covers(judgement, "BindPaths", path) || judge_covers(judgement, "BindReadOnlyPaths", path))
		return false;
	return *judge_root(judgement) || judge_covers(judgement, "TemporaryFileSystem", path) ||
		is_private(unit, path) || (unit_is(unit, "ProtectHome", "tmpfs") && judge_is_home(path));
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
	else if (unit_is(unit, "ProtectHome", "yes") && judge_is_home(path))
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
