/* SPDX-License-Identifier: MIT */
/*
 * Asks systemctl: it is there wherever systemd is (since version 219 with all that is used here), needs no message bus
 * for root, and knows --user. The message bus's own client prints JSON only since version 240.
 */
#include "config.h"

#include "ctl/service/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/service/command.h"

#define NAME_LIMIT 255u /* UNIT_NAME_MAX of systemd */
#define SUFFIX ".service"

static const char properties[] =
	"--property=Id,LoadState,ActiveState,SubState,FragmentPath,SourcePath,DropInPaths,Transient,NeedDaemonReload,"
	"CanReload,"
	"MainPID,"
	"ControlGroup,ExecMainStartTimestampMonotonic,Type,ExecStart,Environment,EnvironmentFiles,PassEnvironment,"
	"UnsetEnvironment,User,DynamicUser,NoNewPrivileges,RestrictAddressFamilies,SystemCallFilter,"
	"SystemCallArchitectures,"
	"RootDirectory,RootImage,RootDirectoryStartOnly,PrivateTmp,PrivateNetwork,NetworkNamespacePath,ProtectHome,"
	"TemporaryFileSystem,InaccessiblePaths,NoExecPaths,ExecPaths,BindPaths,BindReadOnlyPaths,IPAddressAllow,"
	"IPAddressDeny,SELinuxContext,AppArmorProfile,TriggeredBy,PIDFile,CapabilityBoundingSet,"
	"PAMName";

void unit_clear(struct unit *unit)
{
	free(unit->name);
	free(unit->text);
	free(unit->directory);
	free(unit->drop_in);
	free(unit->above);
	*unit = (struct unit){.name = NULL};
}

