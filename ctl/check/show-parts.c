/* SPDX-License-Identifier: MIT */
/* The evidence: how many SYNs were answered, when, with which options; what the handshake came to. */
#include "config.h"

#include "ctl/check/show-parts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/smc/reasons.h"
#include "ctl/smc/sockets-show.h"

#define HEX_MAX (2u * ANSWER_OPTIONS + 1u)
#define TEXT_MAX 400u

static const struct {
	const char *key;
	const char *title;
} kinds[SYN_KINDS] = {
	[SYN_PLAIN] = {"without_option", "Without"},
	[SYN_SMC] = {"with_option", "With option"},
	[SYN_OTHER_ID] = {"unknown_identifier", "Unknown id"},
	[SYN_OTHER_KIND] = {"unknown_kind", "Unknown kind"},
};

static const char *hex(const uint8_t *bytes, size_t size, char out[static HEX_MAX])
{
	out[0] = '\0';
	for (size_t i = 0; i < size && i < ANSWER_OPTIONS; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return out;
}

/* The option of a SYN, without the NOPs before it. */
static const char *sent_hex(enum syn_kind kind, const struct syn *asked, char out[static HEX_MAX])
{
	uint8_t option[SYN_OPTION_LENGTH] = {
		kind == SYN_OTHER_KIND ? SYN_OPTION_OTHER_KIND : SYN_OPTION_KIND, SYN_OPTION_LENGTH};

	memcpy(option + 2, kind == SYN_SMC ? syn_smc_identifier : asked->identifier, SYN_IDENTIFIER);
	return hex(option, sizeof(option), out);
}

static const char *time_text(uint32_t microseconds, char *text, size_t size)
{
	if (microseconds == ODDS_NEVER)
		return NULL;
	(void)snprintf(text, size, "%" PRIu32 ".%02" PRIu32 " ms", microseconds / 1000, microseconds % 1000 / 10);
	return text;
}

static void put_kind_json(struct out *out, const struct target *target, enum syn_kind kind)
{
	const struct judge_count *count = &target->syns.count[kind];
	const struct answer *answer = &target->seen.answer[kind];
	char text[HEX_MAX];

	out_object(out, kinds[kind].key, NULL);
	out_uint(out, "sent", NULL, count->sent);
	out_uint(out, "answered", NULL, count->answered);
	out_uint(out, "reset", NULL, count->reset);
	out_uint(out, "answered_with_smc", NULL, count->with_smc);
	if (kind == SYN_PLAIN || kind == SYN_SMC) {
		if (count->median == ODDS_NEVER)
			out_null(out, "median_us", NULL);
		else
			out_uint(out, "median_us", NULL, count->median);
	}
	if (kind == SYN_PLAIN)
		out_null(out, "option", NULL);
	else
		out_optional(out, "option", NULL,
			kind == SYN_SMC || count->answered ? sent_hex(kind, &target->seen.asked[kind], text) : NULL);
	out_optional(out, "options_seen", NULL, hex(answer->options, answer->options_size, text));
	out_close(out);
}

static void put_kind_text(struct out *out, const struct target *target, enum syn_kind kind)
{
	const struct judge_count *count = &target->syns.count[kind];
	const struct answer *answer = &target->seen.answer[kind];
	char text[TEXT_MAX];
	char part[HEX_MAX];
	size_t used = 0;

	if (!count->sent)
		return;
	used += (size_t)snprintf(text, sizeof(text), "%u of %u SYNs answered", count->answered, count->sent);
	if (count->reset)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ", %u with an RST", count->reset);
	if (kind == SYN_PLAIN || kind == SYN_SMC) {
		const char *median = time_text(count->median, part, sizeof(part));

		used += (size_t)snprintf(text + used, sizeof(text) - used, ", median %s", median ? median : "never");
	}
	if (kind != SYN_PLAIN && (kind == SYN_SMC || count->answered))
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "; sent %s", sent_hex(kind, &target->seen.asked[kind], part));
	if (count->answered)
		(void)snprintf(text + used, sizeof(text) - used, "%s seen %s", kind == SYN_PLAIN ? ";" : ",",
			answer->options_size ? hex(answer->options, answer->options_size, part) : "no options");
	out_string(out, NULL, kinds[kind].title, text);
}

void show_syns(struct out *out, const struct target *target)
{
	static const enum syn_kind order[] = {SYN_SMC, SYN_PLAIN, SYN_OTHER_ID, SYN_OTHER_KIND};
	int error = target->syn_error ? target->syn_error : target->seen.error;
	bool refused = !target->syns_judged;

	if (!out_is_json(out)) {
		if (refused)
			out_string(out, NULL, "SYNs",
				"not sent: raw sockets take root's rights (CAP_NET_RAW); the path is judged by the "
				"handshake "
				"alone");
		for (size_t i = 0; i < SYN_KINDS && !refused; i++)
			put_kind_text(out, target, order[i]);
		if (error && !refused)
			out_string(out, NULL, "Network said", strerror(-error));
		return;
	}
	out_object(out, "syn", NULL);
	out_bool(out, "permitted", NULL, !refused);
	out_optional(out, "error", NULL, error ? strerror(-error) : NULL);
	for (size_t i = 0; i < SYN_KINDS && !refused; i++)
		put_kind_json(out, target, order[i]);
	out_close(out);
}

