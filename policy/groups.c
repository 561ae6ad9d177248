/* SPDX-License-Identifier: MIT */
/* Laying the port ranges of one CIDR's rules, narrowest first, over what less specific CIDRs say. */
#include "config.h"

#include "policy/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"

#define PORTS 65536u
#define UNDECIDED UINT32_MAX /* no table value: the index of a group is smaller */
#define MAX_ENTRIES (POLICY_HALF_SIZE / sizeof(struct policy_port))

struct range {
	uint32_t from;
	uint32_t to;
	uint32_t rule;
};

/* A result that has been computed: the same rules over the same answer give the same group. */
struct known {
	uint32_t below;
	uint32_t value;
	uint32_t rules_first; /* in rule_pool; rule_count 0: a free slot */
	uint32_t rule_count;
};

struct vector {
	void *items;
	size_t count;
	size_t room;
};

struct policy_groups {
	const struct policy *policy;
	struct vector ports;     /* struct policy_port: the table's array */
	struct vector rule_pool; /* uint32_t */
	struct known *known;     /* open addressing */
	size_t known_count;
	size_t known_room;
	/* Scratch of one computation; sized by the ports there are. */
	struct vector ranges; /* struct range */
	uint32_t cuts[PORTS]; /* where an answer may change, rising, from 0 */
	uint32_t decided[PORTS];
	uint32_t next[PORTS]; /* the first cut from here on that may be undecided */
	uint8_t is_cut[PORTS];
};

uint32_t policy_rule_value(const struct policy *policy, uint32_t rule)
{
	return (rule + 1) | (policy->rules[rule].use == POLICY_SMC ? POLICY_VALUE_SMC : 0);
}

int policy_groups_new(const struct policy *policy, struct policy_groups **out)
{
	struct policy_groups *groups = calloc(1, sizeof(*groups));

	if (!groups)
		return -ENOMEM;
	groups->policy = policy;
	*out = groups;
	return 0;
}

void policy_groups_free(struct policy_groups *groups)
{
	if (!groups)
		return;
	free(groups->ports.items);
	free(groups->rule_pool.items);
	free(groups->ranges.items);
	free(groups->known);
	free(groups);
}

const struct policy_port *policy_groups_ports(const struct policy_groups *groups, size_t *count)
{
	*count = groups->ports.count;
	return groups->ports.items;
}

/* Room for more items of size bytes behind those there are; NULL without memory. */
static void *extend(struct vector *vector, size_t more, size_t size)
{
	size_t room = vector->room ? vector->room : 64;
	void *items;

	while (room < vector->count + more)
		room *= 2;
	if (room != vector->room) {
		items = realloc(vector->items, room * size);
		if (!items)
			return NULL;
		vector->items = items;
		vector->room = room;
	}
	return (char *)vector->items + vector->count * size;
}

/* ---- results that are known ---- */

static uint64_t hash(uint32_t below, const uint32_t *rules, size_t count)
{
	uint64_t value = below * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < count; i++)
		value = (value ^ rules[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ value >> 29;
	return value ^ value >> 32;
}

/* The slot that holds this result or would. */
static struct known *find_known(const struct policy_groups *groups, uint32_t below, const uint32_t *rules, size_t count)
{
	const uint32_t *pool = groups->rule_pool.items;
	size_t slot = hash(below, rules, count) & (groups->known_room - 1);

	for (;; slot = (slot + 1) & (groups->known_room - 1)) {
		struct known *known = &groups->known[slot];

		if (!known->rule_count)
			return known;
		if (known->below == below && known->rule_count == count &&
			!memcmp(pool + known->rules_first, rules, count * sizeof(*rules)))
			return known;
	}
}

/* Keeps at least half of the slots free. */
static int grow_known(struct policy_groups *groups)
{
	struct policy_groups old = {.known = groups->known, .known_room = groups->known_room};
	const uint32_t *pool = groups->rule_pool.items;
	struct known *known;

	if (groups->known_count * 2 < groups->known_room)
		return 0;
	known = calloc(old.known_room ? old.known_room * 2 : 256, sizeof(*known));
	if (!known)
		return -ENOMEM;
	groups->known = known;
	groups->known_room = old.known_room ? old.known_room * 2 : 256;
	for (size_t i = 0; i < old.known_room; i++)
		if (old.known[i].rule_count)
			*find_known(groups, old.known[i].below, pool + old.known[i].rules_first,
				old.known[i].rule_count) = old.known[i];
	free(old.known);
	return 0;
}

static int remember(struct policy_groups *groups, struct known *slot, const struct known *result, const uint32_t *rules)
{
	uint32_t *pool = extend(&groups->rule_pool, result->rule_count, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	memcpy(pool, rules, result->rule_count * sizeof(*rules));
	*slot = *result;
	slot->rules_first = (uint32_t)groups->rule_pool.count;
	groups->rule_pool.count += result->rule_count;
	groups->known_count++;
	return 0;
}

/* ---- one computation ---- */

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->to - x->from != y->to - y->from)
		return x->to - x->from < y->to - y->from ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static int collect_ranges(struct policy_groups *groups, const uint32_t *rules, size_t count)
{
	const struct policy *policy = groups->policy;

	groups->ranges.count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct policy_rule *rule = &policy->rules[rules[i]];
		struct range *ranges = extend(&groups->ranges, rule->port_count + 1, sizeof(*ranges));

		if (!ranges)
			return -ENOMEM;
		if (!rule->port_count) {
			*ranges = (struct range){0, PORTS - 1, rules[i]};
			groups->ranges.count++;
		}
		for (uint32_t p = 0; p < rule->port_count; p++) {
			const struct policy_port_range *port = &policy->ports[rule->port_first + p];

			ranges[p] = (struct range){port->from, port->to, rules[i]};
			groups->ranges.count++;
		}
	}
	qsort(groups->ranges.items, groups->ranges.count, sizeof(struct range), compare_ranges);
	return 0;
}

