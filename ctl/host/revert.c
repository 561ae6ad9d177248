/* SPDX-License-Identifier: MIT */
/* smcctl host revert: the journal from its end, each thing only where it is still as we set it. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/host/change.h"

/* STAYS: a module in use, which --force would not unload either. */
enum outcome { DONE, STAYS, KEPT, FAILED };

static enum outcome take_back(struct host *host, const struct journal_entry *entry)
{
	_cleanup_free_ char *now = NULL;
	const char *kind = host_kind_word(entry->kind);
	int r = entry->kind == HOST_FILE ? file_sweep(entry->name) : 0;

	if (r == 0)
		r = item_get(host, entry->kind, entry->name, &now);
	if (item_is_gone(r)) {
		ctl_warn(host->ctl, "%s '%s': is not there any more", kind, entry->name);
		return DONE;
	}
	if (r == 0 && item_equal(entry->kind, now, entry->before))
		return DONE;
	if (r == 0 && !journal_is_ours(entry, now) && !host->force) {
		_cleanup_free_ char *shown = host_plan_value_text(entry->kind, now);

		ctl_warn(host->ctl, "%s '%s': diverged: it is not what smcctl set but '%s'; kept (--force restores it)",
			kind, entry->name, shown ? shown : "?");
		return KEPT;
	}
	if (r == 0)
		r = item_set(host, entry->kind, entry->name, entry->before);
	if (r == -EBUSY && entry->kind == HOST_MODULE) {
		ctl_warn(host->ctl, "module '%s': in use; it stays loaded until the next boot", entry->name);
		return STAYS;
	}
	if (r == 0) {
		free(now);
		now = NULL;
		r = item_get(host, entry->kind, entry->name, &now);
	}
	if (r == 0 && !item_equal(entry->kind, now, entry->before) && entry->kind != HOST_DIRECTORY)
		r = -EIO;
	if (r == 0)
		return DONE;
	ctl_error(host->ctl, ctl_exit_of(r), kind, entry->name, "cannot be restored: %s", strerror(-r));
	return FAILED;
}

/* In an image only the files are there. */
static bool is_file(enum host_kind kind)
{
	return kind == HOST_FILE || kind == HOST_DIRECTORY;
}

/* A directory that something stays in is needed for as long. */
static bool is_needed(const struct journal_entry *entry, const struct journal *left)
{
	size_t length = strlen(entry->name);

	for (size_t i = 0; i < left->count && entry->kind == HOST_DIRECTORY; i++) {
		const char *name = left->entries[i].name;

		if (is_file(left->entries[i].kind) && strncmp(name, entry->name, length) == 0 && name[length] == '/')
			return true;
	}
	return false;
}

/* In the order of the setting, for the next revert; without the space for it, all is tried again. */
static void save_left(struct journal *left)
{
	for (size_t i = 0; i < left->count / 2; i++) {
		struct journal_entry swap = left->entries[i];

		left->entries[i] = left->entries[left->count - 1 - i];
		left->entries[left->count - 1 - i] = swap;
	}
	left->applying = true;
	(void)!journal_save(left);
}

enum ctl_exit change_revert(struct host *host, struct journal *journal)
{
	_cleanup_journal_ struct journal left = {.entries = NULL};
	size_t count[FAILED + 1] = {0};
	int r = 0;

	memcpy(left.place, journal->place, sizeof(left.place));
	for (size_t i = journal->count; i-- > 0;) {
		const struct journal_entry *entry = &journal->entries[i];
		bool needed = is_needed(entry, &left);
		enum outcome outcome =
			needed || (host->offline && !is_file(entry->kind)) ? DONE : take_back(host, entry);

		count[outcome]++;
		if ((needed || outcome == KEPT || outcome == FAILED) && r == 0)
			r = journal_note(&left, entry->kind, entry->name, entry->before, entry->after);
	}
	change_tell(host, journal);
	for (size_t i = 0; i < journal->count; i++) {
		const struct journal_entry *entry = &journal->entries[i];

		/* What was not restored is in left. */
		if (entry->kind == HOST_FILE && !journal_find(&left, entry->kind, entry->name))
			change_tell_file(host, entry->name, entry->after, entry->before);
	}
	if (left.count && r == 0)
		save_left(&left);
	if (count[FAILED])
		return ctl_error(host->ctl, CTL_PARTLY, "host", NULL,
			"%zu things could not be restored; smcctl host revert tries them again", count[FAILED]);
	if (count[KEPT])
		return ctl_error(host->ctl, CTL_PARTLY, "host", NULL,
			"kept: %zu; smcctl host revert --force restores them", count[KEPT]);
	journal_remove(journal);
	fprintf(host->ctl->out, "host: as it was; restored: %zu%s\n", count[DONE],
		count[STAYS] ? ", but for what is said above" : "");
	return CTL_OK;
}
