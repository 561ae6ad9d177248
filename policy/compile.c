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

#define POLICY_KEYS (POLICY_CHILDREN - 1)

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

static struct policy_array reserve(uint64_t *size, uint64_t count, size_t item)
{
	struct policy_array array = {.offset = *size, .count = count};

	*size = (*size + count * item + 63) / 64 * 64;
	return array;
}

/* Gives each array its place and returns the size of it all. */
static uint64_t lay_out(const struct compilation *compilation, struct policy_half *half)
{
	uint64_t size = (sizeof(*half) + 63) / 64 * 64;
	size_t ports;

	for (unsigned i = 0; i < POLICY_LISTS; i++) {
		size_t block = i % 2 ? sizeof(struct policy_block6) : sizeof(struct policy_block4);

		half->lists[i] = reserve(&size, (compilation->lists[i].count + POLICY_KEYS - 1) / POLICY_KEYS, block);
	}
	(void)policy_groups_ports(compilation->groups, &ports);
	half->ports = reserve(&size, ports, sizeof(struct policy_port));
	return size;
}

/* Filling a list: the intervals in their order, and the blocks of the one or the other family. */
struct filling {
	const struct policy_intervals *from;
	size_t next;    /* interval */
	uint32_t value; /* of the one before */
	size_t blocks;
	struct policy_block4 *blocks4; /* one of the two is NULL */
	struct policy_block6 *blocks6;
};

static void put_value(struct filling *filling, size_t block, size_t place)
{
	if (filling->blocks6)
		filling->blocks6[block].values[place] = filling->value;
	else /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): one of the two is there */
		filling->blocks4[block].values[place] = filling->value;
}

static void put_next(struct filling *filling, size_t block, size_t place)
{
	size_t i = filling->next < filling->from->count ? filling->next++ : filling->from->count - 1;

	if (filling->blocks6) {
		filling->blocks6[block].high[place] = filling->from->keys[i].high;
		filling->blocks6[block].low[place] = filling->from->keys[i].low;
	} else {
		filling->blocks4[block].keys[place] = (uint32_t)filling->from->keys[i].low;
	}
	filling->value = filling->from->values[i];
	put_value(filling, block, place + 1);
}

/* The sorted order is a child, a key, a child, a key, ..., a child. As deep as the tree: at most six levels. */
static void fill_block(struct filling *filling, size_t block)
{
	size_t child = block * POLICY_CHILDREN + 1;

	if (block >= filling->blocks)
		return;
	fill_block(filling, child);
	put_value(filling, block, 0);
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		put_next(filling, block, i);
		fill_block(filling, child + i + 1);
	}
}

static void fill_list(const struct policy_intervals *from, bool ipv6, const struct policy_array *list, void *blocks)
{
	struct filling filling = {.from = from, .blocks = list->count};

	if (ipv6)
		filling.blocks6 = blocks;
	else
		filling.blocks4 = blocks;
	fill_block(&filling, 0);
}

static void fill_image(const struct policy *policy, const struct compilation *compilation, struct policy_half *half)
{
	unsigned char *base = (unsigned char *)half;
	const struct policy_port *ports;
	size_t count;

	for (unsigned i = 0; i < POLICY_LISTS; i++)
		fill_list(&compilation->lists[i], i % 2, &half->lists[i], base + half->lists[i].offset);
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
