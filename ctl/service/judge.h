/* SPDX-License-Identifier: MIT */
/* What acceleration of a unit will come to, told before it starts, and what its drop-in must hold. */
#ifndef SMCSHIM_CTL_SERVICE_JUDGE_H
#define SMCSHIM_CTL_SERVICE_JUDGE_H

#include <stdio.h>

#include "ctl/service/privilege.h"
#include "ctl/service/unit-file.h"
#include "ctl/service/unit.h"

enum remark_kind {
	REMARK_NOTE = 0, /* worth knowing */
	REMARK_HANDLED,  /* the drop-in deals with it */
	REMARK_LISTEN,   /* keeps listeners on TCP */
	REMARK_POLICY,   /* keeps everything on TCP as the policy is now */
	REMARK_TCP,      /* keeps everything on TCP: enable refuses without --force */
	REMARK_HELPER,   /* the system depends on this unit: enable refuses without --force */
	REMARK_NEVER,    /* no drop-in can be made, or it would break the service: enable refuses */
};

/* What the text of a REMARK_LISTEN begins with; an address and a colon follow. */
#define JUDGE_LISTENER "listener "

/* "note", "handled", ...: for JSON. */
const char *remark_kind_key(enum remark_kind kind);

struct remark {
	enum remark_kind kind;
	const char *what; /* a setting or a fact, in one word; static text */
	char *text;
};

struct judgement {
	const struct unit *unit;
	const struct judge_tools *tools;
	const char *table;  /* of a policy of its own, or NULL */
	const char *policy; /* the file of that */
	struct remark *item;
	size_t count;
	FILE *lines; /* what the sandbox needs, lines of [Service]; valid while judging */
	char *needs; /* their text afterwards */
	size_t needs_size;
	char *preload;  /* the value of LD_PRELOAD */
	bool asked;     /* set by the caller: supervise, whatever the programs are */
	bool supervise; /* instead of LD_PRELOAD */
	char *commands; /* lines of [Service] for that */
	int error;      /* sticks */
};

/* What judging needs of this installation. */
struct judge_tools {
	char *library;
	char *smcctl;
	char *supervisor; /* NULL: not installed */
	char *inherited;  /* LD_PRELOAD in systemd's own environment, which every service has, or NULL */
};

#define _cleanup_judge_tools_ _cleanup_(judge_tools_clear)

void judge_tools_clear(struct judge_tools *tools);

/* Says what is wrong; CTL_OK with *out filled, for the caller to clear. */
_must_check_ enum ctl_exit judge_tools_find(struct ctl *ctl, bool user, struct judge_tools *out);

void judgement_clear(struct judgement *judgement);

/* Fills what the caller has begun with unit, tools, table, policy and asked. Returns 0 or -errno; cleared by the caller. */
_must_check_ int judge(struct judgement *judgement);

/* The worst remark of one of the kinds from least on, or NULL. */
const struct remark *judgement_worst(const struct judgement *judgement, enum remark_kind least);

/* The same of those that keep it on TCP: what only calls for --force is passed over. */
const struct remark *judgement_fate(const struct judgement *judgement, enum remark_kind least);

/* The text of the drop-in, without its head, for the caller to free. Returns 0 or -ENOMEM. */
_must_check_ int judgement_drop_in(const struct judgement *judgement, char **out);

/* ---- the parts, which add remarks ---- */

__attribute__((format(printf, 4, 5))) void judgement_add(
	struct judgement *judgement, enum remark_kind kind, const char *what, const char *format, ...);

void judge_origin(struct judgement *judgement);  /* masked, generated, a helper of PID 1; sockets (judge-origin.c) */
void judge_program(struct judgement *judgement); /* what ExecStart runs (judge-program.c) */
void judge_environment(struct judgement *judgement); /* LD_PRELOAD and who else sets it (judge-environment.c) */
void judge_supervision(struct judgement *judgement); /* what that needs, instead (judge-supervision.c) */
void judge_sandbox(struct judgement *judgement);     /* families, calls, the network (judge-sandbox.c) */
void judge_files(struct judgement *judgement);       /* whether library and table are seen (judge-files.c) */
void judge_policy(struct judgement *judgement);      /* the table that it will follow (judge-policy.c) */

/*
 * LD_PRELOAD in systemd's own environment (DefaultEnvironment=, systemctl set-environment), for the caller to free; NULL if it is
 * not there or cannot be asked for. Returns 0 or -ENOMEM.
 */
_must_check_ int judge_inherited(bool user, char **out);

/* An EnvironmentFile= of the unit puts the library into LD_PRELOAD. */
bool judge_files_name_library(const struct unit *unit);

/* As which user the service runs, as far as it matters for what executing a file gains. */
enum privilege_user judge_user(const struct unit *unit);

/* SELinux is enforcing. */
bool judge_selinux(void);

/* True if one of the property's paths holds path. */
bool judge_covers(const struct judgement *judgement, const char *property, const char *path);

/* True if the service sees nothing at path unless it is bound there. */
bool judge_hides(const struct judgement *judgement, const char *path);

/* True if ProtectHome= is about path. */
bool judge_is_home(const char *path);

/* The service's root directory is another one ("" is none). */
const char *judge_root(const struct judgement *judgement);

#endif
