/* SPDX-License-Identifier: MIT */
/* The items of a plan for the kernel's SMC and for transmit queues. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "ctl/host/plan.h"
#include "ctl/host/xps.h"
#include "ctl/neighbours.h"

/* Without SMC now, but with the module to be loaded first, it comes with that. */
static void comes_with_smc(
	struct host *host, const struct profile *profile, struct host_plan *plan, struct host_plan_item *item)
{
	if (!item || host->offline || host->netns || item->state != PLAN_CANNOT || host->smc_error != -EPROTONOSUPPORT)
		return;
	if (profile_has_module(profile, "smc") && module_available("smc")) {
		item->state = PLAN_CHANGE;
		host_plan_say(plan, &item->why, "there once module smc is loaded");
	}
}

/* As smcctl pnet ensure says it: smc_pnet_find_roce_by_pnetid(). In another network namespace /sys tells nothing. */
static void say_base(const struct host *host, const struct profile *profile, struct host_plan *plan,
	struct host_plan_item *item, const struct pnet_entry *wanted)
{
	_cleanup_free_ char *text = NULL;
	char base[IFNAMSIZ];

	if (!item || host->offline || host->netns || !wanted->interface[0] || !neighbours_base(wanted->interface, base))
		return;
	for (size_t i = 0; i < profile->pnet_count; i++) {
		if (strcmp(profile->pnets[i].interface, base) == 0 && strcmp(profile->pnets[i].id, wanted->id) == 0)
			return;
	}
	host_plan_say(plan, &text, "stands on %s, where SMC looks first and older kernels only: give that one %s, too",
		base, wanted->id);
	if (text)
		host_plan_warn(plan, item, text);
}

void host_plan_smc(struct host *host, const struct profile *profile, struct host_plan *plan)
{
	char name[SMC_DEVICE_NAME_SIZE + 32];

	const char *seid = profile->seid == PROFILE_ON ? "on" : "off";

	for (size_t i = 0; i < profile->ueid_count; i++) {
		if (!host_plan_outside(plan, host, HOST_UEID, profile->ueids[i], "present"))
			comes_with_smc(host, profile, plan,
				host_plan_add(plan, host, HOST_UEID, profile->ueids[i], "present"));
	}
	if (profile->seid != PROFILE_LEAVE && !host_plan_outside(plan, host, HOST_SEID, "system", seid))
		comes_with_smc(host, profile, plan, host_plan_add(plan, host, HOST_SEID, "system", seid));
	if (profile->handshake_limit != PROFILE_LEAVE)
		comes_with_smc(host, profile, plan,
			host_plan_add(plan, host, HOST_LIMIT, "handshakes",
				profile->handshake_limit == PROFILE_ON ? "on" : "off"));
	for (size_t i = 0; i < profile->pnet_count; i++) {
		const struct pnet_entry *entry = &profile->pnets[i];
		struct host_plan_item *item;

		if (entry->interface[0])
			snprintf(name, sizeof(name), "interface %s", entry->interface);
		else
			snprintf(name, sizeof(name), "device %s %u", entry->device, entry->port);
		/* Devices are in the table of the first namespace only (smc_pnet_add()). */
		if (entry->device[0] && host_plan_outside(plan, host, HOST_PNET, name, entry->id))
			continue;
		item = host_plan_add(plan, host, HOST_PNET, name, entry->id);
		comes_with_smc(host, profile, plan, item);
		say_base(host, profile, plan, item, entry);
	}
}

/* ---- XPS ---- */

/* One item for the whole interface, where there are no queues to set. */
static struct host_plan_item *add_whole(struct host_plan *plan, const char *interface, const struct profile_xps *xps)
{
	return host_plan_add_later(plan, HOST_XPS, interface, xps_policy_word(xps->policy));
}

static void add_queues(struct host *host, struct host_plan *plan, const char *interface, const struct profile_xps *xps,
	const struct topology *topology, const struct cpus *sets)
{
	char danger[256];
	_cleanup_free_ char *mask = malloc(CPUS_MASK_TEXT);
	char name[IFNAMSIZ + 32];
	bool rxqs = xps->policy == XPS_RXQS;
	const char *why = rxqs ? NULL : xps_danger(topology, sets, topology->transmit, danger, sizeof(danger));
	unsigned beyond = rxqs ? CPUS_MAX : xps_impossible(topology, sets, topology->transmit);

	if (!mask)
		plan->no_memory = true;
	for (size_t i = 0; i < topology->transmit && mask; i++) {
		struct host_plan_item *item;

		snprintf(name, sizeof(name), "%s/tx-%zu/xps_%s", interface, i, rxqs ? "rxqs" : "cpus");
		cpus_mask(&sets[i], mask);
		item = host_plan_add(plan, host, HOST_XPS, name, mask);
		if (!item)
			return;
		if (beyond != CPUS_MAX) {
			item->state = PLAN_CANNOT;
			host_plan_say(plan, &item->why, "this machine cannot have a CPU %u (EOVERFLOW)", beyond);
		}
		/* Said once, and only of what would be new. */
		if (why && i == 0)
			host_plan_say(plan, &item->danger, "%s", why);
		if (topology->irq_cpu[i] != TOPOLOGY_NO_CPU && !rxqs && cpus_count(&sets[i]) &&
			!cpus_has(&sets[i], topology->irq_cpu[i]))
			host_plan_say(plan, &item->note, "its interrupt goes to CPU %u, which is not in the set",
				topology->irq_cpu[i]);
	}
}

