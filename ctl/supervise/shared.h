/* SPDX-License-Identifier: MIT */
/* The memory that outlives a supervisor: what it had begun when it was killed, for the next one to end. */
#ifndef SMCSHIM_CTL_SUPERVISE_SHARED_H
#define SMCSHIM_CTL_SUPERVISE_SHARED_H

#include <linux/seccomp.h>
#include <sys/socket.h>

#include "preload/shim.h"

/* Blocking connects at a time; those beyond become TCP at once. */
#define SHARED_WAITERS 4096u

union address {
	struct sockaddr any;
	struct sockaddr_storage storage;
};

/* A blocking connect that is under way. */
struct waiter {
	uint64_t id; /* of its notification; 0: none. Written last when it begins, first when it ends. */
	struct seccomp_notif notif;
	union address addr;
	socklen_t len;
	struct aftermath after;
	int64_t deadline; /* CLOCK_MONOTONIC in ms; 0: none */
	bool bound, again, first_again;
};

/* An answer that may not have arrived (untold.c). */
struct untold {
	uint64_t inode; /* of the socket; 0: none. Written last. */
	uint64_t id;    /* of the notification that it is the answer to */
	int answer;     /* 0 or -errno */
};

#define SHARED_UNTOLD 32u

/* What a socket was before a call was begun. */
struct before {
	uint64_t socket; /* inode of a socket that was made and may have been put into the program */
	bool pending;    /* nobody had asked for the outcome of its connect */
	bool known;      /* a connect: what follows */
	bool fresh;      /* nobody had connected it */
	int file_flags;  /* F_GETFL */
	struct aftermath after;
};

struct shared {
	/* The call in hand: the kernel writes it here itself, so that it is not lost between the kernel and us. */
	_Alignas(64) union {
		struct seccomp_notif notif;
		unsigned char room[512]; /* a newer kernel's may be larger */
	};
	struct before before;
	struct untold untold[SHARED_UNTOLD];
	bool restarted;       /* a supervisor has served before */
	bool killable;        /* filter_install() */
	bool networks_change; /* a thread of the tree may have gone to another network namespace */
	unsigned waiters;     /* that many of the first slots may be in use */
	struct waiter waiter[SHARED_WAITERS];
};

/* Maps it, and lets the shim's own memory (counters, pending connects) be shared likewise. NULL: no memory. */
struct shared *shared_map(void);

#endif
