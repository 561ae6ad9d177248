/* SPDX-License-Identifier: MIT */
/* Prints the help texts: from the table of commands and the tables of options, nothing else. */
#include "config.h"

#include "ctl/args.h"

#include <string.h>

#include "ctl/util.h"

static void put_option(FILE *stream, const struct ctl_option *option)
{
	char text[80];
	const char *value = option->value;
	const char *before = !value ? "" : value[0] == '[' ? "[=" : " ";
	const char *name = value && value[0] == '[' ? value + 1 : value ? value : "";

	if (option->letter)
		snprintf(text, sizeof(text), "-%c, --%s%s%s", option->letter, option->name, before, name);
	else
		snprintf(text, sizeof(text), "--%s%s%s", option->name, before, name);
	fprintf(stream, "  %-22s %s\n", text, option->help);
}

static void put_usage(FILE *stream, const struct ctl_command *command)
{
	fprintf(stream, "%s%s%s", command->name, command->options && command->options[0].name ? " [OPTION...]" : "",
		command->operands[0] ? " " : "");
	fputs(command->operands, stream);
}

void args_help_command(FILE *stream, const struct ctl_command *command)
{
	fputs("usage: smcctl ", stream);
	put_usage(stream, command);
	fprintf(stream, "\n%s\n\n", command->help);
	for (const struct ctl_option *option = command->options; option && option->name; option++)
		put_option(stream, option);
	fprintf(stream, "  %-22s %s\n", "--help", "print this help");
	fprintf(stream, "\nsmcctl-%.*s(8) tells more.\n", (int)strcspn(command->name, " "), command->name);
}

void args_help(FILE *stream, const char *group)
{
	size_t count;
	const struct ctl_command *commands = ctl_commands(&count);
	size_t length = group ? strlen(group) : 0;

	fprintf(stream, "usage: smcctl %s%sCOMMAND ...\n", group ? group : "", group ? " " : "");
	if (!group)
		fputs("Puts chosen TCP connections on SMC, and says what became of them.\n", stream);
	fputc('\n', stream);
	for (size_t i = 0; i < count; i++) {
		if (commands[i].hidden)
			continue;
		if (group && (strncmp(commands[i].name, group, length) != 0 || commands[i].name[length] != ' '))
			continue;
		fprintf(stream, "  %-16s %s\n", commands[i].name, commands[i].help);
	}
	fprintf(stream, "\n  %-16s %s\n", "--help", "print this help; also behind each command");
	if (!group)
		fprintf(stream, "  %-16s %s\n\nsmcctl(8) and libsmcshim(8) tell more.\n", "--version",
			"print the version");
}
