/* SPDX-License-Identifier: MIT */
/* The commands of a unit itself, from its files without our drop-in, and what becomes of them there. */
#ifndef SMCSHIM_CTL_SERVICE_EXEC_UNIT_H
#define SMCSHIM_CTL_SERVICE_EXEC_UNIT_H

#include "ctl/service/exec-line.h"
#include "ctl/service/unit.h"

/* The values of ExecStart= that are in force, a line each, for the caller to free; "" without any. Returns 0 or -errno. */
_must_check_ int exec_unit_values(const struct unit *unit, char **out);

/*
 * The lines of a drop-in that has all of these commands supervised, for the caller to free. Returns 0 or -errno; -EINVAL
 * where that cannot be, with *value (for the caller to free) and *why (static text).
 */
_must_check_ int exec_unit_lines(
	const struct unit *unit, const char *smcctl, char **out, char **value, const char **why);

/* Whether the drop-in with that body has commands supervised that are not the unit's any more. Returns 0 or -errno. */
_must_check_ int exec_unit_is_stale(const struct unit *unit, const char *body, bool *stale);

/*
 * Compares what systemd would start before and after: 1 if after is before behind smcctl run, word for word; where before is
 * no measure (it is of such a drop-in, or of files that systemd had not read) only that smcctl is started. 0: it is not. Or
 * -errno.
 */
_must_check_ int exec_unit_verify(const struct unit *before, const struct unit *after, const char *smcctl);

#endif
