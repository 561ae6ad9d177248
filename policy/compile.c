/* SPDX-License-Identifier: MIT */
/* A policy as the contents of one half of a table. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/groups.h"
#include "policy/intervals.h"
#include "policy/policy.h"
#include "policy/report.h"

struct compilation {
	struct policy_groups *groups;
	struct policy_intervals lists[POLICY_LISTS];
};

static void free_compilation(struct compilation *compilation)
{
	for (size_t i = 0; i < POLICY_LISTS; i++)
		policy_intervals_free(&compilation->lists[i]);
	policy_groups_free(compilation->groups);
}

static uint64_t whole_blocks(uint64_t count)
{
	return (count + POLICY_BLOCK - 1) / POLICY_BLOCK * POLICY_BLOCK;
}

/* The keys of all levels over so many intervals. */
static uint64_t count_keys(uint64_t intervals)
{
	uint64_t level = whole_blocks(intervals), keys = level;

	while (level > POLICY_BLOCK) {
		level = whole_blocks(level / POLICY_BLOCK);
		keys += level;
	}
	return keys;
}

static struct policy_array reserve(uint64_t *size, uint64_t count, size_t item)
{
	struct policy_array array = { .offset = *size, .count = count };

	*size = (*size + count * item + 63) / 64 * 64;
	return array;
}

/* Gives each array its place and returns the size of it all. */
static uint64_t lay_out(const struct compilation *compilation, struct policy_half *half)
{
	uint64_t size = (sizeof(*half) + 63) / 64 * 64;
	size_t ports;

	for (unsigned i = 0; i < POLICY_LISTS; i++) {
		uint64_t count = compilation->lists[i].count;
		size_t key = i % 2 ? sizeof(struct policy_key6) : sizeof(uint32_t);

		half->lists[i].keys = reserve(&size, count_keys(count), key);
		half->lists[i].values = reserve(&size, whole_blocks(count), sizeof(uint32_t));
	}
	(void)policy_groups_ports(compilation->groups, &ports);
	half->ports = reserve(&size, ports, sizeof(struct policy_port));
	return size;
}

static void put_key(void *keys, bool ipv6, size_t at, const struct policy_key6 *key)
{
	if (ipv6)
		((struct policy_key6 *)keys)[at] = *key;
	else
		((uint32_t *)keys)[at] = (uint32_t)key->low;
}

/* Level 0, then each level from the one below it; the end of each is its last key again. */
static void fill_list(const struct policy_intervals *from, bool ipv6, void *keys, uint32_t *values)
{
	size_t count = from->count, step = 1, at = 0;

	for (size_t i = 0; i < whole_blocks(count); i++)
		values[i] = from->values[i < count ? i : count - 1];
	for (;;) {
		size_t level = whole_blocks(count);

		for (size_t i = 0; i < level; i++)
			put_key(keys, ipv6, at++, &from->keys[(i < count ? i : count - 1) * step]);
		if (level == POLICY_BLOCK)
			return;
		step *= POLICY_BLOCK;
		count = level / POLICY_BLOCK;
	}
}

static void fill_image(const struct policy *policy, const struct compilation *compilation, struct policy_half *half)
{
	unsigned char *base = (unsigned char *)half;
	const struct policy_port *ports;
	size_t count;

	for (unsigned i = 0; i < POLICY_LISTS; i++) {
		uint32_t *values = (void *)(base + half->lists[i].values.offset);

		fill_list(&compilation->lists[i], i % 2, base + half->lists[i].keys.offset, values);
	}
	ports = policy_groups_ports(compilation->groups, &count);
	if (count)
		memcpy(base + half->ports.offset, ports, count * sizeof(*ports));
	half->buffers = policy->buffers;
	half->rules = (uint32_t)policy->rule_count;
	half->cidrs = (uint32_t)policy->cidr_count;
	half->program_mode = policy->program_mode;
	half->programs_len = (uint32_t)policy->program_count;
	memcpy(half->programs, policy->programs, sizeof(half->programs));
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].use == POLICY_SMC)
			half->flags |= policy->rules[i].role == POLICY_LISTEN ? POLICY_HAS_LISTEN_SMC : POLICY_HAS_CONNECT_SMC;
}

static int make_image(const struct policy *policy, const struct compilation *compilation, struct policy_image **out)
{
	_cleanup_policy_image_ struct policy_image *image = calloc(1, sizeof(*image));
	_cleanup_free_ struct policy_half *layout = calloc(1, sizeof(*layout));

	if (!image || !layout)
		return -ENOMEM;
	image->size = lay_out(compilation, layout);
	if (image->size > POLICY_HALF_SIZE)
		return -E2BIG;
	image->data = calloc(1, image->size);
	if (!image->data)
		return -ENOMEM;
	memcpy(image->data, layout, sizeof(*layout));
	fill_image(policy, compilation, image->data);
	*out = take(image);
	return 0;
}

static int report_too_big(const struct policy *policy, struct policy_errors *errors)
{
	struct policy_error error = { .line = 1, .column = 1 };
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text,
		    "%s:1:1: policy '%s': its ports and CIDRs together need more than %u MiB of table; write fewer port "
		    "ranges in rules with many CIDRs",
		    policy->name, policy->name, (unsigned)(POLICY_HALF_SIZE >> 20)) < 0)
		text = NULL;
	return text && policy_errors_add(errors, &error, text) ? -EINVAL : -ENOMEM;
}

int policy_compile(const struct policy *policy, struct policy_image **out, struct policy_errors *errors)
{
	__attribute__((cleanup(free_compilation))) struct compilation compilation = { 0 };
	int r = policy_groups_new(policy, &compilation.groups);

	for (unsigned i = 0; i < POLICY_LISTS && !r; i++)
		r = policy_intervals_make(policy, i < 2 ? POLICY_CONNECT : POLICY_LISTEN, i % 2, compilation.groups,
			&compilation.lists[i]);
	if (!r)
		r = make_image(policy, &compilation, out);
	return r == -E2BIG ? report_too_big(policy, errors) : r;
}

void policy_image_free(struct policy_image *image)
{
	if (!image)
		return;
	free(image->data);
	free(image);
}
