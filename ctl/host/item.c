/* SPDX-License-Identifier: MIT */
/* Asks and sets things by their kind. */
#include "config.h"

#include "ctl/host/item.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/host/cpus.h"
#include "ctl/host/sysctl.h"

static const char *const kinds[HOST_KINDS] = {
	[HOST_MODULE] = "module",
	[HOST_SYSCTL] = "sysctl",
	[HOST_UEID] = "ueid",
	[HOST_SEID] = "seid",
	[HOST_LIMIT] = "limit",
	[HOST_PNET] = "pnet",
	[HOST_XPS] = "xps",
	[HOST_DIRECTORY] = "directory",
	[HOST_FILE] = "file",
};

const char *host_kind_word(enum host_kind kind)
{
	return kind < HOST_KINDS ? kinds[kind] : "?";
}

enum host_kind host_kind_of(const char *word)
{
	enum host_kind kind = HOST_MODULE;

	while (kind < HOST_KINDS && strcmp(kinds[kind], word) != 0)
		kind++;
	return kind;
}

void host_clear(struct host *host)
{
	genl_close(host->smc);
	genl_close(host->pnet);
	host->smc = NULL;
	host->pnet = NULL;
}

/* ---- XPS ---- */

static int open_queue(const char *name, int flags)
{
	const char *slash = strchr(name, '/');
	_cleanup_free_ char *path = NULL;
	int fd;

	/* The name may come out of a file: nothing of it leads elsewhere. */
	if (!slash || slash == name || strstr(name, ".."))
		return -EINVAL;
	if (asprintf(&path, "/sys/class/net/%.*s/queues%s", (int)(slash - name), name, slash) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int xps_get(const char *name, char **out)
{
	char text[CPUS_MASK_TEXT + 8];
	_cleanup_close_ int fd = open_queue(name, O_RDONLY);
	struct cpus set;
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	/* ENOENT: the interface has one queue (net/core/net-sysfs.c). */
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	r = cpus_parse_mask(text, &set);
	if (r < 0)
		return r;
	cpus_mask(&set, text);
	*out = strdup(text);
	return *out ? 0 : -ENOMEM;
}

static int xps_set(const char *name, const char *value)
{
	_cleanup_close_ int fd = open_queue(name, O_WRONLY);

	if (fd < 0)
		return fd;
	if (!value)
		value = "0";
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

/* ---- the others ---- */

static int sysctl_get(const char *key, char **out)
{
	char value[PROFILE_VALUE];
	int r = sysctl_read(key, value);

	if (r < 0)
		return r;
	*out = strdup(value);
	return *out ? 0 : -ENOMEM;
}

static int directory_get(const char *path, char **out)
{
	struct stat st;

	*out = NULL;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	*out = strdup("made");
	return *out ? 0 : -ENOMEM;
}

/* One that holds something of others by now stays. */
static int directory_set(const char *path, const char *value)
{
	if (!value)
		return rmdir(path) < 0 && errno != ENOENT && errno != ENOTEMPTY ? -errno : 0;
	if (mkdir(path, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	return chmod(path, 0755) < 0 ? -errno : 0;
}

int item_get(struct host *host, enum host_kind kind, const char *name, char **out)
{
	*out = NULL;
	switch (kind) {
	case HOST_MODULE:
		return module_get(name, out);
	case HOST_SYSCTL:
		return sysctl_get(name, out);
	case HOST_XPS:
		return xps_get(name, out);
	case HOST_DIRECTORY:
		return directory_get(name, out);
	case HOST_FILE:
		return file_get(name, out);
	default:
		return smc_item_get(host, kind, name, out);
	}
}

int item_set(struct host *host, enum host_kind kind, const char *name, const char *value)
{
	switch (kind) {
	case HOST_MODULE:
		return module_set(name, value);
	case HOST_SYSCTL:
		return value ? sysctl_write(name, value) : -EINVAL;
	case HOST_XPS:
		return xps_set(name, value);
	case HOST_DIRECTORY:
		return directory_set(name, value);
	case HOST_FILE:
		return file_set(name, value);
	default:
		return smc_item_set(host, kind, name, value);
	}
}

bool item_equal(enum host_kind kind, const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	if (kind == HOST_SYSCTL)
		return sysctl_equal(a, b);
	if (kind == HOST_FILE)
		return file_equal(a, b);
	return strcmp(a, b) == 0;
}

bool item_is_gone(int error)
{
	return error == -ENOENT || error == -EPROTONOSUPPORT;
}
