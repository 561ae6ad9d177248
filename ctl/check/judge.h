/* SPDX-License-Identifier: MIT */
/* From what was seen on a path to the verdict whether it is fit for SMC. Pure: no sockets, no clock, no text for people. */
#ifndef SMCSHIM_CTL_CHECK_JUDGE_H
#define SMCSHIM_CTL_CHECK_JUDGE_H

#include "ctl/check/answer.h"
#include "ctl/check/odds.h"

enum judge_result {
	RESULT_PENDING = 0,
	RESULT_LOST,
	RESULT_SYNACK,
	RESULT_RESET,
};

/* One SYN, repeated or not, and what became of it. */
struct judge_sample {
	enum syn_kind kind;
	enum judge_result result;
	uint32_t elapsed; /* microseconds from the first sending to the answer */
	unsigned marks;   /* of a SYN-ACK: ANSWER_* */
};

enum verdict_path {
	VERDICT_UNKNOWN = 0, /* nothing was permitted, or possible */
	VERDICT_UNREACHABLE, /* no answer to any SYN */
	VERDICT_REFUSED,     /* nobody listens there */
	VERDICT_UNSTEADY,    /* too few answers to tell */
	VERDICT_SMC,         /* fit */
	VERDICT_PLAIN,       /* clean; the peer does not say that it speaks SMC */
	VERDICT_DECLINED,    /* clean; both speak SMC, and ended in TCP */
	VERDICT_REPLAYED,    /* options that nobody knows come back */
	VERDICT_CONFLICT,    /* somebody else uses the kind of the option, or its identifier is changed */
	VERDICT_MALFORMED,   /* the option comes back with a wrong length, twice, or in broken options */
	VERDICT_DROPPED,     /* a SYN with the option gets no answer */
	VERDICT_RESET,       /* a SYN with the option gets an RST */
	VERDICT_LATE,        /* a SYN with the option is answered later */
	VERDICT_STRIPPED,    /* the option is taken out of the SYN-ACK of a peer that speaks SMC */
	VERDICT_BROKEN,      /* all looks well, and the handshake of SMC fails */
	VERDICT_COUNT,
};

/* Of one kind of SYN; medians over all of them, those without a SYN-ACK count as ODDS_NEVER. */
struct judge_count {
	unsigned sent;
	unsigned answered; /* by a SYN-ACK */
	unsigned reset;
	unsigned with_smc; /* answered with ANSWER_SMC */
	unsigned marks;    /* of all answers together */
	uint32_t median;
};

struct judge_syns {
	enum verdict_path verdict;
	struct judge_count count[SYN_KINDS];
	double odds; /* odds_of_above() of the SYNs with the option against those without */
};

/* How many pairs of SYNs it takes at least, and at most when the first ones leave a suspicion. */
#define JUDGE_PAIRS_MIN 6u
#define JUDGE_PAIRS_MAX 20u
/* Below that, chance is no explanation: fewer than one false alarm in 100,000 checks. */
#define JUDGE_ODDS_ALARM 1e-5
#define JUDGE_ODDS_SUSPICION 0.5
/* A SYN is late when its answer is by that much later: a quarter of the time without the option, 5 ms at least. */
#define JUDGE_LATE_MIN 5000u

/* Judges the SYNs alone; pending ones count as lost. VERDICT_UNREACHABLE ... VERDICT_LATE without VERDICT_DECLINED. */
void judge_syns(const struct judge_sample *sample, size_t count, struct judge_syns *out);

/* True when more SYNs would not change the verdict, or are not worth it. */
bool judge_settled(const struct judge_sample *sample, size_t count);

enum handshake_result {
	HANDSHAKE_NONE = 0, /* was not done */
	HANDSHAKE_NO_SMC,   /* this host has no SMC */
	HANDSHAKE_SMC,      /* the connection is SMC; of which kind, the diagnosis of the kernel does not say */
	HANDSHAKE_SMC_R,
	HANDSHAKE_SMC_D,
	HANDSHAKE_TCP,         /* fell back */
	HANDSHAKE_FAILED,      /* connect() failed, where one of plain TCP did not */
	HANDSHAKE_TIMEOUT,     /* did not end in time */
	HANDSHAKE_REFUSED,     /* plain TCP was refused, too */
	HANDSHAKE_UNREACHABLE, /* plain TCP came to nothing, too */
};

/* What a connection that fell back for want of the option does beside one of plain TCP, both silent. */
enum handshake_watch {
	WATCH_NONE = 0, /* was not done, or not long enough */
	WATCH_ALIKE,
	WATCH_STRIPPED, /* the peer waits for a handshake of SMC, and closes */
	WATCH_UNSURE,   /* the peer closes both */
};

struct handshake {
	enum handshake_result result;
	enum handshake_watch watch;
	int error; /* -errno of the connect(), or of what kept it from being done */
	uint32_t reason;
	uint32_t peer_reason;
	uint32_t elapsed; /* microseconds */
};

/* The verdict over all; syns NULL: they were not permitted. */
enum verdict_path judge_path(const struct judge_syns *syns, const struct handshake *handshake);

enum judge_fit {
	FIT_UNKNOWN = 0, /* could not be judged */
	FIT_NOBODY,      /* no answer: nothing to judge */
	FIT_YES,
	FIT_NO,
};

enum judge_fit judge_fit(enum verdict_path verdict);

#endif
