/* SPDX-License-Identifier: MIT */
/* A policy: the file as rules, its errors, why a rule decides, and its compiled form. No sockets, no shared memory. */
#ifndef SMCSHIM_POLICY_POLICY_H
#define SMCSHIM_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/lookup.h"
#include "policy/table.h"

struct sockaddr;

/* A policy file is at most this long. */
#define POLICY_FILE_MAX (UINT64_C(256) << 20)

/* "buffers": SMC_BUF_MIN_SIZE of the kernel, and what SO_SNDBUF can double without overflow. */
#define POLICY_BUFFERS_MIN 16384u
#define POLICY_BUFFERS_MAX 1073741823u

/* ---- rules ---- */

enum policy_use {
	POLICY_TCP = 0,
	POLICY_SMC = 1,
};

struct policy_cidr {
	struct policy_key6 address; /* host byte order; IPv4 in low, high is 0 */
	uint32_t position;          /* byte offset of its text in the file */
	uint8_t prefix;             /* 0 .. 32 or 128 */
	bool ipv6;
};

struct policy_port_range {
	uint16_t from;
	uint16_t to; /* inclusive */
};

struct policy_rule {
	enum policy_use use;
	enum policy_role role;
	uint32_t line;       /* of the rule's '{' in the file, from 1 */
	uint32_t cidr_first; /* cidrs[cidr_first .. cidr_first + cidr_count); "any" is 0.0.0.0/0 and ::/0 */
	uint32_t cidr_count;
	uint32_t port_first; /* ports[port_first .. port_first + port_count) */
	uint32_t port_count; /* 0: all ports */
	char *note;          /* or NULL */
};

/* Rule N of messages and of POLICY_VALUE_RULE is rules[N - 1]. A parsed policy is valid: it holds no tie. */
struct policy {
	char *name; /* as given to policy_parse(), for messages */
	struct policy_rule *rules;
	size_t rule_count;
	struct policy_cidr *cidrs;
	size_t cidr_count;
	struct policy_port_range *ports;
	size_t port_count;
	enum policy_program_mode program_mode;
	size_t program_count;
	char programs[POLICY_MAX_PROGRAMS][POLICY_COMM_LEN];
	uint32_t buffers; /* bytes; 0: the kernel's own */
};

/* ---- errors ---- */

#define POLICY_ERRORS_KEPT 100u

struct policy_error {
	uint32_t line;   /* from 1 */
	uint32_t column; /* in characters, from 1 */
	uint64_t position;
	char *text; /* "FILE:LINE:COLUMN: WHAT 'TEXT': WHY; FIX", without a newline */
};

/* Start with {0}. Kept in the order of the file; more counts those beyond POLICY_ERRORS_KEPT. */
struct policy_errors {
	struct policy_error *items;
	size_t count; /* at most POLICY_ERRORS_KEPT */
	size_t more;
};

/* Frees the messages and makes errors empty; the struct itself belongs to the caller. */
void policy_errors_clear(struct policy_errors *errors);

/* ---- text to rules ---- */

/*
 * Parses and validates len bytes of policy text; name stands for the file in messages. The caller frees *out with
 * policy_free(). errors receives every error of the text, not just the first.
 * Returns 0, -EINVAL (errors is filled) or -ENOMEM; *out is touched only on success.
 */
int policy_parse(const char *name, const char *text, size_t len, struct policy **out, struct policy_errors *errors)
	__attribute__((warn_unused_result, nonnull));

/*
 * Reads the regular file at path (symbolic links are followed) and parses it; *digest gets FNV-1a of its bytes.
 * Returns 0, -EINVAL (errors is filled), -ENOMEM, -EISDIR, -EOPNOTSUPP (not a regular file), -EFBIG (over
 * POLICY_FILE_MAX) or -errno of open(2) and read(2); *out and *digest are touched only on success.
 */
int policy_load(const char *path, struct policy **out, uint64_t *digest, struct policy_errors *errors)
	__attribute__((warn_unused_result, nonnull));

/* FNV-1a, 64 bits, of len bytes. */
uint64_t policy_digest(const void *data, size_t len);

/* Frees policy and all it holds; NULL is fine. */
void policy_free(struct policy *policy);

/* ---- rules to a table ---- */

/* The contents of one half: begins with struct policy_half, whose publication fields policy_store_publish() fills. */
struct policy_image {
	void *data;
	size_t size;
};

/*
 * Compiles a valid policy. The caller frees *out with policy_image_free().
 * Returns 0, -EINVAL (does not fit into half a table: errors is filled) or -ENOMEM; *out is touched only on success.
 */
int policy_compile(const struct policy *policy, struct policy_image **out, struct policy_errors *errors)
	__attribute__((warn_unused_result, nonnull));

/* Frees image; NULL is fine. */
void policy_image_free(struct policy_image *image);

/* ---- why ---- */

enum policy_reason {
	POLICY_REASON_NONE = 0,    /* no rule holds the address and the port: TCP */
	POLICY_REASON_RULE = 1,    /* candidates[0] decides */
	POLICY_REASON_BUILTIN = 2, /* a built-in range; rules for /0 do not reach into it: TCP */
	POLICY_REASON_FAMILY = 3,  /* neither IPv4 nor IPv6, or too short: TCP */
};

/* A rule that holds the address and the port, with its most specific CIDR and in that its narrowest port range. */
struct policy_candidate {
	uint32_t rule;                 /* from 1 */
	uint32_t cidr;                 /* index into policy.cidrs */
	struct policy_port_range port; /* 0-65535: the rule names no ports */
};

struct policy_explanation {
	uint32_t value; /* what policy_map_decide() answers for this policy */
	enum policy_reason reason;
	bool mapped;                         /* an IPv4-mapped IPv6 address: the IPv4 rules were asked */
	bool wildcard;                       /* a wildcard listener: only /0 rules were asked */
	const char *builtin;                 /* the built-in range that holds the address, or NULL; static text */
	struct policy_candidate *candidates; /* the strongest first; those for /0 stand below a built-in range */
	size_t candidate_count;
	char *why; /* one sentence for people, without a newline */
};

/*
 * Decides straight from the rules, in time linear in them, and says why; also the model the compiled form is tested
 * against. The caller frees *out with policy_explanation_free().
 * Returns 0 or -ENOMEM; *out is touched only on success.
 */
int policy_explain(const struct policy *policy, enum policy_role role, const struct sockaddr *address, size_t len,
	struct policy_explanation **out) __attribute__((warn_unused_result, nonnull));

/* Frees explanation; NULL is fine. */
void policy_explanation_free(struct policy_explanation *explanation);

/* ---- texts ---- */

/* "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128" and its NUL fit. */
#define POLICY_CIDR_TEXT 56u

/* Writes cidr as "10.0.0.0/8" or "fd00::/8". */
void policy_cidr_format(const struct policy_cidr *cidr, char out[static POLICY_CIDR_TEXT]);

/* ---- cleanup attributes ---- */

static inline void policy_cleanup_policy(struct policy **policy)
{
	policy_free(*policy);
}

static inline void policy_cleanup_image(struct policy_image **image)
{
	policy_image_free(*image);
}

static inline void policy_cleanup_explanation(struct policy_explanation **explanation)
{
	policy_explanation_free(*explanation);
}

#define _cleanup_policy_ __attribute__((cleanup(policy_cleanup_policy)))
#define _cleanup_policy_image_ __attribute__((cleanup(policy_cleanup_image)))
#define _cleanup_policy_explanation_ __attribute__((cleanup(policy_cleanup_explanation)))
#define _cleanup_policy_errors_ __attribute__((cleanup(policy_errors_clear)))

#endif
