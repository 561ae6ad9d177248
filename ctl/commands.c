/* SPDX-License-Identifier: MIT */
/* The table of commands. */
#include "config.h"

#include "ctl/commands.h"

const struct ctl_command *ctl_commands(size_t *count)
{
	static const struct ctl_command commands[] = {
		{"run", "[--] PROGRAM [ARGUMENT...]",
			"run a program with the policy in force, or say why that cannot work", cmd_run_options, cmd_run,
			0, SIZE_MAX, true, false},
		{"policy check", "[FILE]", "say every error of a policy file", cmd_policy_check_options,
			cmd_policy_check, 0, 1, false, false},
		{"policy apply", "[FILE]", "put a policy file in force in every running process",
			cmd_policy_apply_options, cmd_policy_apply, 0, 1, false, false},
		{"policy show", "[FILE]", "show what is in force, since when and from where", cmd_policy_show_options,
			cmd_policy_show, 0, 1, false, false},
		{"policy test", "ADDRESS[:PORT]", "say which rule decides for an address, and why",
			cmd_policy_test_options, cmd_policy_test, 1, 1, false, false},
		{"policy on", "[FILE]", "let the rules decide", cmd_policy_state_options, cmd_policy_on, 0, 1, false,
			false},
		{"policy off", "[FILE]", "keep every new connection on TCP, in every running process at once",
			cmd_policy_state_options, cmd_policy_off, 0, 1, false, false},
		{"policy observe", "[FILE]",
			"keep every new connection on TCP and count what the rules would have done",
			cmd_policy_state_options, cmd_policy_observe, 0, 1, false, false},
		{"policy watch", "[FILE]", "apply a policy file now and whenever it changes", cmd_policy_watch_options,
			cmd_policy_watch, 0, 1, false, false},
		{"status", "[PID...]", "say which processes carry the shim and what became of their connections",
			cmd_status_options, cmd_status, 0, SIZE_MAX, false, false},
		{"pnet list", "", "list which interfaces and devices have which pnet identifier", cmd_pnet_list_options,
			cmd_pnet_list, 0, 0, false, false},
		{"pnet ensure", "PNETID", "see to it that an interface or device has a pnet identifier",
			cmd_pnet_add_options, cmd_pnet_ensure, 1, 1, false, false},
		{"pnet add", "PNETID", "give a pnet identifier to an interface or device that has none",
			cmd_pnet_add_options, cmd_pnet_add, 1, 1, false, false},
		{"pnet del", "PNETID", "take a pnet identifier from everything that has it", cmd_pnet_change_options,
			cmd_pnet_del, 1, 1, false, false},
		{"pnet flush", "", "take all pnet identifiers away", cmd_pnet_change_options, cmd_pnet_flush, 0, 0,
			false, false},
		{"eid list", "", "list the enterprise identifiers of this machine", cmd_eid_list_options, cmd_eid_list,
			0, 0, false, false},
		{"eid ensure", "EID", "see to it that this machine has a user EID", NULL, cmd_eid_ensure, 1, 1, false,
			false},
		{"eid add", "EID", "add a user EID that is not there", NULL, cmd_eid_add, 1, 1, false, false},
		{"eid del", "EID", "remove a user EID", NULL, cmd_eid_del, 1, 1, false, false},
		{"eid flush", "", "remove all user EIDs", NULL, cmd_eid_flush, 0, 0, false, false},
		{"eid system", "on|off", "turn the machine's own EID on or off", NULL, cmd_eid_system, 1, 1, false,
			false},
		{"hs-limit show", "", "say whether SMC handshakes are limited", cmd_hs_limit_show_options,
			cmd_hs_limit_show, 0, 0, false, false},
		{"hs-limit on", "", "plain TCP for new connections while too many SMC handshakes are under way",
			cmd_hs_limit_set_options, cmd_hs_limit_on, 0, 0, false, false},
		{"hs-limit off", "", "an SMC handshake for every connection", cmd_hs_limit_set_options,
			cmd_hs_limit_off, 0, 0, false, false},
		{"device list", "", "list the devices of SMC and what each can serve", cmd_device_list_options,
			cmd_device_list, 0, 0, false, false},
		{"linkgroup list", "", "list the link groups that connections over SMC share",
			cmd_linkgroup_list_options, cmd_linkgroup_list, 0, 0, false, false},
		{"stats", "", "count what SMC carried, and why connections fell back to TCP", cmd_stats_options,
			cmd_stats, 0, 0, false, false},
		{"sockets", "", "list the SMC sockets: process, peer, mode, and for TCP why and what to do",
			cmd_sockets_options, cmd_sockets, 0, 0, false, false},
		{"check", "[HOST:PORT]", "say whether the path to a peer is fit for SMC, and which rule to write",
			cmd_check_options, cmd_check, 0, 1, false, false},
		{"complete", "[WORD...]", "print how the last word can go on (for shells)", NULL, cmd_complete, 0,
			SIZE_MAX, true, true},
	};

	*count = sizeof(commands) / sizeof(commands[0]);
	return commands;
}
