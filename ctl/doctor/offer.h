/* SPDX-License-Identifier: MIT */
/* What a host offers of SMC: doctor --listen sends it, doctor --peer compares it with its own. */
#ifndef SMCSHIM_CTL_DOCTOR_OFFER_H
#define SMCSHIM_CTL_DOCTOR_OFFER_H

#include <stdio.h>

#include "ctl/smc/eid.h"
#include "ctl/smc/uapi.h"

enum offer_mode {
	OFFER_SMCR_V1,
	OFFER_SMCR_V2,
	OFFER_SMCD_V1,
	OFFER_SMCD_V2,
	OFFER_LOOPBACK, /* SMC-D of version 2 within one machine */
	OFFER_MODES,
};

struct offer {
	char boot[37]; /* random(4)'s boot_id: tells one machine from another */
	char host[SMC_HOST_SIZE];
	char release[65]; /* of the kernel */
	bool can[OFFER_MODES];
	char eid[EID_ROOM + 1][EID_SIZE]; /* those of the user, and the system's if it is on */
	size_t eids;
	uint64_t send; /* bytes of buffers; 0: not known */
	uint64_t receive;
};

/* An offer as text is at most this long. */
#define OFFER_MAX 8192u

/* boot, host and release of this machine; the rest is empty. */
void offer_begin(struct offer *out);

/* One line of JSON. Returns 0 or -ENOMEM; write errors stay in the stream. */
_must_check_ int offer_print(const struct offer *offer, FILE *stream);

/* Reads what offer_print() wrote; the text may be anything. Returns 0 or -EBADMSG. */
_must_check_ int offer_parse(const char *text, struct offer *out);

/* "SMC-R v2", ... */
const char *offer_mode_text(enum offer_mode mode);

#endif
