/* SPDX-License-Identifier: MIT */
/* The items of a plan for interfaces that are to be left alone by their managers. */
#include "config.h"

#include "ctl/host/plan.h"

static void plan_nic(struct host *host, const struct profile_nic *nic, struct host_plan *plan)
{
	bool manager = access("/usr/sbin/NetworkManager", F_OK) == 0 || access("/etc/NetworkManager", F_OK) == 0;
	bool networkd = access("/usr/lib/systemd/systemd-networkd", F_OK) == 0 ||
		access("/lib/systemd/systemd-networkd", F_OK) == 0;
	char text[512];
	char path[128];
	char *danger = host->offline ? NULL : nic_danger(nic->name);
	size_t first = plan->count;

	/* A section of its own for soft, += for strict: other files' settings stay in force. */
	if (nic->strict)
		snprintf(text, sizeof(text),
			PLAN_MARK ": smcctl host apply. Undo: smcctl host revert.\n"
				  "[keyfile]\nunmanaged-devices+=interface-name:%s\n",
			nic->name);
	else
		snprintf(text, sizeof(text),
			PLAN_MARK ": smcctl host apply. Undo: smcctl host revert.\n"
				  "[device-smcctl-%s]\nmatch-device=interface-name:%s\nmanaged=0\n",
			nic->name, nic->name);
	snprintf(path, sizeof(path), PLAN_NM, nic->name);
	host_plan_file(host, plan, path, manager ? text : NULL);
	snprintf(text, sizeof(text),
		PLAN_MARK ": smcctl host apply. Undo: smcctl host revert.\n"
			  "[Match]\nName=%s\n\n[Link]\nUnmanaged=yes\n",
		nic->name);
	snprintf(path, sizeof(path), PLAN_NETWORKD, nic->name);
	host_plan_file(host, plan, path, networkd ? text : NULL);
	if (!manager && !networkd) {
		struct host_plan_item *item = host_plan_add(plan, host, HOST_FILE, path, NULL);

		if (item) {
			item->state = PLAN_CANNOT;
			host_plan_say(
				plan, &item->why, "neither NetworkManager nor systemd-networkd is installed here");
		}
	}
	for (size_t i = first; danger && i < plan->count; i++) {
		if (plan->items[i].kind == HOST_FILE && plan->items[i].state == PLAN_CHANGE)
			host_plan_say(plan, &plan->items[i].danger, "%s %s", nic->name, danger);
	}
	free(danger);
}

void host_plan_nics(struct host *host, const struct profile *profile, struct host_plan *plan)
{
	for (size_t i = 0; i < profile->nic_count; i++)
		plan_nic(host, &profile->nics[i], plan);
}