#define IRQS_SAID 16u

/* A queue's CPUs are chosen, or judged, by where its interrupt goes, and irqbalance may move that every ten seconds. */
static void say_irqbalance(struct host_plan *plan, struct host_plan_item *item, const struct topology *topology)
{
	_cleanup_free_ char *text = NULL;
	size_t size, said = 0;
	FILE *stream = open_memstream(&text, &size);

	if (!stream) {
		plan->no_memory = true;
		return;
	}
	fprintf(stream,
		"irqbalance is at work (/run/irqbalance) and may move these queues' interrupts; to keep them: %s",
		"irqbalance");
	for (size_t i = 0; i < topology->transmit; i++) {
		if (topology->irq[i] && said++ < IRQS_SAID)
			fprintf(stream, " --banirq=%u", topology->irq[i]);
	}
	if (said > IRQS_SAID)
		fprintf(stream, " and so on, %zu in all", said);
	if (fclose(stream) != 0)
		plan->no_memory = true;
	else if (said)
		host_plan_warn(plan, item, text);
}

/*
 * Bonds choose by themselves (bond_select_queue()), VLANs and the like have no queue discipline: either way the one below chooses
 * again (netdev_core_pick_tx()).
 */
static bool hands_on(const char *interface)
{
	char path[sizeof("/sys/class/net//bonding") + IFNAMSIZ];
	char base[IFNAMSIZ];

	snprintf(path, sizeof(path), "/sys/class/net/%s/bonding", interface);
	return access(path, F_OK) == 0 || neighbours_base(interface, base);
}

static int plan_interface(struct host *host, struct host_plan *plan, const char *interface,
	const struct profile_xps *xps, int sys, int proc)
{
	_cleanup_topology_ struct topology topology = {.transmit = 0};
	_cleanup_free_ struct cpus *sets = NULL;
	bool named = strcmp(xps->pattern, interface) == 0;
	struct host_plan_item *item;
	int r = topology_read(sys, proc, interface, &topology);
	bool upper = r == 0 && hands_on(interface);

	if (r == 0 && topology.transmit > 1 && !upper) {
		const size_t first = plan->count;

		sets = calloc(topology.transmit, sizeof(*sets));
		if (!sets)
			return -ENOMEM;
		r = xps_plan(&topology, xps, sets);
		if (r == 0) {
			add_queues(host, plan, interface, xps, &topology, sets);
			if (plan->count > first && xps->policy != XPS_RXQS && xps->policy != XPS_OFF &&
				access("/run/irqbalance", F_OK) == 0)
				say_irqbalance(plan, &plan->items[first], &topology);
			return plan->no_memory ? -ENOMEM : 0;
		}
	}
	item = add_whole(plan, interface, xps);
	if (!item || r == -ENOMEM)
		return -ENOMEM;
	if (r == -ENODEV) {
		host_plan_say(plan, &item->why, "no such interface now; it is set up when it comes");
		return 0;
	}
	/* What a pattern happens to match need not have queues. */
	item->state = named ? PLAN_CANNOT : PLAN_LATER;
	if (r == -E2BIG)
		host_plan_say(plan, &item->why, "has %zu transmit queues, and %zu masks are given", topology.transmit,
			xps->mask_count);
	else if (r == -EOPNOTSUPP && topology.transmit)
		host_plan_say(
			plan, &item->why, "where the interrupts of its queues go is not known; take another policy");
	else if (r < 0)
		host_plan_say(plan, &item->why, "its queues cannot be read: %s", strerror(-r));
	else if (upper)
		host_plan_say(plan, &item->why,
			"hands on to the interfaces that it stands on: their queues count, and its own do nothing");
	else
		host_plan_say(plan, &item->why, "has a single transmit queue, and nothing to spread");
	return 0;
}

static int plan_all_interfaces(
	struct host *host, const struct profile *profile, struct host_plan *plan, int sys, int proc)
{
	struct dirent **names;
	int count = scandir("/sys/class/net", &names, NULL, alphasort);
	int r = 0;

	if (count < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	for (int i = 0; i < count; i++) {
		const char *name = names[i]->d_name;
		const struct profile_xps *xps = name[0] == '.' ? NULL : xps_for(profile, name);

		/* No pattern is meant for it. */
		if (strcmp(name, "lo") == 0 && xps && strcmp(xps->pattern, name) != 0)
			xps = NULL;
		/* A file of the bonding driver stands there too. */
		if (xps && r == 0 && names[i]->d_type != DT_REG)
			r = plan_interface(host, plan, name, xps, sys, proc);
		free(names[i]);
	}
	free(names);
	return r;
}

int host_plan_xps(struct host *host, const struct profile *profile, struct host_plan *plan)
{
	_cleanup_close_ int sys = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (!profile->xps_count || host->offline)
		return 0;
	if (sys < 0 || proc < 0)
		return -errno;
	r = plan_all_interfaces(host, profile, plan, sys, proc);
	for (size_t i = 0; i < profile->xps_count && r == 0; i++) {
		const char *name = profile->xps[i].pattern;
		char path[IFNAMSIZ + 16];

		snprintf(path, sizeof(path), "class/net/%s", name);
		if (!strpbrk(name, "*?[") && faccessat(sys, path, F_OK, 0) < 0)
			r = plan_interface(host, plan, name, &profile->xps[i], sys, proc);
	}
	return r;
}
