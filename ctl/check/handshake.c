/* SPDX-License-Identifier: MIT */
/* Connects over SMC, entering the kernel's connect exactly once, and watches what falls back. */
#include "config.h"

#include "ctl/check/handshake.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/check/outcome.h"
#include "ctl/probe.h"
#include "ctl/smc/socket.h"

/* Microseconds. A kernel that was promised SMC waits 6 s for the handshake (CLC_WAIT_TIME, net/smc/smc_clc.h). */
#define KERNEL_WAITS 6000000u
#define WATCH_TIME 7500000u
/* Two connections that are closed within that time were closed for the same reason. */
#define WATCH_OTHER 1000000u

enum step {
	STEP_BEGIN = 0,
	STEP_PLAIN,   /* the connection of plain TCP is being made */
	STEP_SMC,     /* that of SMC */
	STEP_WATCHED, /* both are there */
	STEP_DONE,
};

struct handshake_run {
	struct sockaddr_storage to;
	socklen_t length;
	uint64_t limit;
	bool beside;
	enum step step;
	int plain;
	int smc;
	uint64_t began;    /* of the present step */
	uint64_t deadline; /* of everything but watching */
	uint64_t plain_opened;
	uint64_t plain_closed; /* by the peer; 0: not yet */
	uint64_t smc_opened;
	uint64_t smc_closed;
	bool plain_spoke;
	struct handshake result;
};

int handshake_new(const struct sockaddr *to, socklen_t length, uint64_t limit, bool beside, struct handshake_run **out)
{
	struct handshake_run *run = calloc(1, sizeof(*run));

	if (!run)
		return -ENOMEM;
	memcpy(&run->to, to, length);
	run->length = length;
	run->limit = limit;
	run->beside = beside;
	run->plain = -1;
	run->smc = -1;
	*out = run;
	return 0;
}

void handshake_free(struct handshake_run *run)
{
	if (!run)
		return;
	if (run->plain >= 0)
		close(run->plain);
	if (run->smc >= 0)
		close(run->smc);
	free(run);
}

const struct handshake *handshake_of(const struct handshake_run *run)
{
	return &run->result;
}

static bool finish(struct handshake_run *run, enum handshake_result result, int error)
{
	run->result.result = result;
	run->result.error = error;
	run->step = STEP_DONE;
	return true;
}

