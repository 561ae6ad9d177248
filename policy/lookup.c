/* SPDX-License-Identifier: MIT */
/* Reading the table: one consistent view under a sequence number, every number in it checked before it is used. */
#include "config.h"

#include "policy/lookup.h"

#include <netinet/in.h>
#include <sys/socket.h>

/*
 * A reader is only sent back by a publication, and two in a row need a whole policy written in between: more rounds
 * than this mean that the table is not what it claims to be.
 */
#define ROUNDS 64

/* TSan does not know fences and gcc says so; all loads here are atomic, so it has nothing to report either. */
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"
#endif

static inline uint32_t load32(const uint32_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static inline uint64_t load64(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static const struct policy_header *header_of(const struct policy_map *map)
{
	return map->base;
}

bool policy_map_valid(const struct policy_map *map)
{
	const struct policy_header *header = header_of(map);

	if (!header || map->size < POLICY_TABLE_SIZE)
		return false;
	for (size_t i = 0; i < sizeof(POLICY_TABLE_MAGIC); i++)
		if (header->magic[i] != POLICY_TABLE_MAGIC[i])
			return false;
	return load32(&header->abi) == POLICY_TABLE_ABI && load32(&header->header_size) == POLICY_HEADER_SIZE &&
		load64(&header->table_size) == POLICY_TABLE_SIZE && load64(&header->half_size) == POLICY_HALF_SIZE;
}

enum policy_state policy_map_state(const struct policy_map *map)
{
	uint32_t state = load32(&header_of(map)->state);

	return state == POLICY_ON || state == POLICY_OBSERVE ? (enum policy_state)state : POLICY_OFF;
}

uint64_t policy_map_sequence(const struct policy_map *map)
{
	return __atomic_load_n(&header_of(map)->sequence, __ATOMIC_ACQUIRE);
}

/* The half that sequence puts in force, or NULL if it says itself that it is not that. */
static const struct policy_half *half_of(const struct policy_map *map, uint64_t sequence)
{
	const void *at = (const unsigned char *)map->base + POLICY_HALF_OFFSET(sequence & 1);
	const struct policy_half *half = at;

	return sequence && load64(&half->sequence) == sequence ? half : NULL;
}

/* True if all that was loaded since sequence belongs to the publication of that number. */
static bool still_in_force(const struct policy_map *map, uint64_t sequence)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return load64(&header_of(map)->sequence) == sequence;
}

/* An array of the half whose bounds have been checked, or NULL; count is as it was checked. */
static inline const void *array_of(
	const struct policy_half *half, const struct policy_array *array, size_t size, uint64_t *count)
{
	uint64_t offset = load64(&array->offset);

	*count = load64(&array->count);
	if (offset > POLICY_HALF_SIZE || offset % 64 || *count > (POLICY_HALF_SIZE - offset) / size)
		return NULL;
	return (const unsigned char *)half + offset;
}

/* Where the levels of a list begin in its keys, and how many blocks each has. */
struct levels {
	unsigned depth;
	uint32_t start[POLICY_LEVELS];
	uint32_t blocks[POLICY_LEVELS];
};

static inline bool find_levels(struct levels *levels, uint64_t intervals, uint64_t keys)
{
	uint64_t start = 0, blocks = intervals / POLICY_BLOCK;

	if (!intervals || intervals % POLICY_BLOCK || keys > UINT32_MAX)
		return false;
	for (unsigned level = 0; level < POLICY_LEVELS; level++) {
		levels->start[level] = (uint32_t)start;
		levels->blocks[level] = (uint32_t)blocks;
		start += blocks * POLICY_BLOCK;
		if (start > keys)
			return false;
		if (blocks == 1) {
			levels->depth = level + 1;
			return start == keys;
		}
		blocks = (blocks + POLICY_BLOCK - 1) / POLICY_BLOCK;
	}
	return false;
}

/*
 * The place of the last key of a block that is not above the address, 0 if there is none. Written out, for the loop
 * would cost as much as the comparisons; without jumps, for nothing could predict them.
 */
static inline uint32_t search_block4(const uint32_t *keys, uint32_t address)
{
	uint32_t at = load32(keys + 8) <= address ? 8 : 0;

	at += load32(keys + at + 4) <= address ? 4 : 0;
	at += load32(keys + at + 2) <= address ? 2 : 0;
	at += load32(keys + at + 1) <= address ? 1 : 0;
	return at;
}

static inline uint32_t not_above6(const struct policy_key6 *key, const struct policy_key6 *address)
{
	uint64_t high = load64(&key->high), low = load64(&key->low);

	return (uint32_t)(high < address->high) | ((uint32_t)(high == address->high) & (uint32_t)(low <= address->low));
}

static inline uint32_t search_block6(const struct policy_key6 *keys, const struct policy_key6 *address)
{
	uint32_t at = not_above6(keys + 8, address) * 8;

	at += not_above6(keys + at + 4, address) * 4;
	at += not_above6(keys + at + 2, address) * 2;
	at += not_above6(keys + at + 1, address);
	return at;
}

/* The first key of the block that the level above points at; held inside the level whatever the keys were. */
static inline uint32_t block_at(const struct levels *levels, unsigned level, uint32_t at)
{
	uint32_t last = levels->blocks[level] - 1;

	return (at < last ? at : last) * POLICY_BLOCK;
}

static uint32_t find4(const struct policy_half *half, const struct policy_list *list, uint32_t address)
{
	struct levels levels;
	uint64_t key_count, value_count;
	const uint32_t *keys = array_of(half, &list->keys, sizeof(*keys), &key_count);
	const uint32_t *values = array_of(half, &list->values, sizeof(*values), &value_count);
	uint32_t at = 0;

	if (!keys || !values || !find_levels(&levels, value_count, key_count))
		return 0;
	for (unsigned level = levels.depth - 1; level > 0; level--) {
		at = block_at(&levels, level, at);
		at += search_block4(keys + levels.start[level] + at, address);
	}
	at = block_at(&levels, 0, at);
	__builtin_prefetch(values + at);
	return load32(values + at + search_block4(keys + at, address));
}

static uint32_t find6(
	const struct policy_half *half, const struct policy_list *list, const struct policy_key6 *address)
{
	struct levels levels;
	uint64_t key_count, value_count;
	const struct policy_key6 *keys = array_of(half, &list->keys, sizeof(*keys), &key_count);
	const uint32_t *values = array_of(half, &list->values, sizeof(*values), &value_count);
	uint32_t at = 0;

	if (!keys || !values || !find_levels(&levels, value_count, key_count))
		return 0;
	for (unsigned level = levels.depth - 1; level > 0; level--) {
		at = block_at(&levels, level, at);
		at += search_block6(keys + levels.start[level] + at, address);
	}
	at = block_at(&levels, 0, at);
	/* The four lines of the last block are all cold: fetched together they cost one miss. */
	__builtin_prefetch(keys + at);
	__builtin_prefetch(keys + at + 4);
	__builtin_prefetch(keys + at + 12);
	__builtin_prefetch(values + at);
	return load32(values + at + search_block6(keys + at, address));
}

static uint32_t find_port(const struct policy_half *half, uint32_t group, uint32_t port)
{
	uint64_t count;
	const struct policy_port *ports = array_of(half, &half->ports, sizeof(*ports), &count);
	uint32_t entries, low = 0;

	if (!ports || group >= count)
		return 0;
	ports += group;
	entries = load32(&ports->from);
	if (!entries || entries >= count - group)
		return 0;
	ports++;
	while (entries > 1) {
		uint32_t half_of_them = entries / 2;

		low += load32(&ports[low + half_of_them].from) <= port ? half_of_them : 0;
		entries -= half_of_them;
	}
	return load32(&ports[low].value);
}

/* What a socket address says, in host byte order. */
struct target {
	bool ipv6;
	uint32_t port;
	uint32_t address4;
	struct policy_key6 address6;
};

static bool read_target(const struct sockaddr *addr, size_t len, struct target *target)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	uint64_t high, low;

	*target = (struct target){ 0 };
	if (len < sizeof(in))
		return false;
	__builtin_memcpy(&in, addr, sizeof(in)); /* the caller's may be unaligned */
	target->port = ntohs(in.sin_port);
	if (in.sin_family == AF_INET) {
		target->address4 = ntohl(in.sin_addr.s_addr);
		return true;
	}
	if (in.sin_family != AF_INET6 || len < sizeof(in6))
		return false;
	__builtin_memcpy(&in6, addr, sizeof(in6));
	__builtin_memcpy(&high, in6.sin6_addr.s6_addr, 8);
	__builtin_memcpy(&low, in6.sin6_addr.s6_addr + 8, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	high = __builtin_bswap64(high);
	low = __builtin_bswap64(low);
#endif
	target->ipv6 = high != 0 || low >> 32 != 0xffff;
	target->address4 = (uint32_t)low; /* IPv4-mapped */
	target->address6 = (struct policy_key6){ high, low };
	return true;
}

static uint32_t decide_in(const struct policy_half *half, enum policy_role role, const struct target *target)
{
	const struct policy_list *list = &half->lists[POLICY_LIST(role, target->ipv6)];
	uint32_t value =
		target->ipv6 ? find6(half, list, &target->address6) : find4(half, list, target->address4);

	if (value & POLICY_VALUE_PORTS)
		value = find_port(half, value & ~POLICY_VALUE_PORTS, target->port);
	return value & (POLICY_VALUE_SMC | POLICY_VALUE_RULE);
}

uint32_t policy_map_decide(const struct policy_map *map, enum policy_role role, const struct sockaddr *addr, size_t len)
{
	struct target target;

	if ((unsigned)role > POLICY_LISTEN || !read_target(addr, len, &target))
		return 0;
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t sequence = policy_map_sequence(map);
		const struct policy_half *half = half_of(map, sequence);
		uint32_t value = half ? decide_in(half, role, &target) : 0;

		if (still_in_force(map, sequence))
			return value;
	}
	return 0;
}

