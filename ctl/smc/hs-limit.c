/* SPDX-License-Identifier: MIT */
/* Reads and sets the limit of SMC handshakes. */
#include "config.h"

#include "ctl/smc/hs-limit.h"

#include <errno.h>
#include <linux/smc.h>

struct answer {
	bool given;
	bool on;
};

static void restart(void *arg)
{
	*(struct answer *)arg = (struct answer){.given = false};
}

static int on_answer(struct nlattr *const *attrs, void *arg)
{
	struct answer *answer = arg;

	answer->given = attrs[SMC_NLA_HS_LIMITATION_ENABLED] != NULL;
	answer->on = genl_number(attrs[SMC_NLA_HS_LIMITATION_ENABLED], 0) != 0;
	return 0;
}

int hs_limit_get(struct genl *genl, bool *on)
{
	struct answer answer = {.given = false};
	int r = genl_dump(genl, SMC_NETLINK_DUMP_HS_LIMITATION, restart, on_answer, &answer);

	if (r < 0)
		return r;
	if (!answer.given)
		return -EBADMSG;
	*on = answer.on;
	return 0;
}

int hs_limit_set(struct genl *genl, bool on)
{
	struct nl_msg *message =
		genl_message(genl, on ? SMC_NETLINK_ENABLE_HS_LIMITATION : SMC_NETLINK_DISABLE_HS_LIMITATION);

	return message ? genl_request(genl, message, NULL, NULL) : -ENOMEM;
}
