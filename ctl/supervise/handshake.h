/* SPDX-License-Identifier: MIT */
/* What smcctl run and the supervisor say to each other before the program starts, over a socket of packets. */
#ifndef SMCSHIM_CTL_SUPERVISE_HANDSHAKE_H
#define SMCSHIM_CTL_SUPERVISE_HANDSHAKE_H

#include <stdint.h>

#include "ctl/util.h"

enum handshake_step {
	HANDSHAKE_HELLO = 1, /* supervisor: pid is the guardian's; what this kernel cannot do is the error */
	HANDSHAKE_LOOK,      /* run: may you look into me, and write? address is one of mine, fd too */
	HANDSHAKE_SEEN,      /* supervisor: what came of that */
	HANDSHAKE_LISTENER,  /* run: here is the listener, sent along; fd is 1 where the filter is killable */
	HANDSHAKE_READY,     /* supervisor: both processes serve */
};

/* What it was that failed. */
enum handshake_what {
	HANDSHAKE_WELL = 0,
	HANDSHAKE_FILTER,  /* installing the filter */
	HANDSHAKE_SEND,    /* SECCOMP_ADDFD_FLAG_SEND */
	HANDSHAKE_GETFD,   /* pidfd_getfd(2) */
	HANDSHAKE_MEMORY,  /* process_vm_readv(2) */
	HANDSHAKE_WRITE,   /* process_vm_writev(2) */
	HANDSHAKE_PROCESS, /* starting the processes */
	HANDSHAKE_GONE,    /* the other side has ended */
};

struct handshake {
	uint32_t step;
	uint32_t what;
	int32_t error; /* 0 or -errno */
	int32_t pid;
	int32_t fd;
	uint64_t address;
};

/* Sends one message, with the descriptor attached unless it is -1. Returns 0 or -errno. */
_must_check_ int handshake_send(int socket, const struct handshake *message, int attached);

/*
 * The next message, which must be of the step. attached (may be NULL) gets the descriptor that came along, close-on-exec,
 * or -1. Returns 0, or -errno: -EPIPE when the other side has ended, -EPROTO for anything else than the step.
 */
_must_check_ int handshake_receive(int socket, uint32_t step, struct handshake *message, int *attached);

#endif
