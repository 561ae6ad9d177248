/* SPDX-License-Identifier: MIT */
/* smcctl policy watch: applies a policy file at the start and whenever its content changes. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ctl/apply.h"
#include "ctl/commands.h"
#include "ctl/watch.h"

enum { WATCH_POLICY };

const struct ctl_option cmd_policy_watch_options[] = {[WATCH_POLICY] = CTL_OPTION_POLICY, {NULL, 0, NULL, NULL}};

/* An editor makes several events of one change: wait until it is quiet, but not for ever. */
#define QUIET_MS 100
#define PATIENCE_MS 1000
/* A table that could not be written (no space) is tried again, without a word until that changes. */
#define RETRY_MS 10000

struct watcher {
	struct ctl *ctl;
	const char *path;
	struct watch *watch;
	int signals;
	bool tried; /* digest is that of the content that was tried last */
	uint64_t digest;
	int unreadable; /* -errno when the file could not be read last time; said once */
	bool retry;
	char *said; /* what the last failed attempt printed */
};

static void watcher_clear(struct watcher *w)
{
	watch_close(w->watch);
	if (w->signals >= 0)
		close(w->signals);
	free(w->said);
}

static enum ctl_exit apply_into(struct watcher *w, FILE *errors)
{
	_cleanup_apply_result_ struct apply_result result = {.changed = false};
	struct ctl ctl = {.out = w->ctl->out, .err = errors};
	char kernel[PROBE_TEXT];
	enum ctl_exit code = apply_policy(&ctl, w->path, APPLY_ALWAYS, &result);

	if (code != CTL_OK)
		return code;
	probe_format(result.probe.kernel, kernel);
	text_put(ctl.out, w->path);
	fprintf(ctl.out, ": %s (%zu rules, %zu CIDRs), state %s; kernel: %s\n",
		result.changed ? "applied" : "unchanged", result.rules, result.cidrs, apply_state_name(result.state),
		kernel);
	(void)apply_warn(&ctl, &result);
	return code;
}

/* Applies; what it says is kept back when the attempt before failed in the same words. */
static void try_apply(struct watcher *w)
{
	char *text = NULL;
	size_t size;
	FILE *errors = open_memstream(&text, &size);
	enum ctl_exit code;

	if (!errors) {
		w->retry = true;
		return;
	}
	code = apply_into(w, errors);
	if (fclose(errors) != 0 || !text) {
		free(text);
		w->retry = true;
		return;
	}
	if (code == CTL_OK || !w->said || strcmp(w->said, text) != 0)
		fputs(text, w->ctl->err);
	free(w->said);
	w->said = code == CTL_OK ? NULL : take(text);
	free(text);
	w->retry = code != CTL_OK && code != CTL_BAD_INPUT;
	fflush(w->ctl->out);
}

/* Looks at the file: unchanged content does nothing, and neither does bad content that was said already. */
static void look(struct watcher *w)
{
	uint64_t digest;
	int r = apply_digest(w->path, &digest);

	if (r < 0) {
		if (r != w->unreadable)
			ctl_error(w->ctl, CTL_FAILED, "policy", w->path, "%s; what is in force stays", strerror(-r));
		w->unreadable = r;
		return;
	}
	w->unreadable = 0;
	if (w->tried && digest == w->digest && !w->retry)
		return;
	w->tried = true;
	w->digest = digest;
	try_apply(w);
}

/* Watches first and looks then, so that no change falls between the two. */
static int renew(struct watcher *w)
{
	watch_close(w->watch);
	w->watch = NULL;
	return watch_open(w->path, &w->watch);
}

/* Waits for an event that concerns the file. Returns 1 for one, 0 for a time-out, -EINTR for the end, or -errno. */
static int wait_event(struct watcher *w, int timeout)
{
	int64_t end = monotonic_ms() + timeout;

	for (;;) {
		struct pollfd fds[] = {
			{.fd = w->signals, .events = POLLIN}, {.fd = watch_fd(w->watch), .events = POLLIN}};
		int64_t left = end - monotonic_ms();
		int r = poll(fds, 2, timeout < 0 ? -1 : left > 0 ? (int)left : 0);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r > 0 && fds[0].revents)
			return -EINTR;
		if (r > 0) {
			r = watch_read(w->watch);
			if (r != 0)
				return r;
		}
		if (timeout >= 0 && monotonic_ms() >= end)
			return 0;
	}
}

static int settle(struct watcher *w)
{
	int64_t end = monotonic_ms() + PATIENCE_MS;
	int r;

	do {
		r = renew(w);
		if (r == 0)
			r = wait_event(w, QUIET_MS);
	} while (r == 1 && monotonic_ms() < end);
	return r == 1 ? renew(w) : r;
}

static int watch_loop(struct watcher *w)
{
	int r = renew(w);

	while (r >= 0) {
		look(w);
		r = wait_event(w, w->retry ? RETRY_MS : -1);
		if (r == 1)
			r = settle(w);
	}
	return r == -EINTR ? 0 : r;
}

enum ctl_exit cmd_policy_watch(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_paths_ struct paths paths = {.file = NULL};
	_cleanup_(watcher_clear) struct watcher w = {.ctl = ctl, .signals = -1};
	const char *file;
	sigset_t set;
	enum ctl_exit code = apply_file_argument(ctl, args, args->option[WATCH_POLICY], &file);
	int r;

	if (code == CTL_OK)
		code = apply_find(ctl, file, &paths);
	if (code != CTL_OK)
		return code;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	w.path = paths.file;
	w.signals = sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -1 : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w.signals < 0)
		return ctl_error(ctl, CTL_FAILED, "policy", paths.file, "%s", strerror(errno));
	r = watch_loop(&w);
	if (r < 0)
		return ctl_error(ctl, ctl_exit_of(r), "watch", paths.file, "%s%s", strerror(-r),
			r == -EMFILE || r == -ENOSPC ? "; raise fs.inotify.max_user_instances and max_user_watches"
						     : "");
	return CTL_OK;
}
