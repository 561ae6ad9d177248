/* SPDX-License-Identifier: MIT */
/* Sockets of a benchmark: of either transport, and what the kernel says that they are. */
#ifndef SMCSHIM_CTL_BENCH_SOCKET_H
#define SMCSHIM_CTL_BENCH_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "ctl/bench/params.h"

/* A new nonblocking, close-on-exec socket. Returns it or -errno. */
_must_check_ int bench_socket(enum bench_transport transport, int family);

/*
 * True if the kernel says that it is an SMC socket. After connect() and accept() a fallback shows in it
 * (net/smc/af_smc.c). Asks past the library, whose answer is that of TCP.
 */
bool bench_is_smc(int fd);

/* Small messages are sent at once; both ends of a benchmark want that on TCP and on SMC. */
void bench_no_delay(int fd);

#endif
