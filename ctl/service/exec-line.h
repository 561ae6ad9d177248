/* SPDX-License-Identifier: MIT */
/* The text of ExecStart=, taken apart so far that another program can stand before it: systemd's config_parse_exec(). */
#ifndef SMCSHIM_CTL_SERVICE_EXEC_LINE_H
#define SMCSHIM_CTL_SERVICE_EXEC_LINE_H

#include <stdio.h>

#include "ctl/util.h"

/* What stands between smcctl and the command. */
#define EXEC_RUN " run --supervise "

/* One command of a value of ExecStart=. All but the path as it is written there, with quotes, specifiers and variables. */
struct exec_command {
	char *prefix;    /* "-", "+", ":" and so on; "" */
	char *name;      /* what the program is to be called (prefix "@"), or NULL */
	char *program;   /* its file */
	char *arguments; /* "" */
	char *path; /* the program without quotes, or NULL where only systemd knows it: by a specifier or an escape */
};

#define _cleanup_exec_command_ _cleanup_(exec_command_clear)

void exec_command_clear(struct exec_command *command);

/*
 * The next command of *value, which moves behind it: one value may hold several. Returns 1 with *out filled, 0 at the end,
 * -ENOMEM, or -EINVAL where systemd would not understand it, or nothing can stand before it, with *why (static text).
 */
_must_check_ int exec_command_next(const char **value, struct exec_command *out, const char **why);

/* True for smcctl run, before which nothing is put. */
bool exec_command_is_run(const struct exec_command *command);

/* The line of a drop-in: the command, supervised by the smcctl of that path. */
void exec_command_put(FILE *stream, const struct exec_command *command, const char *smcctl);

/* True if the body of a drop-in has such lines. */
bool exec_text_supervises(const char *body);

/* The path of smcctl in such lines, for the caller to free; NULL in *out where there are none. Returns 0 or -ENOMEM. */
_must_check_ int exec_text_smcctl(const char *body, char **out);

/* True if the body has exactly these lines, which begin with the empty "ExecStart=". */
bool exec_text_has(const char *body, const char *lines);

#endif
