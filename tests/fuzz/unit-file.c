/* SPDX-License-Identifier: MIT */
/* Fuzz target over what smcctl service reads as text: unit files, values of systemctl, first lines of scripts. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/service/exec-line.h"
#include "ctl/service/script.h"
#include "ctl/service/unit-file.h"
#include "ctl/service/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is in the list is in force, each word once and in order. */
static int take_families(void *context, const char *value)
{
	struct families *families = context;
	_cleanup_free_ char *before = NULL;
	const char *rest;
	char *word;
	int r = families_assign(families, value);

	if (r < 0)
		return r;
	if (families->kind == FAMILIES_ALL && families->list)
		abort();
	rest = families->list ? families->list : "";
	while ((r = words_next(&rest, &word)) > 0) {
		if ((before && strcmp(before, word) >= 0) ||
			families_allow(families, word) != (families->kind == FAMILIES_ALLOW))
			abort();
		free(before);
		before = word;
	}
	return r;
}

static int take_environment(void *context, const char *value)
{
	_cleanup_free_ char *found = NULL;
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *line = NULL;

	(void)context;
	if (unit_command(value, &path, &line) == 0 && (!path || !line))
		abort();
	return words_assigned(value, "LD_PRELOAD", &found);
}

/* What is put in front stays in front, and no line becomes two: the line that is written is one command, of smcctl run. */
static int take_command(void *context, const char *value)
{
	struct exec_command command = {.prefix = NULL};
	const char *why = NULL;
	int r;

	(void)context;
	while ((r = exec_command_next(&value, &command, &why)) > 0) {
		_cleanup_exec_command_ struct exec_command again = {.prefix = NULL};
		_cleanup_free_ char *line = NULL;
		size_t length;
		FILE *stream = open_memstream(&line, &length);
		const char *rest;

		if (!stream)
			return -ENOMEM;
		exec_command_put(stream, &command, "/bin/smcctl");
		if (fclose(stream) != 0)
			return -ENOMEM;
		rest = line + strlen("ExecStart=");
		if (line[length - 1] != '\n' || strchr(command.program, '\n') ||
			exec_command_next(&rest, &again, &why) != 1 || *rest || !exec_command_is_run(&again))
			abort();
		exec_command_clear(&command);
	}
	if (r == -EINVAL && !why)
		abort();
	return r == -EINVAL ? 0 : r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_families_ struct families families = {.kind = FAMILIES_ALL};
	_cleanup_free_ char *text = malloc(size + 1);
	_cleanup_free_ char *next = NULL;
	enum program_obstacle obstacle = PROGRAM_FINE;
	int r;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	r = unit_file_parse(text, "RestrictAddressFamilies", take_families, &families);
	if (r < 0 && r != -ENOMEM)
		abort();
	r = unit_file_parse(text, "Environment", take_environment, NULL);
	if (r < 0 && r != -ENOMEM)
		abort();
	r = unit_file_parse(text, "ExecStart", take_command, NULL);
	if (r < 0 && r != -ENOMEM)
		abort();
	if (script_line(text, "/nowhere", &obstacle, &next) == 0 && !next && obstacle == PROGRAM_FINE)
		abort();
	return 0;
}
