/* SPDX-License-Identifier: MIT */
/* The command line: finds the command and parses its options by its table. */
#include "config.h"

#include "ctl/args.h"

#include <ctype.h>
#include <string.h>

#include "ctl/util.h"

const struct ctl_command *args_command(int argc, char *const argv[], size_t *words)
{
	size_t count;
	const struct ctl_command *commands = ctl_commands(&count);

	for (size_t i = 0; i < count; i++) {
		const char *space = strchr(commands[i].name, ' ');
		size_t length = space ? (size_t)(space - commands[i].name) : strlen(commands[i].name);

		if (argc < 1 || strlen(argv[0]) != length || strncmp(argv[0], commands[i].name, length) != 0)
			continue;
		if (space && (argc < 2 || strcmp(argv[1], space + 1) != 0))
			continue;
		*words = space ? 2 : 1;
		return &commands[i];
	}
	return NULL;
}

bool args_is_group(const char *name)
{
	size_t count;
	const struct ctl_command *commands = ctl_commands(&count);
	size_t length = strlen(name);

	for (size_t i = 0; i < count; i++) {
		if (strncmp(commands[i].name, name, length) == 0 && commands[i].name[length] == ' ')
			return true;
	}
	return false;
}

struct parser {
	struct ctl *ctl;
	const struct ctl_command *command;
	int argc;
	char **argv;
	int next;
	struct ctl_args *out;
};

static enum args_result wrong(const struct parser *p, const char *what, const char *object, const char *why)
{
	ctl_error(p->ctl, CTL_USAGE, what, object, "%s; try smcctl %s --help", why, p->command->name);
	return ARGS_WRONG;
}

/* text: what was typed, for messages; value: the text behind '=', or NULL. */
static enum args_result take_option(struct parser *p, size_t row, const char *text, const char *value)
{
	const struct ctl_option *option = &p->command->options[row];
	bool optional = option->value && option->value[0] == '[';

	if (p->out->option[row])
		return wrong(p, "option", text, "given twice");
	if (!option->value) {
		if (value)
			return wrong(p, "option", text, "takes no value");
		value = "";
	} else if (!value && optional) {
		/* "--watch 5": an optional value is a number, and a number behind the option is its value. */
		bool number = p->next < p->argc && isdigit((unsigned char)p->argv[p->next][0]);

		value = number ? p->argv[p->next++] : "";
	} else if (!value) {
		if (p->next >= p->argc)
			return wrong(p, "option", text, "needs a value");
		value = p->argv[p->next++];
	}
	if (option->value && !optional && !*value)
		return wrong(p, "option", text, "needs a value that is not empty");
	p->out->option[row] = value;
	return ARGS_OK;
}

static enum args_result parse_word(struct parser *p, const char *word)
{
	const struct ctl_option *options = p->command->options;
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);

	if (strcmp(word, "--help") == 0)
		return ARGS_HELP;
	for (size_t row = 0; options && options[row].name; row++) {
		if (word[1] == '-') {
			if (strlen(options[row].name) + 2 == length &&
				strncmp(word + 2, options[row].name, length - 2) == 0)
				return take_option(p, row, word, equals ? equals + 1 : NULL);
		} else if (options[row].letter && word[1] == options[row].letter && !word[2]) {
			return take_option(p, row, word, NULL);
		}
	}
	return wrong(p, "option", word, "unknown");
}

static enum args_result check_operands(const struct parser *p)
{
	const struct ctl_command *command = p->command;

	if (p->out->operands < command->min_operands) {
		ctl_error(p->ctl, CTL_USAGE, "command", command->name, "%s is missing; try smcctl %s --help",
			command->operands, command->name);
		return ARGS_WRONG;
	}
	if (p->out->operands > command->max_operands)
		return wrong(p, "argument", p->out->operand[command->max_operands], "one too many");
	return ARGS_OK;
}

enum args_result args_parse(
	struct ctl *ctl, const struct ctl_command *command, int argc, char **argv, struct ctl_args *out)
{
	struct parser p = {.ctl = ctl, .command = command, .argc = argc, .argv = argv, .out = out};
	bool options = true;

	*out = (struct ctl_args){.operand = argv};
	while (p.next < argc) {
		char *word = argv[p.next++];
		enum args_result r;

		if (options && strcmp(word, "--") == 0) {
			options = false;
			continue;
		}
		if (!options || word[0] != '-' || !word[1]) {
			argv[out->operands++] = word;
			options = options && !command->operands_last;
			continue;
		}
		r = parse_word(&p, word);
		if (r != ARGS_OK)
			return r;
	}
	return check_operands(&p);
}
