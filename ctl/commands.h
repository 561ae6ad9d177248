/* SPDX-License-Identifier: MIT */
/* The commands, as the table in commands.c names them: each has its file cmd-NAME.c and its table of options. */
#ifndef SMCSHIM_CTL_COMMANDS_H
#define SMCSHIM_CTL_COMMANDS_H

#include <stdint.h>

#include "ctl/ctl.h"

typedef enum ctl_exit cmd_function(struct ctl *ctl, const struct ctl_args *args);

cmd_function cmd_run;
cmd_function cmd_policy_check;
cmd_function cmd_policy_apply;
cmd_function cmd_policy_show;
cmd_function cmd_policy_test;
cmd_function cmd_policy_on;
cmd_function cmd_policy_off;
cmd_function cmd_policy_observe;
cmd_function cmd_policy_watch;
cmd_function cmd_status;
cmd_function cmd_pnet_list;
cmd_function cmd_pnet_ensure;
cmd_function cmd_pnet_add;
cmd_function cmd_pnet_del;
cmd_function cmd_pnet_flush;
cmd_function cmd_eid_list;
cmd_function cmd_eid_ensure;
cmd_function cmd_eid_add;
cmd_function cmd_eid_del;
cmd_function cmd_eid_flush;
cmd_function cmd_eid_system;
cmd_function cmd_hs_limit_show;
cmd_function cmd_hs_limit_on;
cmd_function cmd_hs_limit_off;
cmd_function cmd_device_list;
cmd_function cmd_doctor;
cmd_function cmd_linkgroup_list;
cmd_function cmd_stats;
cmd_function cmd_sockets;
cmd_function cmd_check;
cmd_function cmd_bench;
cmd_function cmd_bench_self;
cmd_function cmd_bench_server;
cmd_function cmd_bench_compare;
cmd_function cmd_bench_exec;
cmd_function cmd_service_enable;
cmd_function cmd_service_disable;
cmd_function cmd_service_status;
cmd_function cmd_service_explain;
cmd_function cmd_host_plan;
cmd_function cmd_host_apply;
cmd_function cmd_host_check;
cmd_function cmd_host_revert;
cmd_function cmd_pod_inject;
cmd_function cmd_pod_uninject;
cmd_function cmd_pod_explain;
cmd_function cmd_pod_review;
cmd_function cmd_pod_manifest;
cmd_function cmd_pod_place;
cmd_function cmd_cloud_plan;
cmd_function cmd_cloud_apply;
cmd_function cmd_cloud_status;
cmd_function cmd_cloud_destroy;
cmd_function cmd_cloud_import;
cmd_function cmd_cloud_whoami;
cmd_function cmd_complete;

extern const struct ctl_option cmd_run_options[];
extern const struct ctl_option cmd_policy_check_options[];
extern const struct ctl_option cmd_policy_apply_options[];
extern const struct ctl_option cmd_policy_show_options[];
extern const struct ctl_option cmd_policy_test_options[];
extern const struct ctl_option cmd_policy_state_options[];
extern const struct ctl_option cmd_policy_watch_options[];
extern const struct ctl_option cmd_status_options[];
extern const struct ctl_option cmd_pnet_list_options[];
extern const struct ctl_option cmd_pnet_add_options[];
extern const struct ctl_option cmd_pnet_change_options[];
extern const struct ctl_option cmd_eid_list_options[];
extern const struct ctl_option cmd_hs_limit_show_options[];
extern const struct ctl_option cmd_hs_limit_set_options[];
extern const struct ctl_option cmd_device_list_options[];
extern const struct ctl_option cmd_doctor_options[];
extern const struct ctl_option cmd_linkgroup_list_options[];
extern const struct ctl_option cmd_stats_options[];
extern const struct ctl_option cmd_sockets_options[];
extern const struct ctl_option cmd_check_options[];
extern const struct ctl_option cmd_bench_options[];
extern const struct ctl_option cmd_bench_server_options[];
extern const struct ctl_option cmd_bench_compare_options[];
extern const struct ctl_option cmd_bench_exec_options[];
extern const struct ctl_option cmd_service_enable_options[];
extern const struct ctl_option cmd_service_disable_options[];
extern const struct ctl_option cmd_service_status_options[];
extern const struct ctl_option cmd_service_explain_options[];
extern const struct ctl_option cmd_host_plan_options[];
extern const struct ctl_option cmd_host_apply_options[];
extern const struct ctl_option cmd_host_check_options[];
extern const struct ctl_option cmd_host_revert_options[];
extern const struct ctl_option cmd_pod_inject_options[];
extern const struct ctl_option cmd_pod_uninject_options[];
extern const struct ctl_option cmd_pod_explain_options[];
extern const struct ctl_option cmd_pod_review_options[];
extern const struct ctl_option cmd_pod_manifest_options[];
extern const struct ctl_option cmd_pod_place_options[];
extern const struct ctl_option cmd_cloud_plan_options[];
extern const struct ctl_option cmd_cloud_apply_options[];
extern const struct ctl_option cmd_cloud_status_options[];
extern const struct ctl_option cmd_cloud_destroy_options[];
extern const struct ctl_option cmd_cloud_import_options[];
extern const struct ctl_option cmd_cloud_whoami_options[];

#endif
