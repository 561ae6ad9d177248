/* SPDX-License-Identifier: MIT */
/* One system call of a supervised program, and the ways to answer it. */
#ifndef SMCSHIM_CTL_SUPERVISE_CALL_H
#define SMCSHIM_CTL_SUPERVISE_CALL_H

#include <poll.h>
#include <sys/types.h>

#include "ctl/supervise/shared.h"

/* What the program's next connect will most likely be (guess.c). */
struct guess {
	unsigned kept;   /* connects in a row that the policy kept on TCP */
	unsigned needed; /* so many make a guess; 0: there is no guessing any more */
	bool made;       /* there may be sockets that are TCP because of it */
};

/* One process that serves; there is one at a time. */
struct supervisor {
	int listener;
	struct shared *shared;
	int waiter_fd[SHARED_WAITERS];   /* our copy of each waiter's socket; -1: none yet */
	unsigned polled[SHARED_WAITERS]; /* the waiters that are polled, in that order */
	struct guess guess;
	int64_t looked; /* CLOCK_MONOTONIC in ms: when was asked which callers are gone */
};

struct call {
	struct supervisor *supervisor;
	const struct seccomp_notif *notif;
	bool in_doubt; /* a supervisor before this one may have begun with it */
};

/* Answers the call, or has it answered later. Whatever is done before the answer can be done twice. */
void call_handle(struct call *call);

/* ---- for the handlers ---- */

/* The kernel goes on with the call as if nobody had looked. */
void call_continue(const struct call *call);
/* The result: >= 0, or -errno. False: nobody waits for it any more. */
bool call_answer(const struct call *call, int result);
/* The same after untold_keep(): what that keeps is forgotten when it has been told. */
void call_answer_kept(const struct call *call, int result);
/* False when the thread is not waiting any more: what has been read of it meanwhile may be another's. */
bool call_is_waiting(const struct call *call);
/* The open file under the descriptor in argument 0. -1: there is none for us, and the call has been continued. */
int call_take_fd(const struct call *call);
/* Reads the socket address in arguments 1 and 2. False: not one of ours, and the call has been continued. */
bool call_read_address(const struct call *call, union address *out, socklen_t *len);
/* What stands under a descriptor of ours, before something is done that may put another socket there. */
struct original {
	uint64_t replacements; /* that were made so far */
	dev_t dev;
	ino_t ino;
};
struct original call_original(int fd);
/* Whether another socket stands there now. */
bool call_has_replaced(const struct original *original);
/*
 * Puts our descriptor in the place of the one in argument 0, if that is the original still: another thread may have closed it
 * meanwhile, and have something else there. Returns 0 or -errno; -ENOENT: there is nothing to replace any more.
 */
int call_replace_fd(const struct call *call, int fd, const struct original *original);

void call_socket(const struct call *call);
void call_connect(const struct call *call);
void call_bind(const struct call *call);
void call_listen(const struct call *call);
void call_getsockopt(const struct call *call);
void call_setsockopt(const struct call *call);

/* ---- call-connect.c ---- */

/* Goes on with the connect of a waiter: events as for connect_end(). Closes fd. */
void call_connect_end(const struct call *call, struct waiter *waiter, int fd, int events);

/* ---- guess.c ---- */

void guess_start(struct supervisor *s, bool restarted);
/* A socket that is made now will most likely be kept on TCP. */
bool guess_tcp(struct supervisor *s);
/* The connect of an SMC socket, our copy of which is fd, goes where the policy keeps TCP. Before it becomes that. */
void guess_kept(const struct call *call, int fd);
/* The connect of an SMC socket goes where the policy wants SMC. */
void guess_smc(struct supervisor *s);
/*
 * A fresh TCP socket is to be connected over SMC: an SMC socket takes its place, in the program and under fd, where the program
 * cannot notice that. Returns 0, or -errno: it stays TCP.
 */
int guess_was_wrong(const struct call *call, int fd);

/* ---- untold.c: answers that the kernel gives once, and that may not have arrived ---- */

/* The answer of a connect (0 or -errno), or an error of SO_ERROR, about the socket that fd is our copy of. */
void untold_keep(const struct call *call, int fd, int answer);
bool untold_any(const struct shared *shared);
bool untold_answer(const struct call *call, int fd, int *answer);
void untold_drop(const struct call *call, int fd);
/* The call of that notification has told what it had to. */
void untold_told(struct shared *shared, uint64_t id);

/* ---- waiters.c ---- */

/* Keeps a blocking connect until it has an outcome; takes fd. False: too many, and nothing has happened. */
bool waiters_add(const struct call *call, const struct connect_call *connect, int fd);
bool waiters_room(const struct supervisor *s);
/* The waiters that a supervisor before this one left: takes their sockets. */
void waiters_take_over(struct supervisor *s);
/* Fills poll, which has room for all of them; returns how many. */
unsigned waiters_poll(struct supervisor *s, struct pollfd *poll);
/* After poll(2): ends those that have an outcome and, now and then, those whose time is over or whose caller is gone. */
void waiters_end(struct supervisor *s, const struct pollfd *poll, unsigned count);
bool waiters_any(const struct supervisor *s);

/* Before Linux 5.19: that thread makes a call, so another one that it had made was ended by a signal. */
void waiters_interrupt(struct supervisor *s, pid_t tid);

/* How late it may be noticed that the caller of a blocking connect is gone, ms. */
#define WAITERS_TICK 20

#endif
