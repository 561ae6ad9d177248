/* SPDX-License-Identifier: MIT */
/* smcctl complete: how a command line can go on, for the shells' completion files. */
#include "config.h"

#include <string.h>

#include "ctl/args.h"
#include "ctl/commands.h"
#include "ctl/service/unit.h"
#include "ctl/util.h"

/* One candidate a line, if it begins as the word does. */
static void offer(struct ctl *ctl, const char *word, const char *prefix, const char *candidate, size_t length)
{
	if (strncmp(word, prefix, strlen(prefix)) != 0)
		return;
	word += strlen(prefix);
	if (strlen(word) <= length && strncmp(candidate, word, strlen(word)) == 0)
		fprintf(ctl->out, "%s%.*s\n", prefix, (int)length, candidate);
}

/* The words of commands: the first ones, or the second ones of group. */
static void offer_commands(struct ctl *ctl, const char *group, const char *word)
{
	size_t count;
	const struct ctl_command *commands = ctl_commands(&count);
	size_t length = group ? strlen(group) + 1 : 0;
	const char *before = "";

	for (size_t i = 0; i < count; i++) {
		const char *name = commands[i].name + length;

		if (commands[i].hidden)
			continue;
		if (group && (!starts_with(commands[i].name, group) || commands[i].name[length - 1] != ' '))
			continue;
		/* The rows of a group stand together. */
		if (strcspn(name, " ") == strcspn(before, " ") && strncmp(name, before, strcspn(name, " ")) == 0)
			continue;
		offer(ctl, word, "", name, strcspn(name, " "));
		before = name;
	}
}

static void offer_options(struct ctl *ctl, const struct ctl_command *command, const char *word)
{
	for (const struct ctl_option *option = command->options; option && option->name; option++)
		offer(ctl, word, "--", option->name, strlen(option->name));
	offer(ctl, word, "--", "help", strlen("help"));
}

/* Without a systemd there is nothing to offer. */
static void offer_units(struct ctl *ctl, const struct ctl_args *args, const char *word)
{
	_cleanup_free_ char *names = NULL;
	bool user = false;

	for (size_t i = 0; i + 1 < args->operands; i++)
		user = user || strcmp(args->operand[i], "--user") == 0;
	if (unit_names(user, &names) < 0)
		return;
	for (const char *name = names; *name; name += strspn(name, " ")) {
		size_t length = strcspn(name, " ");

		offer(ctl, word, "", name, length);
		name += length;
	}
}

enum ctl_exit cmd_complete(struct ctl *ctl, const struct ctl_args *args)
{
	const char *word = args->operands ? args->operand[args->operands - 1] : "";
	size_t before = args->operands ? args->operands - 1 : 0;
	const struct ctl_command *command = NULL;
	size_t words = 0;

	if (before > 0)
		command = args_command((int)before, args->operand, &words);
	if (command) {
		/* What is neither an option nor a unit is a file, a program or a number: the shell knows better. */
		if (word[0] == '-')
			offer_options(ctl, command, word);
		else if (starts_with(command->name, "service "))
			offer_units(ctl, args, word);
		return CTL_OK;
	}
	if (before == 1 && args_is_group(args->operand[0]))
		offer_commands(ctl, args->operand[0], word);
	else if (before == 0)
		offer_commands(ctl, NULL, word);
	if (before == 0 || (before == 1 && args_is_group(args->operand[0]))) {
		offer(ctl, word, "--", "help", strlen("help"));
		if (before == 0)
			offer(ctl, word, "--", "version", strlen("version"));
	}
	return CTL_OK;
}
