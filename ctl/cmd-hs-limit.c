/* SPDX-License-Identifier: MIT */
/* smcctl hs-limit show, on, off. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/smc/hs-limit.h"
#include "ctl/smc/netns.h"
#include "ctl/smc/open.h"

enum { SHOW_NETNS, SHOW_JSON };

const struct ctl_option cmd_hs_limit_show_options[] = {
	[SHOW_NETNS] = CTL_OPTION_NETNS, [SHOW_JSON] = CTL_OPTION_JSON, {NULL, 0, NULL, NULL}};

static const char what[] = "handshake limit";

static enum ctl_exit look(struct ctl *ctl, const char *netns, struct genl **genl, bool *on)
{
	enum ctl_exit code = smc_open(ctl, netns, GENL_SMC, genl);
	int r;

	if (code != CTL_OK)
		return code;
	r = hs_limit_get(*genl, on);
	return r < 0 ? smc_refused(ctl, what, NULL, *genl, r) : CTL_OK;
}

enum ctl_exit cmd_hs_limit_show(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_genl_ struct genl *genl = NULL;
	struct out *out;
	bool on;
	enum ctl_exit code = look(ctl, args->option[SHOW_NETNS], &genl, &on);

	if (code != CTL_OK)
		return code;
	if (out_begin(ctl->out, args->option[SHOW_JSON], &out) < 0)
		return ctl_error(ctl, CTL_FAILED, what, NULL, "%s", strerror(ENOMEM));
	out_bool(out, "enabled", NULL, on);
	out_note(out, "%s: %s", what, on ? "on" : "off");
	if (out_end(out) < 0)
		return ctl_error(ctl, CTL_FAILED, what, NULL, "%s", strerror(ENOMEM));
	return CTL_OK;
}

enum { SET_NETNS };

const struct ctl_option cmd_hs_limit_set_options[] = {[SET_NETNS] = CTL_OPTION_NETNS, {NULL, 0, NULL, NULL}};

static enum ctl_exit set(struct ctl *ctl, const struct ctl_args *args, bool on)
{
	_cleanup_genl_ struct genl *genl = NULL;
	bool before;
	enum ctl_exit code = look(ctl, args->option[SET_NETNS], &genl, &before);
	int r;

	if (code != CTL_OK)
		return code;
	r = before == on ? 0 : hs_limit_set(genl, on);
	if (r < 0)
		return smc_refused(ctl, what, on ? "on" : "off", genl, r);
	if (before == on)
		fprintf(ctl->out, "%s: %s already\n", what, on ? "on" : "off");
	else
		fprintf(ctl->out, "%s: %s -> %s, for sockets made from now on\n", what, before ? "on" : "off",
			on ? "on" : "off");
	return CTL_OK;
}

enum ctl_exit cmd_hs_limit_on(struct ctl *ctl, const struct ctl_args *args)
{
	return set(ctl, args, true);
}

enum ctl_exit cmd_hs_limit_off(struct ctl *ctl, const struct ctl_args *args)
{
	return set(ctl, args, false);
}
