/* SPDX-License-Identifier: MIT */
/* Looks at processes in a child that is killed when one of them holds it up. */
#include "config.h"

#include "ctl/process/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* For one process; the first few get long enough for a busy machine, a crowd of hostile ones does not. */
#define PATIENCE_MS 2000
#define PATIENT_TIMES 5u
#define SHORT_MS 200

struct worker {
	pid_t child;
	int fd;
};

static int write_report(int fd, const struct process_report *report)
{
	const char *from = (const char *)report;
	size_t left = sizeof(*report);

	while (left) {
		ssize_t n = write(fd, from, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		from += n;
		left -= (size_t)n;
	}
	return 0;
}

/* Never returns: the child's memory is a copy of ours, nothing of it may be written out twice. */
static _Noreturn void work(int fd, pid_t parent, const pid_t *pids, size_t count)
{
	struct process_report report;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	for (size_t i = 0; i < count; i++) {
		process_inspect(pids[i], &report);
		if (write_report(fd, &report) < 0)
			_exit(1);
	}
	_exit(0);
}

static int worker_start(struct worker *w, const pid_t *pids, size_t count)
{
	pid_t self = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	w->child = fork();
	if (w->child == 0) {
		close(ends[0]);
		work(ends[1], self, pids, count);
	}
	w->fd = ends[0];
	close(ends[1]);
	if (w->child < 0) {
		int error = errno;

		close(w->fd);
		return -error;
	}
	return 0;
}

static void worker_stop(const struct worker *w)
{
	kill(w->child, SIGKILL);
	close(w->fd);
	while (waitpid(w->child, NULL, 0) < 0 && errno == EINTR)
		;
}

/* One report. Returns 0, -ETIMEDOUT or -EPIPE (the child has ended). */
static int worker_read(const struct worker *w, int patience, struct process_report *out)
{
	int64_t end = monotonic_ms() + patience;
	char *to = (char *)out;
	size_t left = sizeof(*out);

	while (left) {
		struct pollfd ready = {.fd = w->fd, .events = POLLIN};
		int64_t rest = end - monotonic_ms();
		ssize_t n = poll(&ready, 1, rest > 0 ? (int)rest : 0);

		if (n == 0)
			return -ETIMEDOUT;
		if (n > 0)
			n = read(w->fd, to, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		to += n;
		left -= (size_t)n;
	}
	return 0;
}

int worker_inspect(const pid_t *pids, size_t count, worker_sink *sink, void *context)
{
	unsigned stuck = 0;

	for (size_t i = 0; i < count;) {
		struct worker w = {.child = -1, .fd = -1};
		int r = worker_start(&w, pids + i, count - i);

		if (r < 0)
			return r;
		while (i < count) {
			struct process_report report;

			r = worker_read(&w, stuck < PATIENT_TIMES ? PATIENCE_MS : SHORT_MS, &report);
			if (r < 0) {
				report = (struct process_report){
					.pid = pids[i], .kind = PROCESS_STUCK, .policy_state = -1};
				stuck++;
			}
			sink(context, &report);
			i++;
			if (r < 0)
				break;
		}
		worker_stop(&w);
	}
	return 0;
}
