/* SPDX-License-Identifier: MIT */
/* Reading a policy table. Pure: no system call, no allocation, no errno; async-signal-safe; any bytes may stand in the table. */
#ifndef SMCSHIM_POLICY_LOOKUP_H
#define SMCSHIM_POLICY_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/table.h"

struct sockaddr;

#define POLICY_WINDOW_MIN (UINT64_C(64) << 10)

/* A table that is mapped, whole or in parts; all that stays mapped as long as it is used. */
struct policy_map {
	const void *header;  /* POLICY_HEADER_SIZE bytes */
	const void *half[2]; /* where each begins, and a window of size bytes of it is: */
	uint64_t size;       /* at least POLICY_WINDOW_MIN */
};

/* The map of a table that is mapped whole: POLICY_TABLE_SIZE bytes from base on. */
struct policy_map policy_map_whole(const void *base);

/* True if the map has a header of this ABI and its windows are not too small. Everything below needs that to be true. */
bool policy_map_valid(const struct policy_map *map);

/* The state in force; an unknown number reads as POLICY_OFF. One atomic load. */
enum policy_state policy_map_state(const struct policy_map *map);

/* The number of publications so far; 0 = none yet. One atomic load with acquire. */
uint64_t policy_map_sequence(const struct policy_map *map);

/* What of a published policy does not depend on an address. */
struct policy_summary {
	uint64_t sequence; /* 0: nothing is published, the rest is 0 */
	uint32_t kernel;   /* POLICY_KERNEL_* */
	uint32_t flags;    /* POLICY_HAS_* */
	uint32_t buffers;  /* bytes, 0 = the kernel's own */
	bool program;      /* the program with that comm is inside "programs" */
};

/*
 * Fills out with one consistent view of the policy in force. comm: the program's name as the kernel's TASK_COMM,
 * NUL-terminated, at most 15 characters. A table that cannot be read gives all zero (so: TCP).
 */
void policy_map_summary(const struct policy_map *map, const char *comm, struct policy_summary *out);

/*
 * True if comm, NUL-terminated, is name or, where name ends in '*', begins with what stands before it. At most
 * POLICY_COMM_LEN bytes of name are read; it may lie in a table.
 */
bool policy_program_matches(const char *name, const char *comm);

/*
 * What the rules say of an address: POLICY_VALUE_SMC or not, and the deciding rule in POLICY_VALUE_RULE. Neither
 * state nor "programs" is considered. addr: a struct sockaddr_in or sockaddr_in6 of at least its size in len;
 * IPv4-mapped IPv6 follows the IPv4 rules. Any other address, and a table that cannot be read, gives 0: TCP.
 * POLICY_VALUE_BEYOND: the answer lies behind the window of the half in force, never where the table is mapped whole.
 */
uint32_t policy_map_decide(
	const struct policy_map *map, enum policy_role role, const struct sockaddr *addr, size_t len);

/* How many bytes of each half the policy in force takes, at most POLICY_HALF_SIZE: so large a window has all answers. */
uint64_t policy_map_needs(const struct policy_map *map);

#endif
