/* SPDX-License-Identifier: MIT */
/* Tests of the verdicts: each by a table of what was seen; the statistics; how rarely chance gives an alarm. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/check/judge.h"

#define SAMPLES_MAX 64u

struct samples {
	struct judge_sample item[SAMPLES_MAX];
	size_t count;
};

/*
 * From words: a letter for the kind (p, s, i: unknown identifier, k: unknown kind) and one for the result (a: SYN-ACK after
 * 1 ms, b: after 2 ms, l: after 100 ms, r: RST, n: nothing), and marks: S the option, L its length, T twice, E echo, F foreign, B
 * broken.
 */
static struct samples samples_of(const char *text)
{
	struct samples out = {.count = 0};

	for (const char *p = text; *p; p++) {
		struct judge_sample *sample = &out.item[out.count];

		switch (*p) {
		case ' ':
			continue;
		case 'p':
		case 's':
		case 'i':
		case 'k':
			assert_true(out.count < SAMPLES_MAX);
			sample->kind = (enum syn_kind)(strchr("psik", *p) - "psik");
			break;
		default:
			fail_msg("'%c'", *p);
		}
		p++;
		sample->result = *p == 'r' ? RESULT_RESET : *p == 'n' ? RESULT_LOST : RESULT_SYNACK;
		sample->elapsed = *p == 'a' ? 1000 : *p == 'b' ? 2000 : 100000;
		for (; p[1] && strchr("SLTEFB", p[1]); p++)
			sample->marks |= 1u << (strchr("SLTEFB", p[1]) - "SLTEFB");
		out.count++;
	}
	return out;
}

#define OTHERS " ia ia ka ka "
#define FEW_PAIRS "pa sa pa sa pa sa pa sa pa sa pa sa"
#define SMC_PAIRS "pa saS pa saS pa saS pa saS pa saS pa saS"
#define TEN(text) text text text text text text text text text text
#define TWENTY(text) TEN(text) TEN(text)

static const struct {
	const char *seen;
	enum verdict_path verdict;
	bool settled;
} verdicts[] = {
	{FEW_PAIRS OTHERS, VERDICT_PLAIN, true},
	{SMC_PAIRS OTHERS, VERDICT_SMC, true},
	{SMC_PAIRS, VERDICT_SMC, false},                                       /* an echo has not been excluded */
	{SMC_PAIRS " in in in in in in kn kn kn kn kn kn", VERDICT_SMC, true}, /* ... nor can be */
	{"pa saS pa saS pa saS pa saS pa saS" OTHERS, VERDICT_SMC, false},
	{FEW_PAIRS " pa saS" OTHERS, VERDICT_SMC, true}, /* under a limit of handshakes the option comes now and then */
	{"pa saE pa saS pa saS pa saS pa saS pa saS" OTHERS, VERDICT_SMC, true},
	{SMC_PAIRS " iaE ia ka ka", VERDICT_REPLAYED, true},
	{SMC_PAIRS " ia ia kaE ka", VERDICT_REPLAYED, true},
	{FEW_PAIRS " iaE ia ka ka", VERDICT_REPLAYED, true},
	{SMC_PAIRS " iaS iaS ka ka", VERDICT_CONFLICT, true}, /* the option of SMC for whatever is of kind 254 */
	{SMC_PAIRS " iaF ia ka ka", VERDICT_CONFLICT, true},
	{"paS saS paS saS paS saS paS saS paS saS paS saS" OTHERS, VERDICT_CONFLICT, true}, /* unasked */
	{"paF saF paF saF paF saF paF saF paF saF paF saF" OTHERS, VERDICT_CONFLICT, true},
	{"pa saF pa saF pa saF pa saF pa saF pa saF" OTHERS, VERDICT_CONFLICT, true},
	{"pa saSF pa saSF pa saSF pa saSF pa saSF pa saSF" OTHERS, VERDICT_CONFLICT, true},
	{"pa saL pa saS pa saS pa saS pa saS pa saS" OTHERS, VERDICT_MALFORMED, true},
	{"pa saST pa saS pa saS pa saS pa saS pa saS" OTHERS, VERDICT_MALFORMED, true},
	{"pa saB pa sa pa sa pa sa pa sa pa sa" OTHERS, VERDICT_MALFORMED, true},
	{"paB sa paB sa paB sa paB sa paB sa paB sa" OTHERS, VERDICT_PLAIN, true}, /* not about the option */
	/* With the option no answer: suspicious after six, certain after ten. */
	{"pa sn pa sn pa sn pa sn pa sn pa sn" OTHERS, VERDICT_UNSTEADY, false},
	{"pa sn pa sn pa sn pa sn pa sn pa sn pa sn pa sn pa sn" OTHERS, VERDICT_UNSTEADY, false},
	{TEN("pa sn ") OTHERS, VERDICT_DROPPED, true},
	{TEN("pa sn ") "pa sn pn sn " OTHERS, VERDICT_DROPPED, true},
	{TEN("pa sr ") OTHERS, VERDICT_RESET, true},
	{"pa sr pa sr pa sr pa sr pa sr pa sr" OTHERS, VERDICT_UNSTEADY, false},
	{TEN("pa sl ") OTHERS, VERDICT_LATE, true},
	{"pa sl pa sl pa sl pa sl pa sl pa sl" OTHERS, VERDICT_PLAIN, false},
	{TEN("pa sb ") OTHERS, VERDICT_PLAIN, true}, /* certainly later, by nothing that matters */
	{TEN("pl sa ") OTHERS, VERDICT_PLAIN, true}, /* earlier */
	{TEN("pl sl pa sa ") OTHERS, VERDICT_PLAIN, true},
	/* Losses on both sides are the path's. */
	{"pa sn pn sa pa sa pa sa pn sa pa sn pa sa pn sn" OTHERS, VERDICT_PLAIN, true},
	{"pa sn pa sn pa sn pa sa pa sa pa sa" OTHERS, VERDICT_PLAIN, false}, /* to be looked at longer */
	{"pa sn pa sn pa sa pa sa pa sa pa sa" OTHERS, VERDICT_PLAIN, true},
	{"pa sn pa sn pa sn pa sn pa sn pa saS pa saS pa saS" OTHERS, VERDICT_SMC, false},
	/* Nobody there. */
	{"pr sr pr sr pr sr", VERDICT_REFUSED, true},
	{"pr sr pr sr", VERDICT_UNSTEADY, false},
	{"pr sr pr sr pr sn pn sr", VERDICT_REFUSED, true},
	{"pn sn pn sn pn sn", VERDICT_UNREACHABLE, true},
	{"pn sn pn sn", VERDICT_UNREACHABLE, false},
	{"pr sn pr sn pr sn pr sn pr sn pr sn", VERDICT_UNSTEADY, false},
	{TWENTY("pn sn ") "pa sa", VERDICT_UNSTEADY, true},
	{"", VERDICT_UNREACHABLE, false},
};

