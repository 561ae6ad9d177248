/* SPDX-License-Identifier: MIT */
/* The file cloud.json: a named stack as a strict parser gives it. */
#ifndef SMCSHIM_CTL_CLOUD_STACK_H
#define SMCSHIM_CTL_CLOUD_STACK_H

#include "ctl/util.h"
#include "policy/policy.h"

#define STACK_NAME 33u /* names of ours: 1 to 32 of a-z, 0-9 and '-' */
#define STACK_ID 64u   /* identifiers of the service */
#define STACK_RULES 100u
#define STACK_INTERFACES 16u
#define STACK_TAGS 16u
#define STACK_FILE_MAX (1u << 20)

/* Mbit/s of an address that is charged by traffic (AllocateEipAddress, Bandwidth); by bandwidth it is 500. */
#define STACK_TRAFFIC_MAX 200u

/* The ports that both ends of SMC over eRDMA set up their connections on, out of band ("Use SMC" of the vendor). */
#define STACK_SMC_PORTS "65500/65515"
#define STACK_SMC_RULE "smc-peers"

struct stack_rule {
	char name[STACK_NAME];
	char protocol[8];     /* as the service writes it: TCP, UDP, ICMP, ALL */
	char ports[16];       /* "80/80", "-1/-1" */
	char cidr[20];        /* or "" */
	char group[STACK_ID]; /* or "" */
};

struct stack_interface {
	char name[STACK_NAME];
	char vswitch[STACK_ID]; /* "": that of the instance */
	bool erdma;
	uint32_t queue_pairs; /* 0: an equal part of what the instance type has */
};

enum stack_instance {
	STACK_EXISTING = 0,
	STACK_THIS = 1, /* the instance that smcctl runs on */
	STACK_RUN = 2,
};

struct stack_tag {
	char key[129];
	char value[129];
};

struct stack_run {
	char image[128];
	char type[64];
	char vswitch[STACK_ID];
	char key_pair[129];
	char disk[32]; /* category, "": the service's choice */
	uint32_t disk_size;
	bool jumbo_frames;
	struct stack_tag tags[STACK_TAGS];
	size_t tag_count;
};

struct stack_address {
	bool wanted;
	bool by_bandwidth;
	uint32_t bandwidth;  /* Mbit/s */
	char on[STACK_NAME]; /* an interface; "": the instance */
};

struct stack {
	char name[STACK_NAME];
	char region[41];
	enum stack_instance instance;
	char instance_id[STACK_ID];
	struct stack_run run;
	char group[STACK_ID];
	struct stack_rule rules[STACK_RULES];
	size_t rule_count;
	struct stack_interface interfaces[STACK_INTERFACES];
	size_t interface_count;
	struct stack_address address;
	uint64_t digest; /* of the text */
};

/*
 * Parses len bytes; name stands for the file in messages. errors receives every error of the text. The caller frees
 * *out. Returns 0, -EINVAL (errors is filled) or -ENOMEM; *out is touched only on success.
 */
_must_check_ int stack_parse(
	const char *name, const char *text, size_t len, struct stack **out, struct policy_errors *errors);

/* True for 1 to 32 of a-z, 0-9 and '-', which does not stand first or last. */
bool stack_name_valid(const char *name);

#endif
