/* SPDX-License-Identifier: MIT */
/* Reading the table: one consistent view under a sequence number, every number in it checked before it is used. */
#include "config.h"

#include "policy/lookup.h"

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

/* The same for programs of every word size, as one smcctl writes for all: no number lies where an alignment would put it. */
_Static_assert(offsetof(struct policy_header, sequence) == 40 && sizeof(struct policy_header) == 48, "policy_header");
_Static_assert(offsetof(struct policy_half, lists) == 5176 && sizeof(struct policy_half) == 5256, "policy_half");

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
	return map->header;
}

struct policy_map policy_map_whole(const void *base)
{
	const unsigned char *from = base;

	return (struct policy_map){
		base, {from + POLICY_HALF_OFFSET(0), from + POLICY_HALF_OFFSET(1)}, POLICY_HALF_SIZE};
}

bool policy_map_valid(const struct policy_map *map)
{
	const struct policy_header *header = header_of(map);

	if (!header || map->size < POLICY_WINDOW_MIN)
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
	const struct policy_half *half = map->half[sequence & 1];

	return sequence && load64(&half->sequence) == sequence ? half : NULL;
}

/* True if all that was loaded since sequence belongs to the publication of that number. */
static INLINE bool still_in_force(const struct policy_map *map, uint64_t sequence)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return load64(&header_of(map)->sequence) == sequence;
}

/* How far an array leads into its half; more than POLICY_HALF_SIZE if out of it. */
static uint64_t end_of_array(const struct policy_array *array, size_t size)
{
	uint64_t offset = load64(&array->offset), count = load64(&array->count);

	if (!count)
		return 0;
	return offset > POLICY_HALF_SIZE || count > POLICY_HALF_SIZE / size ? UINT64_MAX : offset + count * size;
}

/*
 * An array of the half, with a count that is not 0 and does not lead out of the window; NULL if there is none. An offset
 * that is no multiple of 64 is not what the writer meant, and becomes one: what is there is checked by nobody.
 */
static INLINE const void *array_of(const struct policy_map *map, const struct policy_half *half,
	const struct policy_array *array, size_t size, uint64_t *count)
{
	uint64_t offset = load64(&array->offset) & ~UINT64_C(63);

	*count = load64(&array->count);
	if (*count - 1 >= map->size / size || offset > map->size - *count * size)
		return NULL;
	return (const unsigned char *)half + offset;
}

/* Nothing there: the half says so, or it is more than the window shows. */
static COLD uint32_t out_of(const struct policy_map *map)
{
	return map->size < POLICY_HALF_SIZE ? POLICY_VALUE_BEYOND : 0;
}

/* Asks for cache lines all at once: as the search goes, each would wait for the one before. */
static INLINE void prefetch(const void *from, size_t size)
{
#pragma GCC unroll 16
	for (size_t offset = 0; offset < size; offset += 64)
		__builtin_prefetch((const char *)from + offset);
}

/*
 * How many keys are not above the address. First which quarter of them, then which quarter of that and so on: steps of
 * comparisons that do not wait for one another, and no jump, for nothing could predict it.
 */
#define QUARTER(load, keys, size, relation, address) \
	(((uint32_t)(load((keys) + (size)-1) relation(address)) + \
		 (load((keys) + 2 * (size_t)(size)-1) relation(address)) + \
		 (load((keys) + 3 * (size_t)(size)-1) relation(address))) * \
		(size))

static INLINE uint32_t count4(const uint32_t *keys, uint32_t address)
{
	uint32_t count = QUARTER(load32, keys, 4, <=, address);

	return count + QUARTER(load32, keys + count, 1, <=, address);
}

static INLINE uint32_t count6(const uint64_t *keys, uint64_t high)
{
	uint32_t count = QUARTER(load64, keys, 4, <, high);

	return count + QUARTER(load64, keys + count, 1, <, high);
}

/* Compares both halves of keys: the path for those that share their high half with the address. */
static COLD uint32_t count_exact6(
	const uint64_t *highs, const uint64_t *lows, uint32_t keys, uint64_t address_high, uint64_t address_low)
{
	uint32_t count = 0;

	for (uint32_t step = (keys + 1) / 2; step; step /= 2) {
		uint64_t high = load64(&highs[count + step - 1]), low = load64(&lows[count + step - 1]);

		if (high < address_high || (high == address_high && low <= address_low))
			count += step;
	}
	return count;
}

/*
 * The high halves alone nearly always tell: only where the first key that is not below the address has the same one do
 * the low halves matter. (The unused last key may send us there for nothing.)
 */
static INLINE uint32_t in_block6(const struct policy_block6 *block, struct policy_key6 address)
{
	uint32_t count = load64(block->high + 15) < address.high ? 16 : 0;

	count += count6(block->high + count, address.high);
	if (load64(&block->high[count]) == address.high)
		return count_exact6(block->high, block->low, POLICY_CHILDREN - 1, address.high, address.low);
	return count;
}

static INLINE uint32_t in_leaf6(const struct policy_leaf6 *leaf, struct policy_key6 address)
{
	uint32_t count = QUARTER(load64, leaf->high, 16, <, address.high);

	count += count6(leaf->high + count, address.high);
	if (load64(&leaf->high[count]) == address.high)
		return count_exact6(leaf->high, leaf->low, POLICY_LEAF - 1, address.high, address.low);
	return count;
}

