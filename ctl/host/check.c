/* SPDX-License-Identifier: MIT */
/* Compares what is with what was wanted, and looks for who may have changed it. */
#include "config.h"

#include "ctl/host/check.h"

#include <errno.h>
#include <string.h>

#include "ctl/host/change.h"
#include "ctl/host/sysctl.h"
#include "ctl/host/xps.h"

#define MANY_PACKETS 1000u

void check_clear(struct check *check)
{
	for (size_t i = 0; check->items && i < check->plan.count; i++)
		free(check->items[i].cause);
	for (size_t i = 0; i < check->interface_count; i++)
		free(check->interfaces[i].queues);
	free(check->items);
	free(check->interfaces);
	host_plan_clear(&check->plan);
}

static const char *sysctl_cause(const struct host_plan_item *item, const struct journal_entry *entry)
{
	if (item->boot && item->now && sysctl_equal(item->boot, item->now))
		return item->wins ? "a file that comes after ours sets it at boot"
				  : "a file of the host sets it at boot, and ours was not read";
	if (host_plan_tuned())
		return "tuned is at work (/run/tuned/tuned.pid), and sets values after us: tuned-adm active";
	if (entry && item->now && entry->before && sysctl_equal(entry->before, item->now))
		return "it is what it was before apply: set back, or lost in a reboot without our files";
	return entry ? "somebody has set it since apply" : "not applied yet";
}

static const char *xps_cause(const struct host_plan_item *item, const struct journal_entry *entry)
{
	if (!entry)
		return "not applied yet, or the queue is new: channels were changed (ethtool -L)";
	if (item->now && strcmp(item->now, "0") == 0)
		return "the queue was made anew: channels were changed (ethtool -L), or the interface was";
	return "the driver has set its queues: a CPU came or went, or channels were changed (ethtool -L)";
}

static const char *cause_of(const struct host_plan_item *item, const struct journal *journal)
{
	const struct journal_entry *entry = journal_find(journal, item->kind, item->name);

	if (item->state == PLAN_CANNOT)
		return item->why;
	switch (item->kind) {
	case HOST_SYSCTL:
		return sysctl_cause(item, entry);
	case HOST_XPS:
		return xps_cause(item, entry);
	case HOST_FILE:
		return !entry ? "not applied yet" : item->now ? "it was edited, or the profile was" : "it was removed";
	case HOST_MODULE:
		return entry || item->origin ? "unloaded, or not loaded at boot" : "not applied yet";
	default:
		return entry ? "set otherwise since apply, or lost in a reboot" : "not applied yet";
	}
}

static int say(char **cause, const char *text)
{
	*cause = strdup(text);
	return *cause ? 0 : -ENOMEM;
}

static int check_item(const struct host *host, const struct host_plan_item *item, const struct journal *journal,
	struct check_item *out)
{
	const char *lasts = item->lasts ? item->lasts : item->wanted;

	*out = (struct check_item){.item = item, .now = true, .boot = true};
	if (item->state == PLAN_CANNOT || item->state == PLAN_CHANGE) {
		out->now = false;
		return say(&out->cause, cause_of(item, journal));
	}
	if (host->netns || item->kind != HOST_SYSCTL || (item->state == PLAN_LATER && !item->boot))
		return 0;
	if (item->boot && !item->wins && (item->more || sysctl_equal(item->boot, lasts)))
		return 0;
	out->boot = false;
	if (item->wins && asprintf(&out->cause, "%s comes after ours and wins at boot", item->wins) < 0)
		out->cause = NULL;
	else if (!item->wins)
		return say(&out->cause, item->boot ? "another file decides at boot" : "no file sets it at boot");
	return out->cause ? 0 : -ENOMEM;
}

bool check_spreads(const struct queue_counter *queues, size_t count)
{
	uint64_t all = 0, most = 0;

	for (size_t i = 0; i < count; i++) {
		all += queues[i].packets;
		most = queues[i].packets > most ? queues[i].packets : most;
	}
	return count < 2 || all < MANY_PACKETS || most <= all - all / 10;
}

/* The interfaces whose queues the profile sets: their items stand together, "IF/tx-N/...". */
static int read_queues(struct check *check)
{
	for (size_t i = 0; i < check->plan.count; i++) {
		const struct host_plan_item *item = &check->plan.items[i];
		size_t length = strcspn(item->name, "/");
		struct check_queues *more;
		int count;

		if (item->kind != HOST_XPS || !starts_with(item->name + length, "/tx-0/") || length >= IFNAMSIZ)
			continue;
		more = reallocarray(check->interfaces, check->interface_count + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		check->interfaces = more;
		more += check->interface_count;
		*more = (struct check_queues){.queues = NULL};
		memcpy(more->interface, item->name, length);
		count = counters_queues(more->interface, &more->queues);
		if (count == -ENOMEM)
			return count;
		more->count = count > 0 ? (size_t)count : 0;
		more->spreads = check_spreads(more->queues, more->count);
		check->interface_count++;
	}
	return 0;
}

int check_make(struct host *host, const struct profile *profile, const struct journal *journal, struct check *out)
{
	int r = change_plan(host, profile, journal, &out->plan);

	if (r == 0 && out->plan.count) {
		out->items = calloc(out->plan.count, sizeof(*out->items));
		r = out->items ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < out->plan.count && r == 0; i++) {
		r = check_item(host, &out->plan.items[i], journal, &out->items[i]);
		out->drift += !out->items[i].now || !out->items[i].boot;
	}
	if (r < 0 || host->offline)
		return r;
	counters_read(&out->counters);
	return read_queues(out);
}
