/* SPDX-License-Identifier: MIT */
/* What the cases of shimtest share: checks, raw system calls, places to connect to, what the kernel says of sockets. */
#ifndef SMCSHIM_TESTS_SHIM_HARNESS_H
#define SMCSHIM_TESTS_SHIM_HARNESS_H

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "preload/counters.h"

#ifndef AF_SMC
#define AF_SMC 43
#endif
#ifndef IPPROTO_SMC
#define IPPROTO_SMC 256
#endif

/* ---- cases ---- */

#define IN_BARE 0x01u    /* without the shim */
#define IN_NONE 0x02u    /* the shim and a policy that accelerates nothing */
#define IN_SOME 0x04u    /* 127.0.0.0/24 and ::1 are SMC, everything else is TCP */
#define IN_ALL 0x08u     /* everything is SMC */
#define IN_OFF 0x10u     /* as IN_ALL, switched off */
#define IN_OBSERVE 0x20u /* as IN_ALL, only observed */
#define IN_OWN 0x40u     /* the case's own policy */
#define HELPER 0x80u     /* not a case: what another case executes, by run_helper() */
#define IN_USUAL (IN_BARE | IN_NONE | IN_SOME | IN_ALL)
#define IN_SHIM (IN_NONE | IN_SOME | IN_ALL)
#define NEEDS_LAB 0x100u /* the routes and devices of network.sh, and root */
#define NEEDS_SMC 0x200u /* a kernel with SMC */
#define NO_SMC 0x800u    /* a kernel without it */
/* Not under AddressSanitizer, whose interceptors read what the kernel is to find unreadable, or fall over themselves. */
#define NO_ASAN 0x1000u
#define ALONE 0x400u /* measures time, or loads the machine */

struct test_case {
	const char *name;
	void (*run)(void);
	unsigned flags;     /* 0: IN_USUAL */
	unsigned seconds;   /* limit; 0: 20 */
	const char *policy; /* for IN_OWN */
};

#define CASE_END \
	{ \
		.name = NULL \
	}

/* The table of each file of cases, ended by CASE_END. */
extern const struct test_case argument_cases[], buffer_cases[], carry_cases[], connect_cases[], epoll_cases[],
	failure_cases[], flip_cases[], identity_cases[], listen_cases[], option_cases[], process_cases[],
	refusal_cases[], signal_cases[], wake_cases[], window_cases[];

/* Ports below the usual ephemeral ones that the runner leaves to each case, so that cases can run side by side. */
#define FIRST_PORT 10000u
#define CASE_PORTS 16u
/* The first of those of this case. */
unsigned first_port(void);

/* Which of IN_* this process runs in. */
unsigned config_now(void);
/* The library under test is loaded. */
bool shim_loaded(void);
/* The kernel has SMC. */
bool kernel_has_smc(void);
/* Sockets of this process begin as SMC. */
bool fresh_is_smc(void);
/* What an SMC client over IPv6, also to a mapped IPv4 address, gets from an SMC listener: SMC-Rv2 is IPv4 only. */
bool ipv6_is_smc(void);

/* ---- checks: one that fails is reported and the case goes on; MUST ends it ---- */

