/* SPDX-License-Identifier: MIT */
/*
 * Tests of requests and dumps against a kernel that is made up: the library's sendmsg(), recvmsg() and recvfrom() are those
 * of this file. A dump that is interrupted, refused, ended by an error, or never ended.
 */
#include "config.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/smc_diag.h>
#include <linux/sock_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "ctl/smc/diag.h"
#include "ctl/smc/pnet.h"

/* So that libnl, a shared library, finds it before libc's. */
#define EXPORTED __attribute__((visibility("default")))

#define FAMILY 0x30
#define AF_SMC_NUMBER 43

/* What the kernel does with the requests to come. */
static struct {
	bool no_family;
	int interruptions;  /* so many dumps are interrupted; below 0: all */
	int error;          /* refuses: an errno */
	const char *text;   /* ... with that extended ACK */
	uint16_t text_size; /* ... of which the attribute says that it is so long; 0: as it is */
	int done;           /* the errno that ends dumps */
	int receive;        /* the errno of receiving the answers to dumps */
	uint32_t sockets;   /* of SMC, each twice */
	unsigned dumps;     /* how many there were */
} kernel;

/* Datagrams that wait to be received. */
static struct {
	char data[10][2048];
	size_t size[10];
	int error; /* of the next receive */
	unsigned count;
	unsigned next;
} queue;

static struct nlmsghdr *datagram(const struct nlmsghdr *request, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)queue.data[queue.count];

	assert_true(queue.count < sizeof(queue.size) / sizeof(queue.size[0]));
	memset(queue.data[queue.count], 0, sizeof(queue.data[0]));
	*header = (struct nlmsghdr){.nlmsg_len = NLMSG_HDRLEN,
		.nlmsg_type = type,
		.nlmsg_flags = flags,
		.nlmsg_seq = request->nlmsg_seq,
		.nlmsg_pid = request->nlmsg_pid};
	queue.size[queue.count++] = NLMSG_HDRLEN;
	return header;
}

static void append(struct nlmsghdr *header, const void *data, size_t size)
{
	memcpy((char *)header + header->nlmsg_len, data, size);
	header->nlmsg_len += (uint32_t)size;
	queue.size[queue.count - 1] = NLMSG_ALIGN(header->nlmsg_len);
	header->nlmsg_len = (uint32_t)queue.size[queue.count - 1];
}

static void append_attribute(struct nlmsghdr *header, uint16_t type, const void *data, uint16_t size)
{
	struct nlattr attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type};

	append(header, &attribute, sizeof(attribute));
	append(header, data, size);
}

static void acknowledge(const struct nlmsghdr *request, int error)
{
	struct nlmsghdr *header =
		datagram(request, NLMSG_ERROR, error && kernel.text ? NLM_F_CAPPED | NLM_F_ACK_TLVS : NLM_F_CAPPED);
	struct nlmsgerr body = {.error = -error, .msg = *request};
	struct nlattr attribute = {.nla_type = NLMSGERR_ATTR_MSG};

	append(header, &body, sizeof(body));
	if (!error || !kernel.text)
		return;
	attribute.nla_len = (uint16_t)(NLA_HDRLEN + strlen(kernel.text) + 1);
	if (kernel.text_size)
		attribute.nla_len = kernel.text_size;
	append(header, &attribute, sizeof(attribute));
	append(header, kernel.text, strlen(kernel.text) + 1);
}

static void answer_family(const struct nlmsghdr *request)
{
	const struct genlmsghdr genl = {.cmd = CTRL_CMD_NEWFAMILY, .version = 2};
	const uint16_t family = FAMILY;
	struct nlmsghdr *header;

	if (kernel.no_family) {
		acknowledge(request, ENOENT);
		return;
	}
	header = datagram(request, GENL_ID_CTRL, 0);
	append(header, &genl, sizeof(genl));
	append_attribute(header, CTRL_ATTR_FAMILY_ID, &family, sizeof(family));
	append_attribute(header, CTRL_ATTR_FAMILY_NAME, GENL_PNET, sizeof(GENL_PNET));
	if (request->nlmsg_flags & NLM_F_ACK)
		acknowledge(request, 0);
}

static void answer_entry(const struct nlmsghdr *request)
{
	const struct genlmsghdr genl = {.cmd = SMC_PNETID_GET, .version = 1};
	struct nlmsghdr *header = datagram(request, FAMILY, NLM_F_MULTI);

	append(header, &genl, sizeof(genl));
	append_attribute(header, SMC_PNETID_NAME, "NET1", 5);
	append_attribute(header, SMC_PNETID_ETHNAME, "eth1", 5);
	append_attribute(header, SMC_PNETID_IBNAME, "n/a", 4);
}

