/* SPDX-License-Identifier: MIT */
/* A drop-in can only replace a command as a whole, so it has a copy: made here, and compared with what it was made of. */
#include "config.h"

#include "ctl/service/exec-unit.h"

#include <errno.h>
#include <string.h>

#include "ctl/paths.h"
#include "ctl/service/unit-file.h"

/* An empty value takes back all that were before it. */
static int take_value(void *context, const char *value)
{
	char **all = context;
	char *longer = NULL;

	if (*value && asprintf(&longer, "%s%s\n", *all ? *all : "", value) < 0)
		return -ENOMEM;
	free(*all);
	*all = longer;
	return 0;
}

int exec_unit_values(const struct unit *unit, char **out)
{
	_cleanup_free_ char *all = NULL;
	int r = unit_file_own(unit, "ExecStart", take_value, &all);

	if (r == 0 && !all)
		all = strdup("");
	if (r == 0 && !all)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*out = take(all);
	return 0;
}

static int put_value(FILE *stream, const char *value, const char *smcctl, const char **why)
{
	struct exec_command command = {.prefix = NULL};
	int r;

	while ((r = exec_command_next(&value, &command, why)) > 0) {
		exec_command_put(stream, &command, smcctl);
		exec_command_clear(&command);
	}
	return r;
}

int exec_unit_lines(const struct unit *unit, const char *smcctl, char **out, char **value, const char **why)
{
	_cleanup_free_ char *values = NULL;
	_cleanup_free_ char *text = NULL;
	char *rest = NULL;
	size_t size;
	FILE *stream;
	int r = exec_unit_values(unit, &values);

	if (r < 0)
		return r;
	stream = open_memstream(&text, &size);
	if (!stream)
		return -ENOMEM;
	fputs("ExecStart=\n", stream);
	for (char *line = strtok_r(values, "\n", &rest); line && r == 0; line = strtok_r(NULL, "\n", &rest)) {
		r = put_value(stream, line, smcctl, why);
		if (r == -EINVAL && !(*value = strdup(line)))
			r = -ENOMEM;
	}
	if (fclose(stream) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*out = take(text);
	return 0;
}

int exec_unit_is_stale(const struct unit *unit, const char *body, bool *stale)
{
	_cleanup_free_ char *smcctl = NULL;
	_cleanup_free_ char *lines = NULL;
	_cleanup_free_ char *value = NULL;
	const char *why;
	int r;

	*stale = false;
	if (!exec_text_supervises(body))
		return 0;
	r = exec_text_smcctl(body, &smcctl);
	if (r == 0)
		r = exec_unit_lines(unit, smcctl ? smcctl : "", &lines, &value, &why);
	if (r < 0 && r != -EINVAL)
		return r;
	*stale = r == -EINVAL || !exec_text_has(body, lines);
	return 0;
}

/* A command as systemctl shows it: its words are not quoted there. */
struct shown {
	char *path;
	char *line;
};

static void shown_clear(struct shown *shown)
{
	free(shown->path);
	free(shown->line);
}
#define _cleanup_shown_ _cleanup_(shown_clear)

/* Whether the failure of the command is ignored, the one prefix that systemctl shows. */
static bool ignores(const char *value)
{
	return strstr(value, " ; ignore_errors=yes ;") != NULL;
}

/* The name, by which the program is called, is the first so many bytes. */
static int is_named(const struct shown *before, const struct shown *after, const char *smcctl, size_t name)
{
	_cleanup_free_ char *expected = NULL;

	if (asprintf(&expected, "%s" EXEC_RUN "--argv0 %.*s -- %s%s", smcctl, (int)name, before->line, before->path,
		    before->line + name) < 0)
		return expected = NULL, -ENOMEM;
	return strcmp(after->line, expected) == 0;
}

static int is_behind(const struct shown *before, const struct shown *after, const char *smcctl)
{
	_cleanup_free_ char *plain = NULL;
	int r = 0;

	/* NOLINTBEGIN(clang-analyzer-core.*): unit_command() sets both members where it returns 0 */
	if (strcmp(path_base(before->path), PATHS_SMCCTL) == 0 && strcmp(before->line, after->line) == 0)
		return 1;
	if (asprintf(&plain, "%s" EXEC_RUN "-- %s", smcctl, before->line) < 0)
		return plain = NULL, -ENOMEM;
	if (strcmp(after->line, plain) == 0)
		return 1;
	/* A name may hold blanks. */
	for (size_t name = 0; r == 0 && before->line[name]; r = is_named(before, after, smcctl, name))
		name += 1 + strcspn(before->line + name + 1, " ");
	/* NOLINTEND(clang-analyzer-core.*) */
	return r;
}

static int is_pair(const char *before, const char *after, const char *smcctl)
{
	_cleanup_shown_ struct shown old = {.path = NULL};
	_cleanup_shown_ struct shown new = {.path = NULL};
	int r = unit_command(after, &new.path, &new.line);

	if (r == 0 && before)
		r = unit_command(before, &old.path, &old.line);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (!before)
		return strcmp(new.path, smcctl) == 0 || strcmp(path_base(new.path), PATHS_SMCCTL) == 0;
	return ignores(before) == ignores(after) ? is_behind(&old, &new, smcctl) : 0;
}

int exec_unit_verify(const struct unit *before, const struct unit *after, const char *smcctl)
{
	bool measure = !unit_is(before, "NeedDaemonReload", "yes") &&
		!(unit_file_has_ours(before) && strstr(unit_get(before, "ExecStart"), EXEC_RUN));
	size_t old_place = 0;
	size_t place = 0;
	size_t count = 0;
	const char *old = NULL;
	const char *value;
	int r = 1;

	while (r > 0 && (value = unit_next(after, "ExecStart", &place))) {
		old = measure ? unit_next(before, "ExecStart", &old_place) : NULL;
		r = measure && !old ? 0 : is_pair(old, value, smcctl);
		count++;
	}
	if (r <= 0)
		return r;
	return count && !(measure && unit_next(before, "ExecStart", &old_place));
}
