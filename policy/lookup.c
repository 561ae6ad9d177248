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

/* A decision is one straight piece of code: as calls, its parts would cost a quarter more instructions. */
#define INLINE inline __attribute__((always_inline))
#define COLD __attribute__((noinline, cold))

static INLINE uint32_t load32(const uint32_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static INLINE uint64_t load64(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static INLINE const struct policy_header *header_of(const struct policy_map *map)
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
static INLINE const struct policy_half *half_of(const struct policy_map *map, uint64_t sequence)
{
	const void *at = (const unsigned char *)map->base + POLICY_HALF_OFFSET(sequence & 1);
	const struct policy_half *half = at;

	return sequence && load64(&half->sequence) == sequence ? half : NULL;
}

/* True if all that was loaded since sequence belongs to the publication of that number. */
static INLINE bool still_in_force(const struct policy_map *map, uint64_t sequence)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return load64(&header_of(map)->sequence) == sequence;
}

/*
 * An array of the half, with a count that is not 0 and does not lead out of the half; NULL if there is none. An offset
 * that is no multiple of 64 is not what the writer meant, and becomes one: what is there is checked by nobody.
 */
static INLINE const void *array_of(
	const struct policy_half *half, const struct policy_array *array, size_t size, uint64_t *count)
{
	uint64_t offset = load64(&array->offset) & ~UINT64_C(63);

	*count = load64(&array->count);
	if (*count - 1 >= POLICY_HALF_SIZE / size || offset > POLICY_HALF_SIZE - *count * size)
		return NULL;
	return (const unsigned char *)half + offset;
}

/*
 * How many keys of a block are not above the address. First which quarter, then where in it: two steps of comparisons
 * that do not wait for one another, and no jump, for nothing could predict it.
 */
static INLINE uint64_t count4(const uint32_t *keys, uint32_t address)
{
	uint64_t count = (uint64_t)(load32(keys + 3) <= address) + (load32(keys + 7) <= address) +
		(load32(keys + 11) <= address);

	count *= 4;
	keys += count;
	return count + (load32(keys) <= address) + (load32(keys + 1) <= address) + (load32(keys + 2) <= address);
}

/* Counts all of both halves: the path for keys that share their high half with the address. */
static COLD uint64_t count_exact6(const struct policy_block6 *block, uint64_t address_high, uint64_t address_low)
{
	uint64_t count = 0;

	for (uint64_t step = POLICY_CHILDREN / 2; step; step /= 2) {
		uint64_t high = load64(&block->high[count + step - 1]), low = load64(&block->low[count + step - 1]);

		if (high < address_high || (high == address_high && low <= address_low))
			count += step;
	}
	return count;
}

/*
 * The same for IPv6. The high halves alone nearly always tell: only where the first key that is not below the address
 * has the same one do the low halves matter. (The unused last key may send us there for nothing.)
 */
static INLINE uint64_t count6(const struct policy_block6 *block, const struct policy_key6 *address)
{
	const uint64_t *keys = block->high;
	uint64_t high = address->high;
	uint64_t count = (uint64_t)(load64(keys + 3) < high) + (load64(keys + 7) < high) + (load64(keys + 11) < high);

	count *= 4;
	keys += count;
	count += (uint64_t)(load64(keys) < high) + (load64(keys + 1) < high) + (load64(keys + 2) < high);
	if (load64(&block->high[count]) == high)
		return count_exact6(block, high, address->low);
	return count;
}

/* The way down ends where there is no block any more, so no key, however wrong, leads out of the list. */
static INLINE uint32_t find4(const struct policy_half *half, const struct policy_array *list, uint32_t address)
{
	uint64_t count, block = 0;
	const struct policy_block4 *blocks = array_of(half, list, sizeof(*blocks), &count);
	const uint32_t *value;

	if (!blocks)
		return 0;
	do {
		uint64_t keys;

		__builtin_prefetch(blocks[block].values);
		keys = count4(blocks[block].keys, address);
		value = blocks[block].values + keys;
		block = block * POLICY_CHILDREN + keys + 1;
	} while (block < count);
	return load32(value);
}

static INLINE uint32_t find6(
	const struct policy_half *half, const struct policy_array *list, const struct policy_key6 *address)
{
	uint64_t count, block = 0;
	const struct policy_block6 *blocks = array_of(half, list, sizeof(*blocks), &count);
	const uint32_t *value;

	if (!blocks)
		return 0;
	do {
		uint64_t keys;

		__builtin_prefetch(blocks[block].values);
		keys = count6(&blocks[block], address);
		value = blocks[block].values + keys;
		block = block * POLICY_CHILDREN + keys + 1;
	} while (block < count);
	return load32(value);
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

/* Field by field from an address that may be unaligned. */
static INLINE bool read_target(const struct sockaddr *addr, size_t len, struct target *target)
{
	const unsigned char *from = (const unsigned char *)addr;
	uint64_t high, low;
	sa_family_t family;
	in_port_t port;
	in_addr_t in;

	if (len < sizeof(struct sockaddr_in))
		return false;
	__builtin_memcpy(&family, from + offsetof(struct sockaddr_in, sin_family), sizeof(family));
	__builtin_memcpy(
		&port, from + offsetof(struct sockaddr_in, sin_port), sizeof(port)); /* sin6_port lies there too */
	target->port = ntohs(port);
	if (family == AF_INET) {
		__builtin_memcpy(&in, from + offsetof(struct sockaddr_in, sin_addr), sizeof(in));
		*target = (struct target){.port = target->port, .address4 = ntohl(in)};
		return true;
	}
	if (family != AF_INET6 || len < sizeof(struct sockaddr_in6))
		return false;
	__builtin_memcpy(&high, from + offsetof(struct sockaddr_in6, sin6_addr), 8);
	__builtin_memcpy(&low, from + offsetof(struct sockaddr_in6, sin6_addr) + 8, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	high = __builtin_bswap64(high);
	low = __builtin_bswap64(low);
#endif
	target->ipv6 = high != 0 || low >> 32 != 0xffff;
	target->address4 = (uint32_t)low; /* IPv4-mapped */
	target->address6 = (struct policy_key6){high, low};
	return true;
}

static INLINE uint32_t decide_in(const struct policy_half *half, enum policy_role role, const struct target *target)
{
	const struct policy_array *list = &half->lists[POLICY_LIST(role, target->ipv6)];
	uint32_t value = target->ipv6 ? find6(half, list, &target->address6) : find4(half, list, target->address4);

	if (value & POLICY_VALUE_PORTS)
		value = find_port(half, value & ~POLICY_VALUE_PORTS, target->port);
	return value & (POLICY_VALUE_SMC | POLICY_VALUE_RULE);
}

/* One round: false if the policy changed meanwhile. */
static INLINE bool try_decide(
	const struct policy_map *map, enum policy_role role, const struct target *target, uint32_t *value)
{
	uint64_t sequence = __atomic_load_n(&header_of(map)->sequence, __ATOMIC_ACQUIRE);
	const struct policy_half *half = half_of(map, sequence);

	*value = half ? decide_in(half, role, target) : 0;
	return still_in_force(map, sequence);
}

/* Out of line: a loop around the first round would cost every decision a tenth of its instructions. */
static COLD uint32_t decide_again(
	const struct policy_map *map, enum policy_role role, const struct sockaddr *addr, size_t len)
{
	struct target target;
	uint32_t value;

	for (int round = 1; round < ROUNDS && read_target(addr, len, &target); round++)
		if (try_decide(map, role, &target, &value))
			return value;
	return 0;
}

uint32_t policy_map_decide(const struct policy_map *map, enum policy_role role, const struct sockaddr *addr, size_t len)
{
	struct target target;
	uint32_t value;

	if ((unsigned)role > POLICY_LISTEN || !read_target(addr, len, &target))
		return 0;
	return try_decide(map, role, &target, &value) ? value : decide_again(map, role, addr, len);
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

		*out = (struct policy_summary){0};
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
	*out = (struct policy_summary){0};
}