bool policy_program_matches(const char *name, const char *comm)
{
	for (size_t i = 0; i < POLICY_COMM_LEN; i++) {
		char c = __atomic_load_n(name + i, __ATOMIC_RELAXED);

		if (c == '*' && (i + 1 == POLICY_COMM_LEN || !__atomic_load_n(name + i + 1, __ATOMIC_RELAXED)))
			return true;
		if (c != comm[i])
			return false;
		if (!c)
			return true;
	}
	return false;
}

static bool program_inside(const struct policy_half *half, const char *comm)
{
	uint32_t mode = load32(&half->program_mode), names = load32(&half->programs_len);
	bool named = false;

	if (mode == POLICY_PROGRAMS_ALL)
		return true;
	if (names > POLICY_MAX_PROGRAMS || (mode != POLICY_PROGRAMS_ONLY && mode != POLICY_PROGRAMS_EXCEPT))
		return false;
	for (uint32_t i = 0; i < names && !named; i++)
		named = policy_program_matches(half->programs[i], comm);
	return named == (mode == POLICY_PROGRAMS_ONLY);
}

void policy_map_summary(const struct policy_map *map, const char *comm, struct policy_summary *out)
{
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t sequence = policy_map_sequence(map);
		const struct policy_half *half = half_of(map, sequence);

		*out = (struct policy_summary){ 0 };
		if (half)
			*out = (struct policy_summary){
				.sequence = sequence,
				.kernel = load32(&half->kernel),
				.flags = load32(&half->flags),
				.buffers = load32(&half->buffers),
				.program = program_inside(half, comm),
			};
		if (still_in_force(map, sequence))
			return;
	}
	*out = (struct policy_summary){ 0 };
}
