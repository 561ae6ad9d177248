/* SPDX-License-Identifier: MIT */
/*
 * What bench's server and client say to each other on one port. A connection's first bytes choose: a request of HTTP is
 * answered with its own body (or the status, below); a preface makes it one of a kind of its own; all else comes back
 * as it is, as RFC 862 has it.
 */
#ifndef SMCSHIM_CTL_BENCH_PROTOCOL_H
#define SMCSHIM_CTL_BENCH_PROTOCOL_H

/* The preface: a line "SMCBENCH once N" or "SMCBENCH sink N", N in decimal. */
#define BENCH_PREFACE "SMCBENCH "
/* N bytes come back, then the server closes: the side that closes keeps the port, so the client does not run out of them. */
#define BENCH_ONCE "once "
/* Every N bytes are acknowledged with one byte. */
#define BENCH_SINK "sink "
#define BENCH_ACKNOWLEDGEMENT 'k'
#define BENCH_PREFACE_MAX 40u
/* A longer head of HTTP is refused; each connection keeps room for one. */
#define BENCH_HEAD_MAX 4096u

/* GET gives the lines "KEY VALUE" of the status. */
#define BENCH_STATUS_PATH "/.smcctl-bench/status"
#define BENCH_STATUS_FIRST "smcctl-bench 1\n"
#define BENCH_STATUS_CPU "cpu_ns"       /* user and system time of the server's process */
#define BENCH_STATUS_SMC "accepted_smc" /* connections that were SMC when they were accepted */
#define BENCH_STATUS_TCP "accepted_tcp"
#define BENCH_STATUS_TCP_PORT "tcp_port"     /* a port of the same server whose listener is no SMC socket; or 0 */
#define BENCH_STATUS_LISTENER "smc_listener" /* 1: the port speaks SMC */

#endif
