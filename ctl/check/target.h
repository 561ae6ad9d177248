/* SPDX-License-Identifier: MIT */
/* What smcctl check looks at: destinations from HOST:PORT, from a URL, or from the rules of a policy. */
#ifndef SMCSHIM_CTL_CHECK_TARGET_H
#define SMCSHIM_CTL_CHECK_TARGET_H

#include <netinet/in.h>

#include "ctl/check/handshake.h"
#include "ctl/check/prober.h"
#include "ctl/ctl.h"
#include "policy/policy.h"

/* "[", an IPv6 address, "%", an interface, "]:65535", NUL. */
#define TARGET_TEXT 80u

struct target {
	struct sockaddr_storage to;
	socklen_t length;
	uint16_t port;
	uint8_t key[16]; /* the address as bytes; IPv4 in the first 4 */
	/* Of a policy's rule. */
	uint32_t rule;  /* from 1; 0: not from a policy */
	uint32_t width; /* of the range of ports that the port is from */
	/* What was found. */
	bool done;
	bool syns_judged;
	int syn_error; /* why no SYN could be sent: 0 or -errno */
	struct judge_syns syns;
	struct prober_seen seen;
	struct handshake handshake;
	enum verdict_path verdict;
};

struct targets {
	struct target *item;
	size_t count;
	size_t room;
};

void targets_clear(struct targets *targets);

#define TARGET_HOST 256u

/* Takes "HOST:PORT", "[ADDRESS]:PORT", or a URL of http, https or with a port apart. Returns 0 or -EINVAL. */
_must_check_ int target_split(const char *text, char host[static TARGET_HOST], uint16_t *port);
_must_check_ int target_split_url(const char *url, char host[static TARGET_HOST], uint16_t *port);

/*
 * Adds all addresses of a host, at most TARGET_ADDRESSES. Returns 0, -ENOMEM, or an error of getaddrinfo(3) in *why and
 * -ENOENT.
 */
#define TARGET_ADDRESSES 16u
_must_check_ int targets_resolve(struct targets *targets, const char *host, uint16_t port, const char **why);

/* "10.0.0.1:80", "[fd00::1]:80"; without the port "10.0.0.1", "fd00::1". */
void target_text(const struct target *target, bool port, char out[static TARGET_TEXT]);

/* Ports that one rule may name at most to be checked. */
#define TARGET_PORTS 16u

/* Why (a part of) a connect rule names nothing that can be checked; bits. */
enum target_left {
	LEFT_NETWORK = 1 << 0, /* a CIDR that is no single host */
	LEFT_NO_PORTS = 1 << 1,
	LEFT_MANY_PORTS = 1 << 2,
};

/* Adds the single hosts that the connect rules name, with each port, every destination once. Returns 0 or -ENOMEM. */
_must_check_ int targets_add_policy(struct targets *targets, const struct policy *policy);

/* What of a rule targets_add_policy() leaves out; 0: nothing, or it is a rule for listeners. */
unsigned target_left_out(const struct policy *policy, const struct policy_rule *rule);

#endif
