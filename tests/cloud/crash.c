/* SPDX-License-Identifier: MIT */
/* Preloaded into smcctl-cloud by the tests: kills it at the Nth time it replaces its state, just before or just after. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((visibility("default"))) int renameat(int from_at, const char *from, int to_at, const char *to);

static void die(void)
{
	(void)kill(getpid(), SIGKILL);
}

/* CRASH_AT is "12b" (before the 12th) or "12a" (after it). */
int renameat(int from_at, const char *from, int to_at, const char *to)
{
	static unsigned long count;
	int (*next)(int, const char *, int, const char *) =
		(int (*)(int, const char *, int, const char *))dlsym(RTLD_NEXT, "renameat");
	const char *at = getenv("CRASH_AT");
	char *kind = NULL;
	unsigned long wanted = at ? strtoul(at, &kind, 10) : 0;
	int r;

	count++;
	if (wanted == count && *kind == 'b')
		die();
	r = next(from_at, from, to_at, to);
	if (wanted == count && *kind == 'a')
		die();
	return r;
}
