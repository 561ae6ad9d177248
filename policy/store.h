/* SPDX-License-Identifier: MIT */
/* The table file: created once, written by one publisher at a time, mapped by readers. */
#ifndef SMCSHIM_POLICY_STORE_H
#define SMCSHIM_POLICY_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/lookup.h"
#include "policy/policy.h"
#include "policy/table.h"

/* An open table. It holds a descriptor and a mapping of the whole file, and no lock between calls. */
struct policy_store;

enum policy_store_mode {
	POLICY_STORE_READ,   /* an existing table, whoever owns it */
	POLICY_STORE_WRITE,  /* an existing table of ours or of root that nobody else can write */
	POLICY_STORE_CREATE, /* the same; made first where it is missing, mode 0644, state on, nothing published */
};

/*
 * Opens the table at path, whose directory must exist; a symbolic link is refused. The caller frees *out with
 * policy_store_close(). *out is touched only on success. Returns 0 or
 *   -EPROTO            not a policy table: another file, a directory, a damaged or a short one
 *   -EPROTONOSUPPORT   a table of another ABI version
 *   -EPERM             WRITE, CREATE: its owner or mode lets somebody else write it
 *   -ELOOP             a symbolic link
 *   -ENOSPC, -ENOMEM, -ENOENT, -EACCES, ... as the system calls say
 */
int policy_store_open(const char *path, enum policy_store_mode mode, struct policy_store **out)
	__attribute__((warn_unused_result, nonnull));

/* Unmaps and closes store; NULL is fine. Publishes nothing, takes nothing back. */
void policy_store_close(struct policy_store *store);

/* The mapping, for the functions of lookup.h; valid until policy_store_close(). */
const struct policy_map *policy_store_map(const struct policy_store *store) __attribute__((nonnull));

struct policy_publication {
	const struct policy_image *image;
	uint32_t kernel;    /* POLICY_KERNEL_*: what a probe of the running kernel found */
	const char *source; /* the policy file's absolute path, shorter than 4096 bytes */
	uint64_t digest;    /* of its bytes */
	bool wait;          /* for another publisher to end, instead of -EWOULDBLOCK */
};

/*
 * Puts a policy in force: reserves the space, fills the idle half, then stores the sequence once. The state stays as
 * it is. On any failure, also a kill, the policy before stays in force. sequence, if not NULL, gets the new number.
 * Returns 0 or -EBADF (opened READ), -EWOULDBLOCK (another publisher), -ENAMETOOLONG (source), -E2BIG (image),
 * -ENOSPC, -EDQUOT, -EFBIG or another -errno.
 */
int policy_store_publish(struct policy_store *store, const struct policy_publication *publication, uint64_t *sequence)
	__attribute__((warn_unused_result, nonnull(1, 2)));

/* One store, in force in every process at its next call; needs no lock. Returns 0, -EBADF (opened READ) or -EINVAL. */
int policy_store_set_state(struct policy_store *store, enum policy_state state)
	__attribute__((warn_unused_result, nonnull));

/* What was published, in one consistent view. */
struct policy_info {
	enum policy_state state;
	uint64_t sequence; /* 0: nothing is published, the rest is 0 */
	uint64_t published_ns;
	uint64_t digest;
	uint32_t kernel;
	uint32_t flags;
	uint32_t buffers;
	uint32_t rules;
	uint32_t cidrs;
	enum policy_program_mode program_mode;
	uint32_t program_count;
	char programs[POLICY_MAX_PROGRAMS][POLICY_COMM_LEN];
	char source[4096];
};

/*
 * Copies what the table says of itself (it is large: on the heap); the caller frees *out with free().
 * Returns 0, -ENOMEM or -EPROTO (the half in force is damaged, or changes faster than it can be read).
 */
int policy_store_info(const struct policy_map *map, struct policy_info **out)
	__attribute__((warn_unused_result, nonnull));

/* The WHY of a failed policy_store_*(): the remedy for the codes above, else strerror(); static text. */
const char *policy_store_strerror(int error);

static inline void policy_cleanup_store(struct policy_store **store)
{
	policy_store_close(*store);
}

#define _cleanup_policy_store_ __attribute__((cleanup(policy_cleanup_store)))

#endif
