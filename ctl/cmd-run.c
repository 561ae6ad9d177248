/* SPDX-License-Identifier: MIT */
/* smcctl run: starts one program with the library or supervised, after saying what would keep it from being accelerated. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/preload-list.h"
#include "ctl/service/program.h"
#include "ctl/service/words.h"
#include "ctl/supervise/start.h"

enum { RUN_POLICY, RUN_REQUIRE, RUN_PRINT_ENV, RUN_SUPERVISE, RUN_NO_SUPERVISE, RUN_ARGV0, RUN_VERBOSE };

const struct ctl_option cmd_run_options[] = {
	[RUN_POLICY] = {"policy", 0, "FILE", "apply FILE first, and let its rules decide [" CTL_DEFAULT_POLICY "]"},
	[RUN_REQUIRE] = {"require", 0, NULL, "refuse to run (exit 3) what cannot be accelerated"},
	[RUN_PRINT_ENV] = {"print-env", 0, NULL, "print the environment for systemd's Environment=, run nothing"},
	[RUN_SUPERVISE] = {"supervise", 0, NULL, "watch its socket calls instead of preloading the library"},
	[RUN_NO_SUPERVISE] = {"no-supervise", 0, NULL, "never do that: static and Go programs stay on TCP"},
	[RUN_ARGV0] = {"argv0", 0, "NAME", "call the program NAME, in its first argument"},
	[RUN_VERBOSE] = {"verbose", 'v', NULL, "say also what is well"},
	{NULL, 0, NULL, NULL},
};

struct run {
	struct ctl *ctl;
	bool verbose;
	bool print_env;
	bool obstacle;      /* something that was said speaks against acceleration */
	bool may_supervise; /* where the library does not reach */
	bool supervise;     /* instead of the library */
	char *name;         /* of the program, as the policy's "programs" know it */
	char *library;      /* its path */
	char *preload;      /* value of LD_PRELOAD */
	const char *policy; /* value of SMC_POLICY, or NULL */
};

/* What the table says before the program starts: nothing of this stops it. */
static void judge_table(struct run *run, const char *table)
{
	_cleanup_policy_store_ struct policy_store *store = NULL;
	struct apply_result result = {.changed = false};
	struct policy_info *info = NULL;
	int r = policy_store_open(table, POLICY_STORE_READ, &store);

	if (r == 0)
		r = policy_store_info(policy_store_map(store), &info);
	if (r < 0 || !info || info->sequence == 0) {
		ctl_warn(run->ctl, "every connection stays TCP until a policy is applied: table '%s': %s", table,
			r < 0 ? policy_store_strerror(r) : "nothing is published in it");
		run->obstacle = true;
	} else {
		result.probe.kernel = info->kernel;
		result.probe.refused_af = -EAFNOSUPPORT;
		result.probe.converts = !info->kernel && probe_converts();
		result.state = info->state;
		run->obstacle = apply_warn(run->ctl, &result) || run->obstacle;
		if (run->verbose)
			ctl_warn(run->ctl, "policy: '%s' from '%s', state %s", table, info->source,
				apply_state_name(info->state));
	}
	free(info);
}

static enum ctl_exit prepare_policy(struct run *run, const char *file, struct apply_result *result)
{
	enum ctl_exit code;

	run->policy = getenv("SMC_POLICY");
	if (!file) {
		judge_table(run, run->policy && run->policy[0] == '/' ? run->policy : CTL_DEFAULT_TABLE);
		return CTL_OK;
	}
	code = apply_policy(run->ctl, file, APPLY_QUICK, result);
	if (code != CTL_OK)
		return code;
	run->policy = result->paths.table;
	judge_table(run, run->policy);
	return CTL_OK;
}

/* Each word size has its own. */
static enum ctl_exit prepare_library(struct run *run, bool ia32)
{
	int r;

	free(run->library);
	free(run->preload);
	run->library = run->preload = NULL;
	r = ia32 ? paths_library32(&run->library) : paths_library(&run->library);
	if (r < 0)
		return ctl_error(run->ctl, CTL_RUN_FAILED, "library", PATHS_LIBRARY,
			"not found beside smcctl (%s); install smcshim completely", strerror(-r));
	r = preload_list(getenv("LD_PRELOAD"), run->library, &run->preload);
	if (r == -EINVAL)
		return ctl_error(run->ctl, CTL_RUN_FAILED, "library", run->library,
			"LD_PRELOAD cannot hold a path with a blank or a colon; install smcshim elsewhere");
	if (r < 0)
		return ctl_error(run->ctl, CTL_RUN_FAILED, "library", run->library, "%s", strerror(-r));
	return CTL_OK;
}

