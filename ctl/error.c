/* SPDX-License-Identifier: MIT */
/* The one place that prints error and warning lines. */
#include "config.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "ctl/util.h"

/* The caller frees it; NULL without memory. */
__attribute__((format(printf, 1, 0))) static char *format(const char *text, va_list ap)
{
	char *out;

	return vasprintf(&out, text, ap) < 0 ? NULL : out;
}

static void compose(FILE *stream, const char *line)
{
	fputs("smcctl: ", stream);
	text_put(stream, line ? line : "out of memory");
	fputc('\n', stream);
}

/* In one write, for others may write there as well, and standard error has no buffer. */
static void put_line(FILE *stream, const char *line)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory) {
		compose(stream, line);
		return;
	}
	compose(memory, line);
	if (fclose(memory) == 0)
		fwrite(text, 1, size, stream);
	else
		compose(stream, line);
}

enum ctl_exit ctl_error(struct ctl *ctl, enum ctl_exit code, const char *what, const char *object, const char *why, ...)
{
	_cleanup_free_ char *reason = NULL;
	_cleanup_free_ char *line = NULL;
	va_list ap;

	va_start(ap, why);
	reason = format(why, ap);
	va_end(ap);
	if (asprintf(&line, object ? "%s '%s': %s" : "%s%s: %s", what, object ? object : "",
		    reason ? reason : "out of memory") < 0)
		line = NULL;
	put_line(ctl->err, line);
	return code;
}

void ctl_warn(struct ctl *ctl, const char *text, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list ap;

	va_start(ap, text);
	line = format(text, ap);
	va_end(ap);
	put_line(ctl->err, line);
}

enum ctl_exit ctl_exit_of(int error)
{
	return error == -EACCES || error == -EPERM ? CTL_NOT_PERMITTED : CTL_FAILED;
}
