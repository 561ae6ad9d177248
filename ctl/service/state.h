/* SPDX-License-Identifier: MIT */
/* Whether a unit is accelerated now: what was asked for, against what its processes are. */
#ifndef SMCSHIM_CTL_SERVICE_STATE_H
#define SMCSHIM_CTL_SERVICE_STATE_H

#include "ctl/service/drop-in.h"
#include "ctl/service/processes.h"
#include "ctl/service/unit.h"

enum state_kind {
	STATE_NOT_ENABLED = 0,
	STATE_NOT_RUNNING,  /* enabled */
	STATE_ACCELERATED,  /* the library is in the main process, by the drop-in or otherwise */
	STATE_TCP,          /* it is, and all is TCP */
	STATE_RESTART,      /* enabled, and started before that */
	STATE_RESTART_AWAY, /* no more enabled, and started before that */
	STATE_RELOAD,       /* systemd has not read the drop-in yet */
	STATE_STALE,        /* the drop-in has a command supervised that the unit has changed since */
	STATE_KEPT_OUT,     /* enabled, started since, and without the library */
	STATE_UNKNOWN,      /* we may not look */
};

struct service_state {
	enum state_kind kind;
	const char *why; /* static text, or text; "" where the kind says all */
	char *text;
};

#define _cleanup_state_ _cleanup_(state_clear)

void state_clear(struct service_state *state);

/* What it comes to. Returns 0 with *out filled, or -errno; cleared by the caller. */
_must_check_ int state_find(const struct unit *unit, const struct drop_in *drop_in, const struct processes *processes,
	struct service_state *out);

/* Makes an accelerated one STATE_TCP if its policy or its sockets say so. Returns 0 or -ENOMEM. */
_must_check_ int state_prove(
	const struct processes *processes, const struct service_sockets *sockets, struct service_state *state);

const char *state_text(enum state_kind kind); /* for people */
const char *state_key(enum state_kind kind);  /* for JSON */

#endif
