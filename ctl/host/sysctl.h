/* SPDX-License-Identifier: MIT */
/* Kernel parameters below /proc/sys: their names, their values field by field, and what is known of those that matter here. */
#ifndef SMCSHIM_CTL_HOST_SYSCTL_H
#define SMCSHIM_CTL_HOST_SYSCTL_H

#include "ctl/host/profile.h"

/*
 * The key as sysctl(8) prints it, from either notation (sysctl.d(5)): if its first separator is a slash, the dots behind it
 * belong to names. False: no key, or one that could leave /proc/sys.
 */
bool sysctl_key(const char *text, char out[static PROFILE_KEY]);

/* The path of such a key below /proc/sys. */
void sysctl_path(const char *key, char out[static PROFILE_KEY]);

/* Fields with one blank between them. False: too long, or bytes that are no text. */
bool sysctl_value(const char *text, char out[static PROFILE_VALUE]);

unsigned sysctl_fields(const char *value);

/* Field by field, numbers as numbers. */
bool sysctl_equal(const char *a, const char *b);

/* Of each field what is larger. False: the two have not the same number of numbers. */
bool sysctl_larger(const char *a, const char *b, char out[static PROFILE_VALUE]);

/* The number in that field, from 0. */
bool sysctl_number(const char *value, unsigned field, int64_t *out);

/* The value in force, normalised. Returns 0 or -errno. */
_must_check_ int sysctl_read(const char *key, char out[static PROFILE_VALUE]);

/* One write(2), as the kernel wants it. Returns 0 or -errno; that the kernel took it, only reading it back says. */
_must_check_ int sysctl_write(const char *key, const char *value);

/* Whether it could be written: 0, or -errno of opening it for that. */
_must_check_ int sysctl_writable(const char *key);

/* What is wrong with the value whatever the host is: "WHY; FIX" in static text, or NULL. */
const char *sysctl_wrong(const char *key, const char *value);

/* What that value does that nobody expects of it, or NULL: not refused. */
const char *sysctl_note(const char *key, const char *value);

/* Why it is harmful to go from one value to the other, or NULL. */
const char *sysctl_danger(const char *key, const char *from, const char *to);

#endif
