/* SPDX-License-Identifier: MIT */
/* IPsec, which SMC passes by: what the kernel says of its policies. */
#include "config.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "ctl/smc/xfrm.h"

uint64_t xfrm_policies_in(const struct nlmsghdr *answer)
{
	const struct nlattr *attr = NULL;
	struct xfrmu_spdinfo info;

	if (nlmsg_valid_hdr(answer, sizeof(uint32_t)))
		attr = nlmsg_find_attr((struct nlmsghdr *)answer, sizeof(uint32_t), XFRMA_SPD_INFO);
	if (!attr || (size_t)nla_len(attr) < sizeof(info))
		return 0;
	memcpy(&info, nla_data(attr), sizeof(info));
	return (uint64_t)info.incnt + info.outcnt + info.fwdcnt;
}

static int on_valid(struct nl_msg *message, void *arg)
{
	uint64_t *count = arg;

	*count = xfrm_policies_in(nlmsg_hdr(message));
	return NL_OK;
}

int xfrm_count_policies(uint64_t *count)
{
	struct nl_sock *sock = nl_socket_alloc();
	uint32_t flags = 0xffffffff;
	int r;

	*count = 0;
	if (!sock)
		return -ENOMEM;
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_valid, count);
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
