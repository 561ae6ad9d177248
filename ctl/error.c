/* SPDX-License-Identifier: MIT */
/* The one place that prints error and warning lines. */
#include "config.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "ctl/util.h"

static void put_line(FILE *stream, const char *line)
{
	fputs("smcctl: ", stream);
	text_put(stream, line);
	fputc('\n', stream);
}

enum ctl_exit ctl_error(struct ctl *ctl, enum ctl_exit code, const char *what, const char *object, const char *why, ...)
{
	_cleanup_free_ char *reason = NULL;
	_cleanup_free_ char *line = NULL;
	va_list ap;
	int r;

	va_start(ap, why);
	r = vasprintf(&reason, why, ap);
	va_end(ap);
	if (r < 0)
		reason = NULL;
	if (object)
		r = asprintf(&line, "%s '%s': %s", what, object, reason ? reason : "out of memory");
	else
		r = asprintf(&line, "%s: %s", what, reason ? reason : "out of memory");
	if (r < 0)
		line = NULL;
	put_line(ctl->err, line ? line : "out of memory");
	return code;
}

void ctl_warn(struct ctl *ctl, const char *text, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list ap;
	int r;

	va_start(ap, text);
	r = vasprintf(&line, text, ap);
	va_end(ap);
	if (r < 0)
		line = NULL;
	put_line(ctl->err, line ? line : "out of memory");
}

enum ctl_exit ctl_exit_of(int error)
{
	return error == -EACCES || error == -EPERM ? CTL_NOT_PERMITTED : CTL_FAILED;
}