static void syns(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct samples samples = samples_of(verdicts[i].seen);
		struct judge_syns out;

		judge_syns(samples.item, samples.count, &out);
		if (out.verdict != verdicts[i].verdict)
			fail_msg("'%s': verdict %d instead of %d, odds %g", verdicts[i].seen, out.verdict,
				verdicts[i].verdict, out.odds);
		if (judge_settled(samples.item, samples.count) != verdicts[i].settled)
			fail_msg("'%s': settled, or not, odds %g", verdicts[i].seen, out.odds);
	}
}

static void counts(void **state)
{
	struct samples samples = samples_of("pa saS pl sr pn sa iaE kr");
	struct judge_syns out;

	(void)state;
	judge_syns(samples.item, samples.count, &out);
	assert_int_equal(out.count[SYN_PLAIN].sent, 3);
	assert_int_equal(out.count[SYN_PLAIN].answered, 2);
	assert_int_equal(out.count[SYN_PLAIN].median, 100000);
	assert_int_equal(out.count[SYN_SMC].answered, 2);
	assert_int_equal(out.count[SYN_SMC].reset, 1);
	assert_int_equal(out.count[SYN_SMC].with_smc, 1);
	assert_int_equal(out.count[SYN_SMC].median, 1000);
	assert_int_equal(out.count[SYN_OTHER_ID].marks, ANSWER_ECHO);
	assert_int_equal(out.count[SYN_OTHER_KIND].reset, 1);
}

