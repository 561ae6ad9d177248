/* SPDX-License-Identifier: MIT */
/* The journal in memory, and its JSON. */
#include "config.h"

#include "ctl/host/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <cJSON.h>

#include "ctl/host/journal-text.h"
#include "policy/policy.h"

#define MAGIC "smcctl host journal 1 "

static void entry_clear(struct journal_entry *entry)
{
	free(entry->name);
	free(entry->before);
	free(entry->after);
	free(entry->last);
}

void journal_clear(struct journal *journal)
{
	for (size_t i = 0; i < journal->count; i++)
		entry_clear(&journal->entries[i]);
	free(journal->entries);
	free(journal->path);
	free(journal->profile);
	*journal = (struct journal){.entries = NULL};
}

struct journal_entry *journal_find(const struct journal *journal, enum host_kind kind, const char *name)
{
	for (size_t i = 0; i < journal->count; i++) {
		if (journal->entries[i].kind == kind && strcmp(journal->entries[i].name, name) == 0)
			return &journal->entries[i];
	}
	return NULL;
}

static int copy(char **to, const char *text)
{
	char *made = text ? strdup(text) : NULL;

	if (text && !made)
		return -ENOMEM;
	free(*to);
	*to = made;
	return 0;
}

static struct journal_entry *add_entry(struct journal *journal)
{
	if (journal->count == journal->room) {
		size_t room = journal->room ? journal->room * 2 : 32;
		struct journal_entry *entries = reallocarray(journal->entries, room, sizeof(*entries));

		if (!entries)
			return NULL;
		journal->entries = entries;
		journal->room = room;
	}
	journal->entries[journal->count] = (struct journal_entry){.kind = HOST_KINDS};
	return &journal->entries[journal->count++];
}

int journal_note(struct journal *journal, enum host_kind kind, const char *name, const char *now, const char *after)
{
	struct journal_entry *entry = journal_find(journal, kind, name);
	int r = 0;

	if (!entry) {
		entry = add_entry(journal);
		if (!entry)
			return -ENOMEM;
		entry->kind = kind;
		entry->added = true;
		r = copy(&entry->name, name);
		if (r == 0)
			r = copy(&entry->before, now);
	} else if (!entry->renewed) {
		free(entry->last);
		entry->last = take(entry->after);
		entry->renewed = true;
	}
	if (r == 0)
		r = copy(&entry->after, after);
	entry->over = !entry->added && item_equal(kind, entry->before, after);
	return r;
}

static void drop(struct journal *journal, size_t i)
{
	entry_clear(&journal->entries[i]);
	memmove(&journal->entries[i], &journal->entries[i + 1], (--journal->count - i) * sizeof(*journal->entries));
}

void journal_commit(struct journal *journal)
{
	for (size_t i = journal->count; i-- > 0;) {
		struct journal_entry *entry = &journal->entries[i];

		free(entry->last);
		entry->last = NULL;
		entry->renewed = false;
		entry->added = false;
		if (entry->over)
			drop(journal, i);
	}
	journal->applying = false;
}

void journal_undo(struct journal *journal)
{
	for (size_t i = journal->count; i-- > 0;) {
		struct journal_entry *entry = &journal->entries[i];

		if (entry->added) {
			drop(journal, i);
		} else if (entry->renewed) {
			free(entry->after);
			entry->after = take(entry->last);
			entry->renewed = false;
			entry->over = false;
		}
	}
	journal->applying = false;
}

bool journal_is_ours(const struct journal_entry *entry, const char *value)
{
	return item_equal(entry->kind, entry->after, value) ||
		(entry->renewed && item_equal(entry->kind, entry->last, value));
}

/* ---- JSON ---- */

static bool add_value(cJSON *item, const char *key, const char *value)
{
	return value ? cJSON_AddStringToObject(item, key, value) : cJSON_AddNullToObject(item, key);
}

static bool add_item(cJSON *list, const struct journal_entry *entry)
{
	cJSON *item = cJSON_CreateObject();

	if (!cJSON_AddItemToArray(list, item)) {
		cJSON_Delete(item);
		return false;
	}
	return cJSON_AddStringToObject(item, "kind", host_kind_word(entry->kind)) &&
		cJSON_AddStringToObject(item, "name", entry->name) && add_value(item, "before", entry->before) &&
		add_value(item, "after", entry->after) && (!entry->renewed || add_value(item, "last", entry->last));
}

char *journal_text(const struct journal *journal)
{
	cJSON *tree = cJSON_CreateObject();
	cJSON *list = NULL;
	bool good = cJSON_AddBoolToObject(tree, "applying", journal->applying) &&
		add_value(tree, "path", journal->path) && add_value(tree, "profile", journal->profile) &&
		(list = cJSON_AddArrayToObject(tree, "entries"));
	char *body;
	char *text = NULL;

	for (size_t i = 0; good && i < journal->count; i++)
		good = add_item(list, &journal->entries[i]);
	body = good ? cJSON_Print(tree) : NULL;
	cJSON_Delete(tree);
	if (body && asprintf(&text, MAGIC "%016" PRIx64 "\n%s\n", policy_digest(body, strlen(body)), body) < 0)
		text = NULL;
	free(body);
	return text;
}

static int read_value(const cJSON *item, const char *key, char **out)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, key);

	if (cJSON_IsNull(value))
		return 0;
	return cJSON_IsString(value) ? copy(out, value->valuestring) : -EBADMSG;
}

static int read_entry(const cJSON *item, struct journal *out)
{
	const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "kind"));
	struct journal_entry *entry = add_entry(out);
	int r;

	if (!entry)
		return -ENOMEM;
	entry->kind = kind ? host_kind_of(kind) : HOST_KINDS;
	entry->renewed = cJSON_GetObjectItemCaseSensitive(item, "last") != NULL;
	r = read_value(item, "name", &entry->name);
	if (r == 0)
		r = read_value(item, "before", &entry->before);
	if (r == 0)
		r = read_value(item, "after", &entry->after);
	if (r == 0 && entry->renewed)
		r = read_value(item, "last", &entry->last);
	return r < 0 ? r : entry->kind == HOST_KINDS || !entry->name ? -EBADMSG : 0;
}

static int read_tree(const cJSON *tree, struct journal *out)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(tree, "entries");
	const cJSON *item;
	int r = cJSON_IsArray(list) ? read_value(tree, "path", &out->path) : -EBADMSG;

	if (r == 0)
		r = read_value(tree, "profile", &out->profile);
	out->applying = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tree, "applying"));
	cJSON_ArrayForEach(item, list)
	{
		if (r == 0)
			r = read_entry(item, out);
	}
	return r;
}

int journal_parse(const char *text, size_t size, struct journal *out)
{
	_cleanup_journal_ struct journal journal = {.entries = NULL};
	size_t head = strlen(MAGIC) + 16 + 1;
	uint64_t digest;
	cJSON *tree;
	int r;

	if (size < head + 1 || strncmp(text, MAGIC, strlen(MAGIC)) != 0 || text[head - 1] != '\n' ||
		text[size - 1] != '\n' || sscanf(text + strlen(MAGIC), "%16" SCNx64, &digest) != 1 ||
		policy_digest(text + head, size - head - 1) != digest)
		return -EBADMSG;
	tree = cJSON_ParseWithLength(text + head, size - head);
	r = tree ? read_tree(tree, &journal) : -EBADMSG;
	cJSON_Delete(tree);
	if (r < 0)
		return r;
	memcpy(journal.place, out->place, sizeof(journal.place));
	*out = journal;
	journal = (struct journal){.entries = NULL};
	return 0;
}
