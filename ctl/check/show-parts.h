/* SPDX-License-Identifier: MIT */
/* The parts of what is shown of one destination: the SYNs and the handshake. */
#ifndef SMCSHIM_CTL_CHECK_SHOW_PARTS_H
#define SMCSHIM_CTL_CHECK_SHOW_PARTS_H

#include "ctl/check/show.h"
#include "ctl/output.h"

/* Lines, or JSON's keys "syn" and "handshake". */
void show_syns(struct out *out, const struct target *target);
void show_handshake(struct out *out, const struct target *target, bool wanted);

/* Cells of a table: median without and with the option, handshake. */
void show_row(struct out *out, const struct target *target);

#endif
