/* SPDX-License-Identifier: MIT */
/* smcctl host apply: modules first, for what comes with them; then values, each read back; then files. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/host/change.h"

static enum ctl_exit no_memory(struct host *host)
{
	return ctl_error(host->ctl, CTL_FAILED, "host", NULL, "%s", strerror(ENOMEM));
}

void change_digest(const struct host_plan *plan, const struct profile *profile, char out[static CHANGE_DIGEST])
{
	snprintf(out, CHANGE_DIGEST, "%016" PRIx64, host_plan_digest(plan, profile));
}

static bool is_planned(const struct host_plan *plan, const struct journal_entry *entry)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->items[i].kind == entry->kind && strcmp(plan->items[i].name, entry->name) == 0)
			return true;
	}
	return false;
}

/*
 * What an earlier profile set goes back, unless it is another's by now or not there any more. Directories stay until revert, and
 * so do modules, which may be in use.
 */
static void add_leftover(struct host *host, const struct journal_entry *entry, struct host_plan *plan)
{
	_cleanup_free_ char *now = NULL;
	struct host_plan_item *item;
	int r;

	if (entry->kind == HOST_DIRECTORY || entry->kind == HOST_MODULE ||
		(host->offline && entry->kind != HOST_FILE) || is_planned(plan, entry))
		return;
	r = item_get(host, entry->kind, entry->name, &now);
	if (item_is_gone(r) ||
		(r == 0 && (!journal_is_ours(entry, now) || item_equal(entry->kind, now, entry->before))))
		return;
	item = host_plan_add(plan, host, entry->kind, entry->name, entry->before);
	if (item && item->state == PLAN_CHANGE)
		host_plan_say(plan, &item->note, "no longer in the profile: back to what it was");
}

/* An identifier that is not ours stays: whoever gave it may have more that goes by it. */
static void keep_others_pnet(const struct journal *journal, struct host_plan *plan, struct host_plan_item *item)
{
	const struct journal_entry *entry = journal_find(journal, HOST_PNET, item->name);

	if (item->kind != HOST_PNET || item->state != PLAN_CHANGE || !item->now ||
		(entry && journal_is_ours(entry, item->now)))
		return;
	item->state = PLAN_CANNOT;
	host_plan_say(plan, &item->why, "has the pnet identifier %s already; smcctl pnet del %s takes it away",
		item->now, item->now);
}

int change_plan(struct host *host, const struct profile *profile, const struct journal *journal, struct host_plan *out)
{
	int r = host_plan_make(host, profile, out);

	for (size_t i = 0; i < out->count && r == 0; i++)
		keep_others_pnet(journal, out, &out->items[i]);
	for (size_t i = 0; i < journal->count && r == 0; i++) {
		add_leftover(host, &journal->entries[i], out);
		r = out->no_memory ? -ENOMEM : 0;
	}
	return r;
}

/* ---- refusals ---- */

/* A file of ours that somebody else has changed. */
static bool is_edited(const struct journal *journal, const struct host_plan_item *item)
{
	const struct journal_entry *entry = journal_find(journal, item->kind, item->name);

	return item->kind == HOST_FILE && item->state == PLAN_CHANGE && entry && item->now &&
		!journal_is_ours(entry, item->now) && !item_equal(item->kind, entry->before, item->now);
}

static enum ctl_exit refuse(struct host *host, const struct host_plan *plan, const struct journal *journal,
	const struct change_options *options)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct host_plan_item *item = &plan->items[i];
		const char *kind = host_kind_word(item->kind);

		if (item->state == PLAN_CANNOT && !options->keep_going && !options->at_boot)
			return ctl_error(host->ctl, item->kind == HOST_FILE && item->now ? CTL_STALE : CTL_CANNOT, kind,
				item->name, "%s; --keep-going leaves it out. Nothing was changed", item->why);
		if (item->state == PLAN_CHANGE && item->danger && !host->force && !options->at_boot)
			return ctl_error(host->ctl, CTL_CANNOT, kind, item->name,
				"%s; --force does it all the same. Nothing was changed", item->danger);
		if (is_edited(journal, item) && !host->force && !options->at_boot)
			return ctl_error(host->ctl, CTL_STALE, kind, item->name,
				"was edited since smcctl wrote it; put it back, or --force. Nothing was changed");
	}
	return CTL_OK;
}

