/* SPDX-License-Identifier: MIT */
/* Has udev, NetworkManager and networkd read the files that were changed, where they run; and says what they say to it. */
#include "config.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "ctl/host/change.h"
#include "ctl/service/command.h"

static void tell(struct host *host, const char *who, const char *const argv[])
{
	_cleanup_command_ struct command_result result = {.status = 0};
	int r = command_run(argv, &result);

	if (r < 0)
		ctl_warn(host->ctl, "%s: was not told of the new files: %s: %s", who, argv[0], strerror(-r));
	/* Its directory in /run outlives it. Who does not run need not be told. */
	else if (result.status && !strstr(result.error, "not running"))
		ctl_warn(host->ctl, "%s: was not told of the new files: %s: %s", who, argv[0],
			result.error[0] ? result.error : "it failed and did not say why");
}

/* The line of the output that complains; NULL: none. */
static char *complaint_in(char *text)
{
	char *rest;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (strstr(line, "WARNING"))
			return line;
	}
	return NULL;
}

/* With a file that it cannot read NetworkManager would not start again: so first it reads them apart. */
static bool manager_can_read(struct host *host)
{
	_cleanup_command_ struct command_result result = {.status = 0};
	const char *line;

	if (command_run((const char *const[]){"NetworkManager", "--print-config", NULL}, &result) < 0)
		return true;
	if (result.status) {
		ctl_warn(host->ctl, "NetworkManager: was not told to read its files again, for it could not: %s",
			result.error);
		return false;
	}
	line = complaint_in(result.out);
	if (line)
		ctl_warn(host->ctl, "NetworkManager: %s", line);
	return true;
}

void change_tell(struct host *host, const struct journal *journal)
{
	bool manager = false, networkd = false, udev = false;

	if (host->offline)
		return;
	for (size_t i = 0; i < journal->count; i++) {
		const char *name = journal->entries[i].name;

		manager = manager || starts_with(name, "/etc/NetworkManager/");
		networkd = networkd || starts_with(name, "/etc/systemd/network/");
		udev = udev || starts_with(name, "/etc/udev/");
	}
	/* Read again, not restarted: a restart would take connections down. */
	if (manager && access("/run/NetworkManager", F_OK) == 0 && manager_can_read(host))
		tell(host, "NetworkManager", (const char *const[]){"nmcli", "general", "reload", "conf", NULL});
	if (networkd && access("/run/systemd/netif", F_OK) == 0)
		tell(host, "systemd-networkd", (const char *const[]){"networkctl", "reload", NULL});
	if (udev && access("/run/udev/control", F_OK) == 0)
		tell(host, "systemd-udevd", (const char *const[]){"udevadm", "control", "--reload", NULL});
}

/* ---- a single interface ---- */

static bool is_soft(const char *value)
{
	size_t size = 0;
	_cleanup_free_ char *bytes = value ? file_bytes(value, &size) : NULL;

	return bytes && strstr(bytes, "\nmanaged=0\n");
}

/* A rule of udev keeps NetworkManager off it (NM_UNMANAGED), and to a rule nmcli would not give it back. */
static bool is_kept_by_udev(unsigned index)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	char path[64];
	size_t size;

	snprintf(path, sizeof(path), "/run/udev/data/n%u", index);
	fd = open_read(path);
	return fd >= 0 && read_all(fd, 1u << 20, &text, &size) == 0 && strstr(text, "E:NM_UNMANAGED=1\n");
}

/* The interface that a file of ours for NetworkManager is of, if it is there. */
static unsigned interface_of(const char *path, char name[static IFNAMSIZ])
{
	static const char prefix[] = "/etc/NetworkManager/conf.d/90-smcctl-", suffix[] = ".conf";
	size_t length = strlen(path);

	if (!starts_with(path, prefix) || length <= sizeof(prefix) - 1 + sizeof(suffix) - 1)
		return 0;
	length -= sizeof(prefix) - 1 + sizeof(suffix) - 1;
	if (length >= IFNAMSIZ)
		return 0;
	memcpy(name, path + sizeof(prefix) - 1, length);
	name[length] = '\0';
	return if_nametoindex(name);
}

void change_tell_file(struct host *host, const char *path, const char *before, const char *after)
{
	const bool soft = is_soft(after);
	char name[IFNAMSIZ] = "";
	unsigned index;

	if (host->offline || soft == is_soft(before) || access("/run/NetworkManager", F_OK) < 0)
		return;
	index = interface_of(path, name);
	if (index && (soft || !is_kept_by_udev(index)))
		tell(host, "NetworkManager",
			(const char *const[]){"nmcli", "device", "set", name, "managed", soft ? "no" : "yes", NULL});
}
