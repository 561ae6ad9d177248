/* SPDX-License-Identifier: MIT */
/* Judges what came back for the SYNs, and then the path. */
#include "config.h"

#include "ctl/check/judge.h"

/* So many answers make a pattern; RSTs and silence are those of a port, not of one packet. */
#define FEW 3u

#define MALFORMED_MARKS (ANSWER_SMC_LENGTH | ANSWER_SMC_TWICE | ANSWER_BROKEN)

static size_t gather(const struct judge_sample *sample, size_t count, enum syn_kind kind, uint32_t *elapsed)
{
	size_t n = 0;

	for (size_t i = 0; i < count && n < ODDS_MAX / 2; i++)
		if (sample[i].kind == kind)
			elapsed[n++] = sample[i].result == RESULT_SYNACK ? sample[i].elapsed : ODDS_NEVER;
	return n;
}

static void count_all(const struct judge_sample *sample, size_t count, struct judge_syns *out)
{
	uint32_t plain[ODDS_MAX / 2];
	uint32_t smc[ODDS_MAX / 2];
	size_t plains = gather(sample, count, SYN_PLAIN, plain);
	size_t smcs = gather(sample, count, SYN_SMC, smc);

	*out = (struct judge_syns){.verdict = VERDICT_UNKNOWN};
	for (size_t i = 0; i < count; i++) {
		struct judge_count *c = &out->count[sample[i].kind];

		c->sent++;
		c->reset += sample[i].result == RESULT_RESET;
		if (sample[i].result != RESULT_SYNACK)
			continue;
		c->answered++;
		c->with_smc += (sample[i].marks & ANSWER_SMC) != 0;
		c->marks |= sample[i].marks;
	}
	out->count[SYN_PLAIN].median = odds_median(plain, plains);
	out->count[SYN_SMC].median = odds_median(smc, smcs);
	out->odds = odds_of_above(smc, smcs, plain, plains);
}

/* The medians differ by what somebody would notice. */
static bool is_later(const struct judge_syns *syns)
{
	uint32_t plain = syns->count[SYN_PLAIN].median;
	uint32_t smc = syns->count[SYN_SMC].median;
	uint32_t least = plain / 4 > JUDGE_LATE_MIN ? plain / 4 : JUDGE_LATE_MIN;

	return plain != ODDS_NEVER && smc > plain && smc - plain >= least;
}

static unsigned answered(const struct judge_syns *syns)
{
	unsigned total = 0;

	for (size_t kind = 0; kind < SYN_KINDS; kind++)
		total += syns->count[kind].answered;
	return total;
}

static bool is_refused(const struct judge_syns *syns)
{
	return answered(syns) == 0 && syns->count[SYN_PLAIN].reset >= FEW && syns->count[SYN_SMC].reset > 0;
}

/* What the options of the answers say, if it is anything that must not be. */
static enum verdict_path judge_options(const struct judge_syns *syns)
{
	const struct judge_count *count = syns->count;
	unsigned others = count[SYN_OTHER_ID].marks | count[SYN_OTHER_KIND].marks;

	if (others & ANSWER_ECHO)
		return VERDICT_REPLAYED;
	if (count[SYN_SMC].marks & MALFORMED_MARKS)
		return VERDICT_MALFORMED;
	/* Who answers with the option of SMC where nobody asked for SMC does not mean SMC. */
	if ((others | count[SYN_PLAIN].marks) & (ANSWER_SMC | ANSWER_SMC_LENGTH | ANSWER_FOREIGN))
		return VERDICT_CONFLICT;
	if (count[SYN_SMC].marks & ANSWER_FOREIGN)
		return VERDICT_CONFLICT;
	return VERDICT_UNKNOWN;
}

static enum verdict_path judge_difference(const struct judge_syns *syns)
{
	const struct judge_count *smc = &syns->count[SYN_SMC];

	if (syns->odds > JUDGE_ODDS_ALARM || !is_later(syns))
		return VERDICT_UNKNOWN;
	if (smc->reset * 2 >= smc->sent)
		return VERDICT_RESET;
	return smc->answered * 2 > smc->sent ? VERDICT_LATE : VERDICT_DROPPED;
}

