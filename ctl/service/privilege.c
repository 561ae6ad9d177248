/* SPDX-License-Identifier: MIT */
/* Set-ID bits and file capabilities, judged as the kernel's cap_bprm_creds_from_file() and bprm_fill_uid() do. */
#include "config.h"

#include "ctl/service/privilege.h"

#include <endian.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool gains_id(const struct stat *st, enum privilege_user user)
{
	uid_t uid = user == PRIVILEGE_USER_ROOT ? 0 : getuid();
	gid_t gid = user == PRIVILEGE_USER_ROOT ? 0 : getgid();

	if ((st->st_mode & S_ISUID) && (user == PRIVILEGE_USER_ANY || st->st_uid != uid))
		return true;
	/* Without group execution the bit once meant mandatory locking: the kernel ignores it. */
	return (st->st_mode & S_ISGID) && (st->st_mode & S_IXGRP) && (user == PRIVILEGE_USER_ANY || st->st_gid != gid);
}

static bool gains_capabilities(int fd, enum privilege_user user)
{
	struct vfs_ns_cap_data data = {.magic_etc = 0};
	ssize_t size = fgetxattr(fd, "security.capability", &data, sizeof(data));
	bool root = user == PRIVILEGE_USER_ROOT || (user == PRIVILEGE_USER_CALLER && getuid() == 0);

	/* Root has all of them anyway: secure-execution mode is not entered. */
	if (size < (ssize_t)XATTR_CAPS_SZ_1 || root)
		return false;
	return data.data[0].permitted || (size >= (ssize_t)XATTR_CAPS_SZ_2 && data.data[1].permitted);
}

enum privilege privilege_gained(int fd, enum privilege_user user)
{
	struct stat st;
	struct statvfs fs;
	enum privilege gained = PRIVILEGE_NONE;

	if (user == PRIVILEGE_USER_BARRED || fstat(fd, &st) < 0)
		return PRIVILEGE_NONE;
	if (gains_id(&st, user))
		gained = PRIVILEGE_SET_ID;
	else if (gains_capabilities(fd, user))
		gained = PRIVILEGE_CAPABILITIES;
	/* Where the kernel ignores both, the library gets in. */
	if (gained != PRIVILEGE_NONE && user == PRIVILEGE_USER_CALLER &&
		(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOSUID))))
		return PRIVILEGE_NONE;
	return gained;
}
