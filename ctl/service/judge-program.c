/* SPDX-License-Identifier: MIT */
/* The programs that a service starts: whether a preloaded library gets into them. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/service/exec-unit.h"
#include "ctl/service/judge.h"
#include "ctl/service/program.h"
#include "ctl/service/script.h"
#include "ctl/service/words.h"

/* systemd's own, which is what a service gets (DEFAULT_PATH). */
#define SEARCH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char judge_replaces[] =
	"the drop-in replaces ExecStart=: smcctl run before the same command supervises its socket calls";

static bool runs_as_root(const struct unit *unit)
{
	const char *user = unit_get(unit, "User");

	if (unit_is(unit, "DynamicUser", "yes"))
		return false;
	return unit->user ? getuid() == 0 : !*user || strcmp(user, "root") == 0 || strcmp(user, "0") == 0;
}

enum privilege_user judge_user(const struct unit *unit)
{
	bool root = runs_as_root(unit);

	/* DynamicUser= implies NoNewPrivileges= (systemd.exec(5)). Filters imply it too, but not in every version. */
	if (unit_is(unit, "NoNewPrivileges", "yes") || unit_is(unit, "DynamicUser", "yes"))
		return root ? PRIVILEGE_USER_ROOT_BARRED : PRIVILEGE_USER_BARRED;
	if (unit->user)
		return PRIVILEGE_USER_CALLER;
	return root ? PRIVILEGE_USER_ROOT : PRIVILEGE_USER_ANY;
}

/* su and runuser, whose letters can be bundled (-lc); behind -c is the command, whose words systemctl shows without quotes. */
static bool asks_to_log_in(const char *line)
{
	bool login = false;
	bool ended = false;
	char *word;

	while (!login && !ended && words_next(&line, &word) > 0) {
		bool letters = word[0] == '-' && word[1] != '-';
		size_t own = letters ? strcspn(word, "cgGsuw") : 0;

		login = strcmp(word, "-") == 0 || strcmp(word, "--login") == 0 || memchr(word, 'l', own);
		ended = (letters && word[own] == 'c') || starts_with(word, "--command");
		free(word);
	}
	return login;
}

/* Programs that start others, and empty the environment on the way: always, or when asked to. */
static bool clears_environment(const char *name, const char *line)
{
	if (strcmp(name, "sudo") == 0 || strcmp(name, "pkexec") == 0 || strcmp(name, "doas") == 0)
		return true;
	if (strcmp(name, "su") == 0 || strcmp(name, "runuser") == 0)
		return asks_to_log_in(line);
	if (strcmp(name, "login") == 0)
		return !words_have(line, "-p");
	return strcmp(name, "setpriv") == 0 && words_have(line, "--reset-env");
}

/* Its program is no child of it. */
static bool has_it_started(const char *name, const char *line)
{
	return (strcmp(name, "systemd-run") == 0 && !words_have(line, "--scope")) || strcmp(name, "machinectl") == 0 ||
		strcmp(name, "docker") == 0;
}

