/* SPDX-License-Identifier: MIT */
/* doctor --peer: a live handshake with another host, and its offer. */
#include "config.h"

#include "ctl/doctor/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/check/run.h"
#include "ctl/check/show.h"
#include "ctl/smc/reasons.h"

#define LIMIT_US 5000000u
#define OFFER_MS 3000

static int split(const char *text, char host[static TARGET_HOST], uint16_t *port)
{
	char longer[TARGET_HOST + 16];

	if (target_split(text, host, port) == 0)
		return 0;
	/* Without a port, and an IPv6 address without brackets. */
	if (strchr(text, ':') != strrchr(text, ':') && text[0] != '[')
		(void)snprintf(longer, sizeof(longer), "[%s]:%u", text, PEER_PORT);
	else
		(void)snprintf(longer, sizeof(longer), "%s:%u", text, PEER_PORT);
	return target_split(longer, host, port);
}

/* Why it fell back: our reason, or the peer's if we only say that it declined. */
static void add_fallback(struct findings *findings, const char *where, const struct handshake *handshake)
{
	uint32_t code = handshake->peer_reason ? handshake->peer_reason : handshake->reason;
	const struct reason *reason = reason_find(code);

	finding_add(findings, FINDING_PROBLEM, "peer", reason ? reason->remedy : NULL,
		"a connection to %s over SMC fell back to TCP: %s%08" PRIx32 "%s%s: %s", where,
		handshake->peer_reason ? "the peer says " : "", code, reason ? " " : "", reason ? reason->name : "",
		reason ? reason->meaning : "a reason that is not known here");
}

static void add_result(struct findings *findings, const struct target *target)
{
	const struct handshake *handshake = &target->handshake;
	char where[TARGET_TEXT];

	target_text(target, true, where);
	switch (handshake->result) {
	case HANDSHAKE_SMC:
	case HANDSHAKE_SMC_R:
	case HANDSHAKE_SMC_D:
		finding_add(findings, FINDING_OK, "peer", NULL, "a connection to %s is %s", where,
			handshake->result == HANDSHAKE_SMC_R           ? "SMC-R"
				: handshake->result == HANDSHAKE_SMC_D ? "SMC-D"
								       : "SMC");
		break;
	case HANDSHAKE_TCP:
		add_fallback(findings, where, handshake);
		break;
	default:
		finding_add(findings, target->verdict == VERDICT_UNKNOWN ? FINDING_UNKNOWN : FINDING_PROBLEM, "peer",
			verdict_remedy(target->verdict), "%s: %s", where, verdict_meaning(target->verdict));
		break;
	}
}

static int wait_for(int fd, short events, int milliseconds)
{
	struct pollfd ready = {.fd = fd, .events = events};

	return poll(&ready, 1, milliseconds);
}

/* Reads what the program on that port says first, by plain TCP. Returns 0, or -EBADMSG: it is no offer. */
static int read_offer(const struct target *target, struct offer *out)
{
	_cleanup_close_ int fd = socket(target->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	_cleanup_free_ char *text = calloc(1, OFFER_MAX);
	int64_t end = monotonic_ms() + OFFER_MS;
	size_t used = 0;

	if (fd < 0 || !text ||
		(connect(fd, (const struct sockaddr *)&target->to, target->length) < 0 && errno != EINPROGRESS))
		return -EBADMSG;
	while (used < OFFER_MAX - 1) {
		int64_t left = end - monotonic_ms();
		ssize_t n;

		if (left <= 0 || wait_for(fd, POLLIN, (int)left) <= 0)
			return -EBADMSG;
		n = recv(fd, text + used, OFFER_MAX - 1 - used, 0);
		if (n < 0)
			return -EBADMSG;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return offer_parse(text, out);
}

enum ctl_exit peer_check(struct ctl *ctl, struct findings *findings, const char *peer, const struct offer *ours)
{
	const struct run_options options = {.limit = LIMIT_US, .handshake = true};
	struct targets targets = {.item = NULL};
	char host[TARGET_HOST];
	struct offer theirs;
	const char *why;
	uint16_t port;
	int r;

	if (split(peer, host, &port) < 0)
		return ctl_error(ctl, CTL_USAGE, "peer", peer, "not HOST or HOST:PORT");
	r = targets_resolve(&targets, host, port, &why);
	if (r < 0)
		return ctl_error(ctl, CTL_FAILED, "host", host, "%s", r == -ENOENT ? why : strerror(-r));
	r = run_checks(&targets, &options);
	if (r < 0) {
		targets_clear(&targets);
		return ctl_error(ctl, CTL_FAILED, "peer", peer, "%s", strerror(-r));
	}
	for (size_t i = 0; i < targets.count; i++)
		add_result(findings, &targets.item[i]);
	if (targets.count && read_offer(&targets.item[0], &theirs) == 0)
		peer_compare(findings, ours, &theirs);
	else
		finding_add(findings, FINDING_NOTE, "peer", "smcctl doctor --listen there",
			"what %s offers cannot be compared: smcctl doctor does not listen on that port", host);
	targets_clear(&targets);
	return CTL_OK;
}
