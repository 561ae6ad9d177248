/* SPDX-License-Identifier: MIT */
/* Writes and removes the drop-in by single renames in a locked directory. */
#include "config.h"

#include "ctl/service/drop-in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/replace.h"
#include "ctl/service/drop-in-text.h"
#include "ctl/service/unit.h"

#define FILE_MAX (1u << 20)
/* systemd reads *.d directories and *.conf in them: neither of these. */
#define STAGE ".smcctl-new"
#define WASTE ".smcctl-old"
#define STAGE_FILE "." UNIT_DROP_IN ".new"
#define DEPTH_MAX 8
#define PATIENCE_MS 10000
#define PAUSE_MS 50

/* A directory that we have locked, and the way from there to UNIT.d: "" for itself, "a/b" if both are missing. */
struct place {
	int fd;
	unsigned missing; /* names in rest */
	char *rest;
};

static void place_clear(struct place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	free(place->rest);
}
#define _cleanup_place_ _cleanup_(place_clear)

static int open_directory(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int lock(int fd)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += PAUSE_MS) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (waited >= PATIENCE_MS)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Opens the deepest directory on the way to path that is there; *missing names below it are not. */
static int open_deepest(const char *path, int *fd, const char **rest, unsigned *missing)
{
	_cleanup_free_ char *part = strdup(path);

	if (!part)
		return -ENOMEM;
	*missing = 0;
	for (;;) {
		char *slash = strrchr(part, '/');
		int r = open(*part ? part : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC | (*missing ? 0 : O_NOFOLLOW));

		if (r >= 0) {
			*fd = r;
			*rest = path + strlen(part) + (path[strlen(part)] == '/');
			return 0;
		}
		if (errno != ENOENT || !slash || ++*missing > DEPTH_MAX)
			/* With O_NOFOLLOW and O_DIRECTORY a symbolic link is ENOTDIR (open(2)). */
			return errno == ENOTDIR ? -ELOOP : -errno;
		*slash = '\0';
	}
}

static bool same_file(int a, int b)
{
	struct stat x;
	struct stat y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Again when somebody made or removed a directory while we waited for the lock. */
static int place_find(const char *directory, struct place *out)
{
	for (int tries = 0; tries < DEPTH_MAX; tries++) {
		_cleanup_place_ struct place place = {.fd = -1};
		_cleanup_close_ int again = -1;
		const char *rest = "";
		unsigned missing = 0;
		int r = open_deepest(directory, &place.fd, &rest, &place.missing);

		if (r == 0)
			r = lock(place.fd);
		if (r == 0)
			r = open_deepest(directory, &again, &rest, &missing);
		if (r < 0)
			return r;
		if (missing != place.missing || !same_file(place.fd, again))
			continue;
		place.rest = strdup(rest);
		if (!place.rest)
			return -ENOMEM;
		*out = place;
		/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
		place = (struct place){.fd = -1};
		return 0;
	}
	return -EBUSY;
}

/* Removes name with all in it; nothing there is fine. */
static int remove_tree(int at, const char *name, int depth)
{
	DIR *dir;
	const struct dirent *entry;
	int fd;
	int r = 0;

	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = depth < DEPTH_MAX ? open_directory(at, name) : -ELOOP;
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (r == 0 && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = remove_tree(fd, entry->d_name, depth + 1);
	}
	closedir(dir);
	if (r == 0 && unlinkat(at, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r;
}

static int sweep(const struct place *place)
{
	int r = remove_tree(place->fd, STAGE, 0);

	if (r == 0)
		r = remove_tree(place->fd, WASTE, 0);
	return r == 0 ? remove_tree(place->fd, STAGE_FILE, 0) : r;
}

/* Whatever the umask: systemd's files are for everybody to read. */
static int write_file(int at, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, text);
	if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0))
		r = -errno;
	return r;
}

static int make_directory(int at, const char *name)
{
	int fd;

	if (mkdirat(at, name, 0755) < 0)
		return -errno;
	fd = open_directory(at, name);
	if (fd >= 0 && fchmod(fd, 0755) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

/* All that is missing, made as STAGE with the file at its end. */
static int build_stage(const struct place *place, char *names, const char *text)
{
	char *next = NULL;
	const char *name;
	int at = make_directory(place->fd, STAGE);
	int r;

	/* The first name is what STAGE becomes. */
	(void)strtok_r(names, "/", &next);
	while (at >= 0 && (name = strtok_r(NULL, "/", &next))) {
		int below = make_directory(at, name);

		close(at);
		at = below;
	}
	if (at < 0)
		return at;
	r = write_file(at, UNIT_DROP_IN, text);
	if (r == 0 && fsync(at) < 0)
		r = -errno;
	close(at);
	return r;
}

static int write_with_directories(const struct place *place, const char *text)
{
	_cleanup_free_ char *names = strdup(place->rest);
	_cleanup_free_ char *first = strndup(place->rest, strcspn(place->rest, "/"));
	int r = names && first ? build_stage(place, names, text) : -ENOMEM;

	if (r == 0 && renameat(place->fd, STAGE, place->fd, first) < 0)
		r = -errno;
	if (r < 0) {
		/* The first error is what is worth telling. */
		(void)!remove_tree(place->fd, STAGE, 0);
		return r;
	}
	return fsync(place->fd) < 0 ? -errno : 0;
}

static int write_beside(const struct place *place, const char *text)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): drop_in_compose() sets text where it returns 0 */
	size_t size = strlen(text);

	return replace_file(&(struct replace){.at = place->fd,
				    .name = UNIT_DROP_IN,
				    .temporary = STAGE_FILE,
				    .mode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH},
		text, size);
}

