/* SPDX-License-Identifier: MIT */
/* Parses /proc/PID/maps, of which the paths are under the process's control. */
#include "config.h"

#include "ctl/process/maps.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/paths.h"
#include "policy/table.h"

/* Far above vm.max_map_count; a line is a path of PATH_MAX, each byte as \ooo at worst. */
#define MAX_LINES 4000000u
#define LINE_BYTES (4u * PATH_MAX + 256u)

struct mapping {
	uint64_t from;
	uint64_t to;
	uint64_t offset;
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
	line = strchr(line, ' ');
	if (!line)
		return false;
	line++;
	if (!parse_hex(&line, ' ', &out->offset))
		return false;
	out->path = strchr(line, '/');
	return out->path != NULL;
}

static void take_mapping(const struct mapping *mapping, struct maps *out)
{
	bool supervisor;

	if (mapping->offset != 0)
		return;
	/* Its size tells a table, under whatever name it was opened. */
	if (mapping->to - mapping->from == POLICY_TABLE_SIZE)
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
