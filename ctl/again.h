/* SPDX-License-Identifier: MIT */
/* --watch: a look at something, again and again. */
#ifndef SMCSHIM_CTL_AGAIN_H
#define SMCSHIM_CTL_AGAIN_H

#include <stdint.h>

#include "ctl/ctl.h"

typedef enum ctl_exit again_look(struct ctl *ctl, const void *arg);

/*
 * The interval that watch asks for, the value of the option --watch[=SECONDS]: 0 (once) for NULL, 2 without a number.
 * Says what is wrong with it.
 */
enum ctl_exit again_seconds(struct ctl *ctl, const char *watch, uint64_t *seconds);

/*
 * Calls look once, or for seconds other than 0 every so many seconds, until it fails or the output does: on a cleared
 * terminal, else with an empty line between (not for JSON).
 */
enum ctl_exit again_run(struct ctl *ctl, uint64_t seconds, bool json, again_look *look, const void *arg);

#endif
