/* SPDX-License-Identifier: MIT */
/* smcctl cloud: hands the checked command line to the helper, which has libcurl and libcrypto; smcctl itself starts fast. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/paths.h"

/* "smcctl", "cloud", WORD, the options, "--", the operands, NULL. */
static char **words_of(const char *word, const struct ctl_option *options, const struct ctl_args *args)
{
	char **words = calloc(CTL_MAX_OPTIONS + args->operands + 5, sizeof(*words));
	size_t n = 0;

	if (!words)
		return NULL;
	words[n++] = strdup("smcctl");
	words[n++] = strdup("cloud");
	words[n++] = strdup(word);
	for (size_t i = 0; options[i].name; i++) {
		if (args->option[i] &&
			asprintf(&words[n++], "--%s%s%s", options[i].name, options[i].value ? "=" : "",
				args->option[i]) < 0)
			words[n - 1] = NULL;
	}
	words[n++] = strdup("--");
	for (size_t i = 0; i < args->operands; i++)
		words[n++] = strdup(args->operand[i]);
	for (size_t i = 0; i < n; i++) {
		if (!words[i])
			n = 0;
	}
	if (n)
		return words;
	free(words);
	return NULL;
}

static enum ctl_exit run_helper(
	struct ctl *ctl, const char *word, const struct ctl_option *options, const struct ctl_args *args)
{
	_cleanup_free_ char *helper = NULL;
	char **words;
	int r = paths_helper(&helper);

#ifndef HAVE_CLOUD
	return ctl_error(ctl, CTL_CANNOT, "cloud", word, "this smcctl was built with --disable-cloud");
#endif
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "helper", PATHS_HELPER, "not found beside smcctl; reinstall");
	words = words_of(word, options, args);
	if (!words)
		return ctl_error(ctl, CTL_FAILED, "helper", helper, "%s", strerror(ENOMEM));
	fflush(ctl->out);
	execv(helper, words);
	r = errno;
	for (size_t i = 0; words[i]; i++)
		free(words[i]);
	free(words);
	return ctl_error(ctl, ctl_exit_of(-r), "helper", helper, "%s", strerror(r));
}

enum ctl_exit cmd_cloud_plan(struct ctl *ctl, const struct ctl_args *args)
{
	return run_helper(ctl, "plan", cmd_cloud_plan_options, args);
}

enum ctl_exit cmd_cloud_apply(struct ctl *ctl, const struct ctl_args *args)
{
	return run_helper(ctl, "apply", cmd_cloud_apply_options, args);
}

enum ctl_exit cmd_cloud_status(struct ctl *ctl, const struct ctl_args *args)
{
	return run_helper(ctl, "status", cmd_cloud_status_options, args);
}

enum ctl_exit cmd_cloud_destroy(struct ctl *ctl, const struct ctl_args *args)
{
	return run_helper(ctl, "destroy", cmd_cloud_destroy_options, args);
}

enum ctl_exit cmd_cloud_import(struct ctl *ctl, const struct ctl_args *args)
{
	return run_helper(ctl, "import", cmd_cloud_import_options, args);
}

enum ctl_exit cmd_cloud_whoami(struct ctl *ctl, const struct ctl_args *args)
{
	return run_helper(ctl, "whoami", cmd_cloud_whoami_options, args);
}
