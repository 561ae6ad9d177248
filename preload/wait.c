/* SPDX-License-Identifier: MIT */
/* Waits for the outcome of a connect as the kernel's blocking TCP connect does: signals, SO_SNDTIMEO, cancellation. */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

#include "preload/shim.h"

/* How long signals may be held back before the rarer, costlier question is asked which of them restart a call. */
#define QUIET_MS 20
#define SLICE_MS 10

/*
 * Signals as the kernel's calls take them: signal s is bit s - 1 of words of the machine (its sigset_t). libc's sets begin
 * with the same words.
 */
#define SIGNALS 64
#define CANCEL_SIGNAL 32 /* of the libc's threads: for pthread_cancel() and setuid(); never held back */
#define SETXID_SIGNAL 33
#define WORD_BITS (8 * (int)sizeof(unsigned long))

union signals {
	unsigned long words[SIGNALS / WORD_BITS];
	sigset_t libc;
};

static void add(union signals *set, int s)
{
	set->words[(s - 1) / WORD_BITS] |= 1ul << (s - 1) % WORD_BITS;
}

static void take_out(union signals *set, int s)
{
	set->words[(s - 1) / WORD_BITS] &= ~(1ul << (s - 1) % WORD_BITS);
}

static bool has(const union signals *set, int s)
{
	return set->words[(s - 1) / WORD_BITS] >> (s - 1) % WORD_BITS & 1;
}

struct deadline {
	bool any;
	struct timespec at;
};

static struct deadline deadline_in(int ms)
{
	struct deadline d = {.any = ms > 0};

	if (d.any) {
		clock_gettime(CLOCK_MONOTONIC, &d.at);
		d.at.tv_sec += ms / 1000;
		d.at.tv_nsec += (long)(ms % 1000) * 1000000;
		if (d.at.tv_nsec >= 1000000000) {
			d.at.tv_sec++;
			d.at.tv_nsec -= 1000000000;
		}
	}
	return d;
}

/* Milliseconds left, at most most; 0 when over. most < 0: no bound of its own (-1: for ever). */
static int remaining(const struct deadline *d, int most)
{
	struct timespec now;
	int64_t left;

	if (!d->any)
		return most;
	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (int64_t)(d->at.tv_sec - now.tv_sec) * 1000 + (d->at.tv_nsec - now.tv_nsec + 999999) / 1000000;
	if (left < 0)
		left = 0;
	return most >= 0 && most < left ? most : (int)left;
}

/* -1 with EINTR after a signal handler has run, 0 when ms are over (ms < 0: never), or the events of an outcome. */
static int poll_once(int fd, int ms, const union signals *mask)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct timespec ts = {ms / 1000, (long)(ms % 1000) * 1000000};

	int n = ppoll(&p, 1, ms < 0 ? NULL : &ts, mask ? &mask->libc : NULL);

	return n > 0 ? p.revents : n;
}

/* Sorts the signals that have a handler by whether it was installed with SA_RESTART. */
static void sort_handlers(bool timed, union signals *interrupt, int *restarts, int *interrupts)
{
	*restarts = *interrupts = 0;
	*interrupt = (union signals){0};
	for (int s = 1; s <= SIGNALS; s++) {
		struct sigaction action;

		if (sigaction(s, NULL, &action) || action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN)
			continue;
		/* signal(7): with a timeout set, a connect is never restarted. */
		if (!timed && (action.sa_flags & SA_RESTART)) {
			++*restarts;
		} else {
			add(interrupt, s);
			++*interrupts;
		}
	}
}

static bool one_is_waiting(const union signals *interrupt, const union signals *usual)
{
	union signals waiting;

	if (syscall(SYS_rt_sigpending, waiting.words, sizeof waiting.words))
		return false;
	for (int s = 1; s <= SIGNALS; s++)
		if (has(interrupt, s) && !has(usual, s) && has(&waiting, s))
			return true;
	return false;
}

/*
 * Both sorts of handlers are there, and ppoll() does not say which one ran: those that interrupt are held back, looked
 * for after every slice, and run when their turn has come, on the way out.
 */
static int wait_in_slices(int fd, const struct deadline *end, const union signals *interrupt)
{
	union signals usual;
	int r = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, interrupt->words, usual.words, sizeof usual.words);
	while (r == 0) {
		int events = poll_once(fd, remaining(end, SLICE_MS), NULL);

		if (events > 0)
			r = events;
		else if (one_is_waiting(interrupt, &usual))
			r = -EINTR;
		else if (end->any && remaining(end, -1) == 0)
			r = -EINPROGRESS;
	}
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, usual.words, NULL, sizeof usual.words);
	return r;
}

int wait_for_outcome(int fd, int timeout_ms)
{
	struct deadline end = deadline_in(timeout_ms);
	union signals all, interrupt;
	int restarts, interrupts, n;

	/* Nearly every handshake ends in this short time; no handler runs in it, so none can interrupt. */
	for (size_t i = 0; i < sizeof all.words / sizeof *all.words; i++)
		all.words[i] = ~0ul;
	take_out(&all, CANCEL_SIGNAL);
	take_out(&all, SETXID_SIGNAL);
	n = poll_once(fd, remaining(&end, QUIET_MS), &all);
	if (n > 0)
		return n;
	if (end.any && remaining(&end, -1) == 0)
		return -EINPROGRESS;

	sort_handlers(end.any, &interrupt, &restarts, &interrupts);
	if (restarts && interrupts)
		return wait_in_slices(fd, &end, &interrupt);
	do {
		n = poll_once(fd, remaining(&end, -1), NULL);
		if (n == 0)
			return -EINPROGRESS;
		if (n < 0 && errno == EINTR && interrupts)
			return -EINTR;
	} while (n < 0 && errno == EINTR);
	return n > 0 ? n : POLLERR; /* poll itself failed: SO_ERROR knows more */
}
