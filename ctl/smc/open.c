/* SPDX-License-Identifier: MIT */
/* Opens a family of the kernel's SMC; words for a kernel without it, for missing rights, and for all other answers. */
#include "config.h"

#include "ctl/smc/open.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ctl/smc/netns.h"

enum ctl_exit smc_open(struct ctl *ctl, const char *netns, const char *family, struct genl **out)
{
	enum ctl_exit code = netns_enter(ctl, netns);
	int r;

	if (code != CTL_OK)
		return code;
	r = genl_open(family, out);
	if (r == 0)
		return CTL_OK;
	if (r != -EPROTONOSUPPORT)
		return ctl_error(ctl, ctl_exit_of(r), "generic netlink family", family, "%s", strerror(-r));
	if (access("/sys/module/smc", F_OK) == 0)
		return ctl_error(ctl, CTL_CANNOT, "generic netlink family", family,
			"the kernel has a module smc without it: one too old, or of another make (MLNX_OFED); use the "
			"kernel's own");
	return ctl_error(ctl, CTL_CANNOT, "generic netlink family", family,
		"this kernel has no SMC, or may not load it here: modprobe smc");
}

enum ctl_exit smc_refused(struct ctl *ctl, const char *what, const char *object, const struct genl *genl, int error)
{
	if (error == -EPERM || error == -EACCES)
		return ctl_error(ctl, CTL_NOT_PERMITTED, what, object,
			"%s: the kernel wants CAP_NET_ADMIN outside of user namespaces (root of the machine)",
			genl_text(genl, error));
	if (error == -EOPNOTSUPP)
		return ctl_error(ctl, CTL_CANNOT, what, object, "%s: this kernel's SMC does not know that",
			genl_text(genl, error));
	return ctl_error(ctl, CTL_FAILED, what, object, "%s", genl_text(genl, error));
}
