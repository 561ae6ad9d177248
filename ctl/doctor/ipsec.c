/* SPDX-License-Identifier: MIT */
/* doctor: IPsec policies, which SMC passes by. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "ctl/doctor/doctor.h"

/* Adds up the numbers of policies in the answer to XFRM_MSG_GETSPDINFO. */
static int on_spd(struct nl_msg *message, void *arg)
{
	struct nlattr *attr = nlmsg_find_attr(nlmsg_hdr(message), sizeof(uint32_t), XFRMA_SPD_INFO);
	uint64_t *count = arg;
	struct xfrmu_spdinfo info;

	if (attr && (size_t)nla_len(attr) >= sizeof(info)) {
		memcpy(&info, nla_data(attr), sizeof(info));
		*count = (uint64_t)info.incnt + info.outcnt + info.fwdcnt;
	}
	return NL_OK;
}

/* How many IPsec policies the network namespace has (xfrm_get_spdinfo()). Returns 0 or -errno. */
static int count_policies(uint64_t *count)
{
	struct nl_sock *sock = nl_socket_alloc();
	uint32_t flags = 0xffffffff;
	int r;

	*count = 0;
	if (!sock)
		return -ENOMEM;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_spd, count);
	r = nl_connect(sock, NETLINK_XFRM);
	if (r == 0)
		r = nl_send_simple(sock, XFRM_MSG_GETSPDINFO, 0, &flags, sizeof(flags));
	if (r >= 0)
		r = nl_recvmsgs_default(sock);
	nl_socket_free(sock);
	if (r >= 0)
		return 0;
	if (r == -NLE_PERM)
		return -EPERM;
	return r == -NLE_PROTO_MISMATCH || r == -NLE_NOADDR ? -EPROTONOSUPPORT : -EIO;
}

/*
 * smc_listen_work() and __smc_connect() refuse a socket with an IPsec policy of its own (using_ipsec()); those of the
 * network namespace they do not look at.
 */
void doctor_ipsec(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	uint64_t count;
	int r;

	if (!doctor->genl)
		return;
	r = count_policies(&count);
	if (r == -EPERM)
		finding_add(findings, FINDING_UNKNOWN, "ipsec", "run as root", "whether there are IPsec policies");
	else if (r < 0 && r != -EPROTONOSUPPORT)
		finding_add(findings, FINDING_UNKNOWN, "ipsec", NULL, "IPsec policies: %s", strerror(-r));
	else if (r == 0 && count)
		finding_add(findings, FINDING_WARNING, "ipsec",
			"give the destinations under IPsec rules with \"use\": \"tcp\"",
			"there are %" PRIu64 " IPsec policies: what goes over SMC passes them by, unencrypted", count);
	else
		finding_add(findings, FINDING_OK, "ipsec", NULL, "no IPsec policies that SMC would pass by");
}
