/* SPDX-License-Identifier: MIT */
/* When which SYN is sent, repeated and given up. */
#include "config.h"

#include "ctl/check/prober.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Pairs, and the SYNs with unknown options beside them. */
#define SHOTS (JUDGE_PAIRS_MAX * 2 + JUDGE_PAIRS_MIN * 2)

/* Microseconds. A SYN that is not answered is sent once more, as TCP would; until then others may go out. */
#define PATIENCE_FIRST 500000u
#define PATIENCE_MIN 50000u
#define REPEAT_MIN 200000u
#define REPEAT_MAX 1000000u

struct shot {
	struct judge_sample sample;
	struct syn syn;
	uint64_t sent;      /* CLOCK_MONOTONIC */
	uint64_t sent_real; /* CLOCK_REALTIME, as the kernel stamps what comes */
	int port;           /* the socket that reserves the port */
	bool repeated;
};

struct prober {
	struct raw raw;
	uint16_t to_port;
	uint64_t deadline;
	uint64_t limit;
	uint32_t longest; /* of the answers to SYNs that were sent once; 0: none yet */
	size_t count;
	bool settled;
	struct shot shot[SHOTS];
	struct prober_seen seen;
};

static uint64_t real_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int prober_new(const struct sockaddr *to, socklen_t length, uint16_t port, uint64_t limit, struct prober **out)
{
	struct prober *prober = calloc(1, sizeof(*prober));
	int r;

	if (!prober)
		return -ENOMEM;
	prober->to_port = port;
	prober->limit = limit;
	r = raw_open(to, length, port, &prober->raw);
	if (r < 0) {
		free(prober);
		return r;
	}
	*out = prober;
	return 0;
}

/* Of a SYN whose answer did not come the peer may hold half a connection for a minute. */
static void take_back(const struct prober *prober, const struct shot *shot)
{
	uint8_t segment[SYN_RESET_SIZE];

	if (shot->port < 0)
		return;
	syn_build_reset(&shot->syn, segment);
	/* One that gets lost costs what no RST would. */
	(void)!raw_send(&prober->raw, segment, sizeof(segment));
	close(shot->port);
}

void prober_free(struct prober *prober)
{
	if (!prober)
		return;
	for (size_t i = 0; i < prober->count; i++)
		take_back(prober, &prober->shot[i]);
	raw_close(&prober->raw);
	free(prober);
}

int prober_fd(const struct prober *prober)
{
	return prober->raw.fd;
}

static uint64_t patience(const struct prober *prober)
{
	uint64_t twice = (uint64_t)prober->longest * 2;

	if (!prober->longest)
		return PATIENCE_FIRST;
	return twice < PATIENCE_MIN ? PATIENCE_MIN : twice;
}

static uint64_t repeat_after(const struct prober *prober)
{
	uint64_t thrice = (uint64_t)prober->longest * 3;

	if (!prober->longest || thrice > REPEAT_MAX)
		return REPEAT_MAX;
	return thrice < REPEAT_MIN ? REPEAT_MIN : thrice;
}

static void set_result(struct shot *shot, enum judge_result result)
{
	shot->sample.result = result;
	/* Our kernel has answered the SYN-ACK with an RST: nothing of it is left at the peer. */
	close(shot->port);
	shot->port = -1;
}

static void take_answer(struct prober *prober, const struct answer *answer, uint64_t when, uint64_t now)
{
	for (size_t i = 0; i < prober->count; i++) {
		struct shot *shot = &prober->shot[i];
		uint64_t elapsed = now - shot->sent;

		/* One that was given up may still be answered. */
		if (shot->syn.from_port != answer->to_port || shot->syn.sequence + 1 != answer->acknowledged ||
			(shot->sample.result != RESULT_PENDING && shot->sample.result != RESULT_LOST))
			continue;
		/* A clock that was set meanwhile is not believed. */
		if (when >= shot->sent_real && when - shot->sent_real < elapsed)
			elapsed = when - shot->sent_real;
		shot->sample.elapsed = elapsed < ODDS_NEVER ? (uint32_t)elapsed : ODDS_NEVER - 1;
		if (!shot->repeated && shot->sample.elapsed >= prober->longest)
			prober->longest = shot->sample.elapsed + 1;
		if (!answer->reset) {
			shot->sample.marks = answer_marks(answer, &shot->syn);
			prober->seen.answer[shot->syn.kind] = *answer;
			prober->seen.asked[shot->syn.kind] = shot->syn;
		}
		set_result(shot, answer->reset ? RESULT_RESET : RESULT_SYNACK);
		return;
	}
}

static void receive(struct prober *prober, uint64_t now)
{
	struct answer answer;
	uint64_t when;
	int r;

	while ((r = raw_receive(&prober->raw, &answer, &when)) != 0) {
		if (r < 0)
			prober->seen.error = r;
		else
			take_answer(prober, &answer, when, now);
	}
}

