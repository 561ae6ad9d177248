/* SPDX-License-Identifier: MIT */
/* Reads small files of sysfs. */
#include "config.h"

#include "ctl/smc/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
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
	ssize_t n;
	int length;
	int fd;

	va_start(ap, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above */
	length = vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(sysfs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, out, size);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	if (n && out[n - 1] == '\n')
		n--;
	if ((size_t)n >= size)
		return -EFBIG;
	out[n] = '\0';
	return 0;
}
