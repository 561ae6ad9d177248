/* SPDX-License-Identifier: MIT */
/* What a profile comes to on this host: item by item what is, what is wanted, and what speaks against it. */
#ifndef SMCSHIM_CTL_HOST_PLAN_H
#define SMCSHIM_CTL_HOST_PLAN_H

#include "ctl/host/item.h"
#include "ctl/host/loader.h"
#include "ctl/host/profile.h"
#include "ctl/output.h"

/* Our own files. The sysctl file is to be read last: after 99-sysctl.conf, which on Debian is /etc/sysctl.conf. */
#define PLAN_MODULES "/etc/modules-load.d/90-smcctl-host.conf"
#define PLAN_SYSCTL "/etc/sysctl.d/99-zz-smcctl-host.conf"
#define PLAN_UDEV "/etc/udev/rules.d/90-smcctl-host.rules"
#define PLAN_NM "/etc/NetworkManager/conf.d/90-smcctl-%s.conf"
#define PLAN_NETWORKD "/etc/systemd/network/05-smcctl-%s.network"
#define PLAN_MARK "# Managed by smcctl(8)"

enum plan_state {
	PLAN_SAME,   /* as wanted */
	PLAN_CHANGE, /* to be changed */
	PLAN_LATER,  /* nothing to change now: at boot, or when the interface or module comes */
	PLAN_CANNOT, /* cannot be changed: why says it */
};

struct host_plan_item {
	enum host_kind kind;
	char *name;
	char *now;    /* NULL: nothing there */
	char *wanted; /* NULL: nothing there */
	enum plan_state state;
	char *why;    /* it cannot, or comes later */
	char *danger; /* why not to do it; NULL: nothing known */
	char *note;
	char *boot;   /* sysctl: the value at boot as the files are; NULL: none sets it */
	char *other;  /* sysctl: the same by the rules of sysctl --system */
	char *lasts;  /* sysctl: the value that our file is to set; NULL: wanted */
	char *origin; /* the file, or "FILE:LINE", that decides at boot; NULL: none */
	char *wins;   /* the "FILE:LINE" that will overrule ours at boot; NULL: none */
	bool at_least;
	bool more;  /* sysctl: of at least that, a file after ours sets no less at boot */
	bool warns; /* apply says the note, too */
};

struct host_plan {
	struct host_plan_item *items;
	size_t count;
	size_t room;
	uint64_t netns; /* as host's */
	bool no_memory;
};

#define _cleanup_host_plan_ _cleanup_(host_plan_clear)
void host_plan_clear(struct host_plan *plan);

/* Looks at the host. Returns 0 or -errno: -ENOMEM and the like; what a single item meets stands in the item. */
_must_check_ int host_plan_make(struct host *host, const struct profile *profile, struct host_plan *out);

/* A number for all that the plan says of the host and the profile. */
uint64_t host_plan_digest(const struct host_plan *plan, const struct profile *profile);

size_t host_plan_count(const struct host_plan *plan, enum plan_state state);

/* The first item with a danger, or in that state; NULL: none. */
const struct host_plan_item *host_plan_first_danger(const struct host_plan *plan);
const struct host_plan_item *host_plan_first(const struct host_plan *plan, enum plan_state state);

void host_plan_show(struct out *out, const struct host_plan *plan);

/* A value for people: of a file its size, of none "-". The caller frees it; NULL without memory. */
char *host_plan_value_text(enum host_kind kind, const char *value);

/* ---- the parts ---- */

/* Adds an item with the value that item_get() finds. The caller may change it; NULL: plan->no_memory is set. */
struct host_plan_item *host_plan_add(
	struct host_plan *plan, struct host *host, enum host_kind kind, const char *name, const char *wanted);

/* The same without looking, PLAN_LATER. */
struct host_plan_item *host_plan_add_later(
	struct host_plan *plan, enum host_kind kind, const char *name, const char *wanted);

/* With another network namespace: adds what is not its own as PLAN_LATER, and is true. */
bool host_plan_outside(
	struct host_plan *plan, const struct host *host, enum host_kind kind, const char *name, const char *wanted);

/* Sets *to to the text, freeing what was there. */
__attribute__((format(printf, 3, 4))) void host_plan_say(struct host_plan *plan, char **to, const char *format, ...);

_must_check_ int host_plan_sysctls(struct host *host, const struct profile *profile, struct host_plan *plan);
void host_plan_smc(struct host *host, const struct profile *profile, struct host_plan *plan);
_must_check_ int host_plan_xps(struct host *host, const struct profile *profile, struct host_plan *plan);
void host_plan_nics(struct host *host, const struct profile *profile, struct host_plan *plan);
_must_check_ int host_plan_files(struct host *host, const struct profile *profile, struct host_plan *plan);

/* Adds a file of ours, and the directory it needs. text NULL: no such file. */
void host_plan_file(struct host *host, struct host_plan *plan, const char *path, const char *text);

/* Why the interface must stay with who manages it, or NULL; the caller frees it. */
char *nic_danger(const char *interface);

/* True if tuned runs, which sets its profile's values whenever it starts. */
bool host_plan_tuned(void);

/* Adds to the item's note, which apply is to say, too. */
void host_plan_warn(struct host_plan *plan, struct host_plan_item *item, const char *text);

/* The module that has to be loaded for a key to be there; NULL: none that is known. */
const char *host_plan_module_of(const char *key);

bool profile_has_module(const struct profile *profile, const char *module);

#endif
