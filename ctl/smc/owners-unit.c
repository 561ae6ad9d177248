/* SPDX-License-Identifier: MIT */
/* The unit or container that a process belongs to, by its control group. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/smc/owners.h"

#define ID_LENGTH 64u
#define ID_SHOWN 12
#define PART_MAX 256u

/* A line for each hierarchy of version 1, the longest path in each. */
#define CGROUP_MAX (128u << 10)

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length > strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* The place of an ID of exactly 64 hex digits; NULL if there is none. */
static const char *find_id(const char *part)
{
	for (const char *p = part; *p;) {
		size_t digits = strspn(p, "0123456789abcdef");

		if (digits == ID_LENGTH)
			return p;
		p += digits ? digits : 1;
	}
	return NULL;
}

/* What stands before the ID in its part of the path, "docker-" in systemd's form, or the part before: "/docker/ID". */
static void put_container(const char *part, const char *id, const char *before, char *out, size_t size)
{
	const char *kind = id > part ? part : before;
	size_t length = id > part ? (size_t)(id - part) : strlen(before);

	while (length && (kind[length - 1] == '-' || kind[length - 1] == ':'))
		length--;
	if (!length || starts_with(kind, "pod") || starts_with(kind, "kubepods")) {
		kind = "container";
		length = strlen(kind);
	}
	(void)snprintf(out, size, "%.*s:%.*s", (int)length, kind, ID_SHOWN, id);
}

static void read_path(const char *path, size_t length, char *out, size_t size)
{
	const char *end = path + length;
	char before[PART_MAX] = "";

	while (path < end) {
		char part[PART_MAX];
		size_t n = strcspn(path, "/\n");
		const char *id;

		(void)snprintf(part, sizeof(part), "%.*s", (int)(n < sizeof(part) ? n : sizeof(part) - 1), path);
		id = find_id(part);
		if (id) {
			put_container(part, id, before, out, size);
			return;
		}
		if (ends_with(part, ".service") || ends_with(part, ".scope") || starts_with(part, "lxc.payload."))
			(void)snprintf(out, size, "%s", part);
		memcpy(before, part, sizeof(before));
		path += n + 1;
	}
}

void owners_unit(const char *cgroup, char *out, size_t size)
{
	out[0] = '\0';
	/* Lines "NUMBER:CONTROLLERS:PATH"; version 2 has one, systemd's of version 1 is "name=systemd". */
	for (const char *line = cgroup; *line;) {
		size_t length = strcspn(line, "\n");
		const char *controllers = memchr(line, ':', length);
		const char *path =
			controllers ? memchr(controllers + 1, ':', length - (size_t)(controllers + 1 - line)) : NULL;

		if (path && (starts_with(controllers, "::") || starts_with(controllers, ":name=systemd:"))) {
			path++;
			read_path(path, length - (size_t)(path - line), out, size);
			if (out[0])
				return;
		}
		line += length + (line[length] == '\n');
	}
}

int owners_unit_of(int directory, char *out, size_t size)
{
	_cleanup_close_ int fd = openat(directory, "cgroup", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *cgroup = NULL;
	size_t length;
	int r = fd < 0 ? -errno : read_all(fd, CGROUP_MAX, &cgroup, &length);

	out[0] = '\0';
	if (cgroup)
		owners_unit(cgroup, out, size);
	return r == -ENOMEM ? r : 0;
}
