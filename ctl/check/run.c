/* SPDX-License-Identifier: MIT */
/* One poll loop over all destinations: of each first the SYNs, then the handshake. */
#include "config.h"

#include "ctl/check/run.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct slot {
	struct target *target; /* NULL: free */
	struct prober *prober;
	struct handshake_run *handshake;
	uint64_t next;
};

struct run {
	const struct run_options *options;
	struct targets *targets;
	size_t started;
	size_t finished;
	size_t unfit;
	struct slot slot[RUN_AT_ONCE];
	struct pollfd fds[RUN_AT_ONCE * HANDSHAKE_FDS];
	size_t fd_count;
};

static void clear_slot(struct slot *slot)
{
	prober_free(slot->prober);
	handshake_free(slot->handshake);
	*slot = (struct slot){.target = NULL};
}

static void end(struct run *run, struct slot *slot)
{
	struct target *target = slot->target;

	target->verdict = judge_path(target->syns_judged ? &target->syns : NULL, &target->handshake);
	target->done = true;
	run->finished++;
	run->unfit += judge_fit(target->verdict) == FIT_NO;
	clear_slot(slot);
	if (run->options->progress) {
		fprintf(run->options->progress, "\r%zu of %zu destinations checked, %zu unfit", run->finished,
			run->targets->count, run->unfit);
		fflush(run->options->progress);
	}
}

/* A server whose path mangles options is not sent a handshake: it would find it among its data. */
static bool wants_handshake(const struct run *run, const struct target *target)
{
	return run->options->handshake &&
		(!target->syns_judged || target->syns.verdict == VERDICT_SMC || target->syns.verdict == VERDICT_PLAIN);
}

static int begin_handshake(struct run *run, struct slot *slot)
{
	const struct target *target = slot->target;
	bool beside = !target->syns_judged || target->syns.verdict != VERDICT_SMC;

	prober_free(slot->prober);
	slot->prober = NULL;
	if (!wants_handshake(run, target)) {
		end(run, slot);
		return 0;
	}
	return handshake_new(
		(const struct sockaddr *)&target->to, target->length, run->options->limit, beside, &slot->handshake);
}

static int begin(struct run *run, struct slot *slot, struct target *target)
{
	int r;

	slot->target = target;
	slot->next = 0;
	r = prober_new(
		(const struct sockaddr *)&target->to, target->length, target->port, run->options->limit, &slot->prober);
	if (r == -ENOMEM || r == -EMFILE || r == -ENFILE)
		return r;
	if (r == 0)
		return 0;
	target->syn_error = r;
	if (r == -EPERM || r == -EACCES)
		return begin_handshake(run, slot);
	/* No route: no connection, either. */
	target->syns_judged = true;
	target->syns.verdict = VERDICT_UNREACHABLE;
	end(run, slot);
	return 0;
}

static int end_syns(struct run *run, struct slot *slot)
{
	struct target *target = slot->target;

	prober_judge(slot->prober, &target->syns, &target->seen);
	target->syns_judged = true;
	return begin_handshake(run, slot);
}

/* Goes on with what a slot has; leaves its descriptors behind those of the others. */
static int step(struct run *run, struct slot *slot, uint64_t now)
{
	struct pollfd fds[HANDSHAKE_FDS];
	size_t count = 0;
	int r;

	if (slot->prober) {
		if (!prober_step(slot->prober, now, &slot->next)) {
			fds[count++] = (struct pollfd){.fd = prober_fd(slot->prober), .events = POLLIN};
		} else {
			r = end_syns(run, slot);
			if (r < 0)
				return r;
		}
	}
	if (slot->handshake && handshake_step(slot->handshake, now, &slot->next, fds, &count)) {
		slot->target->handshake = *handshake_of(slot->handshake);
		end(run, slot);
		count = 0;
	}
	memcpy(run->fds + run->fd_count, fds, count * sizeof(*fds));
	run->fd_count += count;
	return 0;
}

static int step_all(struct run *run)
{
	for (size_t i = 0; i < RUN_AT_ONCE; i++) {
		struct slot *slot = &run->slot[i];
		int r = 0;

		while (!slot->target && run->started < run->targets->count && r == 0)
			r = begin(run, slot, &run->targets->item[run->started++]);
		if (r == 0 && slot->target)
			r = step(run, slot, monotonic_us());
		if (r < 0)
			return r;
	}
	return 0;
}

static int wait_for_any(const struct run *run, struct pollfd *fds)
{
	uint64_t now = monotonic_us();
	uint64_t next = now + 1000000;
	struct timespec wait;

	for (size_t i = 0; i < RUN_AT_ONCE; i++) {
		if (!run->slot[i].target && run->started < run->targets->count)
			next = now;
		else if (run->slot[i].target && run->slot[i].next < next)
			next = run->slot[i].next;
	}
	next = next > now ? next - now : 0;
	wait = (struct timespec){.tv_sec = (time_t)(next / 1000000), .tv_nsec = (long)(next % 1000000) * 1000};
	return ppoll(fds, run->fd_count, &wait, NULL) < 0 && errno != EINTR ? -errno : 0;
}

int run_checks(struct targets *targets, const struct run_options *options)
{
	_cleanup_free_ struct run *run = calloc(1, sizeof(*run));
	int r = 0;

	if (!run)
		return -ENOMEM;
	run->options = options;
	run->targets = targets;
	while (run->finished < targets->count && r == 0) {
		run->fd_count = 0;
		r = step_all(run);
		if (r == 0 && run->finished < targets->count)
			r = wait_for_any(run, run->fds);
	}
	for (size_t i = 0; i < RUN_AT_ONCE; i++)
		clear_slot(&run->slot[i]);
	if (options->progress)
		fputs("\r\033[K", options->progress);
	return r;
}
