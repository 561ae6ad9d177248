/* SPDX-License-Identifier: MIT */
/* The sysctl items of a plan: the value now, where that at boot comes from, who will overrule ours. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/host/plan.h"
#include "ctl/host/sysctl.h"

static const struct {
	const char *prefix;
	const char *module;
} owners[] = {
	{"net.smc.", "smc"},
	{"net.netfilter.", "nf_conntrack"},
	{"net.bridge.", "br_netfilter"},
};

const char *host_plan_module_of(const char *key)
{
	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
		if (starts_with(key, owners[i].prefix))
			return owners[i].module;
	}
	return NULL;
}

/* What the loaders read today, and what they would without our file. */
struct boot {
	struct loader_files systemd;
	struct loader_files procps;
	struct loader_files systemd_less;
	struct loader_files procps_less;
};

static void boot_clear(struct boot *boot)
{
	loader_clear(&boot->systemd);
	loader_clear(&boot->procps);
	loader_clear(&boot->systemd_less);
	loader_clear(&boot->procps_less);
}

static int boot_read(struct boot *boot)
{
	int r = loader_read(LOADER_SYSTEMD, NULL, &boot->systemd);

	if (r == 0)
		r = loader_read(LOADER_PROCPS, NULL, &boot->procps);
	if (r == 0)
		r = loader_read(LOADER_SYSTEMD, PLAN_SYSCTL, &boot->systemd_less);
	return r == 0 ? loader_read(LOADER_PROCPS, PLAN_SYSCTL, &boot->procps_less) : r;
}

static bool is_ours_or_before(const char *path)
{
	return strcmp(path_base(path), path_base(PLAN_SYSCTL)) <= 0;
}

/* As wished: the value that the item wants; or of "at least", which is larger now perhaps, what is no less than that. */
static bool is_enough(const struct host_plan_item *item, const struct profile_sysctl *wish, const char *value)
{
	char larger[PROFILE_VALUE];

	if (item->wanted && sysctl_equal(value, item->wanted))
		return true;
	return wish->at_least && sysctl_larger(value, wish->value, larger) && sysctl_equal(value, larger);
}

static bool is_after_ours(const struct loader_files *files, const struct loader_line *line, bool ends_with_sysctl_conf)
{
	return (ends_with_sysctl_conf && line->file == files->file_count - 1) ||
		!is_ours_or_before(files->files[line->file]);
}

/* A line that is read after ours, names the key itself, and says something else. */
static const struct loader_line *overruler(const struct loader_files *files, const struct host_plan_item *item,
	const struct profile_sysctl *wish, bool ends_with_sysctl_conf)
{
	const struct loader_line *line = loader_decides(files, item->name);

	if (!line || line->is_pattern || is_enough(item, wish, line->value))
		return NULL;
	return is_after_ours(files, line, ends_with_sysctl_conf) ? line : NULL;
}

static void say_boot(
	struct host_plan *plan, struct host_plan_item *item, const struct profile_sysctl *wish, const struct boot *boot)
{
	const struct loader_line *line = loader_decides(&boot->systemd, item->name);
	const struct loader_line *other = loader_decides(&boot->procps, item->name);

	if (line) {
		item->more = wish->at_least && is_after_ours(&boot->systemd, line, false) &&
			is_enough(item, wish, line->value);
		host_plan_say(plan, &item->origin, "%s:%u", boot->systemd.files[line->file], line->line);
		host_plan_say(plan, &item->boot, "%s", line->value);
	}
	if (other)
		host_plan_say(plan, &item->other, "%s", other->value);
	if (!line != !other || (line && !sysctl_equal(line->value, other->value)))
		host_plan_say(plan, &item->note,
			"the two loaders disagree: systemd-sysctl takes %s%s%s, sysctl --system %s from %s",
			line ? line->value : "nothing", line ? " from " : "", line ? item->origin : "",
			other ? other->value : "nothing", other ? boot->procps.files[other->file] : "any file");
	line = overruler(&boot->systemd_less, item, wish, false);
	if (line) {
		host_plan_say(plan, &item->wins, "%s:%u", boot->systemd_less.files[line->file], line->line);
		host_plan_say(plan, &item->note, "at boot %s sets %s and comes after ours; remove that line",
			item->wins, line->value);
		return;
	}
	line = overruler(&boot->procps_less, item, wish, true);
	if (line && other && item->boot && is_enough(item, wish, item->boot))
		host_plan_say(plan, &item->note,
			"%s:%u sets %s: sysctl --system, which reads it last, would undo ours (systemd-sysctl does "
			"not)",
			boot->procps_less.files[line->file], line->line, line->value);
}

