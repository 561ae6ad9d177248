/* SPDX-License-Identifier: MIT */
/* What the files of the shim share. Nothing here allocates, locks, or keeps a table of descriptors. */
#ifndef SMCSHIM_PRELOAD_SHIM_H
#define SMCSHIM_PRELOAD_SHIM_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/lookup.h"
#include "preload/counters.h"

#define HOOK __attribute__((visibility("default")))

#ifndef IPPROTO_SMC
#define IPPROTO_SMC 256 /* include/uapi/linux/in.h, Linux 6.11 */
#endif
#ifndef AF_SMC
#define AF_SMC 43
#endif

/* ---- counters.c ---- */

extern struct smcshim_counters smcshim_counters;
/* The same object by a name that needs no look-up through the global offset table. */
extern struct smcshim_counters smcshim_own_counters __attribute__((visibility("hidden")));

static inline void count(enum smcshim_counter which)
{
	__atomic_fetch_add(&smcshim_own_counters.value[which], 1, __ATOMIC_RELAXED);
}

static inline void uncount(enum smcshim_counter which)
{
	__atomic_fetch_sub(&smcshim_own_counters.value[which], 1, __ATOMIC_RELAXED);
}

/* ---- straight to the kernel: a name imported from libc is looked up at every start of a program ---- */

static inline int kernel_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	return (int)syscall(SYS_getsockname, fd, addr, len);
}

static inline int kernel_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return (int)syscall(SYS_getpeername, fd, addr, len);
}

/* A forked child finds these whole pages zeroed; a kernel before 4.14 refuses, and the child has its parent's. */
static inline void kernel_wipe_on_fork(void *pages, size_t size)
{
	syscall(SYS_madvise, pages, size, MADV_WIPEONFORK);
}

/* ---- next.c: the functions that stand behind ours ---- */

int next_socket(int domain, int type, int protocol);
int next_bind(int fd, const struct sockaddr *addr, socklen_t len);
int next_connect(int fd, const struct sockaddr *addr, socklen_t len);
int next_listen(int fd, int backlog);
int next_accept(int fd, struct sockaddr *addr, socklen_t *len);
int next_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int next_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int next_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

/* Looks the functions up behind this library (dlsym(3), RTLD_NEXT). Called once, by the constructor. */
void next_resolve(void);

/* ---- table.c: the policy in force ---- */

/* What the policy says to this process, whatever the address. */
#define MODE_ON 0x01u      /* rules are in force (state on, program inside) */
#define MODE_OBSERVE 0x02u /* rules are only counted (state observe, program inside) */
#define MODE_CONNECT 0x04u /* there is a connect rule that says smc */
#define MODE_LISTEN 0x08u  /* there is a listen rule that says smc */
#define MODE_INET 0x10u    /* the kernel has IPPROTO_SMC for AF_INET */
#define MODE_INET6 0x20u   /* and for AF_INET6 */
#define MODE_AF_SMC 0x40u  /* the kernel has AF_SMC */
#define MODE_BUFFERS 0x80u /* the policy sets buffer sizes */

#define MODE_KERNEL (MODE_INET | MODE_INET6 | MODE_AF_SMC) /* any of them: the kernel has SMC */

/* True if the mode lets some socket become SMC by connect rules, or by listen rules. */
static inline bool mode_may_connect(unsigned mode)
{
	return (mode & MODE_ON) && (mode & MODE_CONNECT) && (mode & MODE_KERNEL);
}

static inline bool mode_may_listen(unsigned mode)
{
	return (mode & MODE_ON) && (mode & MODE_LISTEN) && (mode & MODE_KERNEL);
}

/* Reads the environment once and maps the table; called by the constructor. */
void table_start(void);

/* Written by table.c alone; here for the questions below, which socket() asks in a few instructions. */
struct table {
	_Atomic(const void *) base; /* NULL until there is a table, then its header for ever */
	_Atomic(uintptr_t) half[2]; /* window_of(); published by base, and only ever replaced by a larger one */
	_Atomic(int64_t) looked;    /* time(2) of the last look for it */
	/* sequence << 16 | TABLE_KNOWN | MODE_* of that sequence: a flip makes it stale, and anybody may renew it */
	_Atomic(uint64_t) known;
	_Atomic(bool) aside;
};
#define TABLE_KNOWN 0x8000u

extern struct table table __attribute__((visibility("hidden")));

unsigned table_mode_slow(void);
unsigned table_mode_without(void);

/* MODE_* bits of now; 0 without a usable table. look: the table may be looked for again if it was missing. */
static inline unsigned table_mode(bool look)
{
	const struct policy_header *header = atomic_load_explicit(&table.base, memory_order_acquire);
	uint64_t known, sequence;
	uint32_t state;

	if (__builtin_expect(header == NULL, 0))
		return look ? table_mode_without() : 0;
	state = __atomic_load_n(&header->state, __ATOMIC_RELAXED);
	known = atomic_load_explicit(&table.known, memory_order_relaxed);
	sequence = __atomic_load_n(&header->sequence, __ATOMIC_ACQUIRE);
	if (__builtin_expect(state == POLICY_ON && (known ^ (sequence << 16 | TABLE_KNOWN)) < TABLE_KNOWN, 1))
		return (unsigned)known & (TABLE_KNOWN - 1);
	return state == POLICY_OFF ? 0 : table_mode_slow();
}

