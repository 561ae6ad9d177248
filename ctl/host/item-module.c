/* SPDX-License-Identifier: MIT */
/* Kernel modules: whether they are loaded, loading and unloading them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "ctl/host/item.h"
#include "ctl/service/command.h"

/* A module that is built in has a directory only when it has parameters or a version: modprobe -n knows it all the same. */
int module_get(const char *name, char **out)
{
	_cleanup_free_ char *path = NULL;

	*out = NULL;
	if (asprintf(&path, "/sys/module/%s", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (access(path, F_OK) < 0)
		return errno == ENOENT ? 0 : -errno;
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
