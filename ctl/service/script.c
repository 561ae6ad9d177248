/* SPDX-License-Identifier: MIT */
/* Reads "#!" lines as the kernel does, and the arguments of env(1) in them. */
#include "config.h"

#include "ctl/service/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* BINPRM_BUF_SIZE: the kernel looks no further. */
#define LINE_MAX_BYTES 256u

#define BLANKS " \t"

/* True for an option whose value is the next word; its own spelling with the value inside needs no care. */
static bool takes_word(const char *word)
{
	return strcmp(word, "-u") == 0 || strcmp(word, "--unset") == 0 || strcmp(word, "-C") == 0 ||
		strcmp(word, "--chdir") == 0;
}

static bool empties_environment(const char *word)
{
	if (strcmp(word, "-") == 0 || strcmp(word, "--ignore-environment") == 0)
		return true;
	/* Letters can be bundled: -iS. */
	return word[0] == '-' && word[1] != '-' && strcspn(word + 1, "i") < strcspn(word + 1, "uCS");
}

static bool unsets_preload(const char *word, const char *value)
{
	if (strcmp(word, "-uLD_PRELOAD") == 0 || strcmp(word, "--unset=LD_PRELOAD") == 0)
		return true;
	return takes_word(word) && word[1] != 'C' && value && strcmp(value, "LD_PRELOAD") == 0;
}

/* The program that env(1) starts, in words; NULL: it cannot be told. */
static const char *env_program(char *words, enum program_obstacle *obstacle)
{
	char *rest = NULL;
	char *word = strtok_r(words, BLANKS, &rest);

	for (; word; word = strtok_r(NULL, BLANKS, &rest)) {
		const char *value = takes_word(word) ? strtok_r(NULL, BLANKS, &rest) : NULL;

		if (empties_environment(word) || unsets_preload(word, value) || starts_with(word, "LD_PRELOAD=")) {
			*obstacle = PROGRAM_ENVIRONMENT;
			return NULL;
		}
		if (starts_with(word, "-S") && word[2])
			word += 2;
		if (word[0] != '-' && !strchr(word, '='))
			return word;
	}
	*obstacle = PROGRAM_UNKNOWN;
	return NULL;
}

static int copy(const char *text, char **out)
{
	*out = strdup(text);
	return *out ? 0 : -ENOMEM;
}

int script_line(char *line, const char *search, enum program_obstacle *obstacle, char **next)
{
	char *interpreter = line + strspn(line, BLANKS);
	char *argument = interpreter + strcspn(interpreter, BLANKS);
	const char *name;
	int r;

	if (*argument)
		*argument++ = '\0';
	if (!*interpreter) {
		*obstacle = PROGRAM_UNKNOWN;
		return 0;
	}
	if (strcmp(path_base(interpreter), "env") != 0)
		return copy(interpreter, next);
	name = env_program(argument, obstacle);
	if (!name)
		return 0;
	r = program_find(name, search, next);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		*obstacle = PROGRAM_UNKNOWN;
	return 0;
}

int script_next(int fd, const char *search, enum program_obstacle *obstacle, char **next)
{
	char line[LINE_MAX_BYTES + 1];
	ssize_t n = pread(fd, line, LINE_MAX_BYTES, 0);

	if (n < 0) {
		*obstacle = PROGRAM_UNKNOWN;
		return 0;
	}
	line[n] = '\0';
	if (line[0] != '#' || line[1] != '!')
		return copy("/bin/sh", next);
	line[strcspn(line, "\n")] = '\0';
	return script_line(line + 2, search, obstacle, next);
}