/* True if the rules in force say SMC for this address; what state and programs say is the caller's to check. */
bool table_says_smc(enum policy_role role, const struct sockaddr *addr, socklen_t len);

/* Bytes for SO_SNDBUF and SO_RCVBUF by the policy in force; 0: leave them. */
unsigned table_buffers(void);

/* True if a program under this shim asked for SMC itself: its SMC sockets are then none of our business. */
static inline bool table_standing_aside(void)
{
	return atomic_load_explicit(&table.aside, memory_order_relaxed);
}

void table_stand_aside(void);

/* Lets "programs" of the policy be matched with this name from now on. For a process that decides for others. */
void table_name_program(const char *comm);
/* True if the policy in force names programs at all. */
bool table_names_programs(void);

/* False as long as there has been no table: every hook but socket() is then the next function's call and no more. */
static inline bool table_mapped(void)
{
	return atomic_load_explicit(&table.base, memory_order_relaxed) != NULL;
}

/* ---- kind.c: what is this descriptor? Asked of the kernel, remembered nowhere ---- */

enum kind { KIND_OTHER, KIND_TCP, KIND_SMC };

enum kind kind_of(int fd);

/* The descriptor was made as SMC and has become TCP since (the name of its protocol stays with the inode). */
bool kind_was_smc(int fd);

/* AF_INET or AF_INET6, also for a socket whose SO_DOMAIN reads AF_SMC; 0 if it cannot be told. */
int kind_family(int fd);

/* TCP_ESTABLISHED ... of the TCP connection under fd (tcpi_state); -1 if it has none. */
int kind_tcp_state(int fd);

/* poll(2) with a timeout of zero: the events that are there now. Not a cancellation point. */
int kind_events(int fd);

/* The local port, 0 if not bound. */
unsigned kind_local_port(int fd);

/* True if the kernel can read len bytes at p for this process; a hook that looks at the caller's memory asks first. */
bool kind_readable(const void *p, size_t len);

/* The value of an int option, or otherwise if it cannot be read. */
int kind_int_option(int fd, int level, int name, int otherwise);

/* ---- make.c: sockets of the kind wanted ---- */

/* A new SMC socket; -1 with errno when this kernel or sandbox refuses (counted). type: SOCK_STREAM and its flags. */
int make_smc(unsigned mode, int family, int type);

/*
 * Turns a fresh SMC socket into TCP, same descriptor, same open file, SOL_SOCKET options kept. Returns its F_GETFL flags,
 * or -errno; after an error the descriptor is still SMC and usable.
 */
int make_tcp_in_place(int fd);

/*
 * Puts a new socket of the kind under the same descriptor, with its flags and options; epoll
 * registrations are lost. rebind: also bind it to the address of the old one, which must not be listening.
 * Returns 0 or -errno (-EXDEV: the old one is of another network namespace); after an error the descriptor is what it was.
 */
int make_replacement(int fd, enum kind kind, unsigned mode, bool rebind);

/* ---- options.c: socket options that must survive ---- */

#define OPTIONS_SOCKET_MAX 40

struct option_value {
	union {
		int number;
		uint64_t wide;
		unsigned char bytes[16]; /* struct linger, struct timeval */
	};
	unsigned char name;
	unsigned char len;
};

/* The SOL_SOCKET options of a socket that differ from those of a fresh one. */
struct options {
	unsigned count;
	int file_flags; /* F_GETFL */
	struct option_value value[OPTIONS_SOCKET_MAX];
};

/* Remembers that a program set a SOL_SOCKET option, so that only such options are read back when they must be kept. */
void options_seen(int name);
bool options_were_seen(int name);
/* The same for options of IPPROTO_TCP, below 64. */
void options_seen_tcp(int name);
bool options_were_seen_tcp(int name);

/* SO_SNDTIMEO by either of its numbers. */
bool options_is_sndtimeo(int name);

/* As if those that many programs set had been seen, or all: for a process that does not see every call. */
void options_assume(bool all);

/* On an SMC socket an option of any level with one of these numbers means TCP_FASTOPEN* (af_smc.c, smc_setsockopt). */
bool options_collide(int name);

void options_read(int fd, struct options *out);
/* Sets what options_read() found. Returns 0 or -errno of the first option that could not be set; the rest is set. */
int options_write(int fd, const struct options *options);
/* Checks, while nothing is lost yet, that privileged options could be set again. Returns 0 or -EPERM. */
int options_check(int fd, const struct options *options);

/* After an SMC socket has become TCP: SIGIO goes on. */
void options_renew_async(int fd);

/* True for options whose value cannot be read back (filters, keys). The process is known for it from then on. */
bool options_unreadable(int level, int name);

