/* SPDX-License-Identifier: MIT */
/* Runs another program to its end, without a shell, and keeps what it said. */
#ifndef SMCSHIM_CTL_SERVICE_COMMAND_H
#define SMCSHIM_CTL_SERVICE_COMMAND_H

#include <sys/types.h>

#include "ctl/util.h"

struct command_result {
	int status;  /* exit status; 128 + signal for a death by signal */
	char *out;   /* all of standard output */
	char *error; /* the first line of standard error, "" if there is none */
};

#define _cleanup_command_ _cleanup_(command_clear)

void command_clear(struct command_result *result);

/*
 * Starts argv (argv[0] is found in $PATH) in that environment, with no input and with the two descriptors as its output and
 * error. Returns 0 with *pid for the caller to wait for, or -errno.
 */
_must_check_ int command_start(const char *const argv[], char *const *environment, int out, int error, pid_t *pid);

/*
 * Finds argv[0] in $PATH and runs it with no input and messages in English. Returns 0 with *out filled, for the caller
 * to clear, or -errno when it could not be run.
 */
_must_check_ int command_run(const char *const argv[], struct command_result *out);

#endif