static void answer_socket(const struct nlmsghdr *request, uint32_t cookie)
{
	const struct smc_diag_msg body = {.diag_family = AF_SMC_NUMBER, .id.idiag_cookie = {cookie}};

	append(datagram(request, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI), &body, sizeof(body));
}

static void answer_dump(const struct nlmsghdr *request)
{
	uint16_t flags = kernel.interruptions ? NLM_F_DUMP_INTR : 0;
	int done = -kernel.done;

	kernel.dumps++;
	kernel.interruptions -= kernel.interruptions > 0;
	queue.error = kernel.receive;
	if (kernel.error) {
		acknowledge(request, kernel.error);
		return;
	}
	if (request->nlmsg_type == FAMILY)
		answer_entry(request);
	for (uint32_t i = 0; i < 2 * kernel.sockets; i++)
		answer_socket(request, i / 2 + 1);
	/* One that will be gone when it is asked for again. */
	if (flags && request->nlmsg_type != FAMILY)
		answer_socket(request, 1000);
	append(datagram(request, NLMSG_DONE, NLM_F_MULTI | flags), &done, sizeof(done));
}

EXPORTED ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct nlmsghdr *request = message->msg_iov[0].iov_base;

	(void)fd;
	(void)flags;
	queue.count = queue.next = 0;
	queue.error = 0;
	if (request->nlmsg_type == GENL_ID_CTRL)
		answer_family(request);
	else if (request->nlmsg_flags & NLM_F_DUMP)
		answer_dump(request);
	else
		acknowledge(request, kernel.error);
	return (ssize_t)request->nlmsg_len;
}

static ssize_t receive(void *data, size_t size, int flags, void *from, socklen_t *from_size)
{
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	size_t there = queue.size[queue.next];

	if (queue.error) {
		errno = queue.error;
		return -1;
	}
	/* Nobody waits for what will not come. */
	assert_true(queue.next < queue.count);
	memcpy(data, queue.data[queue.next], there < size ? there : size);
	memcpy(from, &address, sizeof(address));
	*from_size = sizeof(address);
	if (!(flags & MSG_PEEK))
		queue.next++;
	return (ssize_t)(flags & MSG_TRUNC || there < size ? there : size);
}

EXPORTED ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t n = receive(message->msg_iov[0].iov_base, message->msg_iov[0].iov_len, flags, message->msg_name,
		&message->msg_namelen);

	(void)fd;
	message->msg_flags = n > (ssize_t)message->msg_iov[0].iov_len ? MSG_TRUNC : 0;
	message->msg_controllen = 0;
	return n;
}

EXPORTED ssize_t recvfrom(int fd, void *data, size_t size, int flags, struct sockaddr *from, socklen_t *from_size)
{
	(void)fd;
	return receive(data, size, flags, from, from_size);
}

static int reset(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	return 0;
}

static struct genl *opened(void)
{
	struct genl *genl = NULL;

	assert_int_equal(genl_open(GENL_PNET, &genl), 0);
	return genl;
}

static void family_missing(void **state)
{
	struct genl *genl = NULL;

	(void)state;
	kernel.no_family = true;
	assert_int_equal(genl_open(GENL_PNET, &genl), -EPROTONOSUPPORT);
	assert_null(genl);
}

static void table(void **state)
{
	_cleanup_genl_ struct genl *genl = opened();
	_cleanup_pnet_table_ struct pnet_table table = {.entries = NULL};

	(void)state;
	assert_int_equal(pnet_load(genl, &table), 0);
	assert_int_equal(table.count, 1);
	assert_string_equal(table.entries[0].id, "NET1");
	assert_string_equal(table.entries[0].interface, "eth1");
	assert_string_equal(table.entries[0].device, "");
	assert_int_equal(table.entries[0].port, 0);
}

/* What an interrupted dump gave is thrown away. */
static void interrupted(void **state)
{
	_cleanup_genl_ struct genl *genl = opened();
	_cleanup_pnet_table_ struct pnet_table table = {.entries = NULL};

	(void)state;
	kernel.interruptions = 9;
	assert_int_equal(pnet_load(genl, &table), 0);
	assert_int_equal(kernel.dumps, 10);
	assert_int_equal(table.count, 1);
}

