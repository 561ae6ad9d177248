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

static bool is_root(enum privilege_user user)
{
	return user == PRIVILEGE_USER_ROOT || user == PRIVILEGE_USER_ROOT_BARRED ||
		(user == PRIVILEGE_USER_CALLER && getuid() == 0);
}

static bool is_barred(enum privilege_user user)
{
	return user == PRIVILEGE_USER_BARRED || user == PRIVILEGE_USER_ROOT_BARRED ||
		(user == PRIVILEGE_USER_CALLER && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

/* The file's capabilities, for whom they matter: root has all of them anyway. */
static bool has_capabilities(int fd, enum privilege_user user, struct vfs_ns_cap_data *data)
{
	ssize_t size;

	*data = (struct vfs_ns_cap_data){.magic_etc = 0};
	size = fgetxattr(fd, "security.capability", data, sizeof(*data));
	if (size < (ssize_t)XATTR_CAPS_SZ_1 || is_root(user))
		return false;
	return data->data[0].permitted || (size >= (ssize_t)XATTR_CAPS_SZ_2 && data->data[1].permitted);
}

static bool is_ignored(int fd, enum privilege_user user)
{
	struct statvfs fs;

	return user == PRIVILEGE_USER_CALLER && fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOSUID);
}

enum privilege privilege_gained(int fd, enum privilege_user user)
{
	struct vfs_ns_cap_data data;
	struct stat st;

	if (is_barred(user) || is_ignored(fd, user) || fstat(fd, &st) < 0)
		return PRIVILEGE_NONE;
	if (gains_id(&st, user))
		return PRIVILEGE_SET_ID;
	return has_capabilities(fd, user, &data) ? PRIVILEGE_CAPABILITIES : PRIVILEGE_NONE;
}

enum privilege privilege_secure(int fd, enum privilege_user user)
{
	enum privilege gained = privilege_gained(fd, user);
	struct vfs_ns_cap_data data;

	/* no_new_privs takes the capabilities, and leaves the secure execution that goes with the effective bit. */
	if (gained == PRIVILEGE_NONE && !is_ignored(fd, user) && has_capabilities(fd, user, &data) &&
		(le32toh(data.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE))
		return PRIVILEGE_CAPABILITIES;
	return gained;
}
