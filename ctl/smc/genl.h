/* SPDX-License-Identifier: MIT */
/* Generic netlink through libnl: the families of the kernel's SMC (net/smc/smc_netlink.c, smc_pnet.c), and others. */
#ifndef SMCSHIM_CTL_SMC_GENL_H
#define SMCSHIM_CTL_SMC_GENL_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdint.h>

#include "ctl/util.h"

#define GENL_SMC "SMC_GEN_NETLINK"
#define GENL_PNET "SMC_PNETID"

/* A connection to one family, in the network namespace of the moment. */
struct genl;

/*
 * Connects to the family of that name, version 1. Returns 0; -EPROTONOSUPPORT when the kernel has no such family (the
 * module smc is asked for once before that where the family is SMC's, as a socket() of it does); or another -errno.
 */
_must_check_ int genl_open(const char *family, struct genl **out);
void genl_close(struct genl *genl);

void cleanup_genl(struct genl **genl);
#define _cleanup_genl_ _cleanup_(cleanup_genl)

/*
 * What the kernel said to the last request, if that failed with error: its extended ACK. Or else the text of the errno: error
 * came from somewhere else, as from a parser.
 */
const char *genl_text(const struct genl *genl, int error);

/* A new request of that command, without NLM_F_DUMP; NULL without memory. genl_request() or nlmsg_free() ends it. */
struct nl_msg *genl_message(const struct genl *genl, uint8_t command);

/* Called with the attributes of each answer: attrs[0..max], NULL where there is none. A return below 0 ends it all. */
typedef int genl_answer(struct nlattr *const *attrs, void *arg);

#define GENL_MAX_ATTR 32

/*
 * Sends the request, frees it, and waits for the kernel's acknowledgement or answers (answer may be NULL). Returns 0 or
 * -errno: the kernel's, or that of answer.
 */
_must_check_ int genl_request(struct genl *genl, struct nl_msg *message, genl_answer *answer, void *arg);

/*
 * All that the command dumps. restart is called before each attempt: a dump that changes meanwhile (NLM_F_DUMP_INTR) is
 * thrown away and begun anew, at most 10 times; then -EAGAIN. Returns 0 or -errno.
 */
_must_check_ int genl_dump(
	struct genl *genl, uint8_t command, void (*restart)(void *arg), genl_answer *answer, void *arg);

/* The same with an attribute of 32 bits in the request; 0: none. */
_must_check_ int genl_dump_by(struct genl *genl, uint8_t command, int attribute, uint32_t value,
	void (*restart)(void *arg), genl_answer *answer, void *arg);

/*
 * The attributes nested in attr, by number: out[0..max]. Returns 0 or -EBADMSG. A NULL attr has none.
 */
_must_check_ int genl_nested(struct nlattr *attr, int max, struct nlattr **out);

/* Values of attributes; what is missing or too short reads as otherwise. Text is cut off at its NUL or its length. */
uint64_t genl_number(const struct nlattr *attr, uint64_t otherwise);
void genl_copy_text(const struct nlattr *attr, char *out, size_t size);

#endif
