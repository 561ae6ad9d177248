/* SPDX-License-Identifier: MIT */
/* smcctl bench compare: two results side by side. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/bench/compare.h"
#include "ctl/commands.h"

enum { COMPARE_ANYWAY, COMPARE_JSON };

const struct ctl_option cmd_bench_compare_options[] = {
	[COMPARE_ANYWAY] = {"anyway", 0, NULL, "even when the parameters of the two differ"},
	[COMPARE_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

/* A result has some kilobytes for each slice. */
#define FILE_MAX (4u << 20)

static enum ctl_exit load(struct ctl *ctl, const char *file, struct compare_run *out)
{
	_cleanup_close_ int fd = open_read(file);
	_cleanup_free_ char *text = NULL;
	const char *why = "";
	size_t size = 0;
	int r = fd;

	if (r >= 0)
		r = read_all(fd, FILE_MAX, &text, &size);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "result", file, "%s", strerror(-r));
	if (!text || strlen(text) != size)
		return ctl_error(ctl, CTL_BAD_INPUT, "result", file, "not JSON");
	r = compare_parse(text, out, &why);
	if (r < 0)
		return ctl_error(ctl, r == -EBADMSG ? CTL_BAD_INPUT : CTL_FAILED, "result", file, "%s",
			r == -EBADMSG ? why : strerror(-r));
	return CTL_OK;
}

enum ctl_exit cmd_bench_compare(struct ctl *ctl, const struct ctl_args *args)
{
	struct compare_run a;
	struct compare_run b;
	enum ctl_exit code = load(ctl, args->operand[0], &a);
	int r;

	if (code == CTL_OK)
		code = load(ctl, args->operand[1], &b);
	if (code != CTL_OK)
		return code;
	if (strcmp(a.parameters, b.parameters) != 0 && !args->option[COMPARE_ANYWAY])
		return ctl_error(ctl, CTL_DIFFERENCE, "result", args->operand[1],
			"not measured as '%s' was: %s, not %s; --anyway compares all the same", args->operand[0],
			b.parameters, a.parameters);
	r = compare_show(ctl->out, args->option[COMPARE_JSON] != NULL, &a, &b);
	return r < 0 ? ctl_error(ctl, CTL_FAILED, "bench compare", NULL, "%s", strerror(-r)) : CTL_OK;
}