static const struct {
	bool asked;
	enum verdict_path syns;
	enum handshake_result handshake;
	uint32_t reason;
	enum handshake_watch watch;
	enum verdict_path verdict;
	enum judge_fit fit;
} paths[] = {
	{true, VERDICT_SMC, HANDSHAKE_SMC_D, 0, WATCH_NONE, VERDICT_SMC, FIT_YES},
	{true, VERDICT_SMC, HANDSHAKE_SMC_R, 0, WATCH_NONE, VERDICT_SMC, FIT_YES},
	{true, VERDICT_SMC, HANDSHAKE_SMC, 0, WATCH_NONE, VERDICT_SMC, FIT_YES},
	{true, VERDICT_SMC, HANDSHAKE_NONE, 0, WATCH_NONE, VERDICT_SMC, FIT_YES},
	{true, VERDICT_SMC, HANDSHAKE_NO_SMC, 0, WATCH_NONE, VERDICT_SMC, FIT_YES},
	{true, VERDICT_SMC, HANDSHAKE_TCP, 0x03030008, WATCH_NONE, VERDICT_DECLINED, FIT_NO},
	{true, VERDICT_SMC, HANDSHAKE_TCP, 0x03010000, WATCH_NONE, VERDICT_DECLINED, FIT_NO},
	{true, VERDICT_SMC, HANDSHAKE_FAILED, 0, WATCH_NONE, VERDICT_BROKEN, FIT_NO},
	{true, VERDICT_SMC, HANDSHAKE_TIMEOUT, 0, WATCH_NONE, VERDICT_BROKEN, FIT_NO},
	{true, VERDICT_PLAIN, HANDSHAKE_TCP, 0x03010000, WATCH_ALIKE, VERDICT_PLAIN, FIT_NO},
	{true, VERDICT_PLAIN, HANDSHAKE_TCP, 0x03010000, WATCH_UNSURE, VERDICT_PLAIN, FIT_NO},
	{true, VERDICT_PLAIN, HANDSHAKE_TCP, 0x03010000, WATCH_STRIPPED, VERDICT_STRIPPED, FIT_NO},
	{true, VERDICT_PLAIN, HANDSHAKE_SMC_D, 0, WATCH_NONE, VERDICT_SMC, FIT_YES},
	{true, VERDICT_PLAIN, HANDSHAKE_REFUSED, 0, WATCH_NONE, VERDICT_REFUSED, FIT_NOBODY},
	/* What the SYNs say against a path stands. */
	{true, VERDICT_REPLAYED, HANDSHAKE_NONE, 0, WATCH_NONE, VERDICT_REPLAYED, FIT_NO},
	{true, VERDICT_LATE, HANDSHAKE_SMC_D, 0, WATCH_NONE, VERDICT_LATE, FIT_NO},
	{true, VERDICT_UNREACHABLE, HANDSHAKE_NONE, 0, WATCH_NONE, VERDICT_UNREACHABLE, FIT_NOBODY},
	{true, VERDICT_UNSTEADY, HANDSHAKE_NONE, 0, WATCH_NONE, VERDICT_UNSTEADY, FIT_NOBODY},
	/* Without SYNs. */
	{false, 0, HANDSHAKE_SMC_R, 0, WATCH_NONE, VERDICT_SMC, FIT_YES},
	{false, 0, HANDSHAKE_TCP, 0x03010000, WATCH_ALIKE, VERDICT_PLAIN, FIT_NO},
	{false, 0, HANDSHAKE_TCP, 0x03010000, WATCH_STRIPPED, VERDICT_STRIPPED, FIT_NO},
	{false, 0, HANDSHAKE_TCP, 0x03030000, WATCH_NONE, VERDICT_DECLINED, FIT_NO},
	{false, 0, HANDSHAKE_FAILED, 0, WATCH_NONE, VERDICT_BROKEN, FIT_NO},
	{false, 0, HANDSHAKE_REFUSED, 0, WATCH_NONE, VERDICT_REFUSED, FIT_NOBODY},
	{false, 0, HANDSHAKE_UNREACHABLE, 0, WATCH_NONE, VERDICT_UNREACHABLE, FIT_NOBODY},
	{false, 0, HANDSHAKE_NO_SMC, 0, WATCH_NONE, VERDICT_UNKNOWN, FIT_UNKNOWN},
	{false, 0, HANDSHAKE_NONE, 0, WATCH_NONE, VERDICT_UNKNOWN, FIT_UNKNOWN},
};

static void whole_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct judge_syns judged = {.verdict = paths[i].syns};
		const struct handshake handshake = {
			.result = paths[i].handshake, .reason = paths[i].reason, .watch = paths[i].watch};
		enum verdict_path verdict = judge_path(paths[i].asked ? &judged : NULL, &handshake);

		if (verdict != paths[i].verdict)
			fail_msg("row %zu: verdict %d instead of %d", i, verdict, paths[i].verdict);
		assert_int_equal(judge_fit(verdict), paths[i].fit);
	}
}

