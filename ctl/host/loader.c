/* SPDX-License-Identifier: MIT */
/* The loaders of sysctl.d and modules-load.d, emulated: which files they read, in which order, and what a line says. */
#include "config.h"

#include "ctl/host/loader.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/host/sysctl.h"

#define FILE_MAX (1u << 20)
#define SYSCTL_CONF "/etc/sysctl.conf"

/* CONF_PATHS of systemd 252, and what sysctl(8) of procps 4.0.2 lists. */
static const char *const systemd_prefixes[] = {"/etc", "/run", "/usr/local/lib", "/usr/lib", NULL};
static const char *const procps_prefixes[] = {"/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib", NULL};

static void free_all(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void loader_clear(struct loader_files *files)
{
	free_all(files->files, files->file_count);
	free_all(files->masked, files->masked_count);
	for (size_t i = 0; i < files->line_count; i++) {
		free(files->lines[i].key);
		free(files->lines[i].value);
	}
	free(files->lines);
	*files = (struct loader_files){.files = NULL};
}

static int add_text(char ***list, size_t *count, char *text)
{
	char **more = text ? reallocarray(*list, *count + 1, sizeof(**list)) : NULL;

	if (!more) {
		free(text);
		return -ENOMEM;
	}
	more[(*count)++] = text;
	*list = more;
	return 0;
}

static bool has_name(char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(path_base(list[i]), name) == 0)
			return true;
	}
	return false;
}

/* Empty files and links to /dev/null switch off what has their name in a later directory. */
static bool is_mask(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || (S_ISREG(st.st_mode) && !st.st_size));
}

static int scan_directory(
	const char *prefix, const char *below, const char *less, bool hidden, struct loader_files *out)
{
	_cleanup_free_ char *directory = NULL;
	const struct dirent *entry;
	int r = 0;
	DIR *dir;

	if (asprintf(&directory, "%s/%s", prefix, below) < 0) {
		directory = NULL;
		return -ENOMEM;
	}
	dir = opendir(directory);
	if (!dir)
		return errno == ENOMEM ? -ENOMEM : 0;
	while (r == 0 && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);
		char *path;

		if (length < 6 || strcmp(entry->d_name + length - 5, ".conf") != 0 ||
			(entry->d_name[0] == '.' && !hidden) || has_name(out->files, out->file_count, entry->d_name) ||
			has_name(out->masked, out->masked_count, entry->d_name))
			continue;
		if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0)
			r = -ENOMEM;
		else if (less && strcmp(path, less) == 0)
			free(path);
		else if (is_mask(path))
			r = add_text(&out->masked, &out->masked_count, path);
		else
			r = add_text(&out->files, &out->file_count, path);
	}
	closedir(dir);
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(path_base(*(char *const *)a), path_base(*(char *const *)b));
}

/* procps takes names that begin with a dot, systemd does not. */
static int find_files(const char *const *prefixes, const char *below, const char *less, struct loader_files *out)
{
	int r = 0;

	for (size_t i = 0; prefixes[i] && r == 0; i++)
		r = scan_directory(prefixes[i], below, less, prefixes == procps_prefixes, out);
	if (out->file_count)
		qsort(out->files, out->file_count, sizeof(*out->files), by_name);
	return r;
}

/* "KEY = VALUE", "-KEY = VALUE", "-KEY"; comments begin with # or ;. */
static int add_line(struct loader_files *out, size_t file, unsigned number, char *text)
{
	char *equals = strchr(text, '=');
	struct loader_line line = {.file = file, .line = number};
	struct loader_line *more;
	char key[PROFILE_KEY];
	char value[PROFILE_VALUE];
	bool ignores = *text == '-';
	char *name = text + ignores;

	name += strspn(name, " \t");
	if (equals) {
		line.unreadable = !sysctl_value(equals + 1, value);
		*equals = '\0';
	} else if (!ignores) {
		return 0; /* both say that it is no assignment, and go on */
	}
	name[strcspn(name, " \t")] = '\0';
	line.is_pattern = strpbrk(name, "*?[") != NULL;
	/* Patterns stay as they are, but for their separators. */
	if (!line.is_pattern && !sysctl_key(name, key))
		return 0;
	line.key = strdup(line.is_pattern ? name : key);
	line.value = equals ? strdup(line.unreadable ? "" : value) : NULL;
	more = reallocarray(out->lines, out->line_count + 1, sizeof(*more));
	if (more)
		out->lines = more;
	if (!more || !line.key || (equals && !line.value)) {
		free(line.key);
		free(line.value);
		return -ENOMEM;
	}
	more[out->line_count++] = line;
	return 0;
}

