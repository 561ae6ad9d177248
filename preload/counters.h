/* SPDX-License-Identifier: MIT */
/* The counters object of libsmcshim.so: what a process did with its sockets, read from outside by smcctl status. */
#ifndef SMCSHIM_PRELOAD_COUNTERS_H
#define SMCSHIM_PRELOAD_COUNTERS_H

#include <stdint.h>

#define SMCSHIM_COUNTERS_MAGIC "smccount" /* 8 bytes, no NUL */
#define SMCSHIM_COUNTERS_ABI 3u

/*
 * The one list of counters: X(name, meaning). The shim, smcctl status, its JSON keys and the man page follow it.
 * All only grow, so that two readings can be subtracted, but connect_pending, which is a gauge.
 */
#define SMCSHIM_COUNTERS(X) \
	X(sockets_smc, "sockets created as SMC") \
	X(sockets_tcp, "eligible sockets left TCP by the policy") \
	X(connect_smc, "connections made over SMC") \
	X(connect_fallback, "connections that SMC was tried for and that fell back to TCP") \
	X(connect_tcp, "connections kept on TCP by the policy") \
	X(connect_failed, "connections that failed; a nonblocking one on TCP counts as connect_tcp when it begins") \
	X(connect_pending, "nonblocking connections whose outcome has not been asked for") \
	X(connect_unseen, "nonblocking connections whose outcome was never asked for") \
	X(connect_observed, "connections that would have been SMC (state observe)") \
	X(listen_smc, "listeners that are SMC") \
	X(listen_tcp, "listeners that are TCP") \
	X(listen_observed, "listeners that would have been SMC (state observe)") \
	X(accept_smc, "connections accepted over SMC") \
	X(accept_tcp, "connections accepted over TCP") \
	X(downgraded, "SMC sockets turned into TCP in place") \
	X(replaced, "sockets replaced by one of the other kind before bind or listen") \
	X(own_errors, "steps of the shim that failed and ended in plain TCP") \
	X(refused_eafnosupport, "SMC sockets refused with EAFNOSUPPORT") \
	X(refused_eprotonosupport, "SMC sockets refused with EPROTONOSUPPORT") \
	X(refused_esocktnosupport, "SMC sockets refused with ESOCKTNOSUPPORT") \
	X(refused_eperm, "SMC sockets refused with EPERM") \
	X(refused_eacces, "SMC sockets refused with EACCES") \
	X(refused_enobufs, "SMC sockets refused with ENOBUFS") \
	X(refused_enomem, "SMC sockets refused with ENOMEM") \
	X(refused_other, "SMC sockets refused with another errno") \
	X(quirk_fastopen, "TCP_FASTOPEN options kept away from SMC") \
	X(quirk_optname, "other options that SMC would have taken for TCP_FASTOPEN") \
	X(quirk_optlen, "options shorter than 4 bytes that SMC answers EINVAL to") \
	X(quirk_refused_option, "options that SMC refuses and TCP accepts") \
	X(quirk_so_error, "errors of a nonblocking connect that the kernel lost") \
	X(quirk_reconnect, "repeated connect calls answered without entering the kernel") \
	X(quirk_disconnect, "connect(AF_UNSPEC) calls answered as TCP does") \
	X(quirk_identity, "SO_DOMAIN and SO_PROTOCOL answered as TCP does") \
	X(quirk_linger, "SO_LINGER times set again after a fallback") \
	X(quirk_retried, "failed SMC handshakes repeated over TCP") \
	X(supervised_calls, "calls of supervised programs that the supervisor was asked about") \
	X(supervised_unreachable, "of them, those of processes that it may not look into: they stay TCP") \
	X(supervised_32bit, "TCP sockets that 32-bit programs under supervision made: they stay TCP") \
	X(supervised_io_uring, "rings that supervised programs set up: what they connect is not supervised")

enum smcshim_counter {
#define SMCSHIM_COUNTER_ENUM(name, meaning) SMCSHIM_##name,
	SMCSHIM_COUNTERS(SMCSHIM_COUNTER_ENUM)
#undef SMCSHIM_COUNTER_ENUM
		SMCSHIM_COUNTER_MAX
};

/*
 * Exported as "smcshim_counters", page-aligned. The first page is written by the constructor only and kept over
 * fork; the second holds the numbers and reads as zero in a forked child (MADV_WIPEONFORK).
 */
struct smcshim_counters {
	struct {
		char magic[8];
		uint32_t abi;
		uint32_t count;       /* SMCSHIM_COUNTER_MAX */
		uint64_t table_state; /* enum smcshim_table_state */
		char table[1024];     /* path of the policy table that it maps or looks for */
		char comm[16];        /* the name the policy's "programs" is matched with */
		uint64_t program;     /* in a supervisor: the process that smcctl run became; in the library: 0 */
		uint64_t supervisor;  /* and the supervisor itself, both as its own process IDs are counted */
	} about __attribute__((aligned(4096)));
	uint64_t value[SMCSHIM_COUNTER_MAX] __attribute__((aligned(4096))); /* atomic, relaxed */
};

/*
 * Exported beside it by the supervisor, "smcshim_serving", an int: 1 in the process whose counters these are, 0 in its
 * guardian, which has the same ones.
 */

enum smcshim_table_state {
	SMCSHIM_TABLE_MISSING = 0, /* looked for, not there: looked for again at most once a second */
	SMCSHIM_TABLE_MAPPED = 1,
	SMCSHIM_TABLE_REFUSED = 2, /* not a table of this ABI, or owner or mode not trusted */
};

#endif