static void interrupted_for_ever(void **state)
{
	_cleanup_genl_ struct genl *genl = opened();
	_cleanup_pnet_table_ struct pnet_table table = {.entries = NULL};

	(void)state;
	kernel.interruptions = -1;
	assert_int_equal(pnet_load(genl, &table), -EAGAIN);
	assert_int_equal(kernel.dumps, 10);
	assert_string_equal(genl_text(genl, -EAGAIN), "the list changed again and again while it was read; try again");
}

/* An errno in the message that ends a dump is no end like another. */
static void ended_by_error(void **state)
{
	_cleanup_genl_ struct genl *genl = opened();
	_cleanup_pnet_table_ struct pnet_table table = {.entries = NULL};

	(void)state;
	kernel.done = ENOBUFS;
	assert_int_equal(pnet_load(genl, &table), -ENOBUFS);
	assert_string_equal(genl_text(genl, -ENOBUFS), strerror(ENOBUFS));
	kernel.done = 0;
	pnet_table_clear(&table);
	assert_int_equal(pnet_load(genl, &table), 0);
	assert_int_equal(table.count, 1);
}

static void refused(void **state)
{
	_cleanup_genl_ struct genl *genl = opened();
	const struct pnet_entry entry = {.id = "NET1", .interface = "eth1"};

	(void)state;
	kernel.error = EPERM;
	assert_int_equal(pnet_add(genl, &entry), -EPERM);
	assert_string_equal(genl_text(genl, -EPERM), strerror(EPERM));
	kernel.text = "because of the test";
	assert_int_equal(pnet_add(genl, &entry), -EPERM);
	assert_string_equal(genl_text(genl, -EPERM), "because of the test");
	/* An error that is not the kernel's has no text of the kernel's. */
	assert_string_equal(genl_text(genl, -ENOMEM), strerror(ENOMEM));
	kernel.error = 0;
	assert_int_equal(pnet_add(genl, &entry), 0);
	assert_string_equal(genl_text(genl, -EBADMSG), strerror(EBADMSG));
}

/* The attribute of the text says that it is shorter than a header, or longer than the datagram. */
static void hostile_text(void **state)
{
	static const uint16_t sizes[] = {1, 3, 4, 5, 0x7fff, 0xffff};
	_cleanup_genl_ struct genl *genl = opened();

	(void)state;
	kernel.error = EINVAL;
	kernel.text = "xyz";
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		kernel.text_size = sizes[i];
		assert_int_equal(pnet_flush(genl), -EINVAL);
		assert_string_equal(genl_text(genl, -EINVAL), strerror(EINVAL));
	}
}

/* Sockets that a change of the kernel's list gave twice count once. */
static void sockets(void **state)
{
	struct diag_smc_list list = {.item = NULL};

	(void)state;
	kernel.sockets = 3;
	kernel.interruptions = 2;
	assert_int_equal(diag_dump_smc(&list), 0);
	assert_int_equal(kernel.dumps, 3);
	assert_int_equal(list.count, 3);
	diag_smc_clear(&list);
	kernel.interruptions = -1;
	kernel.dumps = 0;
	assert_int_equal(diag_dump_smc(&list), -EAGAIN);
	assert_int_equal(kernel.dumps, 10);
	diag_smc_clear(&list);
}

/* No error makes an endless loop; a full receive buffer lost something, so that all is asked again. */
static void sockets_errors(void **state)
{
	static const struct {
		int error;
		int receive;
		int result;
		unsigned dumps;
	} rows[] = {
		{EPERM, 0, -EPERM, 1},
		{0, EAGAIN, -EAGAIN, 10},
		{0, ENOBUFS, -EAGAIN, 10},
		{0, ENOMEM, -ENOMEM, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag_smc_list list = {.item = NULL};

		kernel.error = rows[i].error;
		kernel.receive = rows[i].receive;
		kernel.dumps = 0;
		assert_int_equal(diag_dump_smc(&list), rows[i].result);
		assert_int_equal(kernel.dumps, rows[i].dumps);
		diag_smc_clear(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(family_missing, reset),
		cmocka_unit_test_setup(table, reset),
		cmocka_unit_test_setup(interrupted, reset),
		cmocka_unit_test_setup(interrupted_for_ever, reset),
		cmocka_unit_test_setup(ended_by_error, reset),
		cmocka_unit_test_setup(refused, reset),
		cmocka_unit_test_setup(hostile_text, reset),
		cmocka_unit_test_setup(sockets, reset),
		cmocka_unit_test_setup(sockets_errors, reset),
	};

	return cmocka_run_group_tests_name("ctl-netlink", tests, NULL, NULL);
}
