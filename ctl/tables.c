/* SPDX-License-Identifier: MIT */
/* Finds the tables of all policy files, and switches them. */
#include "config.h"

#include "ctl/tables.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/paths.h"
#include "policy/store-file.h"
#include "policy/store.h"

#define SYSTEM "/run/smc"
#define USERS "/run/user"

void tables_clear(struct tables *tables)
{
	for (size_t i = 0; i < tables->count; i++)
		free(tables->path[i]);
	free(tables->path);
	*tables = (struct tables){.path = NULL};
}

static int add(struct tables *tables, const char *directory, const char *name)
{
	char **larger = realloc(tables->path, (tables->count + 1) * sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	tables->path = larger;
	if (asprintf(&larger[tables->count], "%s/%s", directory, name) < 0)
		return -ENOMEM;
	tables->count++;
	return 0;
}

/* Calls on_name for each entry of the directory, in the order of their names. */
static int each(struct tables *tables, const char *directory,
	int (*on_name)(struct tables *tables, const char *directory, const char *name))
{
	struct dirent **entries;
	int count = scandir(directory, &entries, NULL, alphasort);
	int r = count < 0 && errno == ENOMEM ? -ENOMEM : 0;

	for (int i = 0; i < count; i++) {
		if (r == 0 && entries[i]->d_name[0] != '.')
			r = on_name(tables, directory, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return r;
}

static int add_user(struct tables *tables, const char *directory, const char *name)
{
	_cleanup_free_ char *runtime = NULL;

	if (asprintf(&runtime, "%s/%s/smc", directory, name) < 0) {
		runtime = NULL;
		return -ENOMEM;
	}
	return each(tables, runtime, add);
}

int tables_find(struct tables *out)
{
	_cleanup_tables_ struct tables found = {.path = NULL};
	_cleanup_free_ char *runtime = NULL;
	int r = each(&found, SYSTEM, add);

	if (r == 0)
		r = each(&found, USERS, add_user);
	if (r == 0)
		r = paths_runtime(getenv("XDG_RUNTIME_DIR"), geteuid(), &runtime);
	if (r == 0 && strcmp(runtime, SYSTEM) != 0 && !starts_with(runtime, USERS "/"))
		r = each(&found, runtime, add);
	if (r < 0 && r != -ENXIO)
		return r;
	*out = found;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	found = (struct tables){.path = NULL};
	return 0;
}

static int read_state(int fd, enum policy_state *out)
{
	uint32_t state;
	ssize_t n = pread(fd, &state, sizeof(state), offsetof(struct policy_header, state));

	if (n < 0)
		return -errno;
	if (n != sizeof(state))
		return -EPROTO;
	*out = (enum policy_state)state;
	return 0;
}

int tables_state(const char *path, enum policy_state *out)
{
	_cleanup_close_ int fd = policy_store_file_open(path, false);

	return fd < 0 ? fd : read_state(fd, out);
}

int tables_switch(const char *path, enum policy_state state, enum policy_state *before)
{
	_cleanup_close_ int checked = policy_store_file_open(path, false);
	_cleanup_close_ int fd = -1;
	char same[40];
	uint32_t value = state;
	int r;

	if (checked < 0)
		return checked;
	r = read_state(checked, before);
	if (r < 0)
		return r;
	/* The very file that was found to be a table, whatever has the name now. */
	(void)snprintf(same, sizeof(same), "/proc/self/fd/%d", checked);
	fd = open(same, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return policy_store_file_write(fd, &value, sizeof(value), offsetof(struct policy_header, state));
}

bool tables_is_none(int error)
{
	return error == -EPROTO || error == -ENOENT || error == -ELOOP;
}

static void info_cleanup(struct policy_info **info)
{
	free(*info);
}

/* A name that a shell takes as it is. */
static bool is_plain(const char *text)
{
	return text[0] == '/' &&
		!text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-")];
}

int tables_file(const char *path, char **out)
{
	_cleanup_policy_store_ struct policy_store *store = NULL;
	_cleanup_(info_cleanup) struct policy_info *info = NULL;
	_cleanup_paths_ struct paths paths = {.file = NULL};
	/* Nothing is written: a table that others own or may write is not mapped then. */
	int r = policy_store_open(path, POLICY_STORE_WRITE, &store);

	*out = NULL;
	if (r == 0)
		r = policy_store_info(policy_store_map(store), &info);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !info || !is_plain(info->source) || paths_find(info->source, &paths) < 0 ||
		strcmp(paths.table, path) != 0)
		return 0;
	*out = strdup(info->source);
	return *out ? 0 : -ENOMEM;
}
