/* SPDX-License-Identifier: MIT */
/* Units that are to be changed together: all are looked at before the first is touched. */
#ifndef SMCSHIM_CTL_SERVICE_CHANGE_H
#define SMCSHIM_CTL_SERVICE_CHANGE_H

#include "ctl/ctl.h"
#include "ctl/service/drop-in.h"
#include "ctl/service/unit.h"

/* One unit on its way. */
struct change {
	struct unit unit;
	struct drop_in before;
	char *body;     /* of the drop-in to be */
	bool supervise; /* it replaces the unit's commands */
	bool done;
	bool failed; /* said; it is left out of the rest */
};

struct changes {
	struct ctl *ctl;
	struct change *item;
	size_t count;
	bool user;
	bool force;
};

void changes_clear(struct changes *changes);

typedef enum ctl_exit changes_plan(struct changes *changes, struct change *change, const void *context);

/*
 * Finds the units that are named and what there is of ours; refuses drop-ins that are not as we wrote them, unless
 * forced. plan (or NULL) then looks at each. Says what is wrong.
 */
_must_check_ enum ctl_exit changes_begin(
	struct changes *changes, const struct ctl_args *args, changes_plan *plan, const void *context);

/* The sentence about an error of the functions of drop-in.h. Returns the exit code for it. */
enum ctl_exit changes_file_error(struct ctl *ctl, const char *path, int error);

/* Has systemd read its files again. CTL_OK, or CTL_PARTLY and why not. */
_must_check_ enum ctl_exit changes_reload(struct changes *changes);

/* Restarts what runs, if asked to, and says of each unit that has not failed what was done and what it is now. */
_must_check_ enum ctl_exit changes_finish(struct changes *changes, const char *did, const char *nothing, bool restarts);

#endif
