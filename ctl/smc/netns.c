/* SPDX-License-Identifier: MIT */
/* Finds and enters network namespaces. */
#include "config.h"

#include "ctl/smc/netns.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/util.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static enum ctl_exit path_of(struct ctl *ctl, const char *netns, char *path, size_t size)
{
	uint64_t pid;
	int n;

	if (text_to_uint(netns, 1, INT_MAX, &pid) == 0)
		n = snprintf(path, size, "/proc/%llu/ns/net", (unsigned long long)pid);
	else if (strchr(netns, '/'))
		n = snprintf(path, size, "%s", netns);
	else
		n = snprintf(path, size, "/run/netns/%s", netns);
	if (!netns[0] || n < 0 || (size_t)n >= size)
		return ctl_error(
			ctl, CTL_USAGE, "network namespace", netns, "not a name of ip-netns(8) and not a process ID");
	return CTL_OK;
}

enum ctl_exit netns_enter(struct ctl *ctl, const char *netns)
{
	char path[1024];
	enum ctl_exit code;
	int error = 0;
	int fd;

	if (!netns)
		return CTL_OK;
	code = path_of(ctl, netns, path, sizeof(path));
	if (code)
		return code;
	fd = open_read(path);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		error = fd < 0 ? -fd : errno;
	if (fd >= 0)
		close(fd);
	if (!error)
		return CTL_OK;
	if (error == ENOENT)
		return ctl_error(ctl, CTL_FAILED, "network namespace", netns,
			"there is none: %s does not exist; \"ip netns list\" shows the names", path);
	if (error == EINVAL)
		return ctl_error(ctl, CTL_FAILED, "network namespace", netns, "%s is no network namespace", path);
	return ctl_error(ctl, ctl_exit_of(-error), "network namespace", netns, "%s: %s", path, strerror(error));
}

uint64_t netns_cookie(void)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}
