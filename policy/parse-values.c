/* SPDX-License-Identifier: MIT */
/* The values of a policy file with a form of their own: ports, buffers, names of programs. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"

#define WHY_SIZE 160u

static void add_ports(struct parser *parser, struct policy_rule *rule, uint64_t from, uint64_t to)
{
	struct policy *policy = parser->policy;
	struct policy_port_range *room =
		parse_grow(parser, (void **)&policy->ports, policy->port_count, &parser->port_room, sizeof(*room));

	if (!room)
		return;
	*room = (struct policy_port_range){(uint16_t)from, (uint16_t)to};
	policy->port_count++;
	rule->port_count++;
}

/* One port or one range of a list; why gets "WHY; FIX". */
static bool read_port_item(const char *item, size_t length, uint64_t *from, uint64_t *to, char *why)
{
	const char *dash = memchr(item, '-', length);
	size_t head = dash ? (size_t)(dash - item) : length;

	if (!length) {
		(void)snprintf(why, WHY_SIZE, "a port is missing; remove a comma, or write a port from 1 to 65535");
		return false;
	}
	if (memchr(item, ' ', length)) {
		(void)snprintf(
			why, WHY_SIZE, "has a blank in it; write ports and ranges without blanks, as in 80,7000-7005");
		return false;
	}
	if (!parse_uint(item, head, 1, 65535, from, why, WHY_SIZE))
		return false;
	*to = *from;
	if (dash && !parse_uint(dash + 1, length - head - 1, 1, 65535, to, why, WHY_SIZE))
		return false;
	if (*to < *from) {
		(void)snprintf(why, WHY_SIZE, "is a range that ends before it begins; write %u-%u", (unsigned)*to,
			(unsigned)*from);
		return false;
	}
	return true;
}

static void read_port_list(struct parser *parser, struct policy_rule *rule, const char *list, struct json_token where)
{
	/* With escapes in it the text is longer than the list: then the whole string is the place. */
	bool same = strlen(list) + 2 == where.length;

	for (const char *item = list;; item++) {
		size_t length = strcspn(item, ",");
		struct json_token place = {where.position + 1 + (size_t)(item - list), length};
		uint64_t from, to;
		char why[WHY_SIZE];

		if (read_port_item(item, length, &from, &to, why))
			add_ports(parser, rule, from, to);
		else
			policy_report_add(&parser->report, same ? place : where, "ports", "%s", why);
		item += length;
		if (!*item)
			break;
	}
}

void parse_ports(struct parser *parser, struct policy_rule *rule, const cJSON *value, struct json_token where)
{
	uint64_t port;
	char why[WHY_SIZE];

	if (cJSON_IsNumber(value)) {
		if (parse_uint(parser->text + where.position, where.length, 1, 65535, &port, why, sizeof(why)))
			add_ports(parser, rule, port, port);
		else
			policy_report_add(&parser->report, where, "ports", "%s", why);
	} else if (!cJSON_IsString(value)) {
		parse_wrong_type(parser, value, where, "ports",
			"write a number, or a string of ports and ranges such as \"80,7000-7005\"");
	} else if (!*value->valuestring) {
		policy_report_add(&parser->report, where, "ports", "is empty; remove the key to mean all ports");
	} else {
		read_port_list(parser, rule, value->valuestring, where);
	}
}

void parse_buffers(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	static const char fix[] =
		"write a number of bytes from 16384 to 1073741823 (what the kernel takes), \"64K\" or \"1M\"";
	const char *digits = parser->text + where.position;
	size_t length = where.length;
	uint64_t size = 0, unit = 1;
	char why[WHY_SIZE];

	(void)to;
	if (!cJSON_IsNumber(value) && !cJSON_IsString(value)) {
		parse_wrong_type(parser, value, where, "buffers", fix);
		return;
	}
	if (cJSON_IsString(value)) {
		digits = value->valuestring;
		length = strlen(digits);
		if (length && digits[length - 1] == 'K')
			unit = 1024;
		else if (length && digits[length - 1] == 'M')
			unit = UINT64_C(1024) * 1024;
		length -= unit > 1;
	}
	if (parse_uint(digits, length, 0, UINT32_MAX, &size, why, sizeof(why)) && size * unit >= POLICY_BUFFERS_MIN &&
		size * unit <= POLICY_BUFFERS_MAX) {
		parser->policy->buffers = (uint32_t)(size * unit);
		return;
	}
	policy_report_add(&parser->report, where, "buffers", "is not a size of buffers; %s", fix);
}