/* Copies every readable option in which the two sockets differ, of all levels. Returns 0 or -errno (to is half set). */
int options_copy(int from, int to, enum kind to_kind);

/* Gives a fresh SMC socket the policy's buffer sizes, without locking them against the kernel's own tuning. */
void options_set_buffers(int fd);
/* For an SMC listener: locked, as only locked sizes reach the sockets that it accepts (smc_adjust_sock_bufsizes). */
void options_lock_buffers(int listener);
/* Takes them back from a connection that the listener accepted as TCP, so that its buffers are tuned as always. */
void options_unlock_buffers(int listener, int fd);

/* ---- pending.c: nonblocking connects whose outcome nobody has asked for yet ---- */

struct aftermath {
	int linger;           /* seconds of SO_LINGER that the kernel forgets on a fallback; -1: none */
	int sndtimeo_ms;      /* SO_SNDTIMEO that was put aside for the connect; 0: none */
	uint32_t destination; /* its avoid_name() */
};

void pending_add(int fd, const struct aftermath *after);
/* True if fd is such a connect; it is one no longer then, and *after is what was to be done. */
bool pending_take(int fd, struct aftermath *after);
/* Its SO_SNDTIMEO is not to be set again: the program has set another one. */
void pending_drop_sndtimeo(int fd);
/* fd is not that connect, whatever its number says: nobody can ask for the outcome any more. */
void pending_forget(int fd);
bool pending_any(void);
/* True if an outcome may be asked for that nobody remembers. */
bool pending_forgotten_any(void);
bool pending_has(int fd);
/* All that is remembered: a multiple of the page size, for the supervisor to share among its processes. */
void *pending_memory(size_t *size);

/* ---- pending-key.c; the supervisor has its own ---- */

/* Names the connect under fd: 0 if it has no local port, else bits 16 and 0 to 15 are 1 and that port. */
uint64_t pending_key(int fd);

/* ---- wait.c ---- */

/* The poll events of an outcome; -EINTR or -EINPROGRESS (timeout_ms is over) as TCP's. A cancellation point. */
int wait_for_outcome(int fd, int timeout_ms);

/* ---- bind.c ---- */

/* True once an SMC socket has been bound in this process or the one it was forked from. */
bool bind_smc_any(void);
/* From now on it is true, for a process that does not see every call. */
void bind_assume_smc(void);

/* Gives a socket that is about to be bound the kind that the listen rules say. addr need not be readable. Changes errno. */
void bind_fit(int fd, const struct sockaddr *addr, socklen_t len);

/* ---- listen.c ---- */

/* True once this process, or the one it was forked from, has had an SMC listener. */
bool listen_smc_any(void);

/* listen(2) as the hook does it in this mode. */
int listen_with(int fd, int backlog, unsigned mode);

/* ---- connect-smc.c: what connect() does to an SMC socket ---- */

/* What became of a connect of an SMC socket: counts it, repairs options. Returns 0, or -errno of the connect. */
int connect_outcome(int fd, int events, int error, const struct aftermath *after);
/* The same for what poll and SO_ERROR say at this moment. */
int connect_outcome_now(int fd, const struct aftermath *after);

/* A connect has failed with these events of poll(2); where SO_ERROR reads 0, the kernel has lost the errno. */
bool connect_has_failed(int events);

/*
 * What SO_ERROR has to say of a connect that nobody remembers, where the kernel says 0 and has lost the errno of its
 * failure: that, or 0. Counts it.
 */
int connect_lost_error(int fd, int events);

/* What there will be to do after a connect of this socket. */
struct aftermath connect_aftermath(int fd, uint32_t destination);
/* Takes back what was done to the options for a connect that has not been entered. */
void connect_restore(int fd, const struct aftermath *after);

enum connect_step {
	CONNECT_REAL,   /* the descriptor is TCP now: the caller's own connect(2) is the answer */
	CONNECT_ANSWER, /* answer is it */
	CONNECT_WAIT,   /* under way, and the caller blocks: connect_end() takes what wait_for_outcome() says */
};

struct connect_call {
	int fd;
	const struct sockaddr *addr; /* readable, len bytes, a family among them */
	socklen_t len;
	int answer;             /* 0 or -errno */
	int flags;              /* the F_GETFL flags where they are known, else -1 */
	struct aftermath after; /* after.sndtimeo_ms is the timeout of the wait, 0: none */
	bool bound, again, first_again;
};

/* fd is SMC. The caller fills fd, addr, len. */
enum connect_step connect_begin(struct connect_call *call);
/* After CONNECT_WAIT: events of poll(2), -EINTR, or -EINPROGRESS when the timeout is over. Not CONNECT_WAIT again. */
enum connect_step connect_end(struct connect_call *call, int events);

/* Counts a connection that stays TCP, by the policy's word on its destination. */
void connect_count_tcp(const struct sockaddr *addr, socklen_t len);

/* ---- avoid.c: destinations whose SMC handshake broke ---- */

uint32_t avoid_name(const struct sockaddr *addr, socklen_t len);
void avoid_add(uint32_t destination);
bool avoid_has(uint32_t destination);

#endif
