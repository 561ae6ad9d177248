/* SPDX-License-Identifier: MIT */
/* Which table belongs to a policy file. */
#include "config.h"

#include "ctl/paths.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "policy/policy.h"

void paths_clear(struct paths *paths)
{
	free(paths->file);
	free(paths->table);
	*paths = (struct paths){.file = NULL};
}

static bool owned_directory(const char *path, uid_t uid)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid;
}

int paths_runtime(const char *xdg_runtime_dir, uid_t uid, char **out)
{
	char user[sizeof("/run/user/4294967295")];
	const char *base = NULL;
	size_t length;

	snprintf(user, sizeof(user), "/run/user/%lu", (unsigned long)uid);
	/* What sudo or su left behind is somebody else's: not ours to use. */
	if (xdg_runtime_dir && xdg_runtime_dir[0] == '/' && owned_directory(xdg_runtime_dir, uid))
		base = xdg_runtime_dir;
	else if (uid == 0)
		base = "/run";
	else if (owned_directory(user, uid))
		base = user;
	if (!base)
		return -ENXIO;
	length = strlen(base);
	while (length && base[length - 1] == '/')
		length--;
	if (asprintf(out, "%.*s/smc", (int)length, base) < 0) {
		*out = NULL;
		return -ENOMEM;
	}
	return 0;
}

int paths_table(const char *runtime, const char *file, char **out)
{
	char name[65];
	const char *base = path_base(file);
	size_t n = 0;

	for (; n < sizeof(name) - 1 && base[n]; n++) {
		bool plain =
			strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", base[n]) != NULL;

		name[n] = plain ? base[n] : '_';
	}
	name[n] = '\0';
	if (asprintf(out, "%s/%s-%016" PRIx64, runtime, name, policy_digest(file, strlen(file))) < 0) {
		*out = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* The real path of file's directory, and behind it the file's own name as it is. */
static int real_file(const char *file, char **out)
{
	_cleanup_free_ char *directory = NULL;
	_cleanup_free_ char *real = NULL;
	const char *base = path_base(file);

	if (!*file)
		return -ENOENT;
	if (!*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
		return -EISDIR;
	if (base == file)
		directory = strdup(".");
	else
		directory = strndup(file, (size_t)(base - file));
	if (!directory)
		return -ENOMEM;
	real = realpath(directory, NULL);
	if (!real)
		return -errno;
	if (asprintf(out, "%s/%s", strcmp(real, "/") == 0 ? "" : real, base) < 0) {
		*out = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* True for the default file under whatever name: /etc/smc may be a symbolic link. */
static bool is_default(const char *real)
{
	_cleanup_free_ char *usual = NULL;

	/* NOLINTBEGIN(clang-analyzer-core.NonNullParamChecker): real_file() sets it where it returns 0 */
	if (strcmp(real, CTL_DEFAULT_POLICY) == 0)
		return true;
	return real_file(CTL_DEFAULT_POLICY, &usual) == 0 && strcmp(real, usual) == 0;
	/* NOLINTEND(clang-analyzer-core.NonNullParamChecker) */
}

int paths_find(const char *file, struct paths *out)
{
	_cleanup_paths_ struct paths found = {.file = NULL};
	_cleanup_free_ char *runtime = NULL;
	int r;

	if (!file || strcmp(file, CTL_DEFAULT_POLICY) == 0) {
		/* Its directory need not exist: the table outlives the file. */
		r = real_file(CTL_DEFAULT_POLICY, &found.file);
		if (r < 0)
			found.file = strdup(CTL_DEFAULT_POLICY);
		r = found.file ? 0 : -ENOMEM;
	} else {
		r = real_file(file, &found.file);
	}
	if (r < 0)
		return r;
	if (!file || is_default(found.file)) {
		found.table = strdup(CTL_DEFAULT_TABLE);
		r = found.table ? 0 : -ENOMEM;
	} else {
		r = paths_runtime(getenv("XDG_RUNTIME_DIR"), geteuid(), &runtime);
		if (r == 0)
			r = paths_table(runtime, found.file, &found.table);
	}
	if (r < 0)
		return r;
	*out = found;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	found = (struct paths){.file = NULL};
	return 0;
}

const char *paths_strerror(int error)
{
	if (error == -ENXIO)
		return "you have no runtime directory for its table; set XDG_RUNTIME_DIR to a directory of your own";
	return strerror(-error);
}

int paths_make_directory(const char *table)
{
	size_t length = (size_t)(path_base(table) - table);
	_cleanup_free_ char *directory = NULL;
	struct stat st;

	if (length < 2)
		return 0;
	directory = strndup(table, length - 1);
	if (!directory)
		return -ENOMEM;
	if (mkdir(directory, 0755) == 0)
		/* Whatever the umask: every user's processes map what lies there. */
		return chmod(directory, 0755) < 0 ? -errno : 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(directory, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}
