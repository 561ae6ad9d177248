/* SPDX-License-Identifier: MIT */
/* Counts SMC sockets by mode and reason; and how a reason is written. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "ctl/output.h"
#include "ctl/smc/reasons.h"
#include "ctl/smc/sockets-show.h"

struct reason_count {
	uint32_t reason;
	uint32_t peer_reason;
	uint64_t sockets;
};

struct summary {
	uint64_t mode[MODE_COUNT];
	struct reason_count *reason;
	size_t reasons;
	size_t room;
};

void sockets_put_reason(struct out *out, const char *key, uint32_t code)
{
	const struct reason *reason = reason_find(code);
	char text[16];

	if (!code) {
		out_null(out, key, NULL);
		return;
	}
	(void)snprintf(text, sizeof(text), "%08" PRIx32, code);
	out_object(out, key, NULL);
	out_string(out, "code", NULL, text);
	if (reason) {
		out_string(out, "name", NULL, reason->name);
		out_string(out, "meaning", NULL, reason->meaning);
		out_string(out, "remedy", NULL, reason->remedy);
	} else {
		out_null(out, "name", NULL);
		out_null(out, "meaning", NULL);
		out_null(out, "remedy", NULL);
	}
	out_close(out);
}

void sockets_note_reason(struct out *out, const char *who, uint32_t code)
{
	const struct reason *reason = reason_find(code);

	if (reason)
		out_note(out, "%s: %08" PRIx32 " %s: %s; %s", who, code, reason->name, reason->meaning, reason->remedy);
	else if (code)
		out_note(out, "%s: %08" PRIx32 ": a reason that this smcctl does not know", who, code);
}

static int count_reason(struct summary *summary, const struct diag_smc *smc)
{
	for (size_t i = 0; i < summary->reasons; i++) {
		if (summary->reason[i].reason == smc->reason && summary->reason[i].peer_reason == smc->peer_reason) {
			summary->reason[i].sockets++;
			return 0;
		}
	}
	if (summary->reasons == summary->room) {
		size_t room = summary->room ? summary->room * 2 : 8;
		struct reason_count *larger = realloc(summary->reason, room * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		summary->reason = larger;
		summary->room = room;
	}
	summary->reason[summary->reasons++] =
		(struct reason_count){.reason = smc->reason, .peer_reason = smc->peer_reason, .sockets = 1};
	return 0;
}

/* The most frequent first. */
static int compare_counts(const void *a, const void *b)
{
	const struct reason_count *x = a;
	const struct reason_count *y = b;

	if (x->sockets != y->sockets)
		return x->sockets > y->sockets ? -1 : 1;
	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	return (x->peer_reason > y->peer_reason) - (x->peer_reason < y->peer_reason);
}

static int count(const struct sockets_view *view, struct summary *summary)
{
	const struct sockets *sockets = view->sockets;
	int r = 0;

	for (size_t i = 0; i < sockets->count && r == 0; i++) {
		const struct socket_entry *entry = &sockets->item[i];

		if (!socket_filter_holds(view->filter, sockets, entry))
			continue;
		summary->mode[entry->mode]++;
		if (entry->mode == MODE_TCP)
			r = count_reason(summary, &entry->smc);
	}
	if (summary->reasons)
		qsort(summary->reason, summary->reasons, sizeof(*summary->reason), compare_counts);
	return r;
}

static void put_modes(struct out *out, const struct summary *summary)
{
	static const char *const titles[MODE_COUNT] = {
		[MODE_NONE] = "none yet", [MODE_SMC_R] = "SMC-R", [MODE_SMC_D] = "SMC-D", [MODE_TCP] = "TCP"};

	out_object(out, "modes", NULL);
	for (size_t i = 0; i < MODE_COUNT; i++)
		out_uint(out, socket_mode_key((enum socket_mode)i), titles[i], summary->mode[i]);
	out_close(out);
}

static void put_code(struct out *out, const char *title, uint32_t code)
{
	const struct reason *reason = reason_find(code);
	char text[48];

	if (!code) {
		out_null(out, NULL, title);
		return;
	}
	(void)snprintf(text, sizeof(text), "%08" PRIx32 "%s%s", code, reason ? " " : "", reason ? reason->name : "");
	out_string(out, NULL, title, text);
}

static void put_reasons(struct out *out, const struct summary *summary)
{
	out_list(out, "reasons", NULL);
	for (size_t i = 0; i < summary->reasons; i++) {
		const struct reason_count *reason = &summary->reason[i];

		out_object(out, NULL, NULL);
		out_uint(out, "sockets", "SOCKETS", reason->sockets);
		put_code(out, "TCP, BECAUSE", reason->reason);
		put_code(out, "THE PEER SAID", reason->peer_reason);
		sockets_put_reason(out, "reason", reason->reason);
		sockets_put_reason(out, "peer_reason", reason->peer_reason);
		if (!out_is_json(out)) {
			sockets_note_reason(out, "TCP, because", reason->reason);
			sockets_note_reason(out, "the peer said", reason->peer_reason);
		}
		out_close(out);
	}
	out_close(out);
}

int sockets_summarise(const struct sockets_view *view, FILE *stream)
{
	struct summary summary = {.reason = NULL};
	struct out *out;
	int r = out_begin(stream, view->json, &out);

	if (r < 0)
		return r;
	r = count(view, &summary);
	put_modes(out, &summary);
	put_reasons(out, &summary);
	free(summary.reason);
	return out_end(out) < 0 ? -ENOMEM : r;
}
