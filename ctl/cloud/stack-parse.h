/* SPDX-License-Identifier: MIT */
/* What the readers of the parts of cloud.json share; on the policy's reader of objects, which knows the places. */
#ifndef SMCSHIM_CTL_CLOUD_STACK_PARSE_H
#define SMCSHIM_CTL_CLOUD_STACK_PARSE_H

#include "ctl/cloud/stack.h"
#include "policy/parse.h"

/* A name of ours, STACK_NAME bytes; an identifier of the service, STACK_ID bytes. */
void stack_read_name(struct parser *parser, const cJSON *value, struct json_token where, const char *what, char *out);
void stack_read_id(struct parser *parser, const cJSON *value, struct json_token where, const char *what,
	const char *prefix, char *out);

/* Values of the file's keys; to is the struct stack. */
void stack_read_instance(struct parser *parser, void *to, const cJSON *value, struct json_token where);
void stack_read_rules(struct parser *parser, void *to, const cJSON *value, struct json_token where);
void stack_read_interfaces(struct parser *parser, void *to, const cJSON *value, struct json_token where);

#endif