static bool starts_others(const char *name)
{
	static const char *const names[] = {"sh", "bash", "dash", "su", "runuser", "login", "setpriv", "systemd-run",
		"start-stop-daemon", "nice", "ionice", "chrt", "taskset", "numactl", "unshare", "nsenter", "chroot",
		"stdbuf", "timeout", "flock", "prlimit", "setsid", "catatonit", "tini"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* It is to be supervised whatever it is. */
static void judge_asked(struct judgement *judgement, const struct program *program, const char *path)
{
	enum privilege_user user = judge_user(judgement->unit);
	bool able = user == PRIVILEGE_USER_ANY || user == PRIVILEGE_USER_CALLER;
	bool has = program->obstacle == PROGRAM_SET_ID || program->obstacle == PROGRAM_CAPABILITIES;

	if (program->gains || (able && has))
		judgement_add(judgement, REMARK_NEVER, "program",
			"'%s' would lose the privilege of its file (capabilities, set-user-ID) when supervised; take "
			"them from the file (setcap -r) and use AmbientCapabilities= in the unit",
			path);
	else if (program->obstacle == PROGRAM_OTHER_KIND)
		judgement_add(
			judgement, REMARK_TCP, "program", "'%s' %s", program->binary, program_obstacle_text(program));
	else
		judgement_add(judgement, REMARK_HANDLED, "program", "'%s' %s; %s", program->binary,
			program_obstacle_text(program), judge_replaces);
}

static const char *judge_remedy(const struct program *program)
{
	/* As long as the file has its own, these do away with the ambient ones. */
	if (program->gains || program->obstacle == PROGRAM_CAPABILITIES)
		return "; take them from the file (setcap -r) and use AmbientCapabilities= in the unit";
	return "";
}

static void judge_result(struct judgement *judgement, const struct program *program, const char *path)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): program_inspect() sets both where it returns 0 */
	bool script = strcmp(program->path, program->binary) != 0;

	if (judgement->asked) {
		judge_asked(judgement, program, path);
	} else if (program_for_supervisor(program)) {
		judgement->supervise = true;
		judgement_add(judgement, REMARK_HANDLED, "program", "'%s' %s; %s", script ? program->binary : path,
			program_obstacle_text(program), judge_replaces);
	} else if (program->obstacle == PROGRAM_UNKNOWN) {
		judgement_add(judgement, REMARK_NOTE, "program", "'%s' cannot be looked into from here", path);
	} else if (program->obstacle != PROGRAM_FINE) {
		judgement_add(judgement, REMARK_TCP, "program", "'%s' %s%s", script ? program->binary : path,
			program_obstacle_text(program), judge_remedy(program));
	} else if (script) {
		judgement_add(judgement, REMARK_NOTE, "script",
			"'%s' is a script for '%s': what it starts is seen after the start, by smcctl service status",
			path, program->binary);
	}
}

/* env(1) is read as in the first line of a script: both have its words behind it. */
static bool follow_env(struct judgement *judgement, const char *line, char **path)
{
	_cleanup_free_ char *copy = strdup(line);
	enum program_obstacle obstacle = PROGRAM_FINE;
	char *next = NULL;
	int r = copy ? script_line(copy, SEARCH, &obstacle, &next) : -ENOMEM;

	if (r < 0) {
		judgement->error = r;
	} else if (next) {
		free(*path);
		*path = next;
		return true;
	} else if (obstacle == PROGRAM_ENVIRONMENT) {
		judgement_add(judgement, REMARK_TCP, "environment", "'%s' takes LD_PRELOAD away", line);
	} else {
		judgement_add(judgement, REMARK_NOTE, "wrapper", "'%s': what it starts cannot be told", line);
	}
	return false;
}

static bool is_run(const char *path, const char *line)
{
	return strcmp(path_base(path), "smcctl") == 0 && words_have(line, "run");
}

static bool judge_wrapper(struct judgement *judgement, const char *line, char **path)
{
	const char *name = path_base(*path);

	if (judgement->asked)
		return true;
	if (clears_environment(name, line))
		judgement_add(judgement, REMARK_TCP, "environment",
			"it starts its program through '%s', which takes LD_PRELOAD away; use User= instead", *path);
	else if (has_it_started(name, line))
		judgement_add(judgement, REMARK_TCP, "environment",
			"it has its program started by another service, through '%s': nothing set here reaches it",
			*path);
	else if (starts_others(name))
		judgement_add(judgement, REMARK_NOTE, "wrapper",
			"it starts its program through '%s': what that is, is seen after the start", *path);
	if (strcmp(name, "env") == 0)
		return follow_env(judgement, line, path);
	return true;
}

