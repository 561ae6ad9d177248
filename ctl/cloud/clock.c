/* SPDX-License-Identifier: MIT */
/* Waiting, deadlines and interruption. */
#include "config.h"

#include "ctl/cloud/clock.h"

#include <errno.h>
#include <signal.h>
#include <sys/random.h>
#include <time.h>

uint64_t clock_now(const struct cloud_clock *clock)
{
	return monotonic_us() * clock->speed / 1000;
}

uint64_t clock_wall(const struct cloud_clock *clock)
{
	struct timespec now = {.tv_sec = 0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000) * clock->speed / 1000;
}

void clock_limit(struct cloud_clock *clock, uint64_t seconds)
{
	clock->deadline = clock_now(clock) + seconds * 1000;
}

static void held_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
}

void clock_hold_signals(void)
{
	sigset_t set;

	held_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

void clock_release_signals(void)
{
	sigset_t set;

	held_signals(&set);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool clock_wait(struct cloud_clock *clock, uint64_t milliseconds)
{
	uint64_t microseconds = milliseconds * 1000 / clock->speed;
	struct timespec ts = {
		.tv_sec = (time_t)(microseconds / 1000000), .tv_nsec = (long)(microseconds % 1000000) * 1000};
	sigset_t set;
	int r;

	if (clock->interrupted || clock_now(clock) + milliseconds > clock->deadline)
		return false;
	held_signals(&set);
	/* Where the signals are not held, they end the program here as everywhere else. */
	do
		r = sigtimedwait(&set, NULL, &ts);
	while (r < 0 && errno == EINTR);
	clock->interrupted = r > 0;
	return !clock->interrupted;
}

uint64_t clock_backoff(unsigned attempt, uint64_t base, uint64_t cap)
{
	uint64_t limit = attempt < 16 && base << attempt < cap ? base << attempt : cap;
	uint32_t random = 0;

	/* Without entropy at boot all wait the same: no reason to fail. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = UINT32_MAX / 2;
	return limit / 10 + (limit - limit / 10) * (random >> 8) / (UINT32_MAX >> 8);
}