static enum ctl_exit look(struct host *host, const struct profile *profile, const struct journal *journal,
	const struct change_options *options, struct host_plan *plan)
{
	int r;

	host_plan_clear(plan);
	r = change_plan(host, profile, journal, plan);
	if (r < 0)
		return ctl_error(host->ctl, ctl_exit_of(r), "host", NULL, "cannot be looked at: %s", strerror(-r));
	return refuse(host, plan, journal, options);
}

/* ---- doing it ---- */

/* At boot the files have done their part, and so have the loaders. */
static bool is_due(const struct host_plan_item *item, bool modules, const struct change_options *options)
{
	if (item->state != PLAN_CHANGE || (item->kind == HOST_MODULE) != modules)
		return false;
	return !options->at_boot || (item->kind != HOST_FILE && item->kind != HOST_DIRECTORY);
}

/* Sets it and reads it back, as neither the kernel's answer nor sysctl's says what is in force. */
static enum ctl_exit set_item(struct host *host, const struct host_plan_item *item)
{
	_cleanup_free_ char *got = NULL;
	const char *kind = host_kind_word(item->kind);
	_cleanup_free_ char *shown = NULL;
	int r = item_set(host, item->kind, item->name, item->wanted);

	if (r < 0)
		return ctl_error(host->ctl, ctl_exit_of(r), kind, item->name, "cannot be set: %s", strerror(-r));
	r = item_get(host, item->kind, item->name, &got);
	if (r < 0)
		return ctl_error(host->ctl, ctl_exit_of(r), kind, item->name, "cannot be read back: %s", strerror(-r));
	if (item_equal(item->kind, got, item->wanted))
		return CTL_OK;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a leftover directory may be in use */
	if (item->kind == HOST_DIRECTORY && !item->wanted)
		return CTL_OK;
	shown = host_plan_value_text(item->kind, got);
	return ctl_error(
		host->ctl, CTL_FAILED, kind, item->name, "was set, but reads as '%s' afterwards", shown ? shown : "?");
}

/* It did not become what it was to be, or went by itself, as the values of a module do with it. */
static bool is_as_before(struct host *host, const struct host_plan_item *item)
{
	_cleanup_free_ char *now = NULL;
	int r = item_get(host, item->kind, item->name, &now);

	return item_is_gone(r) || (r == 0 && item_equal(item->kind, now, item->now));
}

/* The last one first. False: something could not be taken back. */
static bool roll_back(struct host *host, const struct host_plan *plan, size_t done, bool modules,
	const struct change_options *options)
{
	bool good = true;

	for (size_t i = done; i-- > 0;) {
		const struct host_plan_item *item = &plan->items[i];
		int r;

		if (!is_due(item, modules, options))
			continue;
		r = item_set(host, item->kind, item->name, item->now);
		if (r < 0 && !is_as_before(host, item)) {
			ctl_error(host->ctl, CTL_FAILED, host_kind_word(item->kind), item->name,
				"cannot be set back: %s", strerror(-r));
			good = false;
		}
	}
	return good;
}

static enum ctl_exit rolled_back(struct host *host, struct journal *journal, bool good, enum ctl_exit code)
{
	if (!good)
		return ctl_error(host->ctl, CTL_PARTLY, "host", NULL,
			"not all could be taken back; smcctl host revert goes on from here");
	journal_undo(journal);
	/* What is left on the disk says the same once revert has looked. */
	(void)!journal_save(journal);
	return code == CTL_PARTLY ? ctl_error(host->ctl, code, "host", NULL, "rolled back: all is as before this run")
				  : code;
}

/* One part of the plan: the modules, or all else. Of its items, the first *done have been gone through. */
static enum ctl_exit do_part(struct host *host, const struct host_plan *plan, struct journal *journal, bool modules,
	const struct change_options *options, size_t *done)
{
	enum ctl_exit code = CTL_OK;
	bool any = false;
	int r = 0;

	*done = 0;
	for (size_t i = 0; i < plan->count && r == 0; i++) {
		const struct host_plan_item *item = &plan->items[i];

		if (!is_due(item, modules, options))
			continue;
		r = journal_note(journal, item->kind, item->name, item->now, item->wanted);
		any = true;
	}
	if (r == 0 && any) {
		journal->applying = true;
		r = journal_save(journal);
	}
	if (r < 0)
		return ctl_error(host->ctl, ctl_exit_of(r), "journal", journal->place, "%s", strerror(-r));
	for (; *done < plan->count && code == CTL_OK; (*done)++) {
		if (is_due(&plan->items[*done], modules, options))
			code = set_item(host, &plan->items[*done]);
	}
	return code;
}

static size_t count_due(const struct host_plan *plan, bool modules, const struct change_options *options)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += is_due(&plan->items[i], modules, options);
	return count;
}

