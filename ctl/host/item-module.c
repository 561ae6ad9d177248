/* SPDX-License-Identifier: MIT */
/* Kernel modules: whether they are loaded, loading and unloading them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "ctl/host/item.h"
#include "ctl/service/command.h"

/* "kernel/net/smc/smc.ko": file names have '-' where modules have '_', and some have both. */
static bool is_file_of(const char *line, const char *name)
{
	const char *base = path_base(line);

	while (*name && (*base == *name || (*base == '-' && *name == '_'))) {
		base++;
		name++;
	}
	return !*name && (strcmp(base, ".ko") == 0 || strcmp(base, ".ko\n") == 0);
}

bool module_is_built_in(const char *list, const char *name)
{
	_cleanup_fclose_ FILE *stream = fopen(list, "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (stream && !found && getline(&line, &room, stream) >= 0)
		found = is_file_of(line, name);
	return found;
}

/* What is built in has a directory there only when it has parameters or a version. */
int module_get(const char *name, char **out)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *list = NULL;
	struct utsname kernel;

	*out = NULL;
	if (asprintf(&path, "/sys/module/%s", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (access(path, F_OK) < 0) {
		if (errno != ENOENT || uname(&kernel) < 0)
			return -errno;
		if (asprintf(&list, "/lib/modules/%s/modules.builtin", kernel.release) < 0) {
			list = NULL;
			return -ENOMEM;
		}
		if (!module_is_built_in(list, name))
			return 0;
	}
	*out = strdup("loaded");
	return *out ? 0 : -ENOMEM;
}

static int modprobe(const char *const argv[])
{
	_cleanup_command_ struct command_result result = {.status = 0};
	int r = command_run(argv, &result);

	return r < 0 ? r : result.status ? -ENODEV : 0;
}

bool module_available(const char *name)
{
	uint64_t disabled = 0;

	if (read_number("/proc/sys/kernel/modules_disabled", &disabled) == 0 && disabled)
		return false;
	return modprobe((const char *const[]){"modprobe", "-n", "-q", "--", name, NULL}) == 0;
}

/* Only what nobody uses goes; what it needed stays, as it was not asked for. */
static int unload(const char *name)
{
	if (syscall(SYS_delete_module, name, O_NONBLOCK) == 0 || errno == ENOENT)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

int module_set(const char *name, const char *value)
{
	return value ? modprobe((const char *const[]){"modprobe", "-q", "--", name, NULL}) : unload(name);
}
