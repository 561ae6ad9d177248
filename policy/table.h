/* SPDX-License-Identifier: MIT */
/* The layout of the policy table: what smcctl writes to shared memory and every shim reads. */
#ifndef SMCSHIM_POLICY_TABLE_H
#define SMCSHIM_POLICY_TABLE_H

#include <stdint.h>

/*
 * One sparse file of POLICY_TABLE_SIZE bytes, created once, never replaced and never truncated:
 *
 *   0                      struct policy_header
 *   POLICY_HALF_OFFSET(0)  half 0: struct policy_half, then its arrays
 *   POLICY_HALF_OFFSET(1)  half 1: the same
 *
 * The writer fills the half that is not in force, then stores header.sequence + 1. A reader works in half
 * (sequence & 1) and repeats when the sequence has changed meanwhile. All numbers have the byte order of the
 * machine: the file never leaves it.
 */
#define POLICY_TABLE_MAGIC "smcshim" /* 8 bytes with the NUL */
#define POLICY_TABLE_ABI 1u
#define POLICY_HEADER_SIZE 4096u
#define POLICY_HALF_SIZE (UINT64_C(256) << 20)
#define POLICY_HALF_OFFSET(half) (POLICY_HEADER_SIZE + (uint64_t)(half)*POLICY_HALF_SIZE)
#define POLICY_TABLE_SIZE POLICY_HALF_OFFSET(2)

/* CIDRs in all rules together; a rule that says "any" counts as two. */
#define POLICY_MAX_CIDRS 1000000u
#define POLICY_MAX_PROGRAMS 64u
#define POLICY_COMM_LEN 16u /* TASK_COMM_LEN, with the NUL */

/* header.state */
enum policy_state {
	POLICY_OFF = 0,     /* the kill switch: every new socket and connection is TCP */
	POLICY_ON = 1,      /* the rules are in force */
	POLICY_OBSERVE = 2, /* all stays TCP; counters say what would have become SMC */
};

/* half.kernel: what the kernel could do when the policy was published (design: "measured once"). */
#define POLICY_KERNEL_IPPROTO_SMC 0x01u  /* socket(AF_INET, SOCK_STREAM, IPPROTO_SMC) works */
#define POLICY_KERNEL_IPPROTO_SMC6 0x02u /* the same for AF_INET6 */
#define POLICY_KERNEL_AF_SMC 0x04u       /* socket(AF_SMC, SOCK_STREAM, 0 or 1) works */
/* any of these: the kernel has SMC */
#define POLICY_KERNEL_SMC (POLICY_KERNEL_IPPROTO_SMC | POLICY_KERNEL_IPPROTO_SMC6 | POLICY_KERNEL_AF_SMC)
#define POLICY_KERNEL_DOWNGRADE 0x08u       /* TCP_FASTOPEN_NO_COOKIE turns a fresh SMC socket into TCP in place */
#define POLICY_KERNEL_DOWNGRADE_EPOLL 0x10u /* and epoll registrations made before keep working */

/* half.flags: lets a hook answer "TCP" without a look at the rules. */
#define POLICY_HAS_CONNECT_SMC 0x01u
#define POLICY_HAS_LISTEN_SMC 0x02u

/* half.program_mode */
enum policy_program_mode {
	POLICY_PROGRAMS_ALL = 0,
	POLICY_PROGRAMS_ONLY = 1,
	POLICY_PROGRAMS_EXCEPT = 2,
};

/*
 * A value says what happens to one address interval or port interval:
 *   POLICY_VALUE_PORTS clear: POLICY_VALUE_SMC or not, and in POLICY_VALUE_RULE the number of the deciding rule
 *                             (1 = the first rule of the file; 0 = no rule matched; POLICY_RULE_BUILTIN = built in);
 *   POLICY_VALUE_PORTS set:   the rest is the index of a port group in half.ports.
 */
#define POLICY_VALUE_PORTS 0x80000000u
#define POLICY_VALUE_SMC 0x40000000u
#define POLICY_VALUE_RULE 0x00ffffffu
#define POLICY_RULE_BUILTIN 0x00ffffffu
/* In no table: what a reader says whose window of a half is too small. */
#define POLICY_VALUE_BEYOND POLICY_VALUE_PORTS

/*
 * An array inside a half; offset counts from the start of the half, in bytes, and is a multiple of 64.
 */
