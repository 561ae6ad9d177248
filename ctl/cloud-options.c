/* SPDX-License-Identifier: MIT */
/* The options of smcctl cloud: smcctl checks them, its helper smcctl-cloud reads them. */
#include "config.h"

#include "ctl/cloud-options.h"

#include "ctl/commands.h"

#define OPTION_STATE \
	{ \
		"state", 0, "FILE", "what is known of the stack [the file's name with .state]" \
	}
#define OPTION_DEBUG \
	{ \
		"debug", 0, NULL, "say each call of the service on standard error" \
	}
#define OPTION_YES \
	{ \
		"yes", 0, NULL, "do not ask" \
	}
#define OPTION_TIMEOUT \
	{ \
		"timeout", 0, "SECONDS", "give up after that time [300]" \
	}

#define OPTION_RESULT \
	{ \
		"json", 0, NULL, "print the result as JSON, and all else on standard error" \
	}

const struct ctl_option cmd_cloud_plan_options[] = {[CLOUD_PLAN_STATE] = OPTION_STATE,
	[CLOUD_PLAN_OUT] = {"out", 0, "FILE", "write the plan to FILE, for apply --plan"},
	[CLOUD_PLAN_EXITCODE] = {"detailed-exitcode", 0, NULL, "exit with 2 when something would change"},
	[CLOUD_PLAN_CHECK] = {"server-check", 0, NULL, "have the service check the instance to be run"},
	[CLOUD_PLAN_JSON] = CTL_OPTION_JSON,
	[CLOUD_PLAN_DEBUG] = OPTION_DEBUG,
	{NULL, 0, NULL, NULL}};

const struct ctl_option cmd_cloud_apply_options[] = {[CLOUD_APPLY_STATE] = OPTION_STATE,
	[CLOUD_APPLY_PLAN] = {"plan", 0, "FILE", "do exactly what plan --out wrote, or refuse"},
	[CLOUD_APPLY_YES] = OPTION_YES,
	[CLOUD_APPLY_TIMEOUT] = OPTION_TIMEOUT,
	[CLOUD_APPLY_DEBUG] = OPTION_DEBUG,
	[CLOUD_APPLY_THEN_HOST] = {"then-host", 0, "PROFILE", "then set this host up for the new interfaces, too"},
	[CLOUD_APPLY_JSON] = OPTION_RESULT,
	{NULL, 0, NULL, NULL}};

const struct ctl_option cmd_cloud_status_options[] = {[CLOUD_STATUS_STATE] = OPTION_STATE,
	[CLOUD_STATUS_JSON] = CTL_OPTION_JSON,
	[CLOUD_STATUS_DEBUG] = OPTION_DEBUG,
	{NULL, 0, NULL, NULL}};

const struct ctl_option cmd_cloud_destroy_options[] = {[CLOUD_DESTROY_STATE] = OPTION_STATE,
	[CLOUD_DESTROY_YES] = OPTION_YES,
	[CLOUD_DESTROY_TIMEOUT] = OPTION_TIMEOUT,
	[CLOUD_DESTROY_DEBUG] = OPTION_DEBUG,
	[CLOUD_DESTROY_JSON] = OPTION_RESULT,
	{NULL, 0, NULL, NULL}};

const struct ctl_option cmd_cloud_import_options[] = {[CLOUD_IMPORT_STATE] = OPTION_STATE,
	[CLOUD_IMPORT_DEBUG] = OPTION_DEBUG,
	[CLOUD_IMPORT_JSON] = OPTION_RESULT,
	{NULL, 0, NULL, NULL}};

const struct ctl_option cmd_cloud_whoami_options[] = {
	[CLOUD_WHOAMI_REGION] = {"region", 0, "REGION", "ask there [that of the environment or instance]"},
	[CLOUD_WHOAMI_JSON] = CTL_OPTION_JSON,
	[CLOUD_WHOAMI_DEBUG] = OPTION_DEBUG,
	{NULL, 0, NULL, NULL}};
