/* SPDX-License-Identifier: MIT */
/* What the readers of the parts of a policy file share. */
#ifndef SMCSHIM_POLICY_PARSE_H
#define SMCSHIM_POLICY_PARSE_H

#include <cJSON.h>

#include "policy/json.h"
#include "policy/policy.h"
#include "policy/report.h"

struct parser {
	const char *text;
	size_t len;
	struct policy *policy; /* what has been read so far */
	struct policy_report report;
	size_t rule_room;
	size_t cidr_room;
	size_t port_room;
	bool no_memory;
	bool over_capacity; /* has been reported */
};

/* A key of an object and who reads its value; where is the value's place. */
struct parse_key {
	const char *name;
	void (*read)(struct parser *parser, void *to, const cJSON *value, struct json_token where);
};

struct parse_object {
	const char *name;     /* "a policy", "a rule", ... */
	const char *key_list; /* for the fix: "use, connect, ..." */
	const struct parse_key *keys;
	size_t key_count;
};

/*
 * Reads the object at where: each known key once, with its reader; reports unknown and repeated keys.
 * Returns which keys were there, bit i for keys[i].
 */
unsigned parse_object(
	struct parser *parser, const struct parse_object *kind, void *to, const cJSON *object, struct json_token where);

/* Reports a value of the wrong type: "is a number; FIX". */
void parse_wrong_type(
	struct parser *parser, const cJSON *value, struct json_token where, const char *what, const char *fix);

/* Room for one more item behind count items of size bytes; sets no_memory and returns NULL without it. */
void *parse_grow(struct parser *parser, void **items, size_t count, size_t *room, size_t size);

/* Digits only, no leading zero, min to max. True, or false with "WHY; FIX" in why, of size bytes. */
bool parse_uint(const char *digits, size_t length, uint64_t min, uint64_t max, uint64_t *out, char *why, size_t size);

/* A value of that form, or a report of what is wrong with it. The string: 1 to size - 1 bytes; true: out is set. */
bool parse_string(
	struct parser *parser, const cJSON *value, struct json_token where, const char *what, char *out, size_t size);
void parse_number(struct parser *parser, const cJSON *value, struct json_token where, const char *what, uint32_t min,
	uint32_t max, uint32_t *out);
void parse_bool(struct parser *parser, const cJSON *value, struct json_token where, const char *what, bool *out);

/* Reads an object whose keys are names of the user's: each once; name is the key's place. */
typedef void parse_member(
	struct parser *parser, void *to, const cJSON *member, struct json_token name, struct json_token where);
void parse_map(struct parser *parser, parse_member *read, void *to, const cJSON *object, struct json_token where);

/*
 * Reads a whole text: its grammar, then its one value by read. errors gets what is wrong with it, in the order of the
 * text. Returns 0, -EINVAL (errors is filled) or -ENOMEM.
 */
int parse_document(struct parser *parser, const char *name, struct policy_errors *errors,
	void (*read)(struct parser *parser, void *to, const cJSON *tree), void *to) __attribute__((warn_unused_result));

/* The readers. */
void parse_version(struct parser *parser, void *to, const cJSON *value, struct json_token where); /* only 1 */
void parse_rule(struct parser *parser, const cJSON *value, struct json_token where);
void parse_ports(struct parser *parser, struct policy_rule *rule, const cJSON *value, struct json_token where);
void parse_programs(struct parser *parser, void *to, const cJSON *value, struct json_token where);
void parse_buffers(struct parser *parser, void *to, const cJSON *value, struct json_token where);

/* Reports each pair of rules that tie with different answers. Returns 0 or -ENOMEM. */
int policy_validate(const struct policy *policy, struct policy_report *report) __attribute__((warn_unused_result));

#endif