/* Cuts name to what the kernel keeps, at a character's border, with a '*' where there is room for it. */
static void shorten(const char *name, char out[static POLICY_COMM_LEN])
{
	size_t length = POLICY_COMM_LEN - 1;

	while (length && (name[length] & 0xc0) == 0x80)
		length--;
	memcpy(out, name, length);
	out[length] = '\0';
	if (length < POLICY_COMM_LEN - 1)
		memcpy(out + length, "*", 2);
}

/* Checks one name; true if it can be taken. */
static bool check_program(struct parser *parser, const char *name, struct json_token where)
{
	const struct policy *policy = parser->policy;
	const char *slash = strrchr(name, '/'), *star = strchr(name, '*');
	char shorter[POLICY_COMM_LEN];

	if (!*name)
		policy_report_add(&parser->report, where, "program", "is empty; write the program's name");
	else if (slash)
		policy_report_add(&parser->report, where, "program", "is a path; write the name behind the last slash");
	else if (star && star[1])
		policy_report_add(&parser->report, where, "program",
			"has a '*' before its end; write the '*' as the last character only");
	else if (strlen(name) >= POLICY_COMM_LEN) {
		shorten(name, shorter);
		policy_report_add(&parser->report, where, "program",
			"is over 15 characters, and the kernel keeps no more of a name; write %s", shorter);
	} else if (policy->program_count == POLICY_MAX_PROGRAMS)
		policy_report_add(&parser->report, where, "program",
			"is one more than the %u names that a table holds; join some with a trailing '*'",
			POLICY_MAX_PROGRAMS);
	else
		return true;
	return false;
}

static void read_program(struct parser *parser, const cJSON *value, struct json_token where)
{
	struct policy *policy = parser->policy;

	if (!cJSON_IsString(value)) {
		parse_wrong_type(parser, value, where, "program", "write a name in double quotes");
		return;
	}
	if (!check_program(parser, value->valuestring, where))
		return;
	for (size_t i = 0; i < policy->program_count; i++) {
		if (!strcmp(policy->programs[i], value->valuestring)) {
			policy_report_add(&parser->report, where, "program", "is named twice; remove one of them");
			return;
		}
	}
	memcpy(policy->programs[policy->program_count++], value->valuestring, strlen(value->valuestring) + 1);
}

static void read_names(struct parser *parser, const cJSON *value, struct json_token where, const char *what)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	const cJSON *child;

	if (!cJSON_IsArray(value))
		parse_wrong_type(parser, value, where, what, "write a list of names, [ \"NAME\", ... ]");
	else if (!value->child)
		policy_report_add(&parser->report, where, what,
			"is an empty list; write a name, or remove \"programs\" to mean all of them");
	else
		cJSON_ArrayForEach(child, value) read_program(parser, child, json_next(&cursor));
}

static void read_only(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	(void)to;
	parser->policy->program_mode = POLICY_PROGRAMS_ONLY;
	read_names(parser, value, where, "only");
}

static void read_except(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	(void)to;
	parser->policy->program_mode = POLICY_PROGRAMS_EXCEPT;
	read_names(parser, value, where, "except");
}

static const struct parse_key programs_keys[] = {
	{"only", read_only},
	{"except", read_except},
};

static const struct parse_object programs_object = {
	"\"programs\"", "only, except", programs_keys, sizeof(programs_keys) / sizeof(*programs_keys)};

void parse_programs(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct json_token open = {where.position, 1};
	unsigned seen;

	(void)to;
	if (!cJSON_IsObject(value)) {
		parse_wrong_type(
			parser, value, where, "programs", "write { \"only\": [ ... ] } or { \"except\": [ ... ] }");
		return;
	}
	seen = parse_object(parser, &programs_object, NULL, value, where);
	if (seen == 3)
		policy_report_add(&parser->report, open, "programs", "has both only and except; remove one of them");
	else if (!seen)
		policy_report_add(&parser->report, open, "programs",
			"names none; write \"only\": [ ... ] or \"except\": [ ... ]");
}
