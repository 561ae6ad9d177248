/* SPDX-License-Identifier: MIT */
/* smcctl pod place: what a pod's first container does: puts the library where the others find it, and applies the policy. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/paths.h"

enum { PLACE_POLICY, PLACE_LENIENT };

const struct ctl_option cmd_pod_place_options[] = {
	[PLACE_POLICY] = CTL_OPTION_POLICY,
	[PLACE_LENIENT] = {"lenient", 0, NULL, "exit with 0 whatever happens: no pod fails for our reason"},
	{NULL, 0, NULL, NULL},
};

#define LIBRARY_MAX ((size_t)16 << 20)

/* Renamed into place: on a node, running programs have the old one mapped. */
static int place(const char *library, const char *directory)
{
	_cleanup_close_ int in = open_read(library);
	_cleanup_close_ int to = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int out = -1;
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	int r;

	if (in < 0 || to < 0)
		return in < 0 ? in : -errno;
	r = read_all(in, LIBRARY_MAX, &bytes, &size);
	if (r < 0)
		return r;
	(void)unlinkat(to, "." PATHS_LIBRARY ".new", 0);
	out = openat(to, "." PATHS_LIBRARY ".new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0755);
	if (out < 0)
		return -errno;
	r = write_bytes(out, bytes, size);
	/* Whatever the umask: every user's programs load it. */
	if (r == 0 &&
		(fchmod(out, 0755) < 0 || fsync(out) < 0 ||
			renameat(to, "." PATHS_LIBRARY ".new", to, PATHS_LIBRARY) < 0))
		r = -errno;
	if (r < 0)
		(void)unlinkat(to, "." PATHS_LIBRARY ".new", 0);
	return r;
}

static enum ctl_exit place_library(struct ctl *ctl, const char *directory)
{
	_cleanup_free_ char *library = NULL;
	int r = paths_library(&library);

	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "library", PATHS_LIBRARY,
			"not found beside smcctl (%s); install smcshim completely", strerror(-r));
	r = place(library, directory);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "library", directory, "cannot be put there: %s", strerror(-r));
	fputs(PATHS_LIBRARY ": put into ", ctl->out);
	text_put(ctl->out, directory);
	fputc('\n', ctl->out);
	return CTL_OK;
}

/* A ConfigMap that is optional and not there leaves an empty directory: everything stays TCP, which is no error. */
static enum ctl_exit place_policy(struct ctl *ctl, const char *file)
{
	_cleanup_apply_result_ struct apply_result result = {.changed = false};
	enum ctl_exit code;

	if (access(file, F_OK) < 0 && errno == ENOENT) {
		ctl_warn(ctl, "there is no policy %s: everything stays TCP", file);
		return CTL_OK;
	}
	code = apply_policy(ctl, file, APPLY_ALWAYS, &result);
	if (code != CTL_OK)
		return code;
	fprintf(ctl->out, "%s: %s, state %s\n", result.paths.table, result.changed ? "applied" : "unchanged",
		apply_state_name(result.state));
	(void)apply_warn(ctl, &result);
	return CTL_OK;
}

enum ctl_exit cmd_pod_place(struct ctl *ctl, const struct ctl_args *args)
{
	const char *file = args->option[PLACE_POLICY] ? args->option[PLACE_POLICY] : CTL_DEFAULT_POLICY;
	enum ctl_exit code = args->operands ? place_library(ctl, args->operand[0]) : CTL_OK;
	enum ctl_exit applied = place_policy(ctl, file);

	code = code != CTL_OK ? code : applied;
	return args->option[PLACE_LENIENT] ? CTL_OK : code;
}
