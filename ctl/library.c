/* SPDX-License-Identifier: MIT */
/* Where the library and the helper are that belong to this smcctl: found from its own place, so nothing has to be configured. */
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

static int try_place(const char *directory, size_t length, const char *relative, const char *name, char **out)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%.*s/%s/%s", (int)length, directory, relative, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	/* Without "..": it goes into LD_PRELOAD and is compared there and in /proc/PID/maps. */
	*out = realpath(path, NULL);
	if (*out)
		return 0;
	return errno == ENOMEM ? -ENOMEM : -ENOENT;
}

/* Looks for name where it is installed, seen from the place of exe, then in the other places; NULL ends them. */
static int find_beside(const char *exe, const char *bindir, const char *directory, const char *const *places,
	const char *name, char **out)
{
	_cleanup_free_ char *installed = NULL;
	size_t length = (size_t)(path_base(exe) - exe);
	int r;

	if (length < 1)
		return -ENOENT;
	length = length > 1 ? length - 1 : 0;
	r = paths_relative(bindir, directory, &installed);
	if (r == 0)
		r = try_place(exe, length, installed, name, out);
	for (; r == -ENOENT && *places; places++)
		r = try_place(exe, length, *places, name, out);
	return r;
}

int paths_library_of(const char *exe, const char *bindir, const char *pkglibdir, char **out)
{
	/* libtool builds into .libs; smcctl itself stands in the build directory, or in .libs beside the library. */
	static const char *const places[] = {".libs", "preload/.libs", ".", NULL};

	return find_beside(exe, bindir, pkglibdir, places, PATHS_LIBRARY, out);
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

int paths_library32(char **out)
{
	static const char *const places[] = {"preload/32/.libs", "32/.libs", NULL};
	_cleanup_free_ char *exe = realpath("/proc/self/exe", NULL);

	if (exe)
		return find_beside(exe, BINDIR, PKGLIBDIR "/32", places, PATHS_LIBRARY, out);
	*out = realpath(PKGLIBDIR "/32/" PATHS_LIBRARY, NULL);
	return *out ? 0 : -ENOENT;
}

static int find_helper(const char *name, const char *installed, char **out)
{
	static const char *const places[] = {".", NULL}; /* all stand in the build directory */
	_cleanup_free_ char *exe = realpath("/proc/self/exe", NULL);

	if (exe)
		return find_beside(exe, BINDIR, LIBEXECDIR, places, name, out);
	*out = realpath(installed, NULL);
	return *out ? 0 : -ENOENT;
}

int paths_helper(char **out)
{
	return find_helper(PATHS_HELPER, LIBEXECDIR "/" PATHS_HELPER, out);
}

int paths_supervisor(char **out)
{
	return find_helper(PATHS_SUPERVISOR, LIBEXECDIR "/" PATHS_SUPERVISOR, out);
}

int paths_self(char **out)
{
	/* Deleted by an update, another one is in its place. */
	*out = realpath("/proc/self/exe", NULL);
	if (!*out)
		*out = strdup(BINDIR "/" PATHS_SMCCTL);
	return *out ? 0 : -ENOMEM;
}

int paths_smcctl(char **out)
{
	static const char *const places[] = {".", NULL};
	_cleanup_free_ char *exe = realpath("/proc/self/exe", NULL);

	if (exe)
		return find_beside(exe, LIBEXECDIR, BINDIR, places, PATHS_SMCCTL, out);
	*out = realpath(BINDIR "/" PATHS_SMCCTL, NULL);
	return *out ? 0 : -ENOENT;
}
