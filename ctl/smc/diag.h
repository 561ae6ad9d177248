/* SPDX-License-Identifier: MIT */
/* What the kernel's socket diagnosis says of SMC sockets (net/smc/smc_diag.c) and of TCP sockets (net/ipv4/inet_diag.c). */
#ifndef SMCSHIM_CTL_SMC_DIAG_H
#define SMCSHIM_CTL_SMC_DIAG_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/smc/uapi.h"
#include "ctl/util.h"

enum diag_side {
	DIAG_LOCAL = 0,
	DIAG_PEER = 1,
	DIAG_SIDES = 2,
};

/* What SMC and TCP sockets have in common. */
struct diag_socket {
	uint64_t cookie;
	uint64_t inode;     /* 0: no process has it yet, or any more */
	uint32_t interface; /* bound to that one; 0: to none */
	uint16_t port[DIAG_SIDES];
	uint8_t address[DIAG_SIDES][16]; /* IPv4 in the first 4 bytes */
	uint8_t family;                  /* SMC: AF_SMC, or AF_INET[6] of socket(2) with IPPROTO_SMC */
	uint8_t state;                   /* SMC: enum smc_state of net/smc/smc.h; TCP: its own */
};

struct diag_smc {
	struct diag_socket socket;
	uint32_t uid;
	uint32_t reason;
	uint32_t peer_reason;
	uint32_t link_group; /* SMC-D: as SMC_NLA_LGR_D_ID */
	uint8_t mode;        /* SMC_DIAG_MODE_* */
	bool has_link;       /* SMC-R: the fields of the link are set */
	bool has_dmb;        /* SMC-D: the link group is set */
	uint8_t link_role;   /* of this host in the link group: 0 client, 1 server */
	uint8_t link_id;
	uint8_t device_port;
	char device[SMC_DEVICE_NAME_SIZE];
	char gid[DIAG_SIDES][SMC_GID_TEXT_SIZE];
};

struct diag_smc_list {
	struct diag_smc *item;
	size_t count;
	size_t room;
};

struct diag_tcp_list {
	struct diag_socket *item;
	size_t count;
	size_t room;
};

void diag_smc_clear(struct diag_smc_list *list);
void diag_tcp_clear(struct diag_tcp_list *list);

/*
 * Adds to list what one datagram of the dump with that sequence number holds, whatever its bytes are. Attributes that
 * are too short count as not there. Returns 0 (more will come), 1 (the end), -EAGAIN (the dump was interrupted), the
 * kernel's -errno, -EBADMSG or -ENOMEM.
 */
_must_check_ int diag_parse_smc(const void *data, size_t size, uint32_t sequence, struct diag_smc_list *list);
_must_check_ int diag_parse_tcp(const void *data, size_t size, uint32_t sequence, struct diag_tcp_list *list);

/*
 * Fill the empty list with all sockets of the calling thread's network namespace, of TCP those with an inode; each
 * once. An interrupted dump is repeated, at most 10 times. (smc/diag-dump.c)
 * Return 0; -EPROTONOSUPPORT when the kernel has no SMC, -ENOENT when it lacks smc_diag alone; or another -errno.
 */
_must_check_ int diag_dump_smc(struct diag_smc_list *list);
_must_check_ int diag_dump_tcp(struct diag_tcp_list *list);

#endif
