/* SPDX-License-Identifier: MIT */
/* What a unit's files say without our drop-in, for settings whose merged value has our own part in it. */
#ifndef SMCSHIM_CTL_SERVICE_UNIT_FILE_H
#define SMCSHIM_CTL_SERVICE_UNIT_FILE_H

#include "ctl/service/unit.h"

enum families_kind {
	FAMILIES_ALL = 0, /* nothing is restricted */
	FAMILIES_ALLOW,
	FAMILIES_DENY,
};

/* The value of RestrictAddressFamilies=. */
struct families {
	enum families_kind kind;
	char *list; /* blank-separated, what is allowed or denied */
};

#define _cleanup_families_ _cleanup_(families_clear)

void families_clear(struct families *families);

bool families_allow(const struct families *families, const char *family);

/* Applies one assignment as systemd's config_parse_address_families() does. Returns 0 or -ENOMEM. */
_must_check_ int families_assign(struct families *families, const char *value);

/* The merged value as systemctl prints it; *out is cleared by the caller. Returns 0 or -ENOMEM. */
_must_check_ int families_of_unit(const struct unit *unit, struct families *out);

/*
 * The assignments of one setting of [Service] in a file's text, in order, with continued lines joined (systemd.syntax(7)).
 * take() gets each value; what it returns below 0 ends the reading. Returns 0, -ENOMEM, or that.
 */
typedef int unit_file_take(void *context, const char *value);
_must_check_ int unit_file_parse(const char *text, const char *setting, unit_file_take *take, void *context);

/* The same of all of the unit's files but our drop-ins, in the order in which they apply. Returns that or -errno. */
_must_check_ int unit_file_own(const struct unit *unit, const char *setting, unit_file_take *take, void *context);

/* RestrictAddressFamilies= of these files; *out is begun by the caller. Returns 0 or -errno. */
_must_check_ int unit_file_families(const struct unit *unit, struct families *out);

/* LD_PRELOAD in Environment= of these files, for the caller to free; NULL if none sets it. Returns 0 or -errno. */
_must_check_ int unit_file_preload(const struct unit *unit, char **out);

/* True if our drop-in is one of those that systemd has loaded. */
bool unit_file_has_drop_in(const struct unit *unit);

/* True if that, or for an instance its template's, has its part in what systemd shows. */
bool unit_file_has_ours(const struct unit *unit);

/*
 * For an instance without a drop-in of ours, whose template has one that systemd has loaded: the unit's is from now on that
 * one. Returns 0 or -ENOMEM.
 */
_must_check_ int unit_file_take_template(struct unit *unit);

#endif
