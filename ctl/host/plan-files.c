/* SPDX-License-Identifier: MIT */
/* The files of ours that make a profile last: modules-load.d, sysctl.d, udev's rules. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/host/plan.h"
#include "ctl/host/sysctl.h"

#define HEAD PLAN_MARK ": smcctl host apply. Undo: smcctl host revert.\n"

static bool will_be_made(const struct host_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].kind == HOST_DIRECTORY && strcmp(plan->items[i].name, path) == 0)
			return true;
	}
	return false;
}

/* Each directory on the way that is not there, the upper ones first. */
static void add_directories(struct host *host, struct host_plan *plan, const char *path)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		_cleanup_free_ char *directory = strndup(path, (size_t)(slash - path));

		if (!directory) {
			plan->no_memory = true;
			return;
		}
		if (access(directory, F_OK) < 0 && errno == ENOENT && !will_be_made(plan, directory))
			(void)host_plan_add(plan, host, HOST_DIRECTORY, directory, "made");
	}
}

static bool is_marked(const char *value)
{
	size_t size = 0;
	_cleanup_free_ char *bytes = file_bytes(value, &size);

	return bytes && starts_with(bytes, PLAN_MARK);
}

void host_plan_file(struct host *host, struct host_plan *plan, const char *path, const char *text)
{
	_cleanup_free_ char *value = text ? file_value(text) : NULL;
	struct host_plan_item *item;

	if (text && !value) {
		plan->no_memory = true;
		return;
	}
	if (text)
		add_directories(host, plan, path);
	else if (access(path, F_OK) < 0)
		return;
	item = host_plan_add(plan, host, HOST_FILE, path, value);
	if (!item || !item->now || is_marked(item->now))
		return;
	/* Not ours: left alone, and where nothing is wanted no business of ours. */
	if (!text) {
		item->state = PLAN_SAME;
		host_plan_say(plan, &item->wanted, "%s", item->now);
	} else {
		item->state = PLAN_CANNOT;
		host_plan_say(plan, &item->why, "a file that smcctl did not write stands there; remove it yourself");
	}
}

/* ---- what they say ---- */

static char *modules_text(const struct profile *profile)
{
	char *text = NULL;
	size_t size;
	FILE *stream = profile->module_count ? open_memstream(&text, &size) : NULL;

	if (!stream)
		return NULL;
	fputs(HEAD, stream);
	for (size_t i = 0; i < profile->module_count; i++)
		fprintf(stream, "%s\n", profile->modules[i]);
	fclose(stream);
	return text;
}

/* What can be set: now, or when its module comes. The minus: an optional key that is missing is no error. */
static char *sysctl_text(const struct profile *profile, const struct host_plan *plan)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	size_t lines = 0;

	if (!stream)
		return NULL;
	fputs(HEAD, stream);
	for (size_t i = 0; i < plan->count; i++) {
		const struct host_plan_item *item = &plan->items[i];

		if (item->kind != HOST_SYSCTL || item->state == PLAN_CANNOT)
			continue;
		for (size_t k = 0; k < profile->sysctl_count; k++) {
			if (strcmp(profile->sysctls[k].key, item->name) == 0 && profile->sysctls[k].optional)
				fputc('-', stream);
		}
		fprintf(stream, "%s = %s\n", item->name, item->lasts ? item->lasts : item->wanted);
		lines++;
	}
	if (fclose(stream) != 0 || !lines) {
		free(text);
		return NULL;
	}
	return text;
}

static const char *sysctl_program(void)
{
	return access("/usr/lib/systemd/systemd-sysctl", X_OK) == 0 || access("/lib/systemd/systemd-sysctl", X_OK) < 0
		? "/usr/lib/systemd/systemd-sysctl"
		: "/lib/systemd/systemd-sysctl";
}

/* A module that comes late finds systemd-sysctl done (sysctl.d(5)). */
static void put_module_rules(FILE *stream, const struct profile *profile)
{
	static const char *const modules[][2] = {
		{"smc", "/net/smc"}, {"nf_conntrack", "/net/netfilter"}, {"br_netfilter", "/net/bridge"}};

	for (size_t m = 0; m < sizeof(modules) / sizeof(*modules); m++) {
		for (size_t i = 0; i < profile->sysctl_count; i++) {
			const char *owner = host_plan_module_of(profile->sysctls[i].key);

			if (!owner || strcmp(owner, modules[m][0]) != 0)
				continue;
			fprintf(stream,
				"ACTION==\"add\", SUBSYSTEM==\"module\", KERNEL==\"%s\", RUN+=\"%s --prefix=%s\"\n",
				modules[m][0], sysctl_program(), modules[m][1]);
			break;
		}
	}
}

/* NAME is set by the rule that renames, or is not set at all. */
static void put_interface_rules(FILE *stream, const struct profile *profile)
{
	static const char again[] = "RUN+=\"/usr/bin/systemctl --no-block restart smcctl-host@cpu.service\"";

	for (size_t i = 0; i < profile->xps_count; i++) {
		static const char wants[] = "TAG+=\"systemd\", ENV{SYSTEMD_WANTS}+=\"smcctl-host@$name.service\"";
		const char *pattern = profile->xps[i].pattern;

		fprintf(stream, "ACTION==\"add\", SUBSYSTEM==\"net\", NAME==\"%s\", %s\n", pattern, wants);
		fprintf(stream, "ACTION==\"add\", SUBSYSTEM==\"net\", NAME==\"\", KERNEL==\"%s\", %s\n", pattern,
			wants);
	}
	/*
	 * Drivers set the queues anew when a CPU comes or goes (virtnet_cpu_online()), or when channels do, which then are made and
	 * taken away (netdev_queue_update_kobjects()). Not "start": what happens while the unit is at work it may have passed already.
	 */
	for (size_t i = 0; i < profile->xps_count; i++)
		fprintf(stream,
			"ACTION==\"add|remove\", SUBSYSTEM==\"queues\", KERNEL==\"tx-*\", "
			"DEVPATH==\"*/net/%s/queues/*\", %s\n",
			profile->xps[i].pattern, again);
	if (profile->xps_count)
		fprintf(stream, "ACTION==\"online|offline\", SUBSYSTEM==\"cpu\", %s\n", again);
}

static char *udev_text(const struct profile *profile)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	fputs(HEAD, stream);
	put_module_rules(stream, profile);
	if (profile->ueid_count || profile->pnet_count || profile->seid != PROFILE_LEAVE ||
		profile->handshake_limit != PROFILE_LEAVE)
		fputs("ACTION==\"add\", SUBSYSTEM==\"module\", KERNEL==\"smc\", TAG+=\"systemd\", "
		      "ENV{SYSTEMD_WANTS}+=\"smcctl-host@smc.service\"\n",
			stream);
	put_interface_rules(stream, profile);
	if (fclose(stream) != 0 || strcmp(text, HEAD) == 0) {
		free(text);
		return NULL;
	}
	return text;
}

int host_plan_files(struct host *host, const struct profile *profile, struct host_plan *plan)
{
	_cleanup_free_ char *modules = modules_text(profile);
	_cleanup_free_ char *sysctls = sysctl_text(profile, plan);
	_cleanup_free_ char *rules = udev_text(profile);

	if (profile->module_count && !modules)
		return -ENOMEM;
	host_plan_file(host, plan, PLAN_MODULES, modules);
	host_plan_file(host, plan, PLAN_SYSCTL, sysctls);
	host_plan_file(host, plan, PLAN_UDEV, rules);
	host_plan_nics(host, profile, plan);
	return plan->no_memory ? -ENOMEM : 0;
}
