/* SPDX-License-Identifier: MIT */
/* The policy that a service will follow: whether there is one in force, and what it keeps on TCP altogether. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/apply.h"
#include "ctl/service/judge.h"

void judge_policy(struct judgement *judgement)
{
	const char *table = judgement->table ? judgement->table : CTL_DEFAULT_TABLE;
	_cleanup_policy_store_ struct policy_store *store = NULL;
	_cleanup_free_ struct policy_info *info = NULL;
	int r = policy_store_open(table, POLICY_STORE_READ, &store);

	if (r == 0)
		r = policy_store_info(policy_store_map(store), &info);
	if (r == -ENOMEM) {
		judgement->error = r;
		return;
	}
	if (r < 0 || !info || info->sequence == 0)
		judgement_add(judgement, REMARK_POLICY, "policy",
			"no policy is in force ('%s': %s); smcctl policy apply, and at boot: systemctl enable "
			"smcshim-policy",
			table, r < 0 ? policy_store_strerror(r) : "nothing is published in it");
	else if (info->state != POLICY_ON)
		judgement_add(judgement, REMARK_POLICY, "policy", "its state is %s; smcctl policy on",
			apply_state_name(info->state));
	else if (!(info->kernel & POLICY_KERNEL_SMC))
		judgement_add(judgement, REMARK_POLICY, "kernel",
			"had no SMC when the policy was applied; load its module and apply the policy again");
	if (r == 0 && info && info->sequence && info->program_mode != POLICY_PROGRAMS_ALL)
		judgement_add(judgement, REMARK_NOTE, "policy",
			"holds for some programs only; smcctl policy test --program NAME tells whether for this one");
}