struct policy_array {
	uint64_t offset;
	uint64_t count;
};

struct policy_key6 {
	uint64_t high;
	uint64_t low;
};

/*
 * A list: disjoint intervals that cover the whole address space of one family. Each begins at its key and ends before
 * the next higher one; the lowest key is the lowest address. Keys are in host byte order: they compare as numbers.
 *
 * A binary search in 2,000,000 keys would miss the cache at nearly every step. So the intervals lie in leaves of
 * POLICY_LEAF, and above them is an index that fits into a processor's own cache: a full tree without pointers, of
 * blocks with POLICY_CHILDREN children each. Block 0 is the root; child i of block b is block
 * b * POLICY_CHILDREN + 1 + i, or where there are no more blocks, the leaf of that number less the number of blocks.
 * keys[i] of a block is the first key under its child i + 1. A search goes down to the child whose number is how many
 * keys are not above the address.
 *
 * In a leaf values[i] belongs to the leaf's interval i, and keys[i] is where the interval after it begins. What is left
 * of the last leaf repeats the last interval; what is left of the index says the highest address: neither changes an
 * answer, for the last leaf stands for all those that are missing after it.
 */
#define POLICY_CHILDREN 32u
#define POLICY_LEAF 64u

struct policy_block4 {
	uint32_t keys[POLICY_CHILDREN]; /* the last one is not used, here and below */
};

struct policy_leaf4 {
	uint32_t keys[POLICY_LEAF];
	uint32_t values[POLICY_LEAF];
};

struct policy_block6 {
	uint64_t high[POLICY_CHILDREN]; /* apart, for nearly always they alone are read */
	uint64_t low[POLICY_CHILDREN];
};

struct policy_leaf6 {
	uint64_t high[POLICY_LEAF];
	uint32_t values[POLICY_LEAF];
	uint64_t low[POLICY_LEAF];
};

/* offset as in an array; there lies the index, struct policy_block4 or policy_block6, and behind it the leaves. */
struct policy_list {
	uint64_t offset;
	uint32_t blocks; /* 0: a single leaf */
	uint32_t leaves; /* struct policy_leaf4 or policy_leaf6 */
};

/*
 * A port group is a head {from = number of entries that follow, value = 0} and entries with rising from, the first
 * from being 0: entry e holds for the ports from its from up to the next entry's.
 */
struct policy_port {
	uint32_t from;
	uint32_t value; /* never POLICY_VALUE_PORTS */
};

enum policy_role {
	POLICY_CONNECT = 0, /* destinations */
	POLICY_LISTEN = 1,  /* local addresses */
};

/* half.lists is indexed by role * 2 + (1 for IPv6). */
#define POLICY_LIST(role, is_ipv6) ((unsigned)(role)*2u + ((is_ipv6) ? 1u : 0u))
#define POLICY_LISTS 4u

struct policy_half {
	uint64_t sequence;     /* the header's sequence that puts this half in force */
	uint64_t published_ns; /* CLOCK_REALTIME */
	uint64_t digest;       /* FNV-1a, 64 bits, of the policy file's bytes */
	uint32_t kernel;       /* POLICY_KERNEL_* */
	uint32_t flags;        /* POLICY_HAS_* */
	uint32_t buffers;      /* bytes for SO_SNDBUF and SO_RCVBUF of SMC sockets; 0: the kernel's own */
	uint32_t rules;        /* rules in the file */
	uint32_t cidrs;        /* CIDRs in them */
	uint32_t program_mode; /* enum policy_program_mode */
	uint32_t programs_len; /* names in programs */
	char programs[POLICY_MAX_PROGRAMS][POLICY_COMM_LEN]; /* a trailing '*' matches any rest */
	char source[4096];                                   /* the file it was published from, NUL-terminated */
	uint32_t reserved;                                   /* i386 would put none here by itself */
	struct policy_list lists[POLICY_LISTS];
	struct policy_array ports; /* struct policy_port */
};

struct policy_header {
	char magic[8];
	uint32_t abi;
	uint32_t header_size;
	uint64_t table_size;
	uint64_t half_size;
	uint32_t state; /* enum policy_state; one atomic store flips every process */
	uint32_t reserved;
	uint64_t sequence; /* atomic; 0 until the first publication */
};

#endif