/* 0 or -errno. */
static int begin_connect(const struct handshake_run *run, int fd)
{
	if (connect(fd, (const struct sockaddr *)&run->to, run->length) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

static bool begin_smc(struct handshake_run *run, uint64_t now)
{
	int r;

	run->smc = smc_socket(run->to.ss_family, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (run->smc < 0)
		return finish(run, HANDSHAKE_NO_SMC, run->smc);
	run->began = now;
	run->step = STEP_SMC;
	r = begin_connect(run, run->smc);
	return r < 0 && finish(run, HANDSHAKE_FAILED, r);
}

static bool begin(struct handshake_run *run, uint64_t now)
{
	int r;

	run->deadline = now + run->limit;
	/* Where the kernel makes every TCP socket one of SMC there is nothing to compare with. */
	if (!run->beside || probe_converts())
		return begin_smc(run, now);
	run->plain = socket(run->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (run->plain < 0)
		return finish(run, HANDSHAKE_NONE, -errno);
	run->step = STEP_PLAIN;
	r = begin_connect(run, run->plain);
	return r < 0 && finish(run, r == -ECONNREFUSED ? HANDSHAKE_REFUSED : HANDSHAKE_UNREACHABLE, r);
}

static bool step_plain(struct handshake_run *run, uint64_t now)
{
	int r = smc_connected(run->plain);

	if (r < 0)
		return finish(run, r == -ECONNREFUSED ? HANDSHAKE_REFUSED : HANDSHAKE_UNREACHABLE, r);
	if (r == 0)
		return now >= run->deadline && finish(run, HANDSHAKE_UNREACHABLE, -ETIMEDOUT);
	run->plain_opened = now;
	return begin_smc(run, now);
}

static bool step_smc(struct handshake_run *run, uint64_t now)
{
	int r = smc_connected(run->smc);

	if (r == 0)
		return now >= run->deadline && finish(run, HANDSHAKE_TIMEOUT, -ETIMEDOUT);
	run->result.elapsed = (uint32_t)(now - run->began);
	if (r < 0)
		return finish(run, HANDSHAKE_FAILED, r);
	r = outcome_find(run->smc, &run->result);
	/* 0x03010000: SMC_CLC_DECL_PEERNOSMC, no option came back; a kernel without smc_diag gives no reason. */
	if (r < 0 || run->result.result != HANDSHAKE_TCP || run->plain < 0 ||
		(run->result.reason && run->result.reason != 0x03010000))
		return finish(run, run->result.result, r);
	run->began = now;
	run->smc_opened = now;
	run->step = STEP_WATCHED;
	return false;
}

enum sight { SIGHT_SILENT, SIGHT_SPOKE, SIGHT_SPOKE_CLC, SIGHT_CLOSED };

static enum sight look_at(int fd)
{
	uint8_t bytes[SYN_IDENTIFIER];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return SIGHT_SILENT;
	if (n <= 0)
		return SIGHT_CLOSED;
	/* Every message of the handshake of SMC begins with the identifier of the option. */
	return n == SYN_IDENTIFIER && memcmp(bytes, syn_smc_identifier, sizeof(bytes)) == 0 ? SIGHT_SPOKE_CLC
											    : SIGHT_SPOKE;
}

static bool found(struct handshake_run *run, enum handshake_watch watch)
{
	run->result.watch = watch;
	return finish(run, HANDSHAKE_TCP, run->result.error);
}

/* When a connection of that opening was closed, for a comparison; UINT64_MAX: it was not. */
static uint64_t life(uint64_t opened, uint64_t closed)
{
	return closed ? closed - opened : UINT64_MAX;
}

/*
 * Both have been watched long enough. A server's program closes both after the same time; a kernel that waits for the
 * handshake of SMC closes the one that its program has never got.
 */
static enum handshake_watch compare(const struct handshake_run *run)
{
	uint64_t smc = life(run->smc_opened, run->smc_closed);
	uint64_t plain = life(run->plain_opened, run->plain_closed);
	bool together;

	if (smc == UINT64_MAX)
		return plain == UINT64_MAX ? WATCH_ALIKE : WATCH_UNSURE;
	if (plain == UINT64_MAX)
		return WATCH_STRIPPED;
	together = smc < plain + WATCH_OTHER && plain < smc + WATCH_OTHER;
	if (together)
		return smc < KERNEL_WAITS - WATCH_OTHER ? WATCH_ALIKE : WATCH_UNSURE;
	return smc < plain || smc < KERNEL_WAITS - WATCH_OTHER ? WATCH_UNSURE : WATCH_STRIPPED;
}

/* When nothing more that could happen would tell more. */
static uint64_t watch_end(const struct handshake_run *run)
{
	uint64_t end = run->began + WATCH_TIME;

	if (run->smc_closed && run->plain_closed)
		return 0;
	if (run->smc_closed)
		end = run->smc_closed + WATCH_OTHER;
	return end;
}

static bool step_watched(struct handshake_run *run, uint64_t now)
{
	enum sight smc = look_at(run->smc);
	enum sight plain = look_at(run->plain);

	if (smc == SIGHT_SPOKE_CLC)
		return found(run, WATCH_STRIPPED);
	/* A peer's program that speaks has the connection; one that waits for a handshake has given it to nobody. */
	if (smc == SIGHT_SPOKE)
		return found(run, WATCH_ALIKE);
	if (smc == SIGHT_CLOSED && !run->smc_closed)
		run->smc_closed = now;
	if (plain == SIGHT_CLOSED && !run->plain_closed)
		run->plain_closed = now;
	run->plain_spoke = plain == SIGHT_SPOKE || plain == SIGHT_SPOKE_CLC;
	if (now >= watch_end(run))
		return found(run, compare(run));
	return now >= run->deadline && found(run, WATCH_NONE);
}

static bool step(struct handshake_run *run, uint64_t now)
{
	switch (run->step) {
	case STEP_BEGIN:
		return begin(run, now);
	case STEP_PLAIN:
		return step_plain(run, now);
	case STEP_SMC:
		return step_smc(run, now);
	case STEP_WATCHED:
		return step_watched(run, now);
	case STEP_DONE:
		break;
	}
	return true;
}

bool handshake_step(
	struct handshake_run *run, uint64_t now, uint64_t *next, struct pollfd fds[static HANDSHAKE_FDS], size_t *count)
{
	enum step before;

	do {
		before = run->step;
		if (step(run, now))
			return true;
	} while (run->step != before);
	*count = 0;
	*next = run->deadline;
	if (run->step == STEP_PLAIN || run->step == STEP_SMC) {
		fds[(*count)++] =
			(struct pollfd){.fd = run->step == STEP_SMC ? run->smc : run->plain, .events = POLLOUT};
		return false;
	}
	/* What is known of a descriptor is not waited for again. */
	if (!run->smc_closed)
		fds[(*count)++] = (struct pollfd){.fd = run->smc, .events = POLLIN | POLLRDHUP};
	if (!run->plain_closed && !run->plain_spoke)
		fds[(*count)++] = (struct pollfd){.fd = run->plain, .events = POLLIN | POLLRDHUP};
	if (watch_end(run) < *next)
		*next = watch_end(run);
	return false;
}