static int read_text(const char *path, char **text, size_t *size)
{
	_cleanup_close_ int fd = open_read(path);

	return fd < 0 ? fd : read_all(fd, FILE_MAX, text, size);
}

static int read_lines(struct loader_files *out, size_t file)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	unsigned number = 0;
	int r = read_text(out->files[file], &text, &size);
	char *next;

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (char *line = text; line && r == 0; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		line += strspn(line, " \t\r");
		if (*line && *line != '#' && *line != ';')
			r = add_line(out, file, number, line);
	}
	return r;
}

int loader_read(enum loader loader, const char *less, struct loader_files *out)
{
	struct loader_files files = {.loader = loader};
	bool procps = loader == LOADER_PROCPS;
	int r = find_files(procps ? procps_prefixes : systemd_prefixes, "sysctl.d", less, &files);

	if (r == 0 && procps)
		r = add_text(&files.files, &files.file_count, strdup(SYSCTL_CONF));
	for (size_t i = 0; i < files.file_count && r == 0; i++)
		r = read_lines(&files, i);
	if (r < 0)
		loader_clear(&files);
	else
		*out = files;
	return r;
}

/* A pattern in either notation against a key with dots. */
static bool pattern_matches(const char *pattern, const char *key)
{
	const char *first = pattern + strcspn(pattern, "./");
	char path[PROFILE_KEY];
	char dots[PROFILE_KEY];

	sysctl_path(key, path);
	if (*first == '/')
		return fnmatch(pattern, path, FNM_PATHNAME) == 0;
	if (strlen(pattern) >= sizeof(dots))
		return false;
	sysctl_path(pattern, dots);
	return fnmatch(dots, path, FNM_PATHNAME) == 0;
}

const struct loader_line *loader_decides(const struct loader_files *files, const char *key)
{
	const struct loader_line *found = NULL;
	bool excluded = false;

	for (size_t i = 0; i < files->line_count; i++) {
		const struct loader_line *line = &files->lines[i];

		if (line->is_pattern || strcmp(line->key, key) != 0)
			continue;
		excluded = true;
		/* "-KEY" takes an earlier value away from systemd-sysctl, not from sysctl. */
		found = line->value ? line : files->loader == LOADER_SYSTEMD ? NULL : found;
	}
	/* A key that is named is left alone by every pattern, wherever that stands (sysctl.d(5)). */
	for (size_t i = 0; i < files->line_count && !excluded; i++) {
		const struct loader_line *line = &files->lines[i];

		if (line->is_pattern && line->value && pattern_matches(line->key, key))
			found = line;
	}
	return found;
}

static bool names_module(char *text, const char *module)
{
	char *next;

	for (char *line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line += strspn(line, " \t\r");
		line[strcspn(line, " \t\r")] = '\0';
		if (*line == '#' || *line == ';' || strlen(line) != strlen(module))
			continue;
		for (size_t i = 0; module[i] == line[i] || (module[i] == '_' && line[i] == '-'); i++) {
			if (!module[i])
				return true;
		}
	}
	return false;
}

int loader_module(const char *module, const char *less, char **file)
{
	_cleanup_loader_ struct loader_files files = {.files = NULL};
	int r = find_files(systemd_prefixes, "modules-load.d", less, &files);

	for (size_t i = 0; i < files.file_count && r == 0; i++) {
		_cleanup_free_ char *text = NULL;
		size_t size;

		r = read_text(files.files[i], &text, &size);
		if (r == -ENOMEM)
			return r;
		if (r == 0 && names_module(text, module)) {
			*file = take(files.files[i]);
			/* Its place stays, empty, for the clearing. */
			return 1;
		}
		r = 0;
	}
	return r;
}