void check_at(const char *file, int line, bool good, bool end, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void equal_at(const char *file, int line, const char *what, long long got, long long want, bool end);
/* What the next failures belong to. */
void context(const char *format, ...) __attribute__((format(printf, 1, 2)));
void skip(const char *reason) __attribute__((noreturn));
/* A line of information in the output. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Exits with the verdict so far: for child processes that share the case's checks. */
void finish(void) __attribute__((noreturn));
/* Waits for a child that ends with finish(); its failure is the case's. */
void reap(pid_t child);

#define CHECK(condition) check_at(__FILE__, __LINE__, (condition), false, "%s", #condition)
#define CHECKF(condition, ...) check_at(__FILE__, __LINE__, (condition), false, __VA_ARGS__)
#define MUST(condition) check_at(__FILE__, __LINE__, (condition), true, "%s", #condition)
#define EQUAL(got, want) equal_at(__FILE__, __LINE__, #got, (got), (want), false)
#define MUST_EQUAL(got, want) equal_at(__FILE__, __LINE__, #got, (got), (want), true)
/* A call that fails with -1 and this errno. */
#define FAILS(call, error) \
	do { \
		errno = 0; \
		equal_at(__FILE__, __LINE__, #call, (call) == -1 ? errno : 0, (error), false); \
	} while (0)
/* A call that succeeds and leaves errno alone. */
#define SENTINEL 4711
#define SUCCEEDS(call) \
	do { \
		errno = SENTINEL; \
		int result_ = (call); \
		check_at(__FILE__, __LINE__, result_ >= 0, false, "%s: %m", #call); \
		if (result_ >= 0) \
			equal_at(__FILE__, __LINE__, "errno after " #call, errno, SENTINEL, false); \
	} while (0)

/* ---- addresses ---- */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	};
	socklen_t len;
};

struct address address_of(const char *text, unsigned port);
struct address local_address(int fd);
unsigned port_of(const struct address *address);

/* ---- places: what can become of a connection ---- */

enum place {
	ALLOWED, /* the policy says SMC and the listener is SMC */
	NATURAL, /* the policy says SMC and the listener is TCP: falls back */
	DENIED,  /* the policy says TCP */
	PLACES
};

#define EACH_PLACE(p) for (enum place p = ALLOWED; p < PLACES && (context("%s", place_name(p)), true); p++)

const char *place_name(enum place place);
const char *place_host(enum place place);
/* A listener of the place, made by raw system calls, so that the policy has no say in it. */
int place_listen(enum place place, struct address *address);
/* A new client socket (of libc, so of the shim) of the place's family. */
int place_socket(int flags);
/* True if a finished connection to the place is SMC in this configuration. */
bool place_is_smc(enum place place);
/* True if SMC is tried for it, whatever becomes of that. */
bool place_is_tried(enum place place);
/* What the shim counts such a connection as. */
enum smcshim_counter place_counter(enum place place);
/* Connects a new blocking socket to a new listener of the place; both ends are checked for their kind. */
int place_connect(enum place place, int *server);
/* Connects the client to the listener: at once, as TCP, and bytes go both ways. Closes the client. */
void connects_as_tcp(int client, int listener, const struct address *at);

/* ---- raw system calls: the kernel without libc and shim ---- */

int raw_socket(int domain, int type, int protocol);
int raw_bind(int fd, const struct address *address);
int raw_connect(int fd, const struct address *address);
int raw_listen(int fd, int backlog);
int raw_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int raw_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int raw_int_option(int fd, int level, int name);
/* Accepts within 10 s; the kernel's accept4. */
int raw_accept(int listener);
/* A listener at the address, of the protocol; the address gets the port. */
int raw_listener(struct address *address, int protocol);

/* ---- the kernel's answers ---- */

enum kind { TCP, SMC, OTHER };

enum kind kind_of(int fd);
const char *kind_name(enum kind kind);
/* The kind that listen() gives a socket bound to this host, made by libc. */
enum kind listener_kind(const char *host);
#define KIND(fd, want) \
	check_at(__FILE__, __LINE__, kind_of(fd) == (want), false, "kind of " #fd " is %s, not %s", \
		kind_name(kind_of(fd)), kind_name(want))

/* A counter of this process, 0 without the shim. */
uint64_t counter(enum smcshim_counter which);

/* All of them at one moment, and how much one has grown since: n if the shim is loaded, else 0. */
struct counts {
	uint64_t value[SMCSHIM_COUNTER_MAX];
};
struct counts counts_now(void);
void counted_at(const char *file, int line, const struct counts *before, enum smcshim_counter which, long long n);
#define COUNTED(before, which, n) counted_at(__FILE__, __LINE__, &(before), (which), (n))
/* The outcome was counted once, and nothing else of connect_smc, _fallback, _tcp, _failed, _observed. */
void counted_once_at(const char *file, int line, const struct counts *before, enum smcshim_counter outcome);
#define COUNTED_ONCE(before, outcome) counted_once_at(__FILE__, __LINE__, &(before), (outcome))

/* ---- help ---- */

double now(void);
void sleep_ms(int ms);
/* The events of poll(2) within ms. */
int poll_for(int fd, int events, int ms);
/* libc's connect(). */
int connect_to(int fd, const struct address *address);
void set_nonblock(int fd, bool on);
bool is_nonblock(int fd);
/* Bytes go both ways between the two ends. */
void talk(int a, int b);
/* Becomes the helper of that name, with the library if this process has it. */
void run_helper(const char *name) __attribute__((noreturn));
/* Publishes a policy in the table that this process reads, or in another one. */
void publish(const char *text);
void publish_at(const char *table, const char *text, unsigned kernel);
void set_state(const char *table, unsigned state);
/* The same in steps: compile once, publish often, also after the table's file has been unlinked. */
const void *compile_policy(const char *text);
void *open_writer(const char *table);
void write_policy(void *writer, const void *image);
/* The pages of a mapping that nobody may touch. */
void *forbidden_page(void);

#endif
