/* SPDX-License-Identifier: MIT */
/* A plan for people and for programs. */
#include "config.h"

#include <string.h>

#include "ctl/host/plan.h"

char *host_plan_value_text(enum host_kind kind, const char *value)
{
	size_t size = 0;
	char *bytes;
	char *text;

	if (!value)
		return strdup("-");
	if (kind != HOST_FILE)
		return strdup(value);
	bytes = file_bytes(value, &size);
	free(bytes);
	return asprintf(&text, "%zu bytes", size) < 0 ? NULL : text;
}

static const char *sign_of(const struct host_plan_item *item)
{
	switch (item->state) {
	case PLAN_CHANGE:
		return item->danger ? "!" : item->now ? item->wanted ? "~" : "-" : "+";
	case PLAN_LATER:
		return ".";
	case PLAN_CANNOT:
		return "x";
	case PLAN_SAME:
		break;
	}
	return "=";
}

static const char *const states[] = {
	[PLAN_SAME] = "same",
	[PLAN_CHANGE] = "change",
	[PLAN_LATER] = "later",
	[PLAN_CANNOT] = "cannot",
};

/* The bytes of a file are for programs. */
static void show_content(struct out *out, const char *key, const struct host_plan_item *item, const char *value)
{
	size_t size = 0;
	_cleanup_free_ char *bytes = item->kind == HOST_FILE && value ? file_bytes(value, &size) : NULL;

	if (item->kind == HOST_FILE)
		out_optional(out, key, NULL, bytes);
	else
		out_optional(out, key, NULL, value);
}

static void show_item(struct out *out, const struct host_plan_item *item)
{
	_cleanup_free_ char *now = host_plan_value_text(item->kind, item->now);
	_cleanup_free_ char *wanted = host_plan_value_text(item->kind, item->wanted);
	const char *boot = item->boot ? item->boot : item->kind == HOST_SYSCTL ? "the kernel's own" : "-";

	out_object(out, NULL, NULL);
	out_string(out, NULL, " ", sign_of(item));
	out_string(out, "state", NULL, states[item->state]);
	out_string(out, "kind", "KIND", host_kind_word(item->kind));
	out_string(out, "name", "NAME", item->name);
	out_string(out, NULL, "NOW", now ? now : "?");
	out_string(out, NULL, "WANTED", wanted ? wanted : "?");
	show_content(out, "now", item, item->now);
	show_content(out, "wanted", item, item->wanted);
	out_bool(out, "at_least", NULL, item->at_least);
	out_string(out, NULL, "AT BOOT", boot);
	out_optional(out, "boot", NULL, item->boot);
	out_optional(out, "boot_by_sysctl", NULL, item->other);
	out_optional(out, "origin", "FROM", item->origin);
	out_optional(out, "overruled_by", NULL, item->wins);
	out_optional(out, "why", NULL, item->why);
	out_optional(out, "danger", NULL, item->danger);
	out_optional(out, "note", NULL, item->note);
	if (item->why)
		out_note(out, "    %s: %s", item->state == PLAN_CANNOT ? "cannot" : "later", item->why);
	if (item->danger)
		out_note(out, "    dangerous: %s", item->danger);
	if (item->note)
		out_note(out, "    note: %s", item->note);
	out_close(out);
}

void host_plan_show(struct out *out, const struct host_plan *plan)
{
	out_uint(out, "changes", NULL, host_plan_count(plan, PLAN_CHANGE));
	out_list(out, "items", NULL);
	for (size_t i = 0; i < plan->count; i++)
		show_item(out, &plan->items[i]);
	out_close(out);
}
