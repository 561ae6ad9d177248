/* SPDX-License-Identifier: MIT */
/* Tables in memory and a decision by brute force, for the policy tests. */
#include "config.h"

#include "tests/unit/policy-model.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t model_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t model_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)(model_random(state) % limit);
}

void model_table(struct policy_map *map)
{
	size_t guarded = POLICY_TABLE_SIZE + POLICY_HEADER_SIZE;
	char *base = mmap(NULL, guarded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct policy_header *header = (void *)base;

	if (base == MAP_FAILED || mprotect(base + POLICY_TABLE_SIZE, POLICY_HEADER_SIZE, PROT_NONE))
		abort();
	memcpy(header->magic, POLICY_TABLE_MAGIC, sizeof(header->magic));
	header->abi = POLICY_TABLE_ABI;
	header->header_size = POLICY_HEADER_SIZE;
	header->table_size = POLICY_TABLE_SIZE;
	header->half_size = POLICY_HALF_SIZE;
	header->state = POLICY_ON;
	*map = policy_map_whole(base);
}

void model_publish(const struct policy_map *map, const struct policy_image *image)
{
	struct policy_header *header = (void *)(uintptr_t)map->header;
	uint64_t next = header->sequence + 1;
	struct policy_half *half = (void *)((char *)header + POLICY_HALF_OFFSET(next & 1));

	memcpy(half, image->data, image->size);
	half->sequence = next;
	__atomic_store_n(&header->sequence, next, __ATOMIC_SEQ_CST);
}

void model_free(struct policy_map *map)
{
	(void)munmap((void *)(uintptr_t)map->header, POLICY_TABLE_SIZE + POLICY_HEADER_SIZE);
}

socklen_t model_address(const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	memset(out, 0, sizeof(*out));
	in->sin_port = htons(port);
	in->sin_family = AF_INET;
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
		return sizeof(*in);
	in6->sin6_family = AF_INET6;
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		abort();
	return sizeof(*in6);
}

/* ---- the model: nothing in it is shared with policy/ ---- */

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}

static bool is_builtin(const uint8_t *address, bool ipv6)
{
	static const uint8_t metadata[] = {100, 100, 100, 200};

	if (ipv6)
		return address[0] == 0xff || (address[0] == 0xfe && (address[1] & 0xc0) == 0x80);
	return (address[0] == 169 && address[1] == 254) || (address[0] & 0xf0) == 0xe0 || !memcmp(address, metadata, 4);
}

static bool is_wildcard(const uint8_t *address, bool ipv6)
{
	static const uint8_t zero[16];

	return !memcmp(address, zero, ipv6 ? 16 : 4);
}

/* How strong the rule is for this question: prefix first, then the width of its ports; -1: it does not hold it. */
static long strength(const struct model_rule *rule, const uint8_t *address, bool ipv6, bool wildcard, uint16_t port)
{
	long prefix = -1, width = rule->port_count ? -1 : 65535;

	for (unsigned i = 0; i < rule->cidr_count; i++)
		if (rule->cidrs[i].ipv6 == ipv6 && bits_equal(rule->cidrs[i].address, address, rule->cidrs[i].prefix) &&
			(!wildcard || !rule->cidrs[i].prefix) && (long)rule->cidrs[i].prefix > prefix)
			prefix = rule->cidrs[i].prefix;
	for (unsigned i = 0; i < rule->port_count; i++)
		if (rule->ports[i].from <= port && port <= rule->ports[i].to &&
			(width < 0 || rule->ports[i].to - rule->ports[i].from < width))
			width = rule->ports[i].to - rule->ports[i].from;
	return prefix < 0 || width < 0 ? -1 : prefix * 65536 + (65535 - width);
}

bool model_decide(const struct model_rule *rules, unsigned count, enum policy_role role, const uint8_t *address,
	bool ipv6, uint16_t port, bool *disagree)
{
	bool builtin = is_builtin(address, ipv6), smc = false;
	long best = -1;

	*disagree = false;
	for (unsigned i = 0; i < count; i++) {
		bool wildcard = role == POLICY_LISTEN && is_wildcard(address, ipv6);
		long mine = rules[i].role == role ? strength(&rules[i], address, ipv6, wildcard, port) : -1;

		if (mine < 0 || mine < best || (builtin && mine < 65536))
			continue;
		*disagree = mine == best && (*disagree || rules[i].smc != smc);
		best = mine;
		smc = rules[i].smc;
	}
	return best >= 0 && smc;
}
