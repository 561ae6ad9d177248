/* SPDX-License-Identifier: MIT */
/* Begins and ends the commands of smcctl host. */
#include "config.h"

#include "ctl/host/command.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "ctl/apply.h"
#include "ctl/smc/netns.h"

void host_command_clear(struct host_command *command)
{
	journal_unlock(&command->journal, command->lock);
	host_clear(&command->host);
	journal_clear(&command->journal);
	profile_free(&command->profile);
	free(command->path);
}

enum ctl_exit host_failed(struct ctl *ctl, int error)
{
	return ctl_error(ctl, ctl_exit_of(error), "host", NULL, "%s", strerror(-error));
}

static enum ctl_exit parse(struct ctl *ctl, const char *name, const char *text, size_t size, struct profile **out)
{
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	int r = profile_parse(name, text, size, out, &errors);

	if (r == -EINVAL) {
		apply_print_errors(ctl, "profile", name, &errors);
		return CTL_BAD_INPUT;
	}
	return r < 0 ? host_failed(ctl, r) : CTL_OK;
}

static enum ctl_exit load_profile(struct host_command *command, struct ctl *ctl, const char *path)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = open_read(path);
	size_t size = 0;
	int r = fd < 0 ? fd : read_all(fd, PROFILE_FILE_MAX, &text, &size);

	if (r == -EFBIG)
		return ctl_error(ctl, CTL_BAD_INPUT, "profile", path, "longer than %u bytes", PROFILE_FILE_MAX);
	if (r == -EACCES || r == -ENOMEM)
		return ctl_error(ctl, ctl_exit_of(r), "profile", path, "%s", strerror(-r));
	if (r < 0)
		return ctl_error(
			ctl, CTL_BAD_INPUT, "profile", path, "%s; write one, see smcctl-host(8)", strerror(-r));
	command->path = realpath(path, NULL);
	return command->path ? parse(ctl, path, text, size, &command->profile) : host_failed(ctl, -errno);
}

static bool is_mounted(const char *path, unsigned long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

/* Each network namespace has entries of its own below /proc/PID/net, and others may look at them (proc_tgid_net_lookup()). */
static bool is_network_of_init(void)
{
	struct stat first, own;

	return stat("/proc/1/net/dev", &first) == 0 && stat("/proc/self/net/dev", &own) == 0 &&
		first.st_ino == own.st_ino;
}

/* A profile that was applied to a container's own view would look applied, and the host be as before. */
static enum ctl_exit check_node(struct ctl *ctl, const char *node)
{
	if (!is_mounted("/proc", PROC_SUPER_MAGIC) || !is_mounted("/sys", SYSFS_MAGIC))
		return ctl_error(ctl, CTL_CANNOT, "node", node,
			"not the root of a running host: its /proc and /sys are not there; mount the host's / with all "
			"that is below it");
	if (!is_network_of_init())
		return ctl_error(ctl, CTL_CANNOT, "node", node,
			"this process is not in the network namespace of that host and would set another's; a pod "
			"needs \"hostNetwork\": true");
	return CTL_OK;
}

/* From here on every path is the image's or the host's, its symbolic links included; so are the programs that are run. */
static enum ctl_exit enter_root(struct host_command *command, struct ctl *ctl, const struct host_root *root)
{
	const char *path = root->image ? root->image : root->node;

	if (root->image && root->node)
		return ctl_error(
			ctl, CTL_USAGE, "option", "--node", "is for a running host, --root for an image; give one");
	command->host.offline = root->image != NULL;
	if (chroot(path) < 0 || chdir("/") < 0)
		return ctl_error(ctl, ctl_exit_of(-errno), root->node ? "node" : "root", path, "%s", strerror(errno));
	/* A container's is for what is in the container. */
	if (root->node && setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) < 0)
		return host_failed(ctl, -errno);
	return root->node ? check_node(ctl, path) : CTL_OK;
}

static uint64_t netns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) == 0 ? st.st_ino : 0;
}

/* Interfaces are those of the namespace that sysfs was mounted in: as ip-netns(8), a mount of our own shows the others. */
static int mount_sysfs(void)
{
	struct statvfs old;
	unsigned long flags = statvfs("/sys", &old) == 0 && (old.f_flag & ST_RDONLY) ? MS_RDONLY : 0;

	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
		mount("sysfs", "/sys", "sysfs", flags | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -errno;
	return 0;
}

static enum ctl_exit enter_netns(struct host_command *command, struct ctl *ctl, const char *netns)
{
	uint64_t before = netns_inode();
	enum ctl_exit code = netns_enter(ctl, netns);
	int r;

	if (code != CTL_OK)
		return code;
	/* Two journals of one namespace would each restore what the other has set. */
	if (netns_inode() == before)
		return ctl_error(ctl, CTL_USAGE, "network namespace", netns,
			"is the one that smcctl runs in; leave out --netns");
	r = mount_sysfs();
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "network namespace", netns, "its /sys cannot be mounted: %s",
			strerror(-r));
	command->host.netns = netns_cookie();
	/* Of kernels without cookies: a number that one namespace has at a time. */
	if (!command->host.netns)
		command->host.netns = netns_inode();
	return CTL_OK;
}

