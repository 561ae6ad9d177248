/* SPDX-License-Identifier: MIT */
/* Adds one user-defined EID to the kernel's SMC table, from the initramfs, where no other tool is. usage: ueid NAME */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define EID_LEN 32
#define ADD_UEID 10 /* SMC_NETLINK_ADD_UEID; older linux/smc.h lack it */
#define EID_ENTRY 1 /* SMC_NLA_EID_TABLE_ENTRY */

struct message {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attributes[4096];
};

static void start(struct message *m, int type, int command)
{
	memset(m, 0, sizeof(*m));
	m->nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m->nl.nlmsg_type = type;
	m->nl.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	m->genl.cmd = command;
	m->genl.version = 1;
}

static void put(struct message *m, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)((char *)m + NLMSG_ALIGN(m->nl.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy((char *)a + NLA_HDRLEN, data, len);
	m->nl.nlmsg_len = NLMSG_ALIGN(m->nl.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

/* Returns the family id found in the answer (0 if none) or -errno of the kernel's ACK. */
static int talk(int fd, const struct message *request)
{
	int family = 0;

	if (send(fd, request, request->nl.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		_Alignas(struct nlmsghdr) char buf[8192];
		ssize_t len = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *nl = (struct nlmsghdr *)buf;

		if (len < 0)
			return -errno;
		for (; NLMSG_OK(nl, len); nl = NLMSG_NEXT(nl, len)) {
			struct message *m = (struct message *)nl;
			struct nlattr *a = (struct nlattr *)m->attributes;

			if (nl->nlmsg_type == NLMSG_ERROR) {
				int error = ((struct nlmsgerr *)NLMSG_DATA(nl))->error;

				return error ? error : family;
			}
			while ((char *)a + NLA_HDRLEN <= (char *)nl + nl->nlmsg_len) {
				if (a->nla_type == CTRL_ATTR_FAMILY_ID)
					family = *(unsigned short *)((char *)a + NLA_HDRLEN);
				a = (struct nlattr *)((char *)a + NLA_ALIGN(a->nla_len));
			}
		}
	}
}

int main(int argc, char **argv)
{
	char eid[EID_LEN + 1];
	struct message m;
	int fd, r;

	if (argc != 2 || strlen(argv[1]) > EID_LEN)
		return 64;
	snprintf(eid, sizeof(eid), "%-*s", EID_LEN, argv[1]);

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0) {
		perror("ueid: netlink");
		return 1;
	}
	start(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	put(&m, CTRL_ATTR_FAMILY_NAME, "SMC_GEN_NETLINK", sizeof("SMC_GEN_NETLINK"));
	r = talk(fd, &m);
	if (r > 0) {
		start(&m, r, ADD_UEID);
		put(&m, EID_ENTRY, eid, sizeof(eid));
		r = talk(fd, &m);
	} else if (r == 0) {
		r = -ENOENT;
	}
	close(fd);
	if (r < 0)
		fprintf(stderr, "ueid: cannot add '%s': %s\n", argv[1], strerror(-r));
	return r < 0;
}