int drop_in_read(const char *directory, struct drop_in *out)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	_cleanup_close_ int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t size;
	int r;

	*out = (struct drop_in){.kind = DROP_IN_NONE};
	if (at < 0)
		return errno == ENOENT ? 0 : -errno;
	fd = openat(at, UNIT_DROP_IN, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = read_all(fd, FILE_MAX, &text, &size);
	return r < 0 ? r : drop_in_parse(text, out);
}

int drop_in_write(const char *directory, const char *unit, const char *body)
{
	_cleanup_drop_in_ struct drop_in before = {.kind = DROP_IN_NONE};
	_cleanup_place_ struct place place = {.fd = -1};
	_cleanup_free_ char *text = NULL;
	int r = place_find(directory, &place);

	if (r == 0)
		r = sweep(&place);
	if (r == 0)
		r = drop_in_read(directory, &before);
	if (r == 0)
		r = drop_in_compose(unit, body, before.kind == DROP_IN_NONE ? place.missing : before.made, &text);
	if (r < 0)
		return r;
	return place.missing ? write_with_directories(&place, text) : write_beside(&place, text);
}

int drop_in_restore(const char *directory, const struct drop_in *before)
{
	_cleanup_place_ struct place place = {.fd = -1};
	int r = place_find(directory, &place);

	if (r == 0 && place.missing)
		r = -ENOENT;
	if (r == 0)
		r = sweep(&place);
	return r < 0 ? r : write_beside(&place, before->text);
}

/* Whether the directory at path has that one entry and nothing else: 1, 0 or -errno. */
static int has_only(const char *path, const char *name)
{
	int fd = open_directory(AT_FDCWD, path);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool only = true;

	if (fd < 0)
		return fd;
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (only && (entry = readdir(dir)))
		only = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			strcmp(entry->d_name, name) == 0;
	closedir(dir);
	return only;
}

/* The topmost of the directories that were made for the drop-in and hold nothing else, as a path; "" for none. */
static int find_top(const char *directory, unsigned made, char *top)
{
	_cleanup_free_ char *part = strdup(directory);
	const char *only = UNIT_DROP_IN;

	*top = '\0';
	if (!part)
		return -ENOMEM;
	while (made--) {
		char *slash = strrchr(part, '/');
		int r = slash ? has_only(part, only) : 0;

		if (r <= 0)
			return r;
		memcpy(top, part, strlen(part) + 1);
		*slash = '\0';
		only = path_base(top);
	}
	return 0;
}

static int remove_directories(const char *top)
{
	_cleanup_free_ char *above = strndup(top, (size_t)(path_base(top) - top));
	_cleanup_close_ int at = above ? open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r;

	if (!above)
		return -ENOMEM;
	if (at < 0)
		return -errno;
	r = lock(at);
	if (r == 0)
		r = remove_tree(at, WASTE, 0);
	if (r == 0 && renameat(at, path_base(top), at, WASTE) < 0)
		r = -errno;
	if (r == 0 && fsync(at) < 0)
		r = -errno;
	/* From here on it is gone, for systemd. */
	return r < 0 ? r : remove_tree(at, WASTE, 0);
}

int drop_in_remove(const char *directory, const struct drop_in *drop_in)
{
	_cleanup_free_ char *top = strdup(directory);
	_cleanup_place_ struct place place = {.fd = -1};
	int r = top ? place_find(directory, &place) : -ENOMEM;

	if (r == 0)
		r = sweep(&place);
	if (r < 0 || place.missing || drop_in->kind == DROP_IN_NONE)
		return r;
	r = find_top(directory, drop_in->made, top);
	if (r < 0)
		return r;
	if (*top)
		return remove_directories(top);
	if (unlinkat(place.fd, UNIT_DROP_IN, 0) < 0)
		return -errno;
	return fsync(place.fd) < 0 ? -errno : 0;
}
