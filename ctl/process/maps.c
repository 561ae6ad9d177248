/* SPDX-License-Identifier: MIT */
/* Parses /proc/PID/maps, of which the paths are under the process's control. */
#include "config.h"

#include "ctl/process/maps.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/paths.h"
#include "policy/lookup.h"

/* Far above vm.max_map_count; a line is a path of PATH_MAX, each byte as \ooo at worst. */
#define MAX_LINES 4000000u
#define LINE_BYTES (4u * PATH_MAX + 256u)

struct mapping {
	uint64_t from;
	uint64_t to;
	uint64_t offset;
	bool shared;
	const char *path;
};

static bool parse_hex(const char **text, char end, uint64_t *out)
{
	char *rest;

	errno = 0;
	*out = strtoull(*text, &rest, 16);
	if (rest == *text || errno || *rest != end)
		return false;
	*text = rest + 1;
	return true;
}

/* "FROM-TO PERM OFFSET DEV INODE   PATH" */
static bool parse_line(const char *line, struct mapping *out)
{
	if (!parse_hex(&line, '-', &out->from) || !parse_hex(&line, ' ', &out->to) || out->to <= out->from)
		return false;
	out->shared = strlen(line) > 3 && line[3] == 's';
	line = strchr(line, ' ');
	if (!line)
		return false;
	line++;
	if (!parse_hex(&line, ' ', &out->offset))
		return false;
	out->path = strchr(line, '/');
	return out->path != NULL;
}

static uint64_t in_pages(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

static void take_mapping(const struct mapping *mapping, struct maps *out)
{
	bool supervisor;

	if (mapping->offset != 0)
		return;
	/*
	 * Its size tells a table, under whatever name it was opened: header and first window (preload/table.c), in whole
	 * pages. Who takes it for a table looks at its magic number.
	 */
	if (mapping->shared && mapping->to - mapping->from == in_pages(POLICY_HEADER_SIZE + POLICY_WINDOW_MIN))
		out->table = mapping->from;
	/* " (deleted)" may follow after an update of the package. */
	supervisor = starts_with(path_base(mapping->path), PATHS_SUPERVISOR);
	if ((!supervisor && !starts_with(path_base(mapping->path), PATHS_LIBRARY)) || out->libraries == MAPS_LIBRARIES)
		return;
	out->library[out->libraries].base = mapping->from;
	out->library[out->libraries].supervisor = supervisor;
	snprintf(out->library[out->libraries].path, MAPS_PATH, "%.*s", (int)(MAPS_PATH - 1), mapping->path);
	out->libraries++;
}

int maps_read(FILE *stream, struct maps *out)
{
	_cleanup_free_ char *line = malloc(LINE_BYTES);
	struct mapping mapping;

	if (!line)
		return -ENOMEM;
	*out = (struct maps){.libraries = 0};
	errno = 0;
	while (out->lines < MAX_LINES && fgets(line, LINE_BYTES, stream)) {
		out->lines++;
		line[strcspn(line, "\n")] = '\0';
		if (parse_line(line, &mapping))
			take_mapping(&mapping, out);
	}
	return ferror(stream) ? (errno ? -errno : -EIO) : 0;
}