static const char *watch_key(enum handshake_watch watch)
{
	static const char *const keys[] = {
		[WATCH_NONE] = NULL, [WATCH_ALIKE] = "alike", [WATCH_STRIPPED] = "stripped", [WATCH_UNSURE] = "unsure"};

	return keys[watch];
}

static const char *watch_text(enum handshake_watch watch)
{
	static const char *const texts[] = {
		[WATCH_NONE] = "not watched for 7.5 s, so that the option may be taken out of the SYN-ACK on the way",
		[WATCH_ALIKE] = "left alone as one of plain TCP is: the peer waits for no handshake",
		[WATCH_STRIPPED] =
			"closed by the peer, which left the one of plain TCP open: it waited for a handshake",
		[WATCH_UNSURE] = "closed by the peer, as the one of plain TCP was"};

	return texts[watch];
}

static void reason_line(struct out *out, const char *who, uint32_t code)
{
	const struct reason *reason = reason_find(code);
	char text[TEXT_MAX];

	if (!code)
		return;
	if (reason)
		(void)snprintf(text, sizeof(text), "%08" PRIx32 " %s: %s; %s", code, reason->name, reason->meaning,
			reason->remedy);
	else
		(void)snprintf(text, sizeof(text), "%08" PRIx32, code);
	out_string(out, NULL, who, text);
}

static void put_handshake_text(struct out *out, const struct target *target, bool wanted)
{
	const struct handshake *handshake = &target->handshake;
	char when[40];
	char text[TEXT_MAX];

	(void)time_text(handshake->elapsed, when, sizeof(when));
	switch (handshake->result) {
	case HANDSHAKE_NONE:
		(void)snprintf(text, sizeof(text), "not done: %s",
			!wanted                    ? "--no-handshake"
				: handshake->error ? strerror(-handshake->error)
						   : "what is known already tells enough");
		break;
	case HANDSHAKE_NO_SMC:
		(void)snprintf(text, sizeof(text), "not done: this host has no SMC (%s)", strerror(-handshake->error));
		break;
	case HANDSHAKE_SMC:
	case HANDSHAKE_SMC_R:
	case HANDSHAKE_SMC_D:
		(void)snprintf(text, sizeof(text), "%s in %s",
			handshake->result == HANDSHAKE_SMC_R           ? "SMC-R"
				: handshake->result == HANDSHAKE_SMC_D ? "SMC-D"
								       : "SMC",
			when);
		break;
	case HANDSHAKE_TCP:
		(void)snprintf(text, sizeof(text), "TCP in %s", when);
		break;
	default:
		(void)snprintf(
			text, sizeof(text), "%s: %s", handshake_key(handshake->result), strerror(-handshake->error));
		break;
	}
	out_string(out, NULL, "Handshake", text);
	if (handshake->result != HANDSHAKE_TCP)
		return;
	reason_line(out, "Reason", handshake->reason);
	reason_line(out, "Peer said", handshake->peer_reason);
	if (target->verdict == VERDICT_PLAIN || target->verdict == VERDICT_STRIPPED)
		out_string(out, NULL, "Afterwards", watch_text(handshake->watch));
}

void show_handshake(struct out *out, const struct target *target, bool wanted)
{
	const struct handshake *handshake = &target->handshake;
	bool done = handshake->result != HANDSHAKE_NONE && handshake->result != HANDSHAKE_NO_SMC;

	if (!out_is_json(out)) {
		put_handshake_text(out, target, wanted);
		return;
	}
	out_object(out, "handshake", NULL);
	out_string(out, "result", NULL, handshake_key(handshake->result));
	if (done)
		out_uint(out, "elapsed_us", NULL, handshake->elapsed);
	else
		out_null(out, "elapsed_us", NULL);
	out_optional(out, "error", NULL, handshake->error ? strerror(-handshake->error) : NULL);
	sockets_put_reason(out, "reason", handshake->reason);
	sockets_put_reason(out, "peer_reason", handshake->peer_reason);
	out_optional(out, "afterwards", NULL, watch_key(handshake->watch));
	out_close(out);
}

void show_row(struct out *out, const struct target *target)
{
	char text[40];

	out_optional(out, NULL, "WITHOUT",
		target->syns_judged ? time_text(target->syns.count[SYN_PLAIN].median, text, sizeof(text)) : NULL);
	out_optional(out, NULL, "WITH",
		target->syns_judged ? time_text(target->syns.count[SYN_SMC].median, text, sizeof(text)) : NULL);
	out_optional(out, NULL, "HANDSHAKE",
		target->handshake.result == HANDSHAKE_NONE ? NULL : handshake_key(target->handshake.result));
}
