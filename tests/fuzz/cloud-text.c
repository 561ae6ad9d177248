/* SPDX-License-Identifier: MIT */
/* Fuzz target over every text that smcctl cloud reads: replies, files of credentials, its own file and state. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cloud/credentials.h"
#include "ctl/cloud/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_reply(char *text, size_t size)
{
	struct http_reply http = {.status = 200, .body = text, .size = size};
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	_cleanup_cloud_credential_ struct cloud_credential credential = {.id = NULL};
	struct world_object object;

	rpc_read(&http, &reply);
	world_of_interface(cJSON_GetArrayItem(cloud_list(reply.json, "NetworkInterfaceSets.NetworkInterfaceSet"), 0),
		"s", &object);
	world_of_address(cJSON_GetArrayItem(cloud_list(reply.json, "EipAddresses.EipAddress"), 0), "s", &object);
	world_of_instance(cJSON_GetArrayItem(cloud_list(reply.json, "Instances.Instance"), 0), "s", &object);
	(void)cloud_number(reply.json, "TotalCount");
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
	free(text);
	return 0;
}
