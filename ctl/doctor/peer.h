/* SPDX-License-Identifier: MIT */
/* doctor with another host: a live handshake, and both ends' offers side by side. */
#ifndef SMCSHIM_CTL_DOCTOR_PEER_H
#define SMCSHIM_CTL_DOCTOR_PEER_H

#include "ctl/ctl.h"
#include "ctl/doctor/findings.h"
#include "ctl/doctor/offer.h"

/* Where doctor --listen listens if nothing else is said. */
#define PEER_PORT 25443u

/*
 * Connects to HOST or HOST:PORT over SMC, adds what became of it, and if the peer sends an offer, compares it with ours.
 * Returns CTL_OK, or what else it said: the text is wrong, or there is no such host.
 */
enum ctl_exit peer_check(struct ctl *ctl, struct findings *findings, const char *peer, const struct offer *ours);

/* Adds what two offers have in common, and what not. Pure. */
void peer_compare(struct findings *findings, const struct offer *ours, const struct offer *theirs);

/* Listens on that port over SMC and sends our offer to whoever connects, until it is stopped by a signal. */
enum ctl_exit peer_listen(struct ctl *ctl, uint16_t port, const struct offer *ours);

#endif
