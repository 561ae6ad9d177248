/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "ctl/neighbours.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "ctl/util.h"

#define LEVELS_MAX 8u /* MAX_NEST_DEV, include/linux/netdevice.h */

void neighbours_each(
	const char *interface, const char *prefix, void (*each)(const char *name, void *context), void *context)
{
	char path[sizeof("/sys/class/net/") + IFNAMSIZ];
	const struct dirent *entry;
	DIR *dir;

	if (snprintf(path, sizeof(path), "/sys/class/net/%s", interface) >= (int)sizeof(path))
		return;
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (starts_with(entry->d_name, prefix) && strlen(entry->d_name + strlen(prefix)) < IFNAMSIZ)
			each(entry->d_name + strlen(prefix), context);
	}
	closedir(dir);
}

static void keep_first(const char *name, void *context)
{
	char *first = context;

	if (!first[0])
		memcpy(first, name, strlen(name) + 1);
}

bool neighbours_base(const char *interface, char base[static IFNAMSIZ])
{
	char below[IFNAMSIZ] = "";

	base[0] = '\0';
	neighbours_each(interface, "lower_", keep_first, below);
	for (unsigned i = 0; below[0] && i < LEVELS_MAX; i++) {
		memcpy(base, below, sizeof(below));
		below[0] = '\0';
		neighbours_each(base, "lower_", keep_first, below);
	}
	return base[0] != '\0';
}
