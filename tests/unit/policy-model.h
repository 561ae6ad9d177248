/* SPDX-License-Identifier: MIT */
/* What the policy tests share: tables in memory, addresses from text, random numbers, a decision by brute force. */
#ifndef SMCSHIM_TESTS_POLICY_MODEL_H
#define SMCSHIM_TESTS_POLICY_MODEL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policy/lookup.h"
#include "policy/policy.h"

/* splitmix64 */
uint64_t model_random(uint64_t *state);

/* A number below limit. */
uint32_t model_below(uint64_t *state, uint32_t limit);

/* An empty table in private memory behind which nothing is mapped. */
void model_table(struct policy_map *map);

/* Puts an image in force in it. */
void model_publish(const struct policy_map *map, const struct policy_image *image);

void model_free(struct policy_map *map);

/* A sockaddr of IPv4 or IPv6 text; returns its length. */
socklen_t model_address(const char *text, uint16_t port, struct sockaddr_storage *out);

/* A rule as the generator made it, before any parser has seen it. */
struct model_rule {
	bool smc;
	enum policy_role role;
	unsigned cidr_count;
	struct {
		uint8_t address[16]; /* IPv4 in the first four */
		unsigned prefix;
		bool ipv6;
	} cidrs[3];
	unsigned port_count;
	struct policy_port_range ports[3];
};

/*
 * The answer to an address by brute force over rules: POLICY_VALUE_SMC or 0, and whether two of the strongest disagree,
 * which no valid policy holds. address: 4 or 16 bytes.
 */
bool model_decide(const struct model_rule *rules, unsigned count, enum policy_role role, const uint8_t *address,
	bool ipv6, uint16_t port, bool *disagree);

#endif