static enum ctl_exit go(struct host_command *command, struct ctl *ctl, const struct host_root *root)
{
	enum ctl_exit code = CTL_OK;

	command->host.ctl = ctl;
	if (root->netns && (root->image || root->node))
		return ctl_error(ctl, CTL_USAGE, "option", "--netns", "cannot stand beside --root and --node");
	if (root->image || root->node)
		code = enter_root(command, ctl, root);
	else if (root->netns)
		code = enter_netns(command, ctl, root->netns);
	journal_place(&command->journal, command->host.netns);
	return code;
}

static enum ctl_exit lock(struct host_command *command, struct ctl *ctl)
{
	const char *place = command->journal.place;
	int fd = journal_lock(&command->journal);

	if (fd == -EBUSY)
		return ctl_error(ctl, CTL_FAILED, "lock", place, "another smcctl host is at work");
	if (fd < 0)
		return ctl_error(ctl, ctl_exit_of(fd), "lock", place, "%s%s", strerror(-fd),
			ctl_exit_of(fd) == CTL_NOT_PERMITTED ? "; run as root" : "");
	command->lock = fd;
	return CTL_OK;
}

static enum ctl_exit load_journal(struct host_command *command, struct ctl *ctl)
{
	const char *place = command->journal.place;
	bool damaged;
	int r = journal_load(&command->journal, &damaged);

	if (r == -EBADMSG)
		return ctl_error(ctl, CTL_FAILED, "journal", place,
			"damaged, and its backup too; smcctl host revert --force removes the files of smcctl, the "
			"running values stay until the next boot");
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "journal", place, "%s", strerror(-r));
	if (damaged)
		ctl_warn(ctl, "journal '%s': damaged; its backup is taken", place);
	return CTL_OK;
}

enum ctl_exit host_command_open(
	struct host_command *command, struct ctl *ctl, const char *profile, const struct host_root *root, bool changes)
{
	enum ctl_exit code = CTL_OK;

	command->named = profile != NULL;
	/* The default profile of an image is the image's. */
	if (profile)
		code = load_profile(command, ctl, profile);
	if (code == CTL_OK)
		code = go(command, ctl, root);
	if (code == CTL_OK && !profile)
		code = load_profile(command, ctl, PROFILE_DEFAULT);
	if (code == CTL_OK && changes)
		code = lock(command, ctl);
	return code == CTL_OK ? load_journal(command, ctl) : code;
}

enum ctl_exit host_command_reopen(struct host_command *command, struct ctl *ctl)
{
	enum ctl_exit code = host_command_journal(command, ctl, &(struct host_root){.image = NULL}, false);
	const char *text = command->journal.profile;

	if (code != CTL_OK || !text)
		return code;
	command->path = strdup(command->journal.path ? command->journal.path : PROFILE_DEFAULT);
	return command->path ? parse(ctl, command->path, text, strlen(text), &command->profile)
			     : host_failed(ctl, -ENOMEM);
}

/* ---- without a journal ---- */

/* A file of our name and mark: before us, as far as one can know, there was none. */
static int claim(struct host_command *command, const char *path)
{
	_cleanup_free_ char *value = NULL;
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	int r = file_get(path, &value);

	if (r < 0 || !value)
		return r == -ENOMEM ? r : 0;
	bytes = file_bytes(value, &size);
	return bytes && starts_with(bytes, PLAN_MARK) ? journal_note(&command->journal, HOST_FILE, path, NULL, value)
						      : 0;
}

static int claim_all(struct host_command *command)
{
	static const char *const directories[] = {"/etc/modules-load.d", "/etc/sysctl.d", "/etc/udev/rules.d",
		"/etc/NetworkManager/conf.d", "/etc/systemd/network"};
	int r = 0;

	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories) && r == 0; i++) {
		DIR *dir = opendir(directories[i]);
		const struct dirent *entry;

		while (dir && r == 0 && (entry = readdir(dir))) {
			char *path;

			if (!strstr(entry->d_name, "-smcctl-") || entry->d_name[0] == '.')
				continue;
			if (asprintf(&path, "%s/%s", directories[i], entry->d_name) < 0)
				r = -ENOMEM;
			else
				r = claim(command, path);
			if (r != -ENOMEM)
				free(path);
		}
		if (dir)
			closedir(dir);
	}
	return r;
}

enum ctl_exit host_command_journal(
	struct host_command *command, struct ctl *ctl, const struct host_root *root, bool force)
{
	enum ctl_exit code = go(command, ctl, root);
	bool damaged;
	int r;

	if (code == CTL_OK)
		code = lock(command, ctl);
	if (code != CTL_OK)
		return code;
	r = force ? journal_load(&command->journal, &damaged) : 0;
	if (r == 0 && force)
		return CTL_OK;
	if (!force || r != -EBADMSG)
		return load_journal(command, ctl);
	ctl_warn(ctl, "journal '%s': damaged; %sthe running values stay until the next boot", command->journal.place,
		command->host.netns ? "" : "the files of smcctl are removed, ");
	r = command->host.netns ? 0 : claim_all(command);
	/* Something to revert, even if no file is left: the damaged journal. */
	command->journal.applying = true;
	return r < 0 ? host_failed(ctl, r) : CTL_OK;
}
