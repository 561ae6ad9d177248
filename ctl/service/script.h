/* SPDX-License-Identifier: MIT */
/* The first line of a script: which program will really run. */
#ifndef SMCSHIM_CTL_SERVICE_SCRIPT_H
#define SMCSHIM_CTL_SERVICE_SCRIPT_H

#include "ctl/service/program.h"

/*
 * Reads the script's first line: *next gets the interpreter's path (for "env NAME" the NAME found in search) for the
 * caller to free; a file without "#!" is /bin/sh's, as execvp(3) has it. If that leads nowhere, *next stays as it is
 * and *obstacle says why. Returns 0 or -ENOMEM.
 */
_must_check_ int script_next(int fd, const char *search, enum program_obstacle *obstacle, char **next);

/* The same on the text of the line, which is cut into words. */
_must_check_ int script_line(char *line, const char *search, enum program_obstacle *obstacle, char **next);

#endif
