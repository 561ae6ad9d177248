/* SPDX-License-Identifier: MIT */
/* Runs several commands in turn, many times, and prints the wall time of each from exec to exit: one line of ms per round. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 8

static const char usage[] =
	"usage: alternate ROUNDS [VAR=VALUE...] PROGRAM [ARG...] [::: [VAR=VALUE...] PROGRAM [ARG...]]...\n";

extern char **environ;

/* One command: its environment is ours with VAR=VALUE added; argv ends with NULL. */
struct command {
	char **environment;
	char **argv;
};

static _Noreturn void stop(const char *what)
{
	perror(what);
	exit(1);
}

static struct command command_of(char **words)
{
	size_t inherited = 0, own = 0;
	struct command c;

	while (environ[inherited])
		inherited++;
	while (words[own] && strchr(words[own], '='))
		own++;
	if (!words[own]) {
		fputs(usage, stderr);
		exit(64);
	}
	c.environment = calloc(inherited + own + 1, sizeof *c.environment);
	if (!c.environment)
		stop("calloc");
	/* getenv(3) and ld.so take the first of two: ours stand in front. */
	memcpy(c.environment, words, own * sizeof *words);
	memcpy(c.environment + own, environ, inherited * sizeof *environ);
	c.argv = words + own;
	return c;
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double run(const struct command *c)
{
	double began = milliseconds();
	pid_t pid = vfork();
	int status;

	if (pid < 0)
		stop("vfork");
	if (pid == 0) {
		execve(c->argv[0], c->argv, c->environment);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		stop("waitpid");
	if (status) {
		fprintf(stderr, "alternate: '%s' ended with wait status %#x\n", c->argv[0], (unsigned)status);
		exit(1);
	}
	return milliseconds() - began;
}

int main(int argc, char **argv)
{
	struct command commands[MAX_COMMANDS];
	double ms[MAX_COMMANDS];
	size_t n = 0;
	long rounds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	bool begins = true;

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], ":::") == 0) {
			argv[i] = NULL;
			begins = true;
		} else if (begins) {
			begins = false;
			if (n == MAX_COMMANDS)
				rounds = 0;
			else
				commands[n++].argv = argv + i;
		}
	}
	if (rounds <= 0) {
		fputs(usage, stderr);
		return 64;
	}
	for (size_t i = 0; i < n; i++)
		commands[i] = command_of(commands[i].argv);
	for (long round = -rounds / 10; round < rounds; round++) {
		/* Each round begins with another one, so that none always runs behind the same neighbour. */
		for (size_t i = 0; i < n; i++) {
			size_t turn = (i + (size_t)(round + rounds)) % n;

			ms[turn] = run(&commands[turn]);
		}
		for (size_t i = 0; i < n && round >= 0; i++)
			printf("%.4f%c", ms[i], i + 1 < n ? '\t' : '\n');
	}
	return 0;
}
