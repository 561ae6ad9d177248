/* SPDX-License-Identifier: MIT */
/* Reads unit files, as far as needed to leave our own drop-in out of the account. */
#include "config.h"

#include "ctl/service/unit-file.h"

#include <errno.h>
#include <string.h>

#include "ctl/service/words.h"

#define FILE_MAX (4u << 20)

void families_clear(struct families *families)
{
	free(families->list);
	*families = (struct families){.kind = FAMILIES_ALL};
}

bool families_allow(const struct families *families, const char *family)
{
	if (families->kind == FAMILIES_ALL)
		return true;
	return words_have(families->list, family) == (families->kind == FAMILIES_ALLOW);
}

/* list with word or without it, in the alphabet's order, as systemd gives it. */
static int change_list(char **list, const char *word, bool with)
{
	const char *rest = *list ? *list : "";
	char *changed = NULL;
	size_t size;
	FILE *stream = open_memstream(&changed, &size);
	char *next;
	int r = 0;

	if (!stream)
		return -ENOMEM;
	while ((r = words_next(&rest, &next)) > 0) {
		int order = strcmp(next, word);

		if (order > 0 && with) {
			fprintf(stream, "%s%s", ftell(stream) ? " " : "", word);
			with = false;
		}
		if (order != 0)
			fprintf(stream, "%s%s", ftell(stream) ? " " : "", next);
		free(next);
	}
	if (with)
		fprintf(stream, "%s%s", ftell(stream) ? " " : "", word);
	if (fclose(stream) != 0 || r < 0) {
		free(changed);
		return -ENOMEM;
	}
	free(*list);
	*list = changed;
	return 0;
}

/* Other words systemd ignores with a warning. */
static bool is_family(const char *word)
{
	return starts_with(word, "AF_") && word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

int families_assign(struct families *families, const char *value)
{
	bool deny = value[0] == '~';
	char *word;
	int r;

	if (!*value || strcmp(value, "none") == 0) {
		families_clear(families);
		families->kind = *value ? FAMILIES_ALLOW : FAMILIES_ALL;
		return 0;
	}
	if (families->kind == FAMILIES_ALL)
		families->kind = deny ? FAMILIES_DENY : FAMILIES_ALLOW;
	value += deny;
	while ((r = words_next(&value, &word)) > 0) {
		if (is_family(word))
			r = change_list(&families->list, word, deny == (families->kind == FAMILIES_DENY));
		free(word);
		if (r < 0)
			return r;
	}
	return r;
}

int families_of_unit(const struct unit *unit, struct families *out)
{
	const char *value = unit_get(unit, "RestrictAddressFamilies");

	/* "~" and nothing, or no line at all, is no restriction; an empty value is an empty list of what is allowed. */
	if (!unit_has(unit, "RestrictAddressFamilies") || strcmp(value, "~") == 0)
		return 0;
	return families_assign(out, *value ? value : "none");
}

/* The line at *text without its comment lines and joined with those that continue it; NULL at the end. */
static int next_line(const char **text, char **line)
{
	const char *p = *text;
	_cleanup_free_ char *copy = NULL;
	size_t used = 0;
	bool more = true;

	while (more) {
		size_t length = strcspn(p, "\n");
		char *grown = realloc(copy, used + length + 1);
		size_t blank = strspn(p, " \t");
		/* A comment may stand among lines that are continued. */
		bool comment = p[blank] == '#' || p[blank] == ';';

		if (!grown)
			return -ENOMEM;
		copy = grown;
		more = comment ? used > 0 : length > 0 && p[length - 1] == '\\';
		if (!comment) {
			memcpy(copy + used, p, length);
			used += length;
			if (more)
				copy[used - 1] = ' ';
		}
		p += length + (p[length] == '\n');
		more = more && *p;
	}
	copy[used] = '\0';
	*line = take(copy);
	*text = p;
	return 0;
}

/* The text without the blanks around it. */
static char *strip(char *text)
{
	size_t length;

	text += strspn(text, " \t\r");
	length = strlen(text);
	while (length && strchr(" \t\r", text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

int unit_file_parse(const char *text, const char *setting, unit_file_take *take_value, void *context)
{
	bool inside = false;

	while (*text) {
		_cleanup_free_ char *buffer = NULL;
		char *line;
		char *value;
		int r = next_line(&text, &buffer);

		if (r < 0)
			return r;
		line = strip(buffer);
		if (line[0] == '[') {
			inside = strcmp(line, "[Service]") == 0;
			continue;
		}
		value = strchr(line, '=');
		if (!inside || !value)
			continue;
		*value++ = '\0';
		if (strcmp(strip(line), setting) != 0)
			continue;
		r = take_value(context, strip(value));
		if (r < 0)
			return r;
	}
	return 0;
}

/* A file that is gone since systemd read it says nothing. */
static int read_file(const char *path, const char *setting, unit_file_take *take_value, void *context)
{
	_cleanup_close_ int fd = open_read(path);
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = read_all(fd, FILE_MAX, &text, &size);
	return r < 0 ? r : unit_file_parse(text, setting, take_value, context);
}

int unit_file_own(const struct unit *unit, const char *setting, unit_file_take *take_value, void *context)
{
	const char *rest = unit_get(unit, "DropInPaths");
	const char *fragment = unit_get(unit, "FragmentPath");
	char *path;
	int r = *fragment ? read_file(fragment, setting, take_value, context) : 0;

	/* systemd names them in the order in which they apply. */
	while (r == 0 && (r = words_next(&rest, &path)) > 0) {
		if (strcmp(path, unit->drop_in) != 0 && (!unit->above || strcmp(path, unit->above) != 0))
			r = read_file(path, setting, take_value, context);
		else
			r = 0;
		free(path);
	}
	return r;
}

static int take_families(void *context, const char *value)
{
	return families_assign(context, value);
}

int unit_file_families(const struct unit *unit, struct families *out)
{
	return unit_file_own(unit, "RestrictAddressFamilies", take_families, out);
}

static int take_environment(void *context, const char *value)
{
	char **preload = context;
	_cleanup_free_ char *found = NULL;
	int r = words_assigned(value, "LD_PRELOAD", &found);

	if (r < 0 || (*value && !found))
		return r;
	free(*preload);
	*preload = take(found);
	return 0;
}

int unit_file_preload(const struct unit *unit, char **out)
{
	return unit_file_own(unit, "Environment", take_environment, out);
}

bool unit_file_has_drop_in(const struct unit *unit)
{
	return words_have(unit_get(unit, "DropInPaths"), unit->drop_in);
}

bool unit_file_has_ours(const struct unit *unit)
{
	return unit_file_has_drop_in(unit) || (unit->above && words_have(unit_get(unit, "DropInPaths"), unit->above));
}

int unit_file_take_template(struct unit *unit)
{
	_cleanup_free_ char *directory = NULL;

	if (unit_file_has_drop_in(unit) || !unit_file_has_ours(unit))
		return 0;
	directory = strndup(unit->above, strlen(unit->above) - strlen("/" UNIT_DROP_IN));
	if (!directory)
		return -ENOMEM;
	free(unit->directory);
	free(unit->drop_in);
	unit->directory = take(directory);
	unit->drop_in = take(unit->above);
	return 0;
}