bool host_plan_tuned(void)
{
	return access("/run/tuned/tuned.pid", F_OK) == 0;
}

void host_plan_warn(struct host_plan *plan, struct host_plan_item *item, const char *text)
{
	_cleanup_free_ char *before = item->note;

	item->note = NULL;
	item->warns = true;
	host_plan_say(plan, &item->note, "%s%s%s", before ? before : "", before ? "; " : "", text);
}

/* Said once. */
static void say_tuned(struct host *host, struct host_plan *plan)
{
	if (host->offline || host->netns || !host_plan_tuned())
		return;
	for (size_t i = 0; i < plan->count; i++) {
		struct host_plan_item *item = &plan->items[i];

		if (item->kind != HOST_SYSCTL || item->state == PLAN_CANNOT)
			continue;
		host_plan_warn(plan, item,
			"tuned is at work (/run/tuned/tuned.pid) and sets the values of its profile, which tuned-adm "
			"active names, whenever it starts: what both set belongs into one of its own, "
			"/etc/tuned/NAME/tuned.conf with include=THE ACTIVE ONE");
		return;
	}
}

/*
 * Before net.smc.rmem and net.smc.wmem the kernel took the buffers of the TCP socket underneath (smc_sock_alloc()); both are
 * there from Linux 6.1 on.
 */
static void say_without_buffers(struct host_plan *plan, struct host_plan_item *item)
{
	static const char *const keys[][2] = {
		{"net.smc.rmem", "net.ipv4.tcp_rmem"}, {"net.smc.wmem", "net.ipv4.tcp_wmem"}};

	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *text = NULL;

		if (strcmp(item->name, keys[i][0]) != 0)
			continue;
		host_plan_say(plan, &text,
			"Linux has it since 6.1; before, SMC takes the buffers of TCP, the second number of %s: larger "
			"there is larger for SMC, but changes every TCP socket too",
			keys[i][1]);
		if (text)
			host_plan_warn(plan, item, text);
	}
}

/* There is no such key: because its module is not loaded yet, or, which is true, because this kernel has none. */
static bool without_key(struct host *host, struct host_plan *plan, struct host_plan_item *item,
	const struct profile *profile, const struct profile_sysctl *wish)
{
	const char *module = host_plan_module_of(wish->key);
	bool comes = !host->netns && module && profile_has_module(profile, module) && access("/sys/module", F_OK) == 0;
	_cleanup_free_ char *loaded = NULL;

	if (module && module_get(module, &loaded) < 0)
		plan->no_memory = true;
	if (comes && !loaded && module_available(module)) {
		item->state = PLAN_CHANGE;
		host_plan_say(plan, &item->why, "there once module %s is loaded", module);
		return false;
	}
	item->state = wish->optional ? PLAN_LATER : PLAN_CANNOT;
	if (module && !loaded) {
		host_plan_say(plan, &item->why, "module %s is not loaded%s", module,
			host->netns     ? ""
				: comes ? " and cannot be"
					: "; name it in \"modules\"");
		return false;
	}
	host_plan_say(plan, &item->why, "this kernel has no such key%s",
		wish->optional ? "" : " (or not in this network namespace); \"optional\" lets it pass");
	return true;
}

