/* SPDX-License-Identifier: MIT */
/* Captures a program's output within a time limit, whatever the program does with its ends of the pipe. */
#include "config.h"

#include "ctl/bench/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "ctl/bench/params.h"
#include "ctl/service/command.h"

struct capture {
	int fd;
	char *text;
	size_t size;
	size_t room;
	bool ended; /* nobody writes any more */
};

/* Takes what is there. Returns 0 or -errno. */
static int take_output(struct capture *c)
{
	for (;;) {
		ssize_t n;

		if (c->size + 1 >= c->room) {
			size_t room = c->room ? c->room * 2 : 4096;
			char *larger = c->size < EXEC_OUTPUT_MAX ? realloc(c->text, room) : NULL;

			if (!larger)
				return c->size < EXEC_OUTPUT_MAX ? -ENOMEM : -EFBIG;
			c->text = larger;
			c->room = room;
		}
		n = read(c->fd, c->text + c->size, c->room - 1 - c->size);
		if (n > 0)
			c->size += (size_t)n;
		c->text[c->size] = '\0';
		if (n == 0)
			c->ended = true;
		if (n == 0 || (n < 0 && errno != EINTR))
			return n == 0 || errno == EAGAIN ? 0 : -errno;
	}
}

/* Until the process has ended: what its children write later is not waited for. */
static int wait_for_end(struct capture *c, pid_t pid, uint64_t deadline)
{
	int status = 0;

	for (;;) {
		struct pollfd ready = {.fd = c->ended ? -1 : c->fd, .events = POLLIN};
		pid_t done = waitpid(pid, &status, WNOHANG);
		int r;

		if (done < 0)
			return -errno;
		r = take_output(c);
		if (done > 0)
			return r < 0 ? r : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (r == 0 && bench_now() >= deadline)
			r = -ETIMEDOUT;
		if (r < 0) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, NULL, 0);
			return r;
		}
		(void)poll(&ready, 1, 20);
	}
}

int exec_capture(char *const *argv, char *const *environment, uint64_t limit, char **output)
{
	struct capture capture = {.fd = -1};
	uint64_t deadline = bench_now() + limit;
	int ends[2];
	pid_t pid = -1;
	int r;

	*output = NULL;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	capture.fd = ends[0];
	r = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0
		? -errno
		: command_start((const char *const *)argv, environment, ends[1], ends[1], &pid);
	close(ends[1]);
	if (r == 0)
		r = wait_for_end(&capture, pid, deadline);
	close(ends[0]);
	for (size_t i = 0; i < capture.size; i++)
		if (capture.text[i] == '\0' || capture.text[i] == '\r')
			capture.text[i] = '\n';
	*output = capture.text;
	return r;
}

bool exec_number(const regex_t *metric, const char *output, double *out)
{
	regmatch_t match[2] = {{.rm_so = -1}, {.rm_so = -1}};
	bool found = false;
	int flags = 0;

	while (*output && regexec(metric, output, 2, match, flags) == 0) {
		const regmatch_t *where = &match[match[1].rm_so >= 0];
		char number[64];
		char *end;
		double value;

		/* What stands behind the match is not a part of the number. */
		(void)snprintf(number, sizeof(number), "%.*s",
			(int)(where->rm_eo - where->rm_so < 63 ? where->rm_eo - where->rm_so : 63),
			output + where->rm_so);
		value = strtod(number, &end);
		if (end != number && isfinite(value)) {
			*out = value;
			found = true;
		}
		flags = REG_NOTBOL;
		output += match[0].rm_eo;
		if (match[0].rm_eo == match[0].rm_so && *output)
			output++;
		if (output[-1] == '\n')
			flags = 0;
	}
	return found;
}
