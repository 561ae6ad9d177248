/* SPDX-License-Identifier: MIT */
/* Follows a path component by component and watches each directory on the way with inotify. */
#include "config.h"

#include "ctl/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* As the kernel: ELOOP after 40 symbolic links. */
#define MAX_LINKS 40
#define MAX_NAMES 256u

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR)

struct watch {
	int fd;
	size_t count;
	struct {
		int wd;
		char *name;
	} names[MAX_NAMES];
};

static int add_name(struct watch *watch, const char *directory, const char *name)
{
	int wd = inotify_add_watch(watch->fd, *directory ? directory : "/", EVENTS);

	/* A directory that cannot be read cannot be watched; the others still can. */
	if (wd < 0)
		return errno == EACCES || errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (watch->count == MAX_NAMES)
		return -ELOOP;
	watch->names[watch->count].wd = wd;
	watch->names[watch->count].name = strdup(name);
	if (!watch->names[watch->count].name)
		return -ENOMEM;
	watch->count++;
	return 0;
}

/* The way through a path: on the heap, for it is large. */
struct walk {
	struct watch *watch;
	char done[PATH_MAX]; /* the real path so far, without a trailing slash */
	char rest[PATH_MAX]; /* what is still to be walked */
	char name[NAME_MAX + 1];
	char target[PATH_MAX];
	int links;
};

/* Puts the target of the link done/name in front of the rest. length: of done. */
static int follow(struct walk *walk, size_t length)
{
	size_t left = strlen(walk->rest);
	ssize_t n = readlink(walk->done, walk->target, sizeof(walk->target) - 1);

	if (n < 0)
		return -errno;
	if (++walk->links > MAX_LINKS)
		return -ELOOP;
	if ((size_t)n + left + 2 > sizeof(walk->rest))
		return -ENAMETOOLONG;
	memmove(walk->rest + n + 1, walk->rest, left + 1);
	memcpy(walk->rest, walk->target, (size_t)n);
	walk->rest[n] = '/';
	walk->done[walk->target[0] == '/' ? 0 : length] = '\0';
	return 1;
}

/* One component: watched in its directory, then entered. Returns 1 to go on, 0 at an end, or -errno. */
static int walk_component(struct walk *walk)
{
	size_t length = strlen(walk->done);
	char *slash = strrchr(walk->done, '/');
	struct stat st;
	int r;

	if (strcmp(walk->name, ".") == 0)
		return 1;
	if (strcmp(walk->name, "..") == 0) {
		if (slash)
			*slash = '\0';
		return 1;
	}
	r = add_name(walk->watch, walk->done, walk->name);
	if (r < 0)
		return r;
	if (length + strlen(walk->name) + 2 > sizeof(walk->done))
		return -ENAMETOOLONG;
	snprintf(walk->done + length, sizeof(walk->done) - length, "/%s", walk->name);
	if (lstat(walk->done, &st) < 0)
		return 0;
	return S_ISLNK(st.st_mode) ? follow(walk, length) : 1;
}

static int walk_path(struct watch *watch, const char *path)
{
	_cleanup_free_ struct walk *walk = calloc(1, sizeof(*walk));
	int r = 1;

	if (!walk)
		return -ENOMEM;
	if (strlen(path) >= sizeof(walk->rest))
		return -ENAMETOOLONG;
	walk->watch = watch;
	memcpy(walk->rest, path, strlen(path) + 1);
	while (r > 0) {
		size_t skip = strspn(walk->rest, "/");
		size_t length = strcspn(walk->rest + skip, "/");

		if (length == 0)
			return 0;
		if (length > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(walk->name, walk->rest + skip, length);
		walk->name[length] = '\0';
		memmove(walk->rest, walk->rest + skip + length, strlen(walk->rest + skip + length) + 1);
		r = walk_component(walk);
	}
	return r;
}

int watch_open(const char *path, struct watch **out)
{
	_cleanup_watch_ struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->fd < 0)
		return -errno;
	r = walk_path(watch, path);
	if (r < 0)
		return r;
	*out = take(watch);
	return 0;
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	if (watch->fd >= 0)
		close(watch->fd);
	for (size_t i = 0; i < watch->count; i++)
		free(watch->names[i].name);
	free(watch);
}

int watch_fd(const struct watch *watch)
{
	return watch->fd;
}

static bool concerns(const struct watch *watch, const struct inotify_event *event)
{
	/* Events were lost, or a watched directory is gone. */
	if (event->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT))
		return true;
	for (size_t i = 0; event->len && i < watch->count; i++) {
		if (watch->names[i].wd == event->wd && strcmp(watch->names[i].name, event->name) == 0)
			return true;
	}
	return false;
}

int watch_read(struct watch *watch)
{
	char buffer[2048] __attribute__((aligned(__alignof__(struct inotify_event))));
	int concerned = 0;

	for (;;) {
		ssize_t n = read(watch->fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? concerned : -errno;
		if (n == 0)
			return concerned;
		for (const char *p = buffer; p < buffer + n;) {
			const struct inotify_event *event = (const struct inotify_event *)(const void *)p;

			concerned = concerned || concerns(watch, event);
			p += sizeof(*event) + event->len;
		}
	}
}