static void odds(void **state)
{
	static const uint32_t low[] = {1, 2, 3, 4, 5};
	static const uint32_t high[] = {6, 7, 8, 9, 10};
	static const uint32_t never[] = {ODDS_NEVER, ODDS_NEVER, ODDS_NEVER, ODDS_NEVER, ODDS_NEVER, ODDS_NEVER};
	static const uint32_t mixed[] = {1, 1, 1, ODDS_NEVER};

	(void)state;
	assert_int_equal(odds_median(low, 5), 3);
	assert_int_equal(odds_median(mixed, 4), 1);
	assert_int_equal(odds_median(never, 5), ODDS_NEVER);
	assert_int_equal(odds_median(low, 0), ODDS_NEVER);
	/* One in "10 choose 5". */
	assert_float_equal(odds_of_above(high, 5, low, 5), 1.0 / 252, 1e-9);
	assert_float_equal(odds_of_above(low, 5, high, 5), 1, 1e-9);
	assert_float_equal(odds_of_above(low, 5, low, 5), 0.738095, 1e-6);
	assert_float_equal(odds_of_above(never, 5, low, 5), 1.0 / 252, 1e-9);
	/* More than half never came: the cut is between those that came and those that did not. 6 of 6 and 1 of 4. */
	assert_float_equal(odds_of_above(never, 6, mixed, 4), 4.0 / 120, 1e-9);
	assert_float_equal(odds_of_above(never, 6, never, 6), 1, 1e-9);
	assert_float_equal(odds_of_above(never, 6, low, 0), 1, 1e-9);
	assert_float_equal(odds_of_above(NULL, 0, low, 5), 1, 1e-9);
}

static uint32_t random_of(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/*
 * Clean paths, as bad as they come: a fifth of the SYNs is lost, repeated once after 200 ms, and delays go from 0 to 100 ms.
 * The check stops when it is settled, as the command does. Of 20,000 none may give an alarm.
 */
static void no_false_alarm(void **state)
{
	uint64_t seed = 1;
	unsigned plain = 0;
	size_t longest = 0;

	(void)state;
	for (unsigned run = 0; run < 20000; run++) {
		struct samples samples = samples_of(OTHERS);
		struct judge_syns out;

		while (samples.count + 2 <= SAMPLES_MAX && !judge_settled(samples.item, samples.count)) {
			for (unsigned i = 0; i < 2; i++) {
				struct judge_sample *sample = &samples.item[samples.count++];
				uint32_t delay = random_of(&seed) % 100000;

				sample->kind = i ? SYN_SMC : SYN_PLAIN;
				sample->result = RESULT_SYNACK;
				sample->elapsed = random_of(&seed) % 5 ? delay : delay + 200000;
				if (sample->elapsed >= 200000 && random_of(&seed) % 5 == 0)
					sample->result = RESULT_LOST;
			}
		}
		judge_syns(samples.item, samples.count, &out);
		plain += out.verdict == VERDICT_PLAIN;
		longest = samples.count > longest ? samples.count : longest;
		if (out.verdict != VERDICT_PLAIN && out.verdict != VERDICT_UNSTEADY)
			fail_msg("run %u: verdict %d, odds %g", run, out.verdict, out.odds);
	}
	assert_true(plain > 19900);
	assert_true(longest <= 2 * JUDGE_PAIRS_MAX + 4);
}

/* Paths that lose a SYN in twenty, with something that adds 250 ms to those with the option: found, nearly always. */
static void found_in_noise(void **state)
{
	uint64_t seed = 2;
	unsigned late = 0;

	(void)state;
	for (unsigned run = 0; run < 1000; run++) {
		struct samples samples = samples_of(OTHERS);
		struct judge_syns out;

		while (samples.count + 2 <= SAMPLES_MAX && !judge_settled(samples.item, samples.count)) {
			for (unsigned i = 0; i < 2; i++) {
				struct judge_sample *sample = &samples.item[samples.count++];

				sample->kind = i ? SYN_SMC : SYN_PLAIN;
				sample->elapsed = random_of(&seed) % 50000 + i * 250000;
				sample->result = random_of(&seed) % 20 ? RESULT_SYNACK : RESULT_LOST;
			}
		}
		judge_syns(samples.item, samples.count, &out);
		late += out.verdict == VERDICT_LATE;
	}
	if (late <= 970)
		fail_msg("%u of 1000", late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syns),
		cmocka_unit_test(counts),
		cmocka_unit_test(whole_paths),
		cmocka_unit_test(odds),
		cmocka_unit_test(no_false_alarm),
		cmocka_unit_test(found_in_noise),
	};

	return cmocka_run_group_tests_name("ctl-judge", tests, NULL, NULL);
}
