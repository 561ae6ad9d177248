/* SPDX-License-Identifier: MIT */
/* Fuzz target over the reader of the table: any bytes in header and halves; behind the table lies nothing. */
#include "config.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "policy/lookup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The table is asked whole, and through the smallest windows, which a guard page follows. The input: the header from its state
 * on, then the beginning of both halves. The seeds are those bytes of tables that smcctl has published, of a few rules and of
 * 120 addresses (more leaves than one).
 */
#define HEADER_FROM offsetof(struct policy_header, state)
#define HEADER_BYTES (sizeof(struct policy_header) - HEADER_FROM)

static uint8_t *new_table(void)
{
	size_t guard = 1 << 16;
	uint8_t *base = mmap(NULL, POLICY_TABLE_SIZE + guard, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct policy_header header = {.magic = POLICY_TABLE_MAGIC,
		.abi = POLICY_TABLE_ABI,
		.header_size = POLICY_HEADER_SIZE,
		.table_size = POLICY_TABLE_SIZE,
		.half_size = POLICY_HALF_SIZE};

	if (base == MAP_FAILED || mprotect(base + POLICY_TABLE_SIZE, guard, PROT_NONE))
		abort();
	memcpy(base, &header, sizeof(header));
	return base;
}

/* Two windows, each before as many bytes that nobody may touch. */
static uint8_t *new_windows(void)
{
	uint8_t *at = mmap(NULL, 4 * POLICY_WINDOW_MIN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + POLICY_WINDOW_MIN, POLICY_WINDOW_MIN, PROT_NONE) ||
		mprotect(at + 3 * POLICY_WINDOW_MIN, POLICY_WINDOW_MIN, PROT_NONE))
		abort();
	return at;
}

/* beyond: what stands in the table may lead out of the windows. */
static void ask(const struct policy_map *map, uint32_t beyond)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(6379)};
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct policy_summary summary;

	policy_map_summary(map, "redis-server", &summary);
	for (uint32_t i = 0; i < 16; i++) {
		in.sin_addr.s_addr = htonl(i * 0x11111111u);
		in.sin_port = htons((uint16_t)(i * 4369));
		memset(&in6.sin6_addr, (int)(i * 17), sizeof(in6.sin6_addr));
		for (enum policy_role role = POLICY_CONNECT; role <= POLICY_LISTEN; role++)
			if ((policy_map_decide(map, role, (struct sockaddr *)&in, sizeof(in)) |
				    policy_map_decide(map, role, (struct sockaddr *)&in6, sizeof(in6))) &
				POLICY_VALUE_PORTS & ~beyond)
				abort();
	}
	if (policy_map_needs(map) > POLICY_HALF_SIZE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *base, *windows;
	const struct policy_map map = policy_map_whole(base ? base : (base = new_table()));
	struct policy_map small = {.header = map.header, .size = POLICY_WINDOW_MIN};
	size_t rest = size > HEADER_BYTES ? size - HEADER_BYTES : 0;

	if (rest > 1 << 16)
		return 0;
	memset(base + HEADER_FROM, 0, HEADER_BYTES);
	memcpy(base + HEADER_FROM, data, size - rest);
	for (unsigned half = 0; half < 2; half++) {
		memset(base + POLICY_HALF_OFFSET(half), 0, 1 << 16);
		memcpy(base + POLICY_HALF_OFFSET(half), data + size - rest, rest);
	}
	if (!policy_map_valid(&map))
		abort();
	ask(&map, 0);
	if (!windows)
		windows = new_windows();
	for (unsigned half = 0; half < 2; half++) {
		small.half[half] = windows + half * 2 * POLICY_WINDOW_MIN;
		memcpy(windows + half * 2 * POLICY_WINDOW_MIN, base + POLICY_HALF_OFFSET(half), POLICY_WINDOW_MIN);
	}
	if (!policy_map_valid(&small))
		abort();
	ask(&small, POLICY_VALUE_BEYOND);
	/* A window that is too small is none. */
	small.size = size < POLICY_WINDOW_MIN ? size : 0;
	if (policy_map_valid(&small))
		abort();
	return 0;
}
