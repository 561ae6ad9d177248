/* SPDX-License-Identifier: MIT */
/* Reads datagrams of socket diagnosis: bytes in, structures out, no socket. */
#include "config.h"

#include "ctl/smc/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/smc_diag.h>
#include <linux/sock_diag.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Called with what follows the header of each message of the dump. */
typedef int take_message(const char *data, size_t size, void *list);

void diag_smc_clear(struct diag_smc_list *list)
{
	free(list->item);
	*list = (struct diag_smc_list){.item = NULL};
}

void diag_tcp_clear(struct diag_tcp_list *list)
{
	free(list->item);
	*list = (struct diag_tcp_list){.item = NULL};
}

/* The errno that stands at the beginning of NLMSG_ERROR and may stand at that of NLMSG_DONE. */
static int kernel_error(const char *data, size_t size)
{
	int error = 0;

	if (size < sizeof(error))
		return 0;
	memcpy(&error, data, sizeof(error));
	if (error == INT32_MIN)
		return -EBADMSG;
	return error < 0 ? error : 0;
}

static int read_message(const struct nlmsghdr *header, const char *data, size_t size, take_message *message, void *list)
{
	int r;

	if (header->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EAGAIN;
	switch (header->nlmsg_type) {
	case NLMSG_DONE:
		r = kernel_error(data, size);
		return r < 0 ? r : 1;
	case NLMSG_ERROR:
		r = kernel_error(data, size);
		return r < 0 ? r : -EBADMSG;
	case NLMSG_OVERRUN:
		return -EAGAIN;
	case SOCK_DIAG_BY_FAMILY:
		return message(data, size, list);
	default:
		return 0;
	}
}

static int parse(const char *data, size_t size, uint32_t sequence, take_message *message, void *list)
{
	while (size) {
		struct nlmsghdr header;
		size_t step;

		if (size < sizeof(header))
			return -EBADMSG;
		memcpy(&header, data, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > size)
			return -EBADMSG;
		if (header.nlmsg_seq == sequence) {
			int r = read_message(
				&header, data + sizeof(header), header.nlmsg_len - sizeof(header), message, list);

			if (r)
				return r;
		}
		step = NLMSG_ALIGN((size_t)header.nlmsg_len);
		step = step < size ? step : size;
		data += step;
		size -= step;
	}
	return 0;
}

static void read_id(const struct inet_diag_sockid *id, struct diag_socket *out)
{
	out->cookie = (uint64_t)id->idiag_cookie[1] << 32 | id->idiag_cookie[0];
	out->interface = id->idiag_if;
	out->port[DIAG_LOCAL] = ntohs(id->idiag_sport);
	out->port[DIAG_PEER] = ntohs(id->idiag_dport);
	memcpy(out->address[DIAG_LOCAL], id->idiag_src, sizeof(id->idiag_src));
	memcpy(out->address[DIAG_PEER], id->idiag_dst, sizeof(id->idiag_dst));
}

/* Text that need not end with a NUL. */
static void copy_text(char *out, size_t out_size, const uint8_t *text, size_t size)
{
	size_t length = strnlen((const char *)text, size < out_size ? size : out_size - 1);

	memcpy(out, text, length);
	out[length] = '\0';
}

static void read_link(const char *data, struct diag_smc *out)
{
	struct smc_diag_lgrinfo info;

	memcpy(&info, data, sizeof(info));
	out->has_link = true;
	out->link_role = info.role;
	out->link_id = info.lnk[0].link_id;
	out->device_port = info.lnk[0].ibport;
	copy_text(out->device, sizeof(out->device), info.lnk[0].ibname, sizeof(info.lnk[0].ibname));
	copy_text(out->gid[DIAG_LOCAL], sizeof(out->gid[0]), info.lnk[0].gid, sizeof(info.lnk[0].gid));
	copy_text(out->gid[DIAG_PEER], sizeof(out->gid[0]), info.lnk[0].peer_gid, sizeof(info.lnk[0].peer_gid));
}

static void read_attribute(uint16_t type, const char *data, size_t size, struct diag_smc *out)
{
	struct smc_diag_fallback fallback;
	struct smcd_diag_dmbinfo dmb;

	if (type == SMC_DIAG_FALLBACK && size >= sizeof(fallback)) {
		memcpy(&fallback, data, sizeof(fallback));
		out->reason = fallback.reason;
		out->peer_reason = fallback.peer_diagnosis;
	} else if (type == SMC_DIAG_LGRINFO && size >= sizeof(struct smc_diag_lgrinfo)) {
		read_link(data, out);
	} else if (type == SMC_DIAG_DMBINFO && size >= sizeof(dmb)) {
		memcpy(&dmb, data, sizeof(dmb));
		out->has_dmb = true;
		out->link_group = dmb.linkid;
	}
}

static int read_attributes(const char *data, size_t size, struct diag_smc *out)
{
	while (size) {
		struct nlattr attribute;
		size_t step;

		if (size < sizeof(attribute))
			return -EBADMSG;
		memcpy(&attribute, data, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > size)
			return -EBADMSG;
		read_attribute(attribute.nla_type & NLA_TYPE_MASK, data + sizeof(attribute),
			attribute.nla_len - sizeof(attribute), out);
		step = NLA_ALIGN((size_t)attribute.nla_len);
		step = step < size ? step : size;
		data += step;
		size -= step;
	}
	return 0;
}

/* Room for one more of item_size bytes. */
static int grow(void *items, size_t count, size_t *room, size_t item_size)
{
	size_t larger = *room ? *room * 2 : 64;
	void *moved;

	if (count < *room)
		return 0;
	moved = realloc(*(void **)items, larger * item_size);
	if (!moved)
		return -ENOMEM;
	*(void **)items = moved;
	*room = larger;
	return 0;
}

static int take_smc(const char *data, size_t size, void *arg)
{
	struct diag_smc_list *list = arg;
	struct diag_smc socket = {.uid = 0};
	struct smc_diag_msg message;
	int r;

	if (size < sizeof(message))
		return -EBADMSG;
	memcpy(&message, data, sizeof(message));
	read_id(&message.id, &socket.socket);
	socket.socket.family = message.diag_family;
	socket.socket.state = message.diag_state;
	socket.socket.inode = message.diag_inode;
	socket.mode = message.diag_mode;
	socket.uid = message.diag_uid;
	r = read_attributes(data + sizeof(message), size - sizeof(message), &socket);
	if (r == 0)
		r = grow(&list->item, list->count, &list->room, sizeof(*list->item));
	if (r == 0)
		list->item[list->count++] = socket;
	return r;
}

static int take_tcp(const char *data, size_t size, void *arg)
{
	struct diag_tcp_list *list = arg;
	struct inet_diag_msg message;
	struct diag_socket *socket;
	int r;

	if (size < sizeof(message))
		return -EBADMSG;
	memcpy(&message, data, sizeof(message));
	if (!message.idiag_inode)
		return 0;
	r = grow(&list->item, list->count, &list->room, sizeof(*list->item));
	if (r < 0)
		return r;
	socket = &list->item[list->count++];
	read_id(&message.id, socket);
	socket->family = message.idiag_family;
	socket->state = message.idiag_state;
	socket->inode = message.idiag_inode;
	return 0;
}

int diag_parse_smc(const void *data, size_t size, uint32_t sequence, struct diag_smc_list *list)
{
	return parse(data, size, sequence, take_smc, list);
}

int diag_parse_tcp(const void *data, size_t size, uint32_t sequence, struct diag_tcp_list *list)
{
	return parse(data, size, sequence, take_tcp, list);
}
