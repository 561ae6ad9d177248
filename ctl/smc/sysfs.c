/* SPDX-License-Identifier: MIT */
/* Reads small files of sysfs. */
#include "config.h"

#include "ctl/smc/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int sysfs_open(bool entered)
{
	int mount;
	int context;

	if (!entered) {
		mount = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return mount < 0 ? -errno : mount;
	}
	context = fsopen("sysfs", FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	mount = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (mount == 0)
		mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	if (mount < 0)
		mount = -errno;
	close(context);
	return mount;
}

int sysfs_read(int sysfs, char *out, size_t size, const char *format, ...)
{
	char path[512];
	va_list ap;
	int length;

	va_start(ap, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above */
	length = vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	return read_line_at(sysfs, path, out, size);
}
