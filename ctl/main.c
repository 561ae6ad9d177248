/* SPDX-License-Identifier: MIT */
/* smcctl: finds the command, parses its command line, runs it. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ctl/args.h"
#include "ctl/ctl.h"

/*
 * A descriptor 0-2 that was closed would be taken by the next open(), and our messages would go into that file.
 * Close-on-exec: a program that run starts finds it closed again.
 */
static int fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", (fd ? O_WRONLY : O_RDONLY) | O_CLOEXEC) < 0)
			return -errno;
	}
	return 0;
}

static enum ctl_exit run_command(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_args args;
	const struct ctl_command *command;
	size_t words;

	command = args_command(argc, argv, &words);
	if (!command) {
		if (!args_is_group(argv[0]))
			return ctl_error(ctl, CTL_USAGE, "command", argv[0], "unknown; try smcctl --help");
		if (argc < 2)
			return ctl_error(ctl, CTL_USAGE, "command", argv[0],
				"needs one more word; try smcctl %s --help", argv[0]);
		if (strcmp(argv[1], "--help") != 0)
			return ctl_error(ctl, CTL_USAGE, "command", argv[1], "unknown; try smcctl %s --help", argv[0]);
		args_help(ctl->out, argv[0]);
		return CTL_OK;
	}
	switch (args_parse(ctl, command, argc - (int)words, argv + words, &args)) {
	case ARGS_OK:
		return command->run(ctl, &args);
	case ARGS_HELP:
		args_help_command(ctl->out, command);
		return CTL_OK;
	case ARGS_WRONG:
		break;
	}
	return CTL_USAGE;
}

static enum ctl_exit run(struct ctl *ctl, int argc, char **argv)
{
	if (argc < 2)
		return ctl_error(ctl, CTL_USAGE, "command", NULL, "none given; try smcctl --help");
	if (strcmp(argv[1], "--help") == 0 && argc == 2) {
		args_help(ctl->out, NULL);
		return CTL_OK;
	}
	if (strcmp(argv[1], "--version") == 0 && argc == 2) {
		fputs("smcctl " PACKAGE_VERSION "\n", ctl->out);
		return CTL_OK;
	}
	return run_command(ctl, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	struct ctl ctl = {.out = stdout, .err = stderr};
	enum ctl_exit code;

	if (fill_standard_descriptors() < 0)
		return CTL_FAILED;
	code = run(&ctl, argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		int error = errno;

		ctl_error(&ctl, CTL_FAILED, "write to", "standard output", "%s", strerror(error));
		if (code == CTL_OK)
			code = CTL_FAILED;
	}
	return (int)code;
}
