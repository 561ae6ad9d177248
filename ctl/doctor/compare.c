/* SPDX-License-Identifier: MIT */
/* Compares what two hosts offer. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "ctl/doctor/peer.h"

#define MODES_TEXT 120u

/* True if the two could use that mode between them. */
static bool reaches(const struct offer *a, const struct offer *b, enum offer_mode mode)
{
	bool same_machine = a->boot[0] && strcmp(a->boot, b->boot) == 0;

	return a->can[mode] && b->can[mode] && (mode != OFFER_LOOPBACK || same_machine);
}

/* A list of the modes that a host can serve, or those that two have in common (b not NULL). */
static void list_modes(const struct offer *a, const struct offer *b, char out[static MODES_TEXT])
{
	size_t used = 0;

	out[0] = '\0';
	for (int i = 0; i < OFFER_MODES; i++) {
		if (b ? !reaches(a, b, (enum offer_mode)i) : !a->can[i])
			continue;
		used += (size_t)snprintf(
			out + used, MODES_TEXT - used, "%s%s", used ? ", " : "", offer_mode_text((enum offer_mode)i));
	}
	if (!used)
		(void)snprintf(out, MODES_TEXT, "nothing");
}

static const char *common_eid(const struct offer *a, const struct offer *b)
{
	for (size_t i = 0; i < a->eids; i++)
		for (size_t k = 0; k < b->eids; k++)
			if (strcmp(a->eid[i], b->eid[k]) == 0)
				return a->eid[i];
	return NULL;
}

static bool needs_eid(const struct offer *a, const struct offer *b)
{
	return reaches(a, b, OFFER_SMCR_V2) || reaches(a, b, OFFER_SMCD_V2) || reaches(a, b, OFFER_LOOPBACK);
}

static bool needs_no_eid(const struct offer *a, const struct offer *b)
{
	return reaches(a, b, OFFER_SMCR_V1) || reaches(a, b, OFFER_SMCD_V1);
}

static void compare_eids(struct findings *findings, const struct offer *ours, const struct offer *theirs)
{
	const char *common = common_eid(ours, theirs);

	if (common)
		finding_add(findings, FINDING_OK, "peer", NULL, "both hosts have the EID %s", common);
	else if (needs_eid(ours, theirs))
		finding_add(findings, needs_no_eid(ours, theirs) ? FINDING_WARNING : FINDING_PROBLEM, "peer",
			"smcctl eid ensure NAME, the same on both hosts",
			"the hosts have no EID in common (here %s, there %s): no version 2 of SMC between them",
			ours->eids ? ours->eid[0] : "none", theirs->eids ? theirs->eid[0] : "none");
}

void peer_compare(struct findings *findings, const struct offer *ours, const struct offer *theirs)
{
	char here[MODES_TEXT];
	char there[MODES_TEXT];
	char both[MODES_TEXT];

	list_modes(ours, NULL, here);
	list_modes(theirs, NULL, there);
	list_modes(ours, theirs, both);
	if (strcmp(both, "nothing") == 0)
		finding_add(findings, FINDING_PROBLEM, "peer", "see smcctl device list on both hosts",
			"%s (Linux %s) and this host serve no kind of SMC in common: here %s, there %s", theirs->host,
			theirs->release, here, there);
	else
		finding_add(findings, FINDING_OK, "peer", NULL, "%s (Linux %s) and this host both serve %s",
			theirs->host, theirs->release, both);
	compare_eids(findings, ours, theirs);
	if (ours->send != theirs->send || ours->receive != theirs->receive)
		finding_add(findings, FINDING_NOTE, "peer", "the same \"buffers\" in both policies",
			"buffers differ (send, receive): here %" PRIu64 " and %" PRIu64 " KiB, there %" PRIu64
			" and %" PRIu64 " KiB",
			ours->send / 1024, ours->receive / 1024, theirs->send / 1024, theirs->receive / 1024);
}
