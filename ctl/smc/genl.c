/* SPDX-License-Identifier: MIT */
/* Requests and dumps over generic netlink, with the kernel's own errno and text. */
#include "config.h"

#include "ctl/smc/genl.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef AF_SMC
#define AF_SMC 43
#endif

#define ATTEMPTS 10

struct genl {
	struct nl_sock *socket;
	int family;
	int error; /* of the request under way: 0 or -errno */
	char text[256];
	genl_answer *answer;
	void *arg;
};

void genl_close(struct genl *genl)
{
	if (!genl)
		return;
	nl_socket_free(genl->socket);
	free(genl);
}

void cleanup_genl(struct genl **genl)
{
	genl_close(*genl);
}

const char *genl_text(const struct genl *genl, int error)
{
	return genl->error == error ? genl->text : strerror(-error);
}

static int fail(struct genl *genl, int error)
{
	genl->error = error;
	(void)snprintf(genl->text, sizeof(genl->text), "%s", strerror(-error));
	return error;
}

/* libnl's own codes stand for errnos, not one to one. What the kernel answered goes past this: see on_error(). */
static int errno_of(int code)
{
	static const struct {
		int code;
		int error;
	} known[] = {
		{NLE_NOMEM, ENOMEM},
		{NLE_AGAIN, EAGAIN},
		{NLE_INTR, EINTR},
		{NLE_NOACCESS, EACCES},
		{NLE_PERM, EPERM},
		{NLE_OBJ_NOTFOUND, EPROTONOSUPPORT},
		{NLE_AF_NOSUPPORT, EAFNOSUPPORT},
		{NLE_PROTO_MISMATCH, EPROTONOSUPPORT},
		{NLE_MSG_TRUNC, EMSGSIZE},
		{NLE_DUMP_INTR, EAGAIN},
	};

	code = abs(code);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code)
			return -known[i].error;
	return -EIO;
}

/* The kernel's text behind the message that it refused (NLMSGERR_ATTR_MSG), if the socket option asked for it. */
static void copy_extended_ack(struct genl *genl, const struct nlmsgerr *error, int length)
{
	size_t head = sizeof(*error);
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	const struct nlmsghdr *header = (const struct nlmsghdr *)((const char *)error - NLMSG_HDRLEN);

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(header->nlmsg_flags & NLM_F_CAPPED)) {
		if (error->msg.nlmsg_len < NLMSG_HDRLEN)
			return;
		head += NLMSG_ALIGN(error->msg.nlmsg_len) - NLMSG_HDRLEN;
	}
	if (length < 0 || head > (size_t)length ||
		nla_parse(attrs, NLMSGERR_ATTR_MAX, (struct nlattr *)((char *)(uintptr_t)error + head),
			length - (int)head, NULL) < 0)
		return;
	if (attrs[NLMSGERR_ATTR_MSG] && nla_len(attrs[NLMSGERR_ATTR_MSG]) > 1)
		genl_copy_text(attrs[NLMSGERR_ATTR_MSG], genl->text, sizeof(genl->text));
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct genl *genl = arg;
	const struct nlmsghdr *header = (const struct nlmsghdr *)((const char *)error - NLMSG_HDRLEN);

	(void)from;
	fail(genl, error->error ? error->error : -EIO);
	copy_extended_ack(genl, error, (int)header->nlmsg_len - NLMSG_HDRLEN);
	return NL_STOP;
}

static int on_valid(struct nl_msg *message, void *arg)
{
	struct genl *genl = arg;
	struct nlattr *attrs[GENL_MAX_ATTR + 1];
	int r;

	if (!genl->answer)
		return NL_OK;
	if (genlmsg_parse(nlmsg_hdr(message), 0, attrs, GENL_MAX_ATTR, NULL) < 0) {
		fail(genl, -EBADMSG);
		return NL_STOP;
	}
	r = genl->answer(attrs, genl->arg);
	if (r < 0) {
		fail(genl, r);
		return NL_STOP;
	}
	return NL_OK;
}

/* libnl passes over the errno that a dump may end with (netlink_dump_done()). */
static int on_finish(struct nl_msg *message, void *arg)
{
	const struct nlmsghdr *header = nlmsg_hdr(message);
	int error;

	if (nlmsg_datalen(header) >= (int)sizeof(error)) {
		memcpy(&error, nlmsg_data(header), sizeof(error));
		if (error < 0)
			fail(arg, error);
	}
	return NL_OK;
}

