/* SPDX-License-Identifier: MIT */
/* Cuts the text of ExecStart= at the places that matter, and leaves every other byte as it is. */
#include "config.h"

#include "ctl/service/exec-line.h"

#include <errno.h>
#include <string.h>

#define BLANKS " \t\n\r"
#define KEY "ExecStart="

void exec_command_clear(struct exec_command *command)
{
	free(command->prefix);
	free(command->name);
	free(command->program);
	free(command->arguments);
	free(command->path);
	*command = (struct exec_command){.prefix = NULL};
}

/* The length of the word at text, with its quotes (systemd's extract_first_word); 0: an end of quotes is missing. */
static size_t word_length(const char *text)
{
	const char *p = text;
	char quote = '\0';

	for (; *p && (quote || !strchr(BLANKS, *p)); p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == quote)
			quote = '\0';
		else if (!quote && (*p == '"' || *p == '\''))
			quote = *p;
	}
	return quote ? 0 : (size_t)(p - text);
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, BLANKS);
}

/* A semicolon that is a word: another command follows. "\;" and ";" in quotes are none. */
static bool is_separator(const char *text)
{
	return text[0] == ';' && (!text[1] || strchr(BLANKS, text[1]));
}

/* As written, but without quotes. NULL in *out: what stands there, systemd finds out. */
static int unquote(const char *word, char **out)
{
	char *copy;
	size_t used = 0;

	*out = NULL;
	if (strpbrk(word, "\\%"))
		return 0;
	copy = malloc(strlen(word) + 1);
	if (!copy)
		return -ENOMEM;
	for (char quote = '\0'; *word; word++) {
		if (*word == quote)
			quote = '\0';
		else if (!quote && (*word == '"' || *word == '\''))
			quote = *word;
		else
			copy[used++] = *word;
	}
	copy[used] = '\0';
	*out = copy;
	return 0;
}

/* The prefix may stand in the quotes of the program, out of which it is taken. */
static int split_program(const char *word, size_t length, struct exec_command *out)
{
	bool quoted = *word == '"' || *word == '\'';
	size_t prefix = strspn(word + quoted, "-@:+!|");

	out->prefix = strndup(word + quoted, prefix);
	if (asprintf(&out->program, "%.*s%.*s", (int)quoted, word, (int)(length - quoted - prefix),
		    word + quoted + prefix) < 0)
		out->program = NULL;
	return out->prefix && out->program ? unquote(out->program, &out->path) : -ENOMEM;
}

static const char *refusal(const struct exec_command *command)
{
	if (strchr(command->prefix, '|'))
		return "is a line for a shell";
	if (!*command->program || strcmp(command->program, "\"\"") == 0 || strcmp(command->program, "''") == 0)
		return "names no program";
	/* smcctl run would look for it in the service's PATH, systemd does in its own. */
	if (!strchr("/%", command->program[*command->program == '"' || *command->program == '\'']))
		return "names its program without a path";
	/* In the program's path it is itself; in arguments a variable. */
	if (strchr(command->program, '$'))
		return "has '$' in its path";
	if (command->name && *command->name == '$')
		return "is called by the value of a variable";
	return NULL;
}

/* *text moves behind the word. */
static int take_word(const char **text, char **out)
{
	size_t length = word_length(*text);

	if (!length)
		return -EINVAL;
	*out = strndup(*text, length);
	*text = skip_blanks(*text + length);
	return *out ? 0 : -ENOMEM;
}

static int take_arguments(const char **text, char **out)
{
	const char *begin = *text;
	const char *end = begin;

	while (**text && !is_separator(*text)) {
		size_t length = word_length(*text);

		if (!length)
			return -EINVAL;
		end = *text + length;
		*text = skip_blanks(end);
	}
	*out = strndup(begin, (size_t)(end - begin));
	*text = is_separator(*text) ? skip_blanks(*text + 1) : *text;
	return *out ? 0 : -ENOMEM;
}

int exec_command_next(const char **value, struct exec_command *out, const char **why)
{
	_cleanup_exec_command_ struct exec_command command = {.prefix = NULL};
	const char *p = skip_blanks(*value);
	size_t length = word_length(p);
	int r;

	if (!*p)
		return 0;
	*why = "has quotes without end";
	r = length ? split_program(p, length, &command) : -EINVAL;
	p = skip_blanks(p + length);
	if (r == 0 && strchr(command.prefix, '@')) {
		*why = "has no name behind its path";
		r = *p && !is_separator(p) ? take_word(&p, &command.name) : -EINVAL;
	}
	if (r == 0)
		r = take_arguments(&p, &command.arguments);
	if (r < 0)
		return r;
	*why = refusal(&command);
	if (*why)
		return -EINVAL;
	*value = p;
	*out = command;
	command = (struct exec_command){.prefix = NULL};
	return 1;
}

bool exec_command_is_run(const struct exec_command *command)
{
	const char *arguments = command->arguments;

	return command->path && strcmp(path_base(command->path), "smcctl") == 0 && starts_with(arguments, "run") &&
		(!arguments[3] || strchr(BLANKS, arguments[3]));
}

void exec_command_put(FILE *stream, const struct exec_command *command, const char *smcctl)
{
	bool run = exec_command_is_run(command);

	fputs(KEY, stream);
	for (const char *p = command->prefix; *p; p++) {
		if (*p != '@' || run)
			fputc(*p, stream);
	}
	if (!run) {
		fprintf(stream, "%s" EXEC_RUN, smcctl);
		if (command->name)
			fprintf(stream, "--argv0 %s ", command->name);
		fputs("-- ", stream);
	}
	fputs(command->program, stream);
	if (run && command->name)
		fprintf(stream, " %s", command->name);
	fprintf(stream, "%s%s\n", *command->arguments ? " " : "", command->arguments);
}

/* The first line behind the empty one, or NULL. */
static const char *find_lines(const char *body)
{
	const char *found = body ? strstr(body, "\n" KEY "\n") : NULL;

	return found ? found + 1 : NULL;
}

bool exec_text_supervises(const char *body)
{
	return find_lines(body) != NULL;
}

int exec_text_smcctl(const char *body, char **out)
{
	const char *begin = find_lines(body);
	const char *end = begin ? strstr(begin, EXEC_RUN) : NULL;

	*out = NULL;
	if (!end)
		return 0;
	for (begin = end; begin[-1] != '=' && begin[-1] != '\n';)
		begin--;
	begin += strspn(begin, "-:+!");
	*out = strndup(begin, (size_t)(end - begin));
	return *out ? 0 : -ENOMEM;
}

bool exec_text_has(const char *body, const char *lines)
{
	const char *found = find_lines(body);
	size_t length = strlen(lines);

	return found && strncmp(found, lines, length) == 0 && !starts_with(found + length, KEY);
}
