/* SPDX-License-Identifier: MIT */
/* Fuzz target over every text that smcctl cloud reads: replies, files of credentials, its own file and state. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cloud/credentials.h"
#include "ctl/cloud/secret.h"
#include "ctl/cloud/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What bounds a stack: all of it ends in places of a fixed size. */
static void read_surroundings(const cJSON *reply)
{
	static const struct stack stack = {.name = "s",
		.rules = {{.name = "a", .protocol = "TCP", .ports = "80/80", .cidr = "10.0.0.0/8"}},
		.rule_count = 1};
	const struct state state = {.count = 0};
	char zone[64] = "", vpc[STACK_ID] = "", price[WORLD_PRICE];
	struct world_type type = {.known = false};
	struct world world = {.objects = NULL};
	struct world_object object;
	const cJSON *item;

	cJSON_ArrayForEach(item, cloud_list(reply, "Permissions.Permission"))
	{
		/* Ours by its description is nobody else's. */
		if (world_of_rule(item, &stack, &state, &object) &&
			(!object.id[0] || (object.tagged && object.owner[0]) ||
				(object.owner[0] && !stack_name_valid(object.owner))))
			abort();
	}
	world_of_type(reply, "ecs.g8ise.2xlarge", &type);
	(void)world_of_vswitch(reply, zone, vpc);
	(void)world_of_group(reply, &world);
	world_of_price(reply, price);
	if (strlen(zone) >= sizeof(zone) || strlen(vpc) >= sizeof(vpc) || strlen(price) >= sizeof(price))
		abort();
}

/* Line by line, as libcurl hands them over, without a NUL behind them. */
static void read_headers(const char *text, size_t size)
{
	struct http_reply reply = {.status = 200};

	for (const char *end = text + size; text < end;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = newline ? (size_t)(newline + 1 - text) : (size_t)(end - text);
		char *line = malloc(length ? length : 1);

		if (!line)
			return;
		memcpy(line, text, length);
		http_reply_header(&reply, line, length);
		free(line);
		text += length;
	}
	if (reply.retry_after < 0 || reply.retry_after > 3600000)
		abort();
}

/* A message that quotes a key is printed without it, wherever it stands. */
static void hide(const char *text, size_t size)
{
	static const char secret[] = "SECRET";
	char *copy = strndup(text, size);

	if (!copy)
		return;
	secret_hide(copy, secret, 4);
	/* What is taken out can put the rest together anew only if it was made for that; the stars are always there. */
	if (strlen(copy) > size)
		abort();
	free(copy);
}

static void read_reply(char *text, size_t size)
{
	struct http_reply http = {.status = 200, .body = text, .size = size};
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	_cleanup_cloud_credential_ struct cloud_credential credential = {.id = NULL};
	struct world_object object;

	rpc_read(&http, NULL, &reply);
	world_of_interface(cJSON_GetArrayItem(cloud_list(reply.json, "NetworkInterfaceSets.NetworkInterfaceSet"), 0),
		"s", &object);
	world_of_address(cJSON_GetArrayItem(cloud_list(reply.json, "EipAddresses.EipAddress"), 0), "s", &object);
	world_of_instance(cJSON_GetArrayItem(cloud_list(reply.json, "Instances.Instance"), 0), "s", &object);
	(void)cloud_number(reply.json, "TotalCount");
	read_surroundings(reply.json);
	if (credentials_read_json(reply.json, "x", &credential) == 0 && (!credential.id || !credential.token))
		abort();
}

static void read_credentials(const char *text, size_t size)
{
	for (int i = 0; i < 2; i++) {
		_cleanup_credential_profile_ struct credential_profile profile = {.mode = NULL};
		struct credential_problem problem = {.why = ""};
		int r = i ? credentials_read_ini(text, size, NULL, &profile, &problem)
			  : credentials_read_profile(text, size, NULL, &profile, &problem);

		/* A refusal quotes nothing of what may be a secret. */
		if ((r < 0 && r != -ENOMEM && !problem.why[0]) || strstr(problem.why, "SECRET"))
			abort();
	}
}

static void read_own(const char *text, size_t size)
{
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	_cleanup_state_ struct state state = {.path = NULL};
	_cleanup_free_ struct stack *stack = NULL;
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	int r = stack_parse("f", text, size, &stack, &errors);

	if ((r == 0) != (stack != NULL) || (r == -EINVAL && !errors.count))
		abort();
	if (state_parse(text, size, &state) == 0 && state.pending.request &&
		cloud_params_parse(state.pending.request, &params) < 0 && params.items)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	read_reply(text, size);
	read_credentials(text, size);
	read_own(text, size);
	read_headers(text, size);
	hide(text, size);
	free(text);
	return 0;
}