/* Where it is for the service; a name without a path is looked for as systemd does. */
static int locate(const struct judgement *judgement, const char *path, char **out)
{
	int r = strchr(path, '/') || *judge_root(judgement) ? -ENOENT : program_find(path, SEARCH, out);

	if (r == 0 || r == -ENOMEM)
		return r;
	if (asprintf(out, "%s%s", judge_root(judgement), path) < 0) {
		*out = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void judge_line(struct judgement *judgement, char **path, const char *line)
{
	struct program_context context = {.search = SEARCH, .user = judge_user(judgement->unit)};
	_cleanup_program_ struct program program = {.path = NULL};
	_cleanup_free_ char *inside = NULL;
	int r;

	if (is_run(*path, line)) {
		judgement_add(judgement, REMARK_NOTE, "smcctl-run",
			"it starts its program by smcctl run already; the drop-in changes nothing about that");
		return;
	}
	if (!judge_wrapper(judgement, line, path))
		return;
	r = locate(judgement, *path, &inside);
	if (r == 0)
		r = program_inspect(inside, &context, &program);
	if (r < 0)
		judgement->error = r;
	else
		judge_result(judgement, &program, *path);
}

static void judge_shown(struct judgement *judgement, const char *value)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *line = NULL;
	int r = unit_command(value, &path, &line);

	if (r == -EINVAL)
		judgement_add(judgement, REMARK_NOTE, "program", "systemctl's '%s' is not understood", value);
	else if (r < 0)
		judgement->error = r;
	else
		judge_line(judgement, &path, line);
}

static size_t judge_all_shown(struct judgement *judgement)
{
	size_t place = 0;
	size_t commands = 0;

	for (const char *value; (value = unit_next(judgement->unit, "ExecStart", &place)); commands++)
		judge_shown(judgement, value);
	return commands;
}

static void judge_own(struct judgement *judgement, struct exec_command *command)
{
	_cleanup_free_ char *line = NULL;

	if (!command->path) {
		/* As it is, it stays. */
		judgement->supervise = true;
		judgement_add(
			judgement, REMARK_NOTE, "program", "'%s' cannot be looked into from here", command->program);
		return;
	}
	if (asprintf(&line, "%s %s", command->path, command->arguments) < 0) {
		line = NULL;
		judgement->error = -ENOMEM;
		return;
	}
	judge_line(judgement, &command->path, line);
}

/* What systemd shows is our drop-in's. */
static size_t judge_all_own(struct judgement *judgement)
{
	_cleanup_free_ char *values = NULL;
	char *rest = NULL;
	size_t commands = 0;
	int r = exec_unit_values(judgement->unit, &values);

	for (char *line = r < 0 ? NULL : strtok_r(values, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		const char *value = line;
		struct exec_command command = {.prefix = NULL};
		const char *why;

		/* What cannot be understood, judge_supervision() says. */
		while ((r = exec_command_next(&value, &command, &why)) > 0) {
			judge_own(judgement, &command);
			exec_command_clear(&command);
			commands++;
		}
		judgement->supervise = judgement->supervise || r == -EINVAL;
		commands += r == -EINVAL;
		r = r == -EINVAL ? 0 : r;
	}
	if (r < 0)
		judgement->error = r;
	return commands;
}

bool judge_selinux(void)
{
	_cleanup_fclose_ FILE *stream = fopen("/sys/fs/selinux/enforce", "re");

	return stream && fgetc(stream) == '1';
}

void judge_program(struct judgement *judgement)
{
	const struct unit *unit = judgement->unit;
	bool replaced = unit_file_has_ours(unit) && strstr(unit_get(unit, "ExecStart"), EXEC_RUN);
	size_t commands = replaced ? judge_all_own(judgement) : judge_all_shown(judgement);

	if (!commands && unit_is(unit, "LoadState", "loaded"))
		judgement_add(judgement, REMARK_NEVER, "program", "the unit starts no program (no ExecStart=)");
	if (unit_is(unit, "DynamicUser", "yes"))
		judgement_add(judgement, REMARK_NOTE, "DynamicUser",
			"no obstacle: library and policy are readable by everybody");
	if (judgement->supervise)
		return;
	if (judge_selinux())
		judgement_add(judgement, REMARK_NOTE, "SELinux",
			"is enforcing: a change of domain at the start drops LD_PRELOAD (AT_SECURE) unless the policy "
			"has "
			"noatsecure, and the domain needs smc_socket; ausearch -m avc names what was refused");
	if (unit_sets(unit, "AppArmorProfile"))
		judgement_add(judgement, REMARK_NOTE, "AppArmor",
			"the profile '%s' must allow reading and mapping '%s' (mr) and, without IPPROTO_SMC, 'network "
			"smc'",
			unit_get(unit, "AppArmorProfile"), judgement->tools->library);
}
