/* SPDX-License-Identifier: MIT */
/* The list of RDMA ports, from RDMA netlink: only what this network namespace may use. */
#include "config.h"

#include <errno.h>
#include <netlink/netlink.h>
#include <rdma/rdma_netlink.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/smc/genl.h"
#include "ctl/smc/rdma.h"

/* The answers of one dump: ports; or devices, of which the number is how many ports they have. */
struct answers {
	struct rdma_ports *ports;
	int error;
};

int rdma_ports_add(struct nlattr *const *attrs, struct rdma_ports *ports)
{
	struct rdma_port port = {
		.index = (uint32_t)genl_number(attrs[RDMA_NLDEV_ATTR_DEV_INDEX], 0),
		.number = (uint32_t)genl_number(attrs[RDMA_NLDEV_ATTR_PORT_INDEX], 0),
	};
	struct rdma_port *items;

	genl_copy_text(attrs[RDMA_NLDEV_ATTR_DEV_NAME], port.device, sizeof(port.device));
	genl_copy_text(attrs[RDMA_NLDEV_ATTR_NDEV_NAME], port.netdev, sizeof(port.netdev));
	/* The name becomes part of a path. */
	if (!port.device[0] || strchr(port.device, '/') || strchr(port.netdev, '/'))
		return -EBADMSG;
	items = realloc(ports->item, (ports->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	ports->item = items;
	ports->item[ports->count++] = port;
	return 0;
}

static int on_valid(struct nl_msg *message, void *arg)
{
	struct answers *answers = arg;
	struct nlattr *attrs[RDMA_NLDEV_ATTR_MAX];

	if (nlmsg_parse(nlmsg_hdr(message), 0, attrs, RDMA_NLDEV_ATTR_MAX - 1, NULL) < 0)
		answers->error = -EBADMSG;
	else
		answers->error = rdma_ports_add(attrs, answers->ports);
	return answers->error ? NL_STOP : NL_OK;
}

static int dump(struct nl_sock *socket, int command, const uint32_t *device, struct answers *answers)
{
	struct nl_msg *message = nlmsg_alloc_simple(RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command), NLM_F_DUMP);
	int r;

	if (!message)
		return -ENOMEM;
	if (device && nla_put_u32(message, RDMA_NLDEV_ATTR_DEV_INDEX, *device) < 0) {
		nlmsg_free(message);
		return -ENOMEM;
	}
	nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_valid, answers);
	r = nl_send_auto(socket, message);
	nlmsg_free(message);
	if (r >= 0)
		r = nl_recvmsgs_default(socket);
	if (answers->error)
		return answers->error;
	return r < 0 ? -EIO : 0;
}

static int get(struct nl_sock *socket, struct rdma_ports *out)
{
	struct rdma_ports devices = {.item = NULL};
	struct answers names = {.ports = &devices};
	struct answers ports = {.ports = out};
	int r = dump(socket, RDMA_NLDEV_CMD_GET, NULL, &names);

	for (size_t i = 0; r == 0 && i < devices.count; i++)
		r = dump(socket, RDMA_NLDEV_CMD_PORT_GET, &devices.item[i].index, &ports);
	rdma_ports_clear(&devices);
	return r;
}

int rdma_ports_get(int sysfs, struct rdma_ports *out)
{
	struct nl_sock *socket = nl_socket_alloc();
	int r;

	if (!socket)
		return -ENOMEM;
	/* Without the RDMA subsystem there is no such protocol, and no device. */
	r = nl_connect(socket, NETLINK_RDMA) < 0 ? 0 : get(socket, out);
	nl_socket_free(socket);
	for (size_t i = 0; r == 0 && i < out->count; i++)
		r = rdma_port_read(sysfs, &out->item[i]);
	return r;
}
