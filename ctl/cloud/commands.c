/* SPDX-License-Identifier: MIT */
/* The table of commands of the helper smcctl-cloud: those that smcctl hands over. */
#include "config.h"

#include "ctl/commands.h"

const struct ctl_command *ctl_commands(size_t *count)
{
	static const struct ctl_command commands[] = {
		{"cloud plan", "[FILE]", "", cmd_cloud_plan_options, cmd_cloud_plan, 0, 1, false, false},
		{"cloud apply", "[FILE]", "", cmd_cloud_apply_options, cmd_cloud_apply, 0, 1, false, false},
		{"cloud status", "[FILE]", "", cmd_cloud_status_options, cmd_cloud_status, 0, 1, false, false},
		{"cloud destroy", "[FILE]", "", cmd_cloud_destroy_options, cmd_cloud_destroy, 0, 1, false, false},
		{"cloud import", "[FILE]", "", cmd_cloud_import_options, cmd_cloud_import, 0, 1, false, false},
		{"cloud whoami", "", "", cmd_cloud_whoami_options, cmd_cloud_whoami, 0, 0, false, false},
	};

	*count = sizeof(commands) / sizeof(commands[0]);
	return commands;
}