static bool name_is_possible(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@";

	return name[0] && name[0] != '-' && name[0] != '.' && name[strspn(name, allowed)] == '\0' &&
		strlen(name) <= NAME_LIMIT;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* Units of these kinds have no processes that the library could be in, or none that a drop-in here reaches. */
static bool is_other_kind(const char *name)
{
	static const char *const kinds[] = {".socket", ".target", ".timer", ".path", ".mount", ".automount", ".swap",
		".slice", ".scope", ".device"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (ends_with(name, kinds[i]))
			return true;
	}
	return false;
}

const char *unit_next(const struct unit *unit, const char *property, size_t *place)
{
	size_t length = strlen(property);

	while (*place < unit->size) {
		const char *line = unit->text + *place;

		*place += strlen(line) + 1;
		if (strncmp(line, property, length) == 0 && line[length] == '=')
			return line + length + 1;
	}
	return NULL;
}

const char *unit_get(const struct unit *unit, const char *property)
{
	size_t place = 0;
	const char *value = unit_next(unit, property, &place);

	return value ? value : "";
}

bool unit_has(const struct unit *unit, const char *property)
{
	size_t place = 0;

	return unit_next(unit, property, &place) != NULL;
}

bool unit_sets(const struct unit *unit, const char *property)
{
	return *unit_get(unit, property) != '\0';
}

bool unit_is(const struct unit *unit, const char *property, const char *value)
{
	return strcmp(unit_get(unit, property), value) == 0;
}

/* The directory of drop-ins of the administrator, or of the user (systemd.unit(5), UNIT FILE LOAD PATH). */
static int find_directory(struct unit *unit)
{
	const char *home = getenv("HOME");
	const char *config = getenv("XDG_CONFIG_HOME");
	int r;

	if (!unit->user)
		r = asprintf(&unit->directory, "/etc/systemd/system/%s.d", unit->name);
	else if (config && config[0] == '/')
		r = asprintf(&unit->directory, "%s/systemd/user/%s.d", config, unit->name);
	else if (home && home[0] == '/')
		r = asprintf(&unit->directory, "%s/.config/systemd/user/%s.d", home, unit->name);
	else
		return -ENOENT;
	if (r < 0) {
		unit->directory = NULL;
		return -ENOMEM;
	}
	if (asprintf(&unit->drop_in, "%s/" UNIT_DROP_IN, unit->directory) < 0) {
		unit->drop_in = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int find_above(struct unit *unit)
{
	const char *at = strchr(unit->name, '@');
	size_t length = strlen(unit->directory) - strlen(".d") - strlen(unit->name);

	if (unit->pattern || !at)
		return 0;
	length += (size_t)(at - unit->name);
	if (asprintf(&unit->above, "%.*s@" SUFFIX ".d/" UNIT_DROP_IN, (int)length, unit->directory) < 0) {
		unit->above = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int ask(const struct unit *unit, const char *instance, struct command_result *out)
{
	const char *argv[] = {"systemctl", unit->user ? "--user" : "--system", "--no-pager", "show", properties, "--",
		instance, NULL};

	return command_run(argv, out);
}

static enum ctl_exit complain(struct ctl *ctl, const char *name, int error, const struct command_result *result)
{
	if (error == -ENOENT)
		return ctl_error(ctl, CTL_CANNOT, "unit", name, "no systemctl: systemd is not installed here");
	if (error < 0)
		return ctl_error(ctl, CTL_FAILED, "unit", name, "systemctl: %s", strerror(-error));
	return ctl_error(ctl, CTL_CANNOT, "unit", name, "systemctl: %s", result->error);
}

enum ctl_exit unit_must_exist(struct ctl *ctl, const struct unit *unit)
{
	if (unit_is(unit, "LoadState", "not-found"))
		return ctl_error(ctl, CTL_FAILED, "unit", unit->name, "there is none of that name%s",
			unit->user ? " among your own; without --user the system's are asked" : "");
	return CTL_OK;
}

/* The text's own name of the unit: an alias leads to the real one. */
static int adopt_name(struct unit *unit)
{
	const char *id = unit_get(unit, "Id");

	if (unit->pattern || !name_is_possible(id) || !ends_with(id, SUFFIX))
		return 0;
	free(unit->name);
	unit->name = strdup(id);
	return unit->name ? 0 : -ENOMEM;
}

enum ctl_exit unit_read(struct ctl *ctl, const char *name, bool user, struct unit *out)
{
	_cleanup_unit_ struct unit unit = {.user = user};
	_cleanup_command_ struct command_result result = {.status = 0};
	_cleanup_free_ char *instance = NULL;
	const char *at = strchr(name, '@');
	int r;

	if (!name_is_possible(name))
		return ctl_error(ctl, CTL_USAGE, "unit", name, "not the name of a unit");
	if (is_other_kind(name))
		return ctl_error(ctl, CTL_USAGE, "unit", name, "not a service: only those have programs to accelerate");
	if (asprintf(&unit.name, "%s%s", name, ends_with(name, SUFFIX) ? "" : SUFFIX) < 0)
		return unit.name = NULL, complain(ctl, name, -ENOMEM, NULL);
	unit.pattern = at && strcmp(unit.name + (at - name), "@" SUFFIX) == 0;
	if (unit.pattern)
		r = asprintf(&instance, "%.*s@smcctl" SUFFIX, (int)(at - name), name);
	else
		r = asprintf(&instance, "%s", unit.name);
	if (r < 0)
		return instance = NULL, complain(ctl, name, -ENOMEM, NULL);
	r = ask(&unit, instance, &result);
	if (r < 0 || result.status != 0)
		return complain(ctl, unit.name, r, &result);
	unit.size = strlen(result.out);
	unit.text = take(result.out);
	for (char *p = unit.text; (p = strchr(p, '\n')); p++)
		*p = '\0';
	r = adopt_name(&unit);
	if (r == 0)
		r = find_directory(&unit);
	if (r == 0)
		r = find_above(&unit);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "unit", unit.name, "%s",
			r == -ENOENT ? "HOME is not set, so your units have no place" : strerror(-r));
	*out = unit;
	unit = (struct unit){.name = NULL};
	return CTL_OK;
}

enum ctl_exit unit_act(struct ctl *ctl, const char *verb, const char *name, bool user)
{
	_cleanup_command_ struct command_result result = {.status = 0};
	const char *argv[] = {"systemctl", user ? "--user" : "--system", "--no-pager", "--no-ask-password", verb,
		name ? "--" : NULL, name, NULL};
	int r = command_run(argv, &result);

	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, verb, name, "systemctl: %s", strerror(-r));
	if (result.status != 0)
		return ctl_error(ctl, CTL_FAILED, verb, name, "systemctl: %s",
			result.error[0] ? result.error : "failed without a word");
	return CTL_OK;
}

/* verb is one of systemctl's lists. */
static int list_names(const char *verb, const char *pattern, bool user, char **out)
{
	_cleanup_command_ struct command_result result = {.status = 0};
	_cleanup_free_ char *names = NULL;
	const char *argv[] = {"systemctl", user ? "--user" : "--system", "--no-pager", "--plain", "--no-legend",
		"--all", verb, "--", pattern, NULL};
	size_t used = 0;
	int r = command_run(argv, &result);

	if (r < 0)
		return r;
	names = calloc(1, strlen(result.out) + 2);
	if (!names)
		return -ENOMEM;
	/* The first word of each line. */
	for (const char *line = result.out; *line;) {
		size_t length = strcspn(line, " \n");

		memcpy(names + used, line, length);
		used += length;
		names[used++] = ' ';
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	names[used ? used - 1 : 0] = '\0';
	*out = take(names);
	return 0;
}

int unit_instances(const struct unit *unit, char **out)
{
	_cleanup_free_ char *pattern = NULL;

	if (asprintf(&pattern, "%.*s@*" SUFFIX, (int)strcspn(unit->name, "@"), unit->name) < 0) {
		pattern = NULL;
		return -ENOMEM;
	}
	return list_names("list-units", pattern, unit->user, out);
}

int unit_names(bool user, char **out)
{
	return list_names("list-unit-files", "*" SUFFIX, user, out);
}

int unit_command(const char *value, char **path, char **line)
{
	/* "{ path=PATH ; argv[]=WORDS ; ignore_errors=no ; start_time=... }": the words are not quoted. */
	const char *from = strstr(value, "path=");
	const char *middle = from ? strstr(from, " ; argv[]=") : NULL;
	const char *to = middle ? strstr(middle, " ; ignore_errors=") : NULL;
	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *words = NULL;

	if (!to)
		return -EINVAL;
	for (const char *later = to; (later = strstr(later + 1, " ; ignore_errors="));)
		to = later;
	from += strlen("path=");
	name = strndup(from, (size_t)(middle - from));
	middle += strlen(" ; argv[]=");
	words = strndup(middle, (size_t)(to - middle));
	if (!name || !words)
		return -ENOMEM;
	*path = take(name);
	*line = take(words);
	return 0;
}
