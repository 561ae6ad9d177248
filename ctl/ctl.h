/* SPDX-License-Identifier: MIT */
/* What every command of smcctl shares: the context, the exit codes, the table of commands, the error line. */
#ifndef SMCSHIM_CTL_CTL_H
#define SMCSHIM_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Documented in smcctl(8), EXIT STATUS. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_DIFFERENCE = 2,
	CTL_CANNOT = 3, /* this kernel, host or program cannot */
	CTL_STALE = 4,
	CTL_PARTLY = 5,
	CTL_USAGE = 64,
	CTL_BAD_INPUT = 65,
	CTL_NOT_PERMITTED = 77,
	CTL_RUN_FAILED = 125, /* run, as env(1): a failure of our own */
	CTL_RUN_NOT_EXECUTABLE = 126,
	CTL_RUN_NOT_FOUND = 127,
};

#define CTL_DEFAULT_POLICY "/etc/smc/policy.json"
#define CTL_DEFAULT_TABLE "/run/smc/policy"

struct ctl {
	FILE *out;
	FILE *err;
};

/* One option of one command; the table ends with a row of zeros. */
struct ctl_option {
	const char *name;  /* without the dashes */
	char letter;       /* 0: none */
	const char *value; /* what stands for the value in the help text; "[X]": may be left out; NULL: none */
	const char *help;
};

#define CTL_MAX_OPTIONS 16u

struct ctl_args {
	const char
		*option[CTL_MAX_OPTIONS]; /* by row of the option table; NULL: not given; "": given without a value */
	char **operand;
	size_t operands;
};

/* One row of the one table that drives dispatch, help, completion and the man page's test. */
struct ctl_command {
	const char *name; /* one or two words */
	const char *operands;
	const char *help;
	const struct ctl_option *options;
	enum ctl_exit (*run)(struct ctl *ctl, const struct ctl_args *args);
	size_t min_operands;
	size_t max_operands;
	bool operands_last; /* the first operand ends the options, as in env(1) */
	bool hidden;
};

/* The table; *count rows. */
const struct ctl_command *ctl_commands(size_t *count);

/*
 * Prints "smcctl: WHAT 'OBJECT': WHY" as one line; object may be NULL. Bytes that could disturb a terminal are
 * escaped. Returns code.
 */
__attribute__((format(printf, 5, 6))) enum ctl_exit ctl_error(
	struct ctl *ctl, enum ctl_exit code, const char *what, const char *object, const char *why, ...);

/* Prints "smcctl: TEXT" as one line: something that the user should know and that stops nothing. */
__attribute__((format(printf, 2, 3))) void ctl_warn(struct ctl *ctl, const char *text, ...);

/* The exit code of a system call that failed with -errno: CTL_NOT_PERMITTED for EACCES and EPERM, else CTL_FAILED. */
enum ctl_exit ctl_exit_of(int error);

#define CTL_OPTION_JSON \
	{ \
		"json", 0, NULL, "print JSON" \
	}
#define CTL_OPTION_USER \
	{ \
		"user", 0, NULL, "units of the calling user's own systemd" \
	}
#define CTL_OPTION_POLICY \
	{ \
		"policy", 0, "FILE", "the policy file [" CTL_DEFAULT_POLICY "]" \
	}

#endif
