/* SPDX-License-Identifier: MIT */
/* Repeats a look. */
#include "config.h"

#include "ctl/again.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "ctl/util.h"

static void wait_seconds(uint64_t seconds)
{
	struct timespec left = {.tv_sec = (time_t)seconds};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

enum ctl_exit again_seconds(struct ctl *ctl, const char *watch, uint64_t *seconds)
{
	*seconds = watch ? 2 : 0;
	if (watch && *watch && text_to_uint(watch, 1, 86400, seconds) < 0)
		return ctl_error(ctl, CTL_USAGE, "seconds", watch, "not a number from 1 to 86400");
	return CTL_OK;
}

enum ctl_exit again_run(struct ctl *ctl, uint64_t seconds, bool json, again_look *look, const void *arg)
{
	bool terminal = !json && isatty(fileno(ctl->out));

	if (!seconds)
		return look(ctl, arg);
	for (bool first = true;; first = false) {
		enum ctl_exit code;

		if (terminal)
			fputs("\033[H\033[J", ctl->out);
		else if (!json && !first)
			fputc('\n', ctl->out);
		code = look(ctl, arg);
		if (code != CTL_OK || fflush(ctl->out) != 0)
			return code;
		wait_seconds(seconds);
	}
}
