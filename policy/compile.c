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

/* How many blocks a full tree needs to have as many leaves below it. */
static uint64_t index_blocks(uint64_t leaves)
{
	uint64_t blocks = 0;

	for (uint64_t level = 1; level < leaves; level *= POLICY_CHILDREN)
		blocks += level;
	return blocks;
}

/* Lists of IPv4 and IPv6 take turns. */
static size_t block_size(unsigned list)
{
	return list % 2 ? sizeof(struct policy_block6) : sizeof(struct policy_block4);
}

/* Gives each array its place and returns the size of it all. */
static uint64_t lay_out(const struct compilation *compilation, struct policy_half *half)
{
	uint64_t size = (sizeof(*half) + 63) / 64 * 64;
	size_t ports;

	for (unsigned i = 0; i < POLICY_LISTS; i++) {
		uint64_t leaves = (compilation->lists[i].count + POLICY_LEAF - 1) / POLICY_LEAF;
		size_t leaf = i % 2 ? sizeof(struct policy_leaf6) : sizeof(struct policy_leaf4);

		half->lists[i] = (struct policy_list){
			.offset = size, .blocks = (uint32_t)index_blocks(leaves), .leaves = (uint32_t)leaves};
		size += half->lists[i].blocks * block_size(i) + leaves * leaf;
	}
	(void)policy_groups_ports(compilation->groups, &ports);
	half->ports = (struct policy_array){.offset = size, .count = ports};
	return size + ports * sizeof(struct policy_port);
}

static size_t at_most(size_t i, size_t count)
{
	return i < count ? i : count - 1;
}

static void fill_leaves(const struct policy_intervals *from, bool ipv6, uint64_t leaves, void *to)
{
	struct policy_leaf4 *leaf4 = to;
	struct policy_leaf6 *leaf6 = to;

	for (size_t i = 0; i < leaves * POLICY_LEAF; i++) {
		size_t leaf = i / POLICY_LEAF, place = i % POLICY_LEAF;
		const struct policy_key6 *next = &from->keys[at_most(i + 1, from->count)];
		uint32_t value = from->values[at_most(i, from->count)];

		if (ipv6) {
			leaf6[leaf].high[place] = next->high;
			leaf6[leaf].low[place] = next->low;
			leaf6[leaf].values[place] = value;
		} else {
			leaf4[leaf].keys[place] = (uint32_t)next->low;
			leaf4[leaf].values[place] = value;
		}
	}
}

/* One level of the index, whose blocks begin at first; there are leaves leaves under each child of a block. */
static void fill_level(
	const struct policy_intervals *from, bool ipv6, uint64_t first, uint64_t blocks, uint64_t leaves, void *to)
{
	struct policy_block4 *block4 = to;
	struct policy_block6 *block6 = to;

	for (uint64_t child = 0; child < blocks * POLICY_CHILDREN; child++) {
		uint64_t block = first + child / POLICY_CHILDREN, place = child % POLICY_CHILDREN;
		uint64_t interval = (child + 1) * leaves * POLICY_LEAF;
		struct policy_key6 key = {UINT64_MAX, UINT64_MAX};

		if (interval < from->count)
			key = from->keys[interval];
		if (ipv6) {
			block6[block].high[place] = key.high;
			block6[block].low[place] = key.low;
		} else {
			block4[block].keys[place] = (uint32_t)key.low;
		}
	}
}

static void fill_index(const struct policy_intervals *from, bool ipv6, uint64_t blocks, void *to)
{
	uint64_t level = 1, leaves = 1;

	/* All leaves together have the place of one more level. */
	for (uint64_t first = 0; first < blocks; first = first * POLICY_CHILDREN + 1)
		leaves *= POLICY_CHILDREN;
	for (uint64_t first = 0; first < blocks; first += level, level *= POLICY_CHILDREN) {
		leaves /= POLICY_CHILDREN;
		fill_level(from, ipv6, first, level, leaves, to);
	}
}

static void fill_image(const struct policy *policy, const struct compilation *compilation, struct policy_half *half)
{
	unsigned char *base = (unsigned char *)half;
	const struct policy_port *ports;
	size_t count;

	for (unsigned i = 0; i < POLICY_LISTS; i++) {
		const struct policy_list *list = &half->lists[i];

		fill_index(&compilation->lists[i], i % 2, list->blocks, base + list->offset);
		fill_leaves(&compilation->lists[i], i % 2, list->leaves,
			base + list->offset + list->blocks * block_size(i));
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
			half->flags |=
				policy->rules[i].role == POLICY_LISTEN ? POLICY_HAS_LISTEN_SMC : POLICY_HAS_CONNECT_SMC;
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
	struct policy_error error = {.line = 1, .column = 1};
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text,
		    "%s:1:1: policy '%s': its ports and CIDRs together need more than %u MiB of table; write fewer "
		    "port "
		    "ranges in rules with many CIDRs",
		    policy->name, policy->name, (unsigned)(POLICY_HALF_SIZE >> 20)) < 0)
		text = NULL;
	return text && policy_errors_add(errors, &error, text) ? -EINVAL : -ENOMEM;
}

int policy_compile(const struct policy *policy, struct policy_image **out, struct policy_errors *errors)
{
	__attribute__((cleanup(free_compilation))) struct compilation compilation = {0};
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
