/* SPDX-License-Identifier: MIT */
/* Remembers for a while the destinations whose SMC handshake broke after TCP was up: the next try is plain TCP. */
#include "config.h"

#include <netinet/in.h>
#include <time.h>

#include "preload/shim.h"

#define AVOID_SECONDS 60
#define AVOID_SLOTS 16u

/* destination << 32 | second at which it is forgotten; a lost race costs one entry. */
static _Atomic(uint64_t) avoided[AVOID_SLOTS];

static uint32_t now_seconds(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC_COARSE, &now) ? 0 : (uint32_t)now.tv_sec;
}

uint32_t avoid_name(const struct sockaddr *addr, socklen_t len)
{
	/* FNV-1a over port and address: the first 8 bytes of a sockaddr_in, the first 24 of a sockaddr_in6. */
	size_t used = addr->sa_family == AF_INET6 ? 24 : 8;
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < used && i < len; i++)
		hash = (hash ^ ((const unsigned char *)addr)[i]) * 16777619u;
	return hash ? hash : 1;
}

void avoid_add(uint32_t destination)
{
	atomic_store_explicit(&avoided[destination % AVOID_SLOTS],
		(uint64_t)destination << 32 | (now_seconds() + AVOID_SECONDS), memory_order_relaxed);
}

bool avoid_has(uint32_t destination)
{
	uint64_t entry = atomic_load_explicit(&avoided[destination % AVOID_SLOTS], memory_order_relaxed);

	return entry >> 32 == destination && (uint32_t)entry > now_seconds();
}
