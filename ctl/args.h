/* SPDX-License-Identifier: MIT */
/* The command line: finds the command, parses its options by its table, prints help from the same tables. */
#ifndef SMCSHIM_CTL_ARGS_H
#define SMCSHIM_CTL_ARGS_H

#include "ctl/ctl.h"

/* The command that argv begins with, and in *words how many of its words name it; NULL if there is none. */
const struct ctl_command *args_command(int argc, char *const argv[], size_t *words);

/* True if name is the first word of commands of two words. */
bool args_is_group(const char *name);

enum args_result {
	ARGS_OK = 0,
	ARGS_HELP = 1,  /* --help stands among the options */
	ARGS_WRONG = 2, /* said on ctl->err */
};

/*
 * Parses what follows the command's words. Operands are moved to the front of argv; out points into it.
 * Every option at most once; --name=value or --name value; "--" ends the options.
 */
enum args_result args_parse(
	struct ctl *ctl, const struct ctl_command *command, int argc, char **argv, struct ctl_args *out);

/* The help of smcctl, of a group ("policy"), or of one command. */
void args_help(FILE *stream, const char *group);
void args_help_command(FILE *stream, const struct ctl_command *command);

#endif
