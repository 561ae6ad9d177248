/* SPDX-License-Identifier: MIT */
/* Makes the plan: modules here, the other sections in the files of their names. */
#include "config.h"

#include "ctl/host/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void host_plan_clear(struct host_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct host_plan_item *item = &plan->items[i];

		free(item->name);
		free(item->now);
		free(item->wanted);
		free(item->why);
		free(item->danger);
		free(item->note);
		free(item->boot);
		free(item->lasts);
		free(item->other);
		free(item->origin);
		free(item->wins);
	}
	free(plan->items);
	*plan = (struct host_plan){.items = NULL};
}

void host_plan_say(struct host_plan *plan, char **to, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0) {
		text = NULL;
		plan->no_memory = true;
	}
	va_end(ap);
	free(*to);
	*to = text;
}

static const char *why_not(enum host_kind kind, int error)
{
	if (error == -EPROTONOSUPPORT)
		return "this kernel has no SMC, or may not load it here: modprobe smc";
	if (error == -EOPNOTSUPP)
		return kind == HOST_SEID ? "this machine has no system EID" : "this kernel's SMC does not know that";
	if (error == -EPERM || error == -EACCES)
		return "not permitted to look; run as root";
	if (error == -ELOOP)
		return "a symbolic link stands there: not of smcctl, remove it yourself";
	if (error == -EMEDIUMTYPE)
		return "what stands there is no regular file";
	return strerror(-error);
}

struct host_plan_item *host_plan_add(
	struct host_plan *plan, struct host *host, enum host_kind kind, const char *name, const char *wanted)
{
	struct host_plan_item *item;
	int r = 0;

	if (plan->count == plan->room) {
		size_t room = plan->room ? plan->room * 2 : 32;
		struct host_plan_item *items = reallocarray(plan->items, room, sizeof(*items));

		if (!items) {
			plan->no_memory = true;
			return NULL;
		}
		plan->items = items;
		plan->room = room;
	}
	item = &plan->items[plan->count++];
	*item = (struct host_plan_item){.kind = kind, .state = PLAN_SAME};
	host_plan_say(plan, &item->name, "%s", name);
	if (wanted)
		host_plan_say(plan, &item->wanted, "%s", wanted);
	if (plan->no_memory)
		return NULL;
	if (!host->offline || kind == HOST_FILE || kind == HOST_DIRECTORY)
		r = item_get(host, kind, name, &item->now);
	else
		item->state = PLAN_LATER;
	if (r == -ENOMEM) {
		plan->no_memory = true;
		return NULL;
	}
	if (r < 0) {
		item->state = PLAN_CANNOT;
		host_plan_say(plan, &item->why, "%s", why_not(kind, r));
	} else if (item->state == PLAN_SAME && !item_equal(kind, item->now, wanted)) {
		item->state = PLAN_CHANGE;
	}
	return plan->no_memory ? NULL : item;
}

struct host_plan_item *host_plan_add_later(
	struct host_plan *plan, enum host_kind kind, const char *name, const char *wanted)
{
	struct host nothing = {.offline = true};
	struct host_plan_item *item = host_plan_add(plan, &nothing, kind, name, wanted);

	if (item)
		item->state = PLAN_LATER;
	return item;
}

bool host_plan_outside(
	struct host_plan *plan, const struct host *host, enum host_kind kind, const char *name, const char *wanted)
{
	struct host_plan_item *item = host->netns ? host_plan_add_later(plan, kind, name, wanted) : NULL;

	if (item)
		host_plan_say(plan, &item->why,
			"is of the machine, not of a network namespace: with smcctl host apply without --netns");
	return host->netns != 0;
}

bool profile_has_module(const struct profile *profile, const char *module)
{
	for (size_t i = 0; i < profile->module_count; i++) {
		if (strcmp(profile->modules[i], module) == 0)
			return true;
	}
	return false;
}

static int plan_modules(struct host *host, const struct profile *profile, struct host_plan *plan)
{
	for (size_t i = 0; i < profile->module_count; i++) {
		struct host_plan_item *item;

		if (host_plan_outside(plan, host, HOST_MODULE, profile->modules[i], "loaded"))
			continue;
		item = host_plan_add(plan, host, HOST_MODULE, profile->modules[i], "loaded");
		if (!item || loader_module(profile->modules[i], NULL, &item->origin) < 0)
			return -ENOMEM;
		if (item->origin)
			host_plan_say(plan, &item->boot, "loaded");
		if (item->state != PLAN_CHANGE || module_available(item->name))
			continue;
		item->state = PLAN_CANNOT;
		host_plan_say(plan, &item->why, "this kernel has no such module, or may not load it (modprobe -n %s)",
			item->name);
	}
	return 0;
}

int host_plan_make(struct host *host, const struct profile *profile, struct host_plan *out)
{
	int r = plan_modules(host, profile, out);

	out->netns = host->netns;
	if (r == 0)
		r = host_plan_sysctls(host, profile, out);
	if (r == 0)
		host_plan_smc(host, profile, out);
	if (r == 0)
		r = host_plan_xps(host, profile, out);
	/* No file brings a namespace's values back: they last as long as it does. */
	if (r == 0 && !host->netns)
		r = host_plan_files(host, profile, out);
	return r < 0 ? r : out->no_memory ? -ENOMEM : 0;
}

static uint64_t mix(uint64_t digest, const char *text)
{
	uint64_t parts[2] = {digest, text ? policy_digest(text, strlen(text) + 1) : 0};

	return policy_digest(parts, sizeof(parts));
}

uint64_t host_plan_digest(const struct host_plan *plan, const struct profile *profile)
{
	uint64_t digest = profile->digest ^ plan->netns;

	for (size_t i = 0; i < plan->count; i++) {
		const struct host_plan_item *item = &plan->items[i];
		const char *texts[] = {host_kind_word(item->kind), item->name, item->now, item->wanted, item->why,
			item->danger, item->boot, item->origin, item->wins};

		for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
			digest = mix(digest, texts[k]);
	}
	return digest;
}

size_t host_plan_count(const struct host_plan *plan, enum plan_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->items[i].state == state;
	return count;
}

const struct host_plan_item *host_plan_first(const struct host_plan *plan, enum plan_state state)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].state == state)
			return &plan->items[i];
	}
	return NULL;
}

const struct host_plan_item *host_plan_first_danger(const struct host_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].danger)
			return &plan->items[i];
	}
	return NULL;
}
