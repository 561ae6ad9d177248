/* SPDX-License-Identifier: MIT */
/* Where the library is that belongs to this smcctl: found from smcctl's own place, so nothing has to be configured. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/paths.h"

int paths_relative(const char *from, const char *to, char **out)
{
	size_t common = 0;
	size_t ups = 0;
	char *text;
	char *end;

	/* The longest common part that ends at a slash or at an end of both. */
	for (size_t i = 0;; i++) {
		bool from_ends = from[i] == '\0' || from[i] == '/';
		bool to_ends = to[i] == '\0' || to[i] == '/';

		if (from_ends && to_ends)
			common = i;
		if (from[i] != to[i] || !from[i])
			break;
	}
	for (const char *p = from + common; *p; p++)
		ups += p[0] == '/' && p[1] != '\0' && p[1] != '/';
	to += common;
	to += strspn(to, "/");
	text = malloc(ups * 3 + strlen(to) + 2);
	if (!text)
		return -ENOMEM;
	end = text;
	for (size_t i = 0; i < ups; i++)
		end = mempcpy(end, "../", 3);
	end = mempcpy(end, to, strlen(to) + 1);
	if (end - 1 > text && end[-2] == '/')
		end[-2] = '\0';
	*out = text;
	return 0;
}

static int try_library(const char *directory, size_t length, const char *relative, char **out)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%.*s/%s/" PATHS_LIBRARY, (int)length, directory, relative) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	/* Without "..": it goes into LD_PRELOAD and is compared there and in /proc/PID/maps. */
	*out = realpath(path, NULL);
	if (*out)
		return 0;
	return errno == ENOMEM ? -ENOMEM : -ENOENT;
}

int paths_library_of(const char *exe, const char *bindir, const char *pkglibdir, char **out)
{
	_cleanup_free_ char *installed = NULL;
	size_t length = (size_t)(path_base(exe) - exe);
	/* libtool builds into .libs; smcctl itself stands in the build directory, or in .libs beside the library. */
	const char *places[] = {NULL, ".libs", "preload/.libs", "."};
	int r;

	if (length < 1)
		return -ENOENT;
	length = length > 1 ? length - 1 : 0;
	r = paths_relative(bindir, pkglibdir, &installed);
	if (r < 0)
		return r;
	places[0] = installed;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		r = try_library(exe, length, places[i], out);
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

int paths_library(char **out)
{
	_cleanup_free_ char *exe = realpath("/proc/self/exe", NULL);

	if (exe)
		return paths_library_of(exe, BINDIR, PKGLIBDIR, out);
	/* No /proc, or deleted by an update: the place that was configured. */
	*out = realpath(PKGLIBDIR "/" PATHS_LIBRARY, NULL);
	return *out ? 0 : -ENOENT;
}
