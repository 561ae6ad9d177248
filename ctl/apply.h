/* SPDX-License-Identifier: MIT */
/* From a policy file to the table in force; what policy apply, policy watch and run --policy have in common. */
#ifndef SMCSHIM_CTL_APPLY_H
#define SMCSHIM_CTL_APPLY_H

#include "ctl/ctl.h"
#include "ctl/paths.h"
#include "ctl/probe.h"
#include "policy/policy.h"
#include "policy/store.h"

struct apply_result {
	struct paths paths;
	enum policy_state state;
	bool changed; /* false: this very policy was in force already */
	size_t rules;
	size_t cidrs;
	uint32_t buffers;   /* bytes; 0: the kernel's own */
	struct probe probe; /* .kernel: what the table says of the kernel */
};

enum apply_mode {
	APPLY_ALWAYS, /* look at everything again */
	APPLY_QUICK, /* a table that fits the file's digest and the kernel is left alone, nothing is parsed or probed */
};

void apply_result_clear(struct apply_result *result);
#define _cleanup_apply_result_ _cleanup_(apply_result_clear)

/*
 * Parses, validates, compiles, probes and publishes; file NULL: the default one. Errors are said on ctl->err.
 * Returns CTL_OK with *out filled, for the caller to clear.
 */
_must_check_ enum ctl_exit apply_policy(
	struct ctl *ctl, const char *file, enum apply_mode mode, struct apply_result *out);

/*
 * Says what keeps a policy in force from doing all that it says: no SMC, state off or observe, a limit of the kernel below
 * its buffers (net/core/sock.c, sk_setsockopt). True if nothing of it is done.
 */
bool apply_warn(struct ctl *ctl, const struct apply_result *result);

/* ---- the steps, each of which says its error on ctl->err ---- */

_must_check_ enum ctl_exit apply_find(struct ctl *ctl, const char *file, struct paths *out);

_must_check_ enum ctl_exit apply_load(struct ctl *ctl, const char *file, struct policy **out, uint64_t *digest);

_must_check_ enum ctl_exit apply_open(
	struct ctl *ctl, const char *table, enum policy_store_mode mode, struct policy_store **out);

/* FNV-1a of the file's bytes. Returns 0 or -errno; says nothing. */
_must_check_ int apply_digest(const char *file, uint64_t *out);

/* One line per error of a file (what: "policy", "profile"), as the parser gives them, and one that nothing was changed. */
void apply_print_errors(struct ctl *ctl, const char *what, const char *file, const struct policy_errors *errors);

/* "on", "off", "observe". */
const char *apply_state_name(enum policy_state state);

/* The FILE operand, or --policy FILE. CTL_USAGE (said) when both are given. */
_must_check_ enum ctl_exit apply_file_argument(
	struct ctl *ctl, const struct ctl_args *args, const char *option, const char **out);

#endif
