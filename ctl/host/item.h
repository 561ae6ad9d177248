/* SPDX-License-Identifier: MIT */
/* What smcctl host sets: things with a kind, a name and a value as text, which can be asked, set and compared alike. */
#ifndef SMCSHIM_CTL_HOST_ITEM_H
#define SMCSHIM_CTL_HOST_ITEM_H

#include "ctl/ctl.h"
#include "ctl/smc/genl.h"
#include "ctl/util.h"

/* In the order in which they are set; they are taken back the other way round. */
enum host_kind {
	HOST_MODULE,    /* a kernel module: "loaded" */
	HOST_SYSCTL,    /* a key with dots: its value */
	HOST_UEID,      /* an EID: "present" */
	HOST_SEID,      /* "system": "on", "off" */
	HOST_LIMIT,     /* "handshakes": "on", "off" */
	HOST_PNET,      /* "interface NAME" or "device NAME PORT": the identifier */
	HOST_XPS,       /* "NAME/tx-N/xps_cpus" or "NAME/tx-N/xps_rxqs": the mask */
	HOST_DIRECTORY, /* a path: "made" */
	HOST_FILE,      /* a path: all that the file is, see file_value() */
	HOST_KINDS,
};

const char *host_kind_word(enum host_kind kind);

/* The kind of that word; HOST_KINDS: none. */
enum host_kind host_kind_of(const char *word);

/* The host that is worked on. */
struct host {
	struct ctl *ctl;
	bool offline; /* a tree of files (--root), not a running system */
	uint64_t
		netns; /* of another network namespace (--netns), whose values alone count, its number; 0: the host's own */
	bool force;
	struct genl *smc;
	struct genl *pnet;
	int smc_error; /* of connecting to the kernel's SMC */
	bool asked;
};

#define _cleanup_host_ _cleanup_(host_clear)
void host_clear(struct host *host);

/*
 * The value in force: *out gets a text for the caller to free, NULL when there is none (no such module, entry, file).
 * Returns 0 or -errno: -ENOENT where there can be none (no such key, interface or queue), -EPROTONOSUPPORT without SMC.
 */
_must_check_ int item_get(struct host *host, enum host_kind kind, const char *name, char **out);

/* Sets it; value NULL: takes it away. Returns 0 or -errno. */
_must_check_ int item_set(struct host *host, enum host_kind kind, const char *name, const char *value);

/* NULL equals NULL only. */
bool item_equal(enum host_kind kind, const char *a, const char *b);

/* True if that error of item_get() means that there can be none. */
bool item_is_gone(int error);

/* ---- the kinds ---- */

_must_check_ int module_get(const char *name, char **out);
_must_check_ int module_set(const char *name, const char *value);
/* True if that list of the modules that are built into a kernel names it (modules.builtin). */
bool module_is_built_in(const char *list, const char *name);
/* True if modprobe(8) finds the module, and the kernel still takes modules. */
bool module_available(const char *name);

_must_check_ int smc_item_get(struct host *host, enum host_kind kind, const char *name, char **out);
_must_check_ int smc_item_set(struct host *host, enum host_kind kind, const char *name, const char *value);

_must_check_ int file_get(const char *path, char **out);
_must_check_ int file_set(const char *path, const char *value);
bool file_equal(const char *a, const char *b);

/* Removes what a killed run left beside the file. Returns 0 or -errno. */
_must_check_ int file_sweep(const char *path);

/* The value of a file of ours: that text, of root's, readable by all. NULL without memory. */
char *file_value(const char *text);

/* The bytes of such a value, with a NUL behind them, and their number; NULL: no memory, or no such value. */
char *file_bytes(const char *value, size_t *size);

#endif
