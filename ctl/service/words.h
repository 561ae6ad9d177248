/* SPDX-License-Identifier: MIT */
/* Words as systemd writes them: separated by blanks, quoted where they hold special characters. */
#ifndef SMCSHIM_CTL_SERVICE_WORDS_H
#define SMCSHIM_CTL_SERVICE_WORDS_H

#include <stdio.h>

#include "ctl/util.h"

/*
 * The next word of *text, unquoted ("..." with backslashes, '...', $'...'), in *word for the caller to free; *text moves
 * behind it. Returns 1, 0 at the end, or -ENOMEM.
 */
_must_check_ int words_next(const char **text, char **word);

/* True if one of the words of text is word; false too when there is no memory. */
bool words_have(const char *text, const char *word);

/*
 * The value of NAME in a list of assignments, the last one of several; *value (for the caller to free) is NULL without
 * one. Returns 0 or -ENOMEM.
 */
_must_check_ int words_assigned(const char *text, const char *name, char **value);

/* NAME=VALUE as systemd.exec(5) wants it in Environment=: quoted where it must be, '%' doubled. */
void words_put_assignment(FILE *stream, const char *name, const char *value);

/* One word of a command line of ExecStart= and the end of the line: quoted where it must be, '%' and '$' doubled. */
void words_put_argument(FILE *stream, const char *word);

#endif