static void wish_larger(struct host_plan *plan, struct host_plan_item *item, const struct profile_sysctl *wish)
{
	char larger[PROFILE_VALUE];

	item->at_least = true;
	if (!item->now)
		return;
	if (!sysctl_larger(item->now, wish->value, larger)) {
		item->state = PLAN_CANNOT;
		host_plan_say(
			plan, &item->why, "'%s' and '%s' cannot be compared number by number", item->now, wish->value);
		return;
	}
	host_plan_say(plan, &item->wanted, "%s", larger);
	item->state = sysctl_equal(item->now, larger) ? PLAN_SAME : PLAN_CHANGE;
}

/* What our file sets it to; NULL: nothing. */
static const char *own_value(const struct loader_files *files, const char *key)
{
	for (size_t i = files->line_count; i-- > 0;) {
		const struct loader_line *line = &files->lines[i];

		if (strcmp(line->key, key) == 0 && strcmp(files->files[line->file], PLAN_SYSCTL) == 0)
			return line->value;
	}
	return NULL;
}

/* What is larger by hand now need not be so at boot: only what the files say and the wish count; after ours they may say more. */
static void last_larger(
	struct host_plan *plan, struct host_plan_item *item, const struct profile_sysctl *wish, const struct boot *boot)
{
	const char *base = item->more ? own_value(&boot->systemd, item->name) : item->boot;
	char larger[PROFILE_VALUE];

	base = base ? base : item->now;
	if (wish->at_least && base && item->state != PLAN_CANNOT && sysctl_larger(base, wish->value, larger))
		host_plan_say(plan, &item->lasts, "%s", larger);
}

static void judge(struct host *host, struct host_plan *plan, struct host_plan_item *item)
{
	const char *text = sysctl_note(item->name, item->wanted);
	int r;

	if (text && !item->note)
		host_plan_say(plan, &item->note, "%s", text);
	if (!item->now || item->state == PLAN_CANNOT)
		return;
	text = sysctl_danger(item->name, item->now, item->wanted);
	if (text)
		host_plan_say(plan, &item->danger, "%s", text);
	/* An ordinary user may plan; that root may write is root's matter. */
	if (item->state != PLAN_CHANGE || geteuid() != 0 || host->offline)
		return;
	r = sysctl_writable(item->name);
	if (r < 0) {
		item->state = PLAN_CANNOT;
		host_plan_say(plan, &item->why, "read-only here (%s): %s", strerror(-r),
			r == -EROFS ? "/proc/sys is mounted so, as in a container"
				    : "this network namespace may not set it, the initial one can");
	}
}

static bool is_missing(const char *key)
{
	char value[PROFILE_VALUE];

	return sysctl_read(key, value) == -ENOENT;
}

int host_plan_sysctls(struct host *host, const struct profile *profile, struct host_plan *plan)
{
	_cleanup_(boot_clear) struct boot boot = {.systemd = {.files = NULL}};
	/* No file is read for a namespace at boot. */
	const bool boots = !host->netns;
	int r = profile->sysctl_count && boots ? boot_read(&boot) : 0;

	for (size_t i = 0; i < profile->sysctl_count && r == 0; i++) {
		const struct profile_sysctl *wish = &profile->sysctls[i];
		struct host_plan_item *item;
		bool there, none = false;

		if (!starts_with(wish->key, "net.") &&
			host_plan_outside(plan, host, HOST_SYSCTL, wish->key, wish->value))
			continue;
		item = host_plan_add(plan, host, HOST_SYSCTL, wish->key, wish->value);
		if (!item)
			return -ENOMEM;
		there = host->offline || item->state != PLAN_CANNOT || !is_missing(wish->key);
		if (!there)
			none = without_key(host, plan, item, profile, wish);
		else if (wish->at_least && item->state != PLAN_CANNOT)
			wish_larger(plan, item, wish);
		if (boots)
			say_boot(plan, item, wish, &boot);
		if (none)
			say_without_buffers(plan, item);
		last_larger(plan, item, wish, &boot);
		judge(host, plan, item);
		r = plan->no_memory ? -ENOMEM : 0;
	}
	say_tuned(host, plan);
	return r == 0 && plan->no_memory ? -ENOMEM : r;
}
