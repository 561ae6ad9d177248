/* SPDX-License-Identifier: MIT */
/* LD_PRELOAD of a service: what it is without us, what it becomes, and who could overrule that. */
#include "config.h"

#include <errno.h>
#include <glob.h>
#include <string.h>

#include "ctl/preload-list.h"
#include "ctl/service/command.h"
#include "ctl/service/judge.h"
#include "ctl/service/words.h"

#define FILE_MAX (1u << 20)

int judge_inherited(bool user, char **out)
{
	_cleanup_command_ struct command_result result = {.status = 0};
	const char *argv[] = {"systemctl", user ? "--user" : "--system", "--no-pager", "show-environment", NULL};
	int r = command_run(argv, &result);

	/* One assignment a line, quoted as a shell wants it. */
	return r < 0 || result.status != 0 ? 0 : words_assigned(result.out, "LD_PRELOAD", out);
}

static int preload_without_us(const struct judgement *judgement, char **out)
{
	const struct unit *unit = judgement->unit;
	const char *inherited = judgement->tools->inherited;
	int r;

	if (unit_file_has_ours(unit))
		r = unit_file_preload(unit, out);
	else
		r = words_assigned(unit_get(unit, "Environment"), "LD_PRELOAD", out);
	if (r == 0 && !*out && inherited) {
		*out = strdup(inherited);
		r = *out ? 0 : -ENOMEM;
	}
	return r;
}

static void judge_preload(struct judgement *judgement)
{
	_cleanup_free_ char *before = NULL;
	const char *ours;
	size_t length;
	int r = preload_without_us(judgement, &before);

	if (r == 0)
		r = preload_list(before, judgement->tools->library, &judgement->preload);
	if (r == -EINVAL) {
		judgement_add(judgement, REMARK_NEVER, "LD_PRELOAD",
			"cannot hold '%s', for it has a blank or a colon; install smcshim elsewhere",
			judgement->tools->library);
		r = 0;
	}
	if (r < 0)
		judgement->error = r;
	else if (before && preload_list_find(before, &ours, &length))
		judgement_add(judgement, REMARK_NOTE, "LD_PRELOAD", "the unit itself names the library already: '%s'",
			before);
	else if (before && *before)
		judgement_add(judgement, REMARK_HANDLED, "LD_PRELOAD", "is set already and is kept: '%s'",
			judgement->preload);
}

/* The last value of LD_PRELOAD in the text of an environment file (systemd.exec(5)); lines are not continued here. */
static int preload_of_text(const char *text, char **out)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		_cleanup_free_ char *line = strndup(text, length);
		int r;

		if (!line)
			return -ENOMEM;
		text += length + (text[length] == '\n');
		if (!starts_with(line + strspn(line, " \t"), "LD_PRELOAD="))
			continue;
		free(take(*out));
		r = words_assigned(line, "LD_PRELOAD", out);
		if (r < 0)
			return r;
	}
	return 0;
}

/* NULL: it sets none. */
static int preload_of_file(const char *path, char **out)
{
	_cleanup_close_ int fd = open_read(path);
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = fd < 0 ? fd : read_all(fd, FILE_MAX, &text, &size);

	return r < 0 ? r : preload_of_text(text, out);
}

static void judge_file(void *context, const char *path)
{
	struct judgement *judgement = context;
	_cleanup_free_ char *value = NULL;
	const char *ours;
	size_t size;
	int r = preload_of_file(path, &value);

	if (r == -ENOENT)
		return;
	if (r < 0)
		judgement_add(judgement, REMARK_NOTE, "EnvironmentFile",
			"'%s' cannot be read (%s): were LD_PRELOAD set there, it "
			"would overrule the drop-in",
			path, strerror(-r));
	else if (value && preload_list_find(value, &ours, &size))
		judgement_add(judgement, REMARK_NOTE, "EnvironmentFile", "'%s' names the library already", path);
	else if (value)
		judgement_add(judgement, REMARK_TCP, "EnvironmentFile",
			"'%s' sets LD_PRELOAD, which overrules every Environment=; write there LD_PRELOAD=%s%s%s", path,
			judgement->tools->library, *value ? ":" : "", value);
}

/* Calls look() for each environment file of the unit, in their order. Returns 0 or -ENOMEM. */
static int each_file(const struct unit *unit, void (*look)(void *context, const char *path), void *context)
{
	size_t place = 0;

	for (const char *value; (value = unit_next(unit, "EnvironmentFiles", &place));) {
		/* "PATTERN (ignore_errors=yes)" */
		const char *end = strstr(value, " (ignore_errors=");
		_cleanup_free_ char *pattern = strndup(value, end ? (size_t)(end - value) : strlen(value));
		glob_t found;

		if (!pattern)
			return -ENOMEM;
		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++)
			look(context, found.gl_pathv[i]);
		globfree(&found);
	}
	return 0;
}

static void look_for_library(void *context, const char *path)
{
	_cleanup_free_ char *value = NULL;
	bool *named = context;
	const char *ours;
	size_t size;

	/* The last that sets it holds. */
	if (preload_of_file(path, &value) == 0 && value)
		*named = preload_list_find(value, &ours, &size);
}

bool judge_files_name_library(const struct unit *unit)
{
	bool named = false;

	return each_file(unit, look_for_library, &named) == 0 && named;
}

void judge_environment(struct judgement *judgement)
{
	const struct unit *unit = judgement->unit;
	int r;

	judge_preload(judgement);
	r = each_file(unit, judge_file, judgement);
	if (r < 0)
		judgement->error = r;
	if (unit_sets(unit, "PAMName"))
		judgement_add(judgement, REMARK_NOTE, "PAMName",
			"opens a session of '%s': pam_env in it, by /etc/environment, may overrule LD_PRELOAD; smcctl "
			"service status tells after the start",
			unit_get(unit, "PAMName"));
	if (words_have(unit_get(unit, "UnsetEnvironment"), "LD_PRELOAD"))
		judgement_add(judgement, REMARK_TCP, "UnsetEnvironment",
			"takes LD_PRELOAD away at the end; remove it there (UnsetEnvironment= in the unit)");
}
