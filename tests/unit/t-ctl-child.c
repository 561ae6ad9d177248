/* SPDX-License-Identifier: MIT */
/* Children for the tests of smcctl status. */
#include "config.h"

#include "tests/unit/t-ctl-child.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/counters.h"

char *child_library(void)
{
	const char *build = getenv("top_builddir");
	char *path;

	assert_true(asprintf(&path, "%s/tests/ctl/fake/.libs/libsmcshim.so", build ? build : ".") > 0);
	return path;
}

/* A child that runs set_up, says that it is ready, and waits to be killed. */
pid_t child_start(child_function *set_up, const char *path)
{
	int ends[2];
	char ready = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* A test that is killed leaves nobody behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		set_up(path);
		if (write(ends[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &ready, 1), 1);
	close(ends[0]);
	return child;
}

void child_stop(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static struct smcshim_counters *load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	struct smcshim_counters *counters = library ? dlsym(library, "smcshim_counters") : NULL;

	if (!counters)
		_exit(2);
	return counters;
}

void child_load(const char *path)
{
	load(path)->value[SMCSHIM_accept_tcp] = 3;
}