static void add_cut(struct policy_groups *groups, size_t *count, uint32_t port)
{
	if (port < PORTS && !groups->is_cut[port]) {
		groups->is_cut[port] = 1;
		groups->cuts[(*count)++] = port;
	}
}

static int compare_ports(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The entries of the answer below: of its group, or the one answer it is. */
static const struct policy_port *entries_below(
	const struct policy_groups *groups, uint32_t below, struct policy_port *single, size_t *count)
{
	const struct policy_port *ports = groups->ports.items;

	if (!(below & POLICY_VALUE_PORTS)) {
		*single = (struct policy_port){0, below};
		*count = 1;
		return single;
	}
	ports += below & ~POLICY_VALUE_PORTS;
	*count = ports->from;
	return ports + 1;
}

/* Fills cuts with every port at which the answer may change; returns how many. */
static size_t find_cuts(struct policy_groups *groups, const struct policy_port *below, size_t below_count)
{
	const struct range *ranges = groups->ranges.items;
	size_t count = 0;

	for (size_t i = 0; i < below_count; i++)
		add_cut(groups, &count, below[i].from);
	for (size_t i = 0; i < groups->ranges.count; i++) {
		add_cut(groups, &count, ranges[i].from);
		add_cut(groups, &count, ranges[i].to + 1);
	}
	qsort(groups->cuts, count, sizeof(*groups->cuts), compare_ports);
	for (size_t i = 0; i < count; i++) {
		groups->is_cut[groups->cuts[i]] = 0;
		groups->decided[i] = UNDECIDED;
		groups->next[i] = (uint32_t)i;
	}
	return count;
}

static size_t next_undecided(struct policy_groups *groups, size_t cut, size_t count)
{
	size_t found = cut;

	while (found < count && groups->next[found] != found)
		found = groups->next[found];
	while (cut < found) { /* later searches take the short way */
		size_t step = groups->next[cut];

		groups->next[cut] = (uint32_t)found;
		cut = step;
	}
	return found;
}

/* The narrowest range comes first and keeps what it takes. */
static void paint(struct policy_groups *groups, size_t count)
{
	const struct range *ranges = groups->ranges.items;

	for (size_t i = 0; i < groups->ranges.count; i++) {
		const uint32_t *from = bsearch(&ranges[i].from, groups->cuts, count, sizeof(*from), compare_ports);
		size_t cut = next_undecided(groups, from ? (size_t)(from - groups->cuts) : count, count);

		while (cut < count && groups->cuts[cut] <= ranges[i].to) {
			groups->decided[cut] = policy_rule_value(groups->policy, ranges[i].rule);
			groups->next[cut] = (uint32_t)cut + 1;
			cut = next_undecided(groups, cut + 1, count);
		}
	}
}

static void show_through(
	struct policy_groups *groups, size_t count, const struct policy_port *below, size_t below_count)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		while (at + 1 < below_count && below[at + 1].from <= groups->cuts[i])
			at++;
		if (groups->decided[i] == UNDECIDED)
			groups->decided[i] = below[at].value;
	}
}

/* Writes the answers as a group, or as one value if they are all the same. */
static int write_group(struct policy_groups *groups, size_t count, uint32_t *value)
{
	struct policy_port *ports = extend(&groups->ports, count + 1, sizeof(*ports));
	uint32_t entries = 0;

	if (!ports)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (!entries || ports[entries].value != groups->decided[i])
			ports[++entries] = (struct policy_port){groups->cuts[i], groups->decided[i]};
	if (entries == 1) {
		*value = groups->decided[0];
		return 0;
	}
	if (groups->ports.count + entries + 1 > MAX_ENTRIES)
		return -E2BIG;
	ports[0] = (struct policy_port){entries, 0};
	*value = POLICY_VALUE_PORTS | (uint32_t)groups->ports.count;
	groups->ports.count += entries + 1;
	return 0;
}

static int compute(struct policy_groups *groups, uint32_t below, const uint32_t *rules, size_t count, uint32_t *value)
{
	const struct policy_port *entries;
	struct policy_port single;
	size_t entry_count, cuts;
	int r = collect_ranges(groups, rules, count);

	if (r)
		return r;
	entries = entries_below(groups, below, &single, &entry_count);
	cuts = find_cuts(groups, entries, entry_count);
	paint(groups, cuts);
	show_through(groups, cuts, entries, entry_count);
	return write_group(groups, cuts, value);
}

int policy_groups_over(
	struct policy_groups *groups, uint32_t below, const uint32_t *rules, size_t count, uint32_t *value)
{
	struct known *slot, result = {.below = below, .rule_count = (uint32_t)count};
	bool ports = false;
	int r;

	for (size_t i = 0; i < count; i++)
		ports |= groups->policy->rules[rules[i]].port_count != 0;
	if (!ports) {
		*value = count ? policy_rule_value(groups->policy, rules[0]) : below;
		return 0;
	}
	r = grow_known(groups);
	if (r)
		return r;
	slot = find_known(groups, below, rules, count);
	if (slot->rule_count) {
		*value = slot->value;
		return 0;
	}
	r = compute(groups, below, rules, count, &result.value);
	if (!r)
		r = remember(groups, slot, &result, rules);
	if (!r)
		*value = result.value;
	return r;
}