/* The kernel's module is loaded by whoever asks for a socket of its family. */
static void ask_for_module(void)
{
	int fd = socket(AF_SMC, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
}

static int resolve(struct genl *genl, const char *family)
{
	genl->family = genl_ctrl_resolve(genl->socket, family);
	if (genl->family == -NLE_OBJ_NOTFOUND && starts_with(family, "SMC")) {
		ask_for_module();
		genl->family = genl_ctrl_resolve(genl->socket, family);
	}
	return genl->family < 0 ? errno_of(genl->family) : 0;
}

int genl_open(const char *family, struct genl **out)
{
	_cleanup_genl_ struct genl *genl = calloc(1, sizeof(*genl));
	const int on = 1;
	int r;

	if (!genl)
		return -ENOMEM;
	genl->socket = nl_socket_alloc();
	if (!genl->socket)
		return -ENOMEM;
	r = genl_connect(genl->socket);
	if (r < 0)
		return errno_of(r);
	(void)setsockopt(nl_socket_get_fd(genl->socket), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	r = resolve(genl, family);
	if (r < 0)
		return r;
	/* libnl installs the callbacks of its own for the look-up. */
	nl_socket_modify_cb(genl->socket, NL_CB_VALID, NL_CB_CUSTOM, on_valid, genl);
	nl_socket_modify_cb(genl->socket, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, genl);
	nl_socket_modify_err_cb(genl->socket, NL_CB_CUSTOM, on_error, genl);
	*out = take(genl);
	return 0;
}

struct nl_msg *genl_message(const struct genl *genl, uint8_t command)
{
	struct nl_msg *message = nlmsg_alloc();

	if (message && !genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, genl->family, 0, NLM_F_REQUEST, command, 1)) {
		nlmsg_free(message);
		message = NULL;
	}
	return message;
}

static int exchange(struct genl *genl, struct nl_msg *message, genl_answer *answer, void *arg)
{
	bool dump = nlmsg_hdr(message)->nlmsg_flags & NLM_F_DUMP;
	int r;

	genl->error = 0;
	genl->text[0] = '\0';
	genl->answer = answer;
	genl->arg = arg;
	r = nl_send_auto(genl->socket, message);
	nlmsg_free(message);
	if (r >= 0)
		r = dump ? nl_recvmsgs_default(genl->socket) : nl_wait_for_ack(genl->socket);
	if (genl->error)
		return genl->error;
	return r < 0 ? fail(genl, errno_of(r)) : 0;
}

int genl_request(struct genl *genl, struct nl_msg *message, genl_answer *answer, void *arg)
{
	nlmsg_hdr(message)->nlmsg_flags |= NLM_F_ACK;
	return exchange(genl, message, answer, arg);
}

int genl_dump_by(struct genl *genl, uint8_t command, int attribute, uint32_t value, void (*restart)(void *arg),
	genl_answer *answer, void *arg)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		struct nl_msg *message = genl_message(genl, command);
		int r;

		if (message && attribute && nla_put_u32(message, attribute, value) < 0) {
			nlmsg_free(message);
			message = NULL;
		}
		if (!message)
			return fail(genl, -ENOMEM);
		nlmsg_hdr(message)->nlmsg_flags |= NLM_F_DUMP;
		restart(arg);
		r = exchange(genl, message, answer, arg);
		if (r != -EAGAIN)
			return r;
	}
	fail(genl, -EAGAIN);
	(void)snprintf(genl->text, sizeof(genl->text), "the list changed again and again while it was read; try again");
	return -EAGAIN;
}

int genl_dump(struct genl *genl, uint8_t command, void (*restart)(void *arg), genl_answer *answer, void *arg)
{
	return genl_dump_by(genl, command, 0, 0, restart, answer, arg);
}

int genl_nested(struct nlattr *attr, int max, struct nlattr **out)
{
	memset(out, 0, ((size_t)max + 1) * sizeof(struct nlattr *));
	if (!attr)
		return 0;
	return nla_parse_nested(out, max, attr, NULL) < 0 ? -EBADMSG : 0;
}

uint64_t genl_number(const struct nlattr *attr, uint64_t otherwise)
{
	uint8_t byte;
	uint16_t half;
	uint32_t word;
	uint64_t whole;

	switch (attr ? nla_len(attr) : 0) {
	case sizeof(byte):
		memcpy(&byte, nla_data(attr), sizeof(byte));
		return byte;
	case sizeof(half):
		memcpy(&half, nla_data(attr), sizeof(half));
		return half;
	case sizeof(word):
		memcpy(&word, nla_data(attr), sizeof(word));
		return word;
	case sizeof(whole):
		memcpy(&whole, nla_data(attr), sizeof(whole));
		return whole;
	default:
		return otherwise;
	}
}

void genl_copy_text(const struct nlattr *attr, char *out, size_t size)
{
	size_t length = attr ? (size_t)nla_len(attr) : 0;

	if (length >= size)
		length = size - 1;
	if (length)
		memcpy(out, nla_data(attr), length);
	out[length] = '\0';
}
