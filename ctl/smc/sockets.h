/* SPDX-License-Identifier: MIT */
/* The SMC sockets of the host, joined from all sources: diagnosis of SMC and TCP, descriptors, link groups. */
#ifndef SMCSHIM_CTL_SMC_SOCKETS_H
#define SMCSHIM_CTL_SMC_SOCKETS_H

#include "ctl/smc/diag.h"
#include "ctl/smc/linkgroups.h"
#include "ctl/smc/owners.h"

enum socket_mode {
	MODE_NONE = 0, /* not connected, or listening */
	MODE_SMC_R,
	MODE_SMC_D,
	MODE_TCP, /* fell back */
	MODE_COUNT,
};

enum socket_role {
	ROLE_UNKNOWN = 0,
	ROLE_CLIENT,
	ROLE_SERVER,
};

struct socket_entry {
	struct diag_smc smc;
	int family;        /* of the addresses: AF_INET, AF_INET6; 0: they are not known */
	uint8_t tcp_state; /* of the TCP socket inside; 0: not known */
	enum socket_mode mode;
	enum socket_role role;
	uint32_t netns; /* index into the command's list */
	const struct owner_holding *holding;
	size_t holdings;
	const struct smc_linkgroup *group; /* or NULL */
};

struct sockets {
	struct socket_entry *item;
	size_t count;
	struct diag_tcp_list *tcp; /* one for each network namespace */
	size_t namespaces;
	struct owners owners;
	struct smc_linkgroups groups;
	int tcp_error;   /* why addresses may be missing: 0 or -errno */
	int group_error; /* why link groups are missing: 0 or -errno */
};

void sockets_clear(struct sockets *sockets);

/* Adds those of the calling thread's network namespace. Returns 0 or what diag_dump_smc() says. */
_must_check_ int sockets_add_namespace(struct sockets *sockets);

/* Finds out about processes, addresses, roles and link groups of all that was added; once. Returns 0 or -errno. */
_must_check_ int sockets_join(struct sockets *sockets);

/* After that: finds out which of their processes are supervised; for each it looks at all its ancestors. Returns 0 or -errno. */
_must_check_ int sockets_find_supervised(struct sockets *sockets);

/* The holders, the first of them or NULL. */
const struct owner_process *sockets_owner(
	const struct sockets *sockets, const struct socket_entry *entry, size_t index);

/* Words for the kernel's states; text of that size is for those without a word. (smc/socket-words.c) */
const char *socket_state_text(const struct socket_entry *entry, char *text, size_t size);
const char *socket_mode_text(enum socket_mode mode); /* for people */
const char *socket_mode_key(enum socket_mode mode);  /* for --mode and JSON */
_must_check_ int socket_mode_parse(const char *text, enum socket_mode *mode);

#define SOCKET_ADDRESS 64u

/* ADDRESS:PORT or [ADDRESS]:PORT, "-" for what is not known or not there. */
void socket_address_text(const struct socket_entry *entry, enum diag_side side, char out[static SOCKET_ADDRESS]);

#endif
