/* SPDX-License-Identifier: MIT */
/* Where the unit comes from, whether the system depends on it, and whether PID 1 opens its sockets. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/service/command.h"
#include "ctl/service/judge.h"
#include "ctl/service/words.h"

/* Beginnings of names: who loses one of these loses the machine, or the way into it. */
static const char *const helpers[] = {"systemd-", "dbus.", "dbus-", "ssh.", "sshd.", "ssh@", "sshd@", "dropbear",
	"user@", "user-runtime-dir@", "getty@", "serial-getty@", "console-getty", "container-getty@", "initrd-",
	"emergency.", "rescue.", "init.", "polkit", "NetworkManager", "networking.", "network.", "wpa_supplicant",
	"udev", "auditd.", "display-manager."};

static void judge_kind(struct judgement *judgement)
{
	const struct unit *unit = judgement->unit;
	const char *load = unit_get(unit, "LoadState");
	const char *fragment = unit_get(unit, "FragmentPath");
	const char *type = unit_get(unit, "Type");

	if (strcmp(load, "masked") == 0)
		judgement_add(judgement, REMARK_NEVER, "masked", "the unit is masked: it cannot start at all");
	else if (strcmp(load, "loaded") != 0)
		judgement_add(judgement, REMARK_NEVER, "load-state", "systemd cannot load the unit: %s", load);
	if (unit_is(unit, "Transient", "yes") || starts_with(fragment, "/run/systemd/transient/"))
		judgement_add(judgement, REMARK_NEVER, "transient",
			"the unit lives only as long as it runs; start it with 'systemd-run ... smcctl run PROGRAM'");
	if (starts_with(fragment, "/run/systemd/generator"))
		judgement_add(judgement, REMARK_NOTE, "generated",
			"a generator writes the unit file at each boot; the drop-in stays");
	if (unit->pattern)
		judgement_add(judgement, REMARK_NOTE, "template", "holds for every instance of the template");
	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++) {
		if (!unit->user && starts_with(unit->name, helpers[i])) {
			judgement_add(judgement, REMARK_HELPER, "system-service",
				"the system, or the way into it, depends on this service%s",
				strstr(helpers[i], "ssh")
					? "; 'sshd -t' before the restart, and a connection kept open, show in time "
					  "what goes wrong"
					: "");
			break;
		}
	}
	if (strcmp(type, "forking") == 0 || unit_is(unit, "CanReload", "yes"))
		judgement_add(judgement, REMARK_NOTE, strcmp(type, "forking") == 0 ? "forking" : "reload",
			"a reload keeps the process, or its open listeners: only a restart makes them SMC");
}

static bool is_internet(const char *listen)
{
	size_t length = strlen(listen);

	/* "127.0.0.1:80 (Stream)", "[::]:80 (Stream)"; other streams are paths and abstract names. */
	return length > 9 && strcmp(listen + length - 9, " (Stream)") == 0 && listen[0] != '/' && listen[0] != '@' &&
		!starts_with(listen, "vsock:");
}

static void judge_socket(struct judgement *judgement, const char *socket)
{
	_cleanup_command_ struct command_result result = {.status = 0};
	const char *argv[] = {"systemctl", judgement->unit->user ? "--user" : "--system", "--no-pager", "show",
		"--property=Listen", "--", socket, NULL};
	int r = command_run(argv, &result);
	char *rest = NULL;

	if (r < 0 || result.status != 0) {
		judgement_add(judgement, REMARK_NOTE, "socket-activated", "'%s' cannot be looked at: %s", socket,
			r < 0 ? strerror(-r) : result.error);
		return;
	}
	for (char *line = strtok_r(result.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!starts_with(line, "Listen=") || !is_internet(line + strlen("Listen=")))
			continue;
		line += strlen("Listen=");
		judgement_add(judgement, REMARK_LISTEN, "socket-activated",
			JUDGE_LISTENER
			"%.*s: TCP, for systemd opens it (%s); stop and disable that socket and let the service "
			"listen by itself",
			(int)strcspn(line, " "), line, socket);
	}
}

static void judge_sockets(struct judgement *judgement)
{
	const char *rest = unit_get(judgement->unit, "TriggeredBy");
	char *name;
	int r;

	while ((r = words_next(&rest, &name)) > 0) {
		size_t length = strlen(name);

		if (length > 7 && strcmp(name + length - 7, ".socket") == 0)
			judge_socket(judgement, name);
		free(name);
	}
	if (r < 0)
		judgement->error = r;
}

void judge_origin(struct judgement *judgement)
{
	judge_kind(judgement);
	judge_sockets(judgement);
}
