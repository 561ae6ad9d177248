/* SPDX-License-Identifier: MIT */
/* The conversation of the transfer test: both directions at once, random chunks, half-close, digests compared. */
#ifndef SMCSHIM_TESTS_SHIM_ROUNDS_H
#define SMCSHIM_TESTS_SHIM_ROUNDS_H

#include <stdint.h>

enum run_size {
	RUN_SMALL, /* 0 to 64 KiB each way */
	RUN_LARGE, /* 0 to 8 MiB each way */
};

/*
 * The client's side of one connection: seed decides sizes, contents and chunks. Returns NULL, or what went wrong; the
 * text is of this thread. *bytes gets how many were sent and received.
 */
const char *rounds_ask(int fd, uint64_t seed, enum run_size size, uint64_t *bytes);

/* The server's side: receives until the client's half-close, while sending what the client's first message asks for. As above. */
const char *rounds_serve(int fd);

#endif