/* What a run goes through: the plan with its modules, and the plan that is made once they are there. */
struct run {
	struct host_plan first;
	struct host_plan second;
	size_t first_done;
	size_t second_done;
};

static void run_clear(struct run *run)
{
	host_plan_clear(&run->first);
	host_plan_clear(&run->second);
}

/* The modules bring keys and netlink families with them: so all is looked at again. */
static enum ctl_exit do_all(struct host *host, const struct profile *profile, struct journal *journal,
	const struct change_options *options, struct run *run)
{
	enum ctl_exit code = do_part(host, &run->first, journal, true, options, &run->first_done);

	if (code == CTL_OK) {
		host_clear(host);
		host->asked = false;
		code = look(host, profile, journal, options, &run->second);
	}
	return code == CTL_OK ? do_part(host, &run->second, journal, false, options, &run->second_done) : code;
}

static enum ctl_exit finish(struct host *host, struct journal *journal, const struct profile *profile, const char *path)
{
	char *text = strdup(profile->text);
	char *name = strdup(path);
	int r;

	if (!text || !name) {
		free(text);
		free(name);
		return no_memory(host);
	}
	free(journal->profile);
	free(journal->path);
	journal->profile = text;
	journal->path = name;
	journal_commit(journal);
	r = journal_save(journal);
	/* The one on the disk is of a run under way, and good for revert. */
	return r < 0 ? ctl_error(host->ctl, CTL_PARTLY, "journal", journal->place,
			       "%s; all is set, and smcctl host revert can take it back; run apply again", strerror(-r))
		     : CTL_OK;
}

static enum ctl_exit compare(
	struct host *host, const struct host_plan *plan, const struct profile *profile, const char *wanted)
{
	char digest[CHANGE_DIGEST];

	change_digest(plan, profile, digest);
	if (!wanted || strcmp(digest, wanted) == 0)
		return CTL_OK;
	return ctl_error(host->ctl, CTL_STALE, "plan", NULL,
		"stale: the profile or the host has changed since; make it anew. Nothing was changed");
}

static void say_done(struct host *host, const struct host_plan *plan, size_t changed, bool at_boot)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct host_plan_item *item = &plan->items[i];

		if (item->state == PLAN_CANNOT)
			ctl_warn(host->ctl, "%s '%s': left out: %s", host_kind_word(item->kind), item->name, item->why);
		else if (item->wins || (item->warns && !at_boot))
			ctl_warn(host->ctl, "%s '%s': %s", host_kind_word(item->kind), item->name, item->note);
	}
	fprintf(host->ctl->out, changed ? "host: as the profile says; changed: %zu\n" : "host: as the profile says\n",
		changed);
}

static void tell_all(struct host *host, const struct host_plan *plan, const struct journal *journal,
	const struct change_options *options)
{
	change_tell(host, journal);
	for (size_t i = 0; i < plan->count; i++) {
		const struct host_plan_item *item = &plan->items[i];

		if (item->kind == HOST_FILE && is_due(item, false, options))
			change_tell_file(host, item->name, item->now, item->wanted);
	}
}

enum ctl_exit change_apply(struct host *host, const struct profile *profile, const char *path, struct journal *journal,
	const struct change_options *options)
{
	_cleanup_(run_clear) struct run run = {.first_done = 0};
	bool cut_off = journal->applying;
	size_t changed;
	enum ctl_exit code = look(host, profile, journal, options, &run.first);

	if (code == CTL_OK)
		code = compare(host, &run.first, profile, options->stale);
	if (code != CTL_OK)
		return code;
	code = do_all(host, profile, journal, options, &run);
	if (code != CTL_OK) {
		bool good = roll_back(host, &run.second, run.second_done, false, options);

		return rolled_back(host, journal, roll_back(host, &run.first, run.first_done, true, options) && good,
			run.first_done || run.second_done ? CTL_PARTLY : code);
	}
	changed = count_due(&run.first, true, options) + count_due(&run.second, false, options);
	/* At boot no file has changed, and the unit's sandbox lets nobody be told. */
	if (changed && !options->at_boot)
		tell_all(host, &run.second, journal, options);
	if (changed || cut_off || !journal->profile || strcmp(journal->profile, profile->text) != 0)
		code = finish(host, journal, profile, path);
	if (code == CTL_OK)
		say_done(host, &run.second, changed, options->at_boot);
	return code == CTL_OK && host_plan_first(&run.second, PLAN_CANNOT) && !options->at_boot ? CTL_PARTLY : code;
}