static void judge_library(struct run *run)
{
	if (access(run->library, R_OK) < 0) {
		ctl_warn(run->ctl, "every connection stays TCP: library '%s': %s", run->library, strerror(errno));
		run->obstacle = true;
	}
	if (run->verbose)
		ctl_warn(run->ctl, "library: '%s'", run->library);
}

static enum ctl_exit judge_program(struct run *run, const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_program_ struct program program = {.path = NULL};
	_cleanup_free_ char *library32 = NULL;
	struct program_context context = {.search = getenv("PATH"),
		.user = run->print_env ? PRIVILEGE_USER_ANY : PRIVILEGE_USER_CALLER,
		.ia32 = paths_library32(&library32) == 0};
	int r = program_find(name, context.search, &path);

	if (r < 0)
		return ctl_error(run->ctl, r == -ENOENT ? CTL_RUN_NOT_FOUND : CTL_RUN_NOT_EXECUTABLE, "run", name, "%s",
			strerror(-r));
	r = program_inspect(path, &context, &program);
	if (r < 0)
		return ctl_error(run->ctl, CTL_RUN_FAILED, "run", name, "%s", strerror(-r));
	run->name = strdup(path_base(program.path));
	if (!run->name)
		return ctl_error(run->ctl, CTL_RUN_FAILED, "run", name, "%s", strerror(ENOMEM));
	run->supervise = run->supervise || (run->may_supervise && program_for_supervisor(&program));
	if (run->supervise) {
		if (run->verbose)
			ctl_warn(run->ctl, "program: '%s': '%s' %s; its socket calls are supervised", program.path,
				program.binary, program_obstacle_text(&program));
	} else if (program.obstacle != PROGRAM_FINE) {
		run->obstacle = true;
		ctl_warn(run->ctl, "'%s' will not be accelerated: '%s' %s", program.path, program.binary,
			program_obstacle_text(&program));
	} else if (run->verbose) {
		ctl_warn(run->ctl, "program: '%s': '%s' %s", program.path, program.binary,
			program_obstacle_text(&program));
	}
	return program.ia32 && program.obstacle == PROGRAM_FINE ? prepare_library(run, true) : CTL_OK;
}

static void say_supervised(const struct run *run, const struct supervise_result *result, enum supervise_go go)
{
	static const char *const meaning[] = {
		[SUPERVISE_GO_SET] = "set, for from Go 1.24 on listeners would be MPTCP sockets, which cannot be SMC",
		[SUPERVISE_GO_TCP] = "kept: Go's listeners are TCP sockets, and can be SMC",
		[SUPERVISE_GO_MPTCP] = "kept: what Go opens as MPTCP for it, as listeners, cannot be SMC",
	};
	const char *debug = getenv("GODEBUG");

	if (result->deprived)
		ctl_warn(run->ctl, "set-user-ID programs that it starts have no privilege (no_new_privs)");
	if (run->verbose)
		ctl_warn(run->ctl, "environment: GODEBUG='%s' is %s", debug ? debug : "", meaning[go]);
}

/* What smcctl run around this one has preloaded would decide once more about what the supervisor has decided. */
static int leave_library(void)
{
	const char *list = getenv("LD_PRELOAD");
	_cleanup_free_ char *others = NULL;
	int r;

	if (!list)
		return 0;
	r = preload_list(list, NULL, &others);
	if (r < 0)
		return r;
	if (*others)
		r = setenv("LD_PRELOAD", others, 1);
	else
		r = unsetenv("LD_PRELOAD");
	return r < 0 ? -errno : 0;
}

/* From here on this process's socket calls are supervised. CTL_OK also where that cannot be, and was said. */
static enum ctl_exit supervise(struct run *run, const struct ctl_args *args)
{
	_cleanup_free_ char *helper = NULL;
	struct supervise_result result = {.what = HANDSHAKE_PROCESS};
	enum supervise_go go = SUPERVISE_GO_SET;
	char text[256];
	int r = paths_supervisor(&helper);

