/* SPDX-License-Identifier: MIT */
/* What a service that is started by smcctl run needs of its unit: there, all that fails keeps it from starting at all. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/service/exec-unit.h"
#include "ctl/service/judge.h"
#include "ctl/service/words.h"

#define YAMA "/proc/sys/kernel/yama/ptrace_scope"

static void judge_commands(struct judgement *judgement)
{
	_cleanup_free_ char *value = NULL;
	const char *why = "";
	int r = exec_unit_lines(judgement->unit, judgement->tools->smcctl, &judgement->commands, &value, &why);

	if (r == -ENOMEM)
		judgement->error = r;
	else if (r == -EINVAL)
		judgement_add(judgement, REMARK_NEVER, "ExecStart", "'%s' %s: smcctl run cannot be put before it",
			value, why);
	else if (r < 0)
		judgement_add(
			judgement, REMARK_NEVER, "ExecStart", "the unit's files cannot be read: %s", strerror(-r));
	/* The words of a unit are separated by blanks, and more than these it would take for its own. */
	if (strpbrk(judgement->tools->smcctl, " \t\"'\\%$;"))
		judgement_add(judgement, REMARK_NEVER, "ExecStart",
			"'%s' has characters that cannot stand there; install smcshim elsewhere",
			judgement->tools->smcctl);
}

static void judge_start(struct judgement *judgement)
{
	const struct unit *unit = judgement->unit;

	/* It takes for the main process the only one of the unit that has lost its parents (unit_search_main_pid()). */
	if (unit_is(unit, "Type", "forking") && !unit_sets(unit, "PIDFile"))
		judgement_add(judgement, REMARK_NEVER, "forking",
			"beside the supervisor systemd would not find the main process; add PIDFile= to the unit");
	if (judge_user(unit) == PRIVILEGE_USER_ANY || judge_user(unit) == PRIVILEGE_USER_CALLER)
		judgement_add(judgement, REMARK_NOTE, "NoNewPrivileges",
			"supervision implies it: set-user-ID programs that the service starts have no privilege");
}

/* security/yama/yama_lsm.c; it asks for CAP_SYS_PTRACE at 1 and 2. */
static void judge_yama(struct judgement *judgement)
{
	const struct unit *unit = judgement->unit;
	bool able = !unit->user && (unit_is(unit, "User", "") || unit_is(unit, "User", "root")) &&
		(!unit_sets(unit, "CapabilityBoundingSet") ||
			words_have(unit_get(unit, "CapabilityBoundingSet"), "cap_sys_ptrace"));
	uint64_t scope;

	if (read_number(YAMA, &scope) < 0)
		return;
	if (scope == 3 || (scope == 2 && !able))
		judgement_add(judgement, REMARK_TCP, "kernel.yama.ptrace_scope", "is %u: %s", (unsigned)scope,
			scope == 3 ? "nobody can supervise a program until the next boot"
				   : "1 is enough, or root with CAP_SYS_PTRACE");
	else if (scope == 1 && !able)
		judgement_add(judgement, REMARK_NOTE, "kernel.yama.ptrace_scope",
			"is 1: the connections of processes that the program starts stay TCP");
}

static void judge_file(struct judgement *judgement, const char *what, const char *path)
{
	if (judge_covers(judgement, "InaccessiblePaths", path) || judge_hides(judgement, path))
		judgement_add(judgement, REMARK_NEVER, "mount-namespace",
			"the service does not see the %s '%s', so it would not start", what, path);
	if (judge_covers(judgement, "NoExecPaths", path) && !judge_covers(judgement, "ExecPaths", path))
		judgement_add(judgement, REMARK_NEVER, "NoExecPaths",
			"forbids to execute the %s; if that is to be, add to the unit: ExecPaths=%s and its libraries",
			what, path);
}

static void judge_place(struct judgement *judgement)
{
	const struct unit *unit = judgement->unit;

	if (!judgement->tools->supervisor) {
		judgement_add(
			judgement, REMARK_NEVER, "supervisor", "not found beside smcctl; install smcshim completely");
		return;
	}
	if (*judge_root(judgement) || unit_sets(unit, "RootImage")) {
		judgement_add(judgement, REMARK_NEVER, *judge_root(judgement) ? "RootDirectory" : "RootImage",
			"smcctl is not in there, so the service would not start; install smcshim there, and write "
			"smcctl run into the unit's ExecStart= yourself");
		return;
	}
	if (unit_is(unit, "ProtectHome", "yes") && judge_is_home(judgement->tools->smcctl))
		judgement_add(judgement, REMARK_NEVER, "ProtectHome", "hides '%s'; install smcshim elsewhere",
			judgement->tools->smcctl);
	judge_file(judgement, "program", judgement->tools->smcctl);
	judge_file(judgement, "supervisor", judgement->tools->supervisor);
	judge_file(judgement, "library", judgement->tools->library);
}

static void judge_modules(struct judgement *judgement)
{
	const struct unit *unit = judgement->unit;

	if (judge_selinux())
		judgement_add(judgement, REMARK_NOTE, "SELinux",
			"is enforcing: the program's domain is entered from that of smcctl, which may be another one; "
			"SELinuxContext= sets it, and ausearch -m avc names what was refused");
	if (unit_sets(unit, "AppArmorProfile"))
		judgement_add(judgement, REMARK_NOTE, "AppArmor",
			"the profile '%s' holds for smcctl, too: it must allow '%s' and '%s' (ix), ptrace among these, "
			"and "
			"the program (ix)",
			unit_get(unit, "AppArmorProfile"), judgement->tools->smcctl,
			judgement->tools->supervisor ? judgement->tools->supervisor : "");
}

void judge_supervision(struct judgement *judgement)
{
	judge_commands(judgement);
	judge_start(judgement);
	judge_yama(judgement);
	judge_place(judgement);
	judge_modules(judgement);
}
