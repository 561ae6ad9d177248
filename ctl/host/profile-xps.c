/* SPDX-License-Identifier: MIT */
/* The section "xps" of a profile: for each pattern of interfaces a policy, or the CPUs of each transmit queue. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/host/profile-parse.h"

#define QUEUES_MAX 4096u

static const char *const words[] = {
	[XPS_KERNEL] = "kernel",
	[XPS_ONE_TO_ONE] = "one-to-one",
	[XPS_NUMA] = "numa",
	[XPS_IRQ] = "irq",
	[XPS_RXQS] = "rxqs",
	[XPS_OFF] = "off",
};

#define WORDS (sizeof(words) / sizeof(*words))

const char *xps_policy_word(enum xps_policy policy)
{
	return policy < WORDS ? words[policy] : "masks";
}

/* "ff,00000000" is a mask, "0-3,8" a list: only a list has dashes. [0, 1] is a list too. */
static bool read_mask(struct parser *parser, const cJSON *value, struct json_token where, struct cpus *out)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	const char *text = cJSON_GetStringValue(value);
	const cJSON *child;
	int r;

	if (cJSON_IsArray(value)) {
		cJSON_ArrayForEach(child, value)
		{
			uint32_t cpu = CPUS_MAX;

			parse_number(parser, child, json_next(&cursor), "CPU", 0, CPUS_MAX - 1, &cpu);
			cpus_add(out, cpu);
		}
		return true;
	}
	if (!text) {
		parse_wrong_type(parser, value, where, "mask", "write \"3\", \"0-3,8-8\" or [ 0, 1 ]");
		return false;
	}
	r = strchr(text, '-') ? cpus_parse_list(text, out) : cpus_parse_mask(text, out);
	if (r == -ERANGE)
		policy_report_add(
			&parser->report, where, "mask", "names a CPU over %u; write a smaller one", CPUS_MAX - 1);
	else if (r < 0)
		policy_report_add(&parser->report, where, "mask",
			"is no mask; write hexadecimal digits with a comma before each group of eight, or a list with "
			"a dash (\"8-8\"), or [ 8 ]");
	return r == 0;
}

static void read_masks(struct parser *parser, struct profile_xps *xps, const cJSON *value, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	int count = cJSON_GetArraySize(value);
	const cJSON *child;

	if (count < 1 || (unsigned)count > QUEUES_MAX) {
		policy_report_add(&parser->report, (struct json_token){where.position, 1}, "xps",
			"has %d masks; write one for each transmit queue", count);
		return;
	}
	xps->masks = calloc((size_t)count, sizeof(*xps->masks));
	if (!xps->masks) {
		parser->no_memory = true;
		return;
	}
	cJSON_ArrayForEach(child, value)
	{
		if (read_mask(parser, child, json_next(&cursor), &xps->masks[xps->mask_count]))
			xps->mask_count++;
	}
}

static void read_pattern(
	struct parser *parser, void *to, const cJSON *member, struct json_token name, struct json_token where)
{
	struct profile *profile = to;
	struct profile_xps *xps = &profile->xps[profile->xps_count];
	const char *word = cJSON_GetStringValue(member);
	size_t i = 0;

	if (!profile_interface_valid(member->string, true)) {
		policy_report_add(&parser->report, name, "interface",
			"is not the name of an interface, nor a pattern of such; write one, as in \"eth1\" or "
			"\"eth*\"");
		return;
	}
	if (profile->xps_count == PROFILE_XPS) {
		policy_report_add(
			&parser->report, name, "interface", "is one too many; at most %u can be named", PROFILE_XPS);
		return;
	}
	memcpy(xps->pattern, member->string, strlen(member->string) + 1);
	xps->policy = XPS_MASKS;
	if (cJSON_IsArray(member)) {
		/* Counted first: it owns what read_masks() makes. */
		profile->xps_count++;
		read_masks(parser, xps, member, where);
		return;
	}
	while (word && i < WORDS && strcmp(words[i], word) != 0)
		i++;
	if (!word)
		parse_wrong_type(parser, member, where, "xps", "write a policy, or a list of masks");
	else if (i == WORDS)
		policy_report_add(&parser->report, where, "xps",
			"is unknown; write kernel, one-to-one, numa, irq, rxqs, off or a list of masks");
	else {
		xps->policy = (enum xps_policy)i;
		profile->xps_count++;
	}
}

void profile_read_xps(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	if (cJSON_IsObject(value))
		parse_map(parser, read_pattern, to, value, where);
	else
		parse_wrong_type(parser, value, where, "xps", "write { \"eth*\": \"one-to-one\" }");
}