	if (r < 0)
		result.error = r;
	else
		r = supervise_start(helper, run->policy, run->name, &result);
	if (r == 0)
		r = supervise_set_environment(&go);
	if (r == 0)
		r = leave_library();
	if (r == 0) {
		say_supervised(run, &result, go);
		return CTL_OK;
	}
	supervise_text(&result, text, sizeof(text));
	/* The filter cannot be taken off again, and with nobody to answer it every socket() would fail. */
	if (result.installed)
		return ctl_error(run->ctl, CTL_RUN_FAILED, "run", args->operand[0], "%s", text);
	ctl_warn(run->ctl, "'%s' will not be accelerated, for it cannot be supervised: %s", args->operand[0], text);
	if (args->option[RUN_REQUIRE])
		return ctl_error(run->ctl, CTL_CANNOT, "run", args->operand[0], "refused, as --require asks");
	return CTL_OK;
}

static enum ctl_exit execute(struct run *run, const struct ctl_args *args)
{
	const char *program = args->operand[0];
	enum ctl_exit code;
	int error;

	if (run->policy && setenv("SMC_POLICY", run->policy, 1) < 0)
		return ctl_error(run->ctl, CTL_RUN_FAILED, "run", args->operand[0], "%s", strerror(errno));
	if (run->supervise) {
		code = supervise(run, args);
		if (code != CTL_OK)
			return code;
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): prepared by the caller, which ended where it could not */
	} else if (setenv("LD_PRELOAD", run->preload, 1) < 0) {
		return ctl_error(run->ctl, CTL_RUN_FAILED, "run", args->operand[0], "%s", strerror(errno));
	}
	/* argv of main ends with NULL, but operands may have been moved: the last one is followed by what was there. */
	args->operand[args->operands] = NULL;
	if (args->option[RUN_ARGV0])
		args->operand[0] = (char *)(uintptr_t)args->option[RUN_ARGV0];
	fflush(run->ctl->err);
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): only --print-env goes without operands, and not here */
	execvp(program, args->operand);
	error = errno;
	return ctl_error(run->ctl, error == ENOENT ? CTL_RUN_NOT_FOUND : CTL_RUN_NOT_EXECUTABLE, "run", program, "%s",
		strerror(error));
}

static enum ctl_exit run_prepared(struct run *run, const struct ctl_args *args)
{
	enum ctl_exit code = CTL_OK;

	if (args->operands)
		code = judge_program(run, args->operand[0]);
	if (code != CTL_OK)
		return code;
	judge_library(run);
	if (run->obstacle && args->option[RUN_REQUIRE])
		return ctl_error(run->ctl, CTL_CANNOT, "run", args->operands ? args->operand[0] : "--print-env",
			"refused, as --require asks");
	if (!run->print_env)
		return execute(run, args);
	words_put_assignment(run->ctl->out, "LD_PRELOAD", run->preload);
	if (run->policy)
		words_put_assignment(run->ctl->out, "SMC_POLICY", run->policy);
	return CTL_OK;
}

enum ctl_exit cmd_run(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_apply_result_ struct apply_result result = {.changed = false};
	struct run run = {.ctl = ctl,
		.verbose = args->option[RUN_VERBOSE] != NULL,
		.print_env = args->option[RUN_PRINT_ENV] != NULL,
		.supervise = args->option[RUN_SUPERVISE] != NULL,
		.may_supervise = !args->option[RUN_NO_SUPERVISE] && !args->option[RUN_PRINT_ENV]};
	enum ctl_exit code;

	if (run.supervise && !run.may_supervise)
		return ctl_error(ctl, CTL_USAGE, "option", "--supervise", "not together with --%s",
			run.print_env ? "print-env" : "no-supervise");
	if (!args->operands && !run.print_env)
		return ctl_error(ctl, CTL_USAGE, "command", "run", "PROGRAM is missing; try smcctl run --help");
	code = prepare_library(&run, false);
	if (code == CTL_OK)
		code = prepare_policy(&run, args->option[RUN_POLICY], &result);
	if (code == CTL_OK) {
		code = run_prepared(&run, args);
	} else {
		/* As env(1): the program's own exit codes must not be taken for ours. The line before says why. */
		code = CTL_RUN_FAILED;
	}
	free(run.library);
	free(run.preload);
	free(run.name);
	return code;
}
