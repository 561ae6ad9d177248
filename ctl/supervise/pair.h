/* SPDX-License-Identifier: MIT */
/* The two processes that hold the listener: one serves, the other guards; each starts the other anew when it is killed. */
#ifndef SMCSHIM_CTL_SUPERVISE_PAIR_H
#define SMCSHIM_CTL_SUPERVISE_PAIR_H

#include "ctl/supervise/shared.h"

/* The calling process becomes the guardian. Tells the socket when both serve, and ends with the last supervised process. */
_Noreturn void pair_run(int listener, int socket, struct shared *shared);

/* ---- serve.c ---- */

/* Said to smcctl status: preload/counters.h. */
extern int smcshim_serving;

/*
 * Answers calls until the last supervised process has ended. other is a pidfd of the guardian; when it has ended, again()
 * gives the next one, or -1: it is asked again a second later.
 */
void serve(int listener, struct shared *shared, int other, int (*again)(int listener, struct shared *shared));

#endif