static void fire(struct prober *prober, struct shot *shot)
{
	uint8_t segment[SYN_MAX];
	int r = raw_send(&prober->raw, segment, syn_build(&shot->syn, segment));

	/* A SYN that our own firewall or routing refuses is lost like any other. */
	if (r < 0)
		prober->seen.error = r;
}

/* Repeats and gives up; returns when the next one of them is due. */
static uint64_t tend(struct prober *prober, uint64_t now)
{
	uint64_t next = UINT64_MAX;
	uint64_t repeat = repeat_after(prober);

	for (size_t i = 0; i < prober->count; i++) {
		struct shot *shot = &prober->shot[i];
		uint64_t due = shot->sent + (shot->repeated ? repeat * 3 : repeat);

		if (shot->sample.result != RESULT_PENDING)
			continue;
		if (now >= due && shot->repeated) {
			/* The port stays ours: an answer may still be on its way. */
			shot->sample.result = RESULT_LOST;
			continue;
		}
		if (now >= due) {
			shot->repeated = true;
			fire(prober, shot);
			due = shot->sent + repeat * 3;
		}
		next = due < next ? due : next;
	}
	return next;
}

/* Pairs, with the option first in every second one, and early on one with an unknown option behind them. */
static enum syn_kind next_kind(const struct prober *prober)
{
	struct judge_syns syns;
	struct judge_sample sample[SHOTS];
	unsigned plain;
	unsigned smc;

	for (size_t i = 0; i < prober->count; i++)
		sample[i] = prober->shot[i].sample;
	judge_syns(sample, prober->count, &syns);
	plain = syns.count[SYN_PLAIN].sent;
	smc = syns.count[SYN_SMC].sent;
	if (plain != smc)
		return plain < smc ? SYN_PLAIN : SYN_SMC;
	/* Where nothing answers, what comes back for unknown options is no question. */
	for (enum syn_kind kind = SYN_OTHER_ID; kind < SYN_KINDS && syns.count[SYN_PLAIN].answered; kind++)
		if (syns.count[kind].sent < plain && syns.count[kind].sent < JUDGE_PAIRS_MIN &&
			syns.count[kind].answered < 3)
			return kind;
	return plain % 2 ? SYN_SMC : SYN_PLAIN;
}

/* Returns 0 or -errno: then there will be no more. */
static int shoot(struct prober *prober, uint64_t now)
{
	struct shot *shot = &prober->shot[prober->count];
	uint32_t random[3];
	int r;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	*shot = (struct shot){.port = -1,
		.sent = now,
		.syn = {.kind = next_kind(prober),
			.ipv6 = prober->raw.ipv6,
			.to_port = prober->to_port,
			.sequence = random[0],
			.clock = random[1]}};
	memcpy(shot->syn.from, prober->raw.from, sizeof(shot->syn.from));
	memcpy(shot->syn.to, prober->raw.to, sizeof(shot->syn.to));
	syn_identifier(random[2], shot->syn.identifier);
	shot->sample.kind = shot->syn.kind;
	r = raw_reserve(&prober->raw, &shot->port, &shot->syn.from_port);
	if (r < 0)
		return r;
	prober->count++;
	shot->sent_real = real_time();
	fire(prober, shot);
	return 0;
}

static bool settled(const struct prober *prober)
{
	struct judge_sample sample[SHOTS];

	for (size_t i = 0; i < prober->count; i++)
		sample[i] = prober->shot[i].sample;
	return judge_settled(sample, prober->count);
}

bool prober_step(struct prober *prober, uint64_t now, uint64_t *next)
{
	const struct shot *last;
	uint64_t free_at;

	if (!prober->deadline)
		prober->deadline = now + prober->limit;
	receive(prober, now);
	*next = tend(prober, now);
	if (now >= prober->deadline)
		return true;
	prober->settled = prober->settled || prober->count == SHOTS || settled(prober);
	last = prober->count ? &prober->shot[prober->count - 1] : NULL;
	free_at = last && last->sample.result == RESULT_PENDING ? last->sent + patience(prober) : now;
	if (!prober->settled && free_at <= now) {
		int r = shoot(prober, now);

		if (r < 0) {
			prober->seen.error = r;
			prober->settled = true;
		}
		free_at = now + patience(prober);
		if (*next == UINT64_MAX)
			*next = free_at;
	}
	/* What is under way is waited for. */
	if (prober->settled && *next == UINT64_MAX)
		return true;
	if (!prober->settled && free_at < *next)
		*next = free_at;
	if (prober->deadline < *next)
		*next = prober->deadline;
	return false;
}

void prober_judge(const struct prober *prober, struct judge_syns *syns, struct prober_seen *seen)
{
	struct judge_sample sample[SHOTS];

	for (size_t i = 0; i < prober->count; i++)
		sample[i] = prober->shot[i].sample;
	judge_syns(sample, prober->count, syns);
	*seen = prober->seen;
}
