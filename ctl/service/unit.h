/* SPDX-License-Identifier: MIT */
/* A unit as the running systemd sees it: what `systemctl show` says. */
#ifndef SMCSHIM_CTL_SERVICE_UNIT_H
#define SMCSHIM_CTL_SERVICE_UNIT_H

#include <sys/types.h>

#include "ctl/ctl.h"
#include "ctl/util.h"

/* The name of our drop-in in UNIT.d. */
#define UNIT_DROP_IN "90-smcctl.conf"

struct unit {
	char *name;      /* its own, not an alias: "redis-server.service", "x@.service" for a template */
	char *text;      /* lines NAME=VALUE, each ended by a NUL */
	size_t size;     /* of text */
	char *directory; /* where its drop-in belongs: .../UNIT.d */
	char *drop_in;   /* directory/UNIT_DROP_IN */
	char *above;     /* of an instance: the template's, which systemd leaves out where there is drop_in; or NULL */
	bool user;       /* of the caller's own systemd */
	bool pattern;    /* name is a template; the values are those of a made-up instance */
};

#define _cleanup_unit_ _cleanup_(unit_clear)

void unit_clear(struct unit *unit);

/*
 * Asks systemd about the service of that name (".service" may be left out). Says what is wrong: a name that none can
 * have, no systemd. CTL_OK with *out filled, for the caller to clear, also when there is no such unit.
 */
_must_check_ enum ctl_exit unit_read(struct ctl *ctl, const char *name, bool user, struct unit *out);

/* CTL_OK, or says that there is no such unit. */
_must_check_ enum ctl_exit unit_must_exist(struct ctl *ctl, const struct unit *unit);

/* The value of a property, "" for one that is empty or not there. */
const char *unit_get(const struct unit *unit, const char *property);

/* Properties that stand in several lines: start with *place = 0; NULL at the end. */
const char *unit_next(const struct unit *unit, const char *property, size_t *place);

/* True if the property is there at all: for lists, systemd leaves out those that restrict nothing. */
bool unit_has(const struct unit *unit, const char *property);

/* True if the property is there and not empty: for all others, which systemd shows empty. */
bool unit_sets(const struct unit *unit, const char *property);

bool unit_is(const struct unit *unit, const char *property, const char *value);

/* One of systemd's programs' verbs on it: "restart". Returns CTL_OK or says why not. */
_must_check_ enum ctl_exit unit_act(struct ctl *ctl, const char *verb, const char *name, bool user);

/* The instances of a template that are loaded: *out, blank-separated, for the caller to free. Returns 0 or -errno. */
_must_check_ int unit_instances(const struct unit *unit, char **out);

/* The services that have a unit file: *out, blank-separated, for the caller to free. Returns 0 or -errno. */
_must_check_ int unit_names(bool user, char **out);

/* The program and the command line in a value of ExecStart; each for the caller to free. 0, -EINVAL or -ENOMEM. */
_must_check_ int unit_command(const char *value, char **path, char **line);

#endif