static INLINE uint32_t in_block4(const struct policy_block4 *block, uint32_t address)
{
	uint32_t count = load32(block->keys + 15) <= address ? 16 : 0;

	return count + count4(block->keys + count, address);
}

static INLINE uint32_t in_leaf4(const struct policy_leaf4 *leaf, uint32_t address)
{
	uint32_t count = QUARTER(load32, leaf->keys, 16, <=, address);

	return count + count4(leaf->keys + count, address);
}

/* The index of a list, behind which the leaves lie; NULL if there are none, or if it leads out of the window. */
static INLINE const void *index_of(const struct policy_map *map, const struct policy_half *half,
	const struct policy_list *list, size_t block_size, size_t leaf_size, uint64_t *blocks, uint64_t *leaves)
{
	/* An offset that is no multiple of 64 or outside becomes one that is not, as in array_of(). */
	uint64_t offset = load64(&list->offset) & (POLICY_HALF_SIZE - 64);

	*blocks = load32(&list->blocks);
	*leaves = load32(&list->leaves);
	if (!*leaves || offset + *blocks * block_size + *leaves * leaf_size > map->size)
		return NULL;
	return (const unsigned char *)half + offset;
}

/* A port group that no table has room for: find_port() has the answer for a list that is not there. */
#define NO_GROUP 0x7fffffffu

/* The way down ends below the last block and at the last leaf, so no key, however wrong, leads out of the list. */
static INLINE uint32_t find4(
	const struct policy_map *map, const struct policy_half *half, const struct policy_list *list, uint32_t address)
{
	uint64_t blocks, leaves, at = 0;
	const struct policy_leaf4 *leaf;
	const struct policy_block4 *index = index_of(map, half, list, sizeof(*index), sizeof(*leaf), &blocks, &leaves);

	if (!index)
		return POLICY_VALUE_PORTS | NO_GROUP;
	leaf = (const void *)(index + blocks);
	while (at < blocks)
		at = at * POLICY_CHILDREN + 1 + in_block4(&index[at], address);
	at -= blocks;
	leaf += at < leaves ? at : leaves - 1;
	prefetch(leaf, sizeof(*leaf));
	return load32(leaf->values + in_leaf4(leaf, address));
}

static INLINE uint32_t find6(const struct policy_map *map, const struct policy_half *half,
	const struct policy_list *list, struct policy_key6 address)
{
	uint64_t blocks, leaves, at = 0;
	const struct policy_leaf6 *leaf;
	const struct policy_block6 *index = index_of(map, half, list, sizeof(*index), sizeof(*leaf), &blocks, &leaves);

	if (!index)
		return POLICY_VALUE_PORTS | NO_GROUP;
	leaf = (const void *)(index + blocks);
	while (at < blocks)
		at = at * POLICY_CHILDREN + 1 + in_block6(&index[at], address);
	at -= blocks;
	leaf += at < leaves ? at : leaves - 1;
	prefetch(leaf, offsetof(struct policy_leaf6, low));
	return load32(leaf->values + in_leaf6(leaf, address));
}

static uint32_t find_port(const struct policy_map *map, const struct policy_half *half, uint32_t group, uint32_t port)
{
	uint64_t count;
	const struct policy_port *ports = array_of(map, half, &half->ports, sizeof(*ports), &count);
	uint32_t entries, low = 0;

	if (!ports || group >= count)
		return out_of(map);
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
	return load32(&ports[low].value) & ~POLICY_VALUE_PORTS;
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

static INLINE uint32_t decide_in(const struct policy_map *map, const struct policy_half *half, enum policy_role role,
	const struct target *target)
{
	const struct policy_list *list = &half->lists[POLICY_LIST(role, target->ipv6)];
	uint32_t value =
		target->ipv6 ? find6(map, half, list, target->address6) : find4(map, half, list, target->address4);

	if (value & POLICY_VALUE_PORTS)
		value = find_port(map, half, value & ~POLICY_VALUE_PORTS, target->port);
	return value & (POLICY_VALUE_BEYOND | POLICY_VALUE_SMC | POLICY_VALUE_RULE);
}

/* One round: false if the policy changed meanwhile. */
static INLINE bool try_decide(
	const struct policy_map *map, enum policy_role role, const struct target *target, uint32_t *value)
{
	uint64_t sequence = __atomic_load_n(&header_of(map)->sequence, __ATOMIC_ACQUIRE);
	const struct policy_half *half = half_of(map, sequence);

	*value = half ? decide_in(map, half, role, target) : 0;
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

/* How far a list leads into its half. */
static uint64_t end_of_list(const struct policy_list *list, bool ipv6)
{
	uint64_t block = ipv6 ? sizeof(struct policy_block6) : sizeof(struct policy_block4);
	uint64_t leaf = ipv6 ? sizeof(struct policy_leaf6) : sizeof(struct policy_leaf4);

	return (load64(&list->offset) & (POLICY_HALF_SIZE - 64)) + load32(&list->blocks) * block +
		load32(&list->leaves) * leaf;
}

uint64_t policy_map_needs(const struct policy_map *map)
{
	const struct policy_half *half = half_of(map, policy_map_sequence(map));
	uint64_t needs = half ? end_of_array(&half->ports, sizeof(struct policy_port)) : 0;

	for (unsigned i = 0; half && i < POLICY_LISTS; i++) {
		uint64_t end = end_of_list(&half->lists[i], i & 1);

		needs = end > needs ? end : needs;
	}
	return needs < POLICY_HALF_SIZE ? needs : POLICY_HALF_SIZE;
}