void judge_syns(const struct judge_sample *sample, size_t count, struct judge_syns *out)
{
	const struct judge_count *smc = &out->count[SYN_SMC];

	count_all(sample, count, out);
	out->verdict = judge_options(out);
	if (out->verdict == VERDICT_UNKNOWN)
		out->verdict = judge_difference(out);
	if (out->verdict != VERDICT_UNKNOWN)
		return;
	if (is_refused(out))
		out->verdict = VERDICT_REFUSED;
	else if (answered(out) == 0 && out->count[SYN_PLAIN].reset + smc->reset == 0)
		out->verdict = VERDICT_UNREACHABLE;
	else if (out->count[SYN_PLAIN].answered < FEW || smc->answered < FEW)
		out->verdict = VERDICT_UNSTEADY;
	else
		out->verdict = smc->with_smc ? VERDICT_SMC : VERDICT_PLAIN;
}

/* Whether unknown options come back is known, or was asked often enough. */
static bool others_settled(const struct judge_syns *syns)
{
	const struct judge_count *id = &syns->count[SYN_OTHER_ID];
	const struct judge_count *kind = &syns->count[SYN_OTHER_KIND];

	return (id->answered >= 2 || id->sent >= JUDGE_PAIRS_MIN) &&
		(kind->answered >= 2 || kind->sent >= JUDGE_PAIRS_MIN);
}

bool judge_settled(const struct judge_sample *sample, size_t count)
{
	struct judge_syns syns;
	const struct judge_count *plain = &syns.count[SYN_PLAIN];
	const struct judge_count *smc = &syns.count[SYN_SMC];
	unsigned pairs;

	judge_syns(sample, count, &syns);
	pairs = plain->sent < smc->sent ? plain->sent : smc->sent;
	if (pairs >= JUDGE_PAIRS_MAX || (pairs >= FEW && is_refused(&syns)))
		return true;
	if (pairs < JUDGE_PAIRS_MIN)
		return pairs >= FEW && syns.verdict == VERDICT_UNREACHABLE;
	if (!others_settled(&syns) || plain->answered < FEW)
		return false;
	/* A suspicion is followed until it is proved or gone. */
	if (syns.odds <= JUDGE_ODDS_ALARM)
		return true;
	if (syns.odds <= JUDGE_ODDS_SUSPICION && is_later(&syns))
		return false;
	return smc->answered >= FEW;
}

static enum verdict_path judge_handshake(enum verdict_path clean, const struct handshake *handshake)
{
	switch (handshake->result) {
	case HANDSHAKE_SMC:
	case HANDSHAKE_SMC_R:
	case HANDSHAKE_SMC_D:
		return VERDICT_SMC;
	case HANDSHAKE_TCP:
		if (handshake->watch == WATCH_STRIPPED)
			return VERDICT_STRIPPED;
		/* 0x03010000: SMC_CLC_DECL_PEERNOSMC */
		return clean == VERDICT_PLAIN || (clean == VERDICT_UNKNOWN && handshake->reason == 0x03010000)
			? VERDICT_PLAIN
			: VERDICT_DECLINED;
	case HANDSHAKE_FAILED:
	case HANDSHAKE_TIMEOUT:
		return VERDICT_BROKEN;
	case HANDSHAKE_REFUSED:
		return VERDICT_REFUSED;
	case HANDSHAKE_UNREACHABLE:
		return VERDICT_UNREACHABLE;
	case HANDSHAKE_NONE:
	case HANDSHAKE_NO_SMC:
		break;
	}
	return clean;
}

enum verdict_path judge_path(const struct judge_syns *syns, const struct handshake *handshake)
{
	if (syns && syns->verdict != VERDICT_SMC && syns->verdict != VERDICT_PLAIN)
		return syns->verdict;
	return judge_handshake(syns ? syns->verdict : VERDICT_UNKNOWN, handshake);
}

enum judge_fit judge_fit(enum verdict_path verdict)
{
	switch (verdict) {
	case VERDICT_UNKNOWN:
		return FIT_UNKNOWN;
	case VERDICT_UNREACHABLE:
	case VERDICT_REFUSED:
	case VERDICT_UNSTEADY:
		return FIT_NOBODY;
	case VERDICT_SMC:
		return FIT_YES;
	default:
		return FIT_NO;
	}
}
