/* SPDX-License-Identifier: MIT */
/* Tests of the parsers of socket diagnosis: good, truncated and hostile datagrams; and of finding the TCP socket inside. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/smc_diag.h>
#include <linux/sock_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/smc/diag.h"
#include "ctl/smc/socket-tcp.h"

#define SEQUENCE 7u

struct datagram {
	_Alignas(8) char data[1024];
	size_t size;
};

static void put_header(struct datagram *out, uint16_t type, uint16_t flags, uint32_t sequence, size_t length)
{
	const struct nlmsghdr header = {.nlmsg_len = (uint32_t)(sizeof(header) + length),
		.nlmsg_type = type,
		.nlmsg_flags = flags,
		.nlmsg_seq = sequence};

	memcpy(out->data + out->size, &header, sizeof(header));
	out->size += sizeof(header);
}

static void put(struct datagram *out, const void *bytes, size_t size)
{
	memcpy(out->data + out->size, bytes, size);
	out->size += NLMSG_ALIGN(size);
}

static void put_attribute(struct datagram *out, uint16_t type, const void *bytes, size_t size)
{
	const struct nlattr attribute = {.nla_len = (uint16_t)(sizeof(attribute) + size), .nla_type = type};

	put(out, &attribute, sizeof(attribute));
	put(out, bytes, size);
}

static void set_length(struct datagram *datagram, size_t size)
{
	const uint32_t length = (uint32_t)size;

	memcpy(datagram->data + offsetof(struct nlmsghdr, nlmsg_len), &length, sizeof(length));
}

/* A socket with a fallback's reasons and a link whose texts have no end. */
static struct datagram good(void)
{
	struct datagram out = {.size = 0};
	struct smc_diag_msg message = {.diag_family = 43, .diag_state = 1, .diag_mode = SMC_DIAG_MODE_SMCR};
	const struct smc_diag_fallback fallback = {0x05000000, 0x03030008};
	struct smc_diag_lgrinfo link;

	memset(&link, 'x', sizeof(link));
	message.diag_inode = 99;
	message.id.idiag_sport = htons(5000);
	message.id.idiag_dport = htons(6000);
	put_header(&out, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE, 0);
	put(&out, &message, sizeof(message));
	put_attribute(&out, SMC_DIAG_FALLBACK, &fallback, sizeof(fallback));
	put_attribute(&out, SMC_DIAG_LGRINFO, &link, sizeof(link));
	set_length(&out, out.size);
	return out;
}

static int parse(const struct datagram *datagram, size_t size, struct diag_smc_list *list)
{
	/* At its very size, for the sanitizers. */
	char *copy = malloc(size ? size : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, datagram->data, size);
	r = diag_parse_smc(copy, size, SEQUENCE, list);
	free(copy);
	return r;
}

static void good_message(void **state)
{
	struct datagram datagram = good();
	struct diag_smc_list list = {.item = NULL};

	(void)state;
	assert_int_equal(parse(&datagram, datagram.size, &list), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.item[0].socket.inode, 99);
	assert_int_equal(list.item[0].socket.port[DIAG_LOCAL], 5000);
	assert_int_equal(list.item[0].socket.port[DIAG_PEER], 6000);
	assert_int_equal(list.item[0].reason, 0x05000000);
	assert_int_equal(list.item[0].peer_reason, 0x03030008);
	assert_true(list.item[0].has_link);
	assert_int_equal(strlen(list.item[0].device), 63);
	assert_int_equal(strlen(list.item[0].gid[DIAG_PEER]), 40);
	diag_smc_clear(&list);
}

/* Every beginning of a message is an error, and adds no socket. */
static void truncated(void **state)
{
	struct datagram datagram = good();
	struct diag_smc_list list = {.item = NULL};

	(void)state;
	assert_int_equal(parse(&datagram, 0, &list), 0);
	for (size_t size = 1; size < datagram.size; size++)
		assert_int_equal(parse(&datagram, size, &list), -EBADMSG);
	assert_int_equal(list.count, 0);
}

/* The message's own length says that it ends early: an error, but where an attribute ends. */
static void short_message(void **state)
{
	struct datagram datagram = good();
	const size_t base = sizeof(struct nlmsghdr) + sizeof(struct smc_diag_msg);
	size_t accepted = 0;

	(void)state;
	for (size_t size = 0; size < datagram.size; size++) {
		struct diag_smc_list list = {.item = NULL};
		int r;

		set_length(&datagram, size);
		r = parse(&datagram, size < sizeof(struct nlmsghdr) ? sizeof(struct nlmsghdr) : size, &list);
		assert_true(r == 0 || r == -EBADMSG);
		assert_int_equal(list.count, r == 0 ? 1 : 0);
		assert_true(r != 0 || size >= base);
		accepted += r == 0;
		diag_smc_clear(&list);
	}
	/* Without attributes, with the reasons, and with the link but without the padding behind it. */
	assert_int_equal(accepted, 3);
}

static void hostile_attribute_lengths(void **state)
{
	static const uint16_t lengths[] = {0, 1, 3, 200, 0x7fff, 0xffff};
	const size_t place = sizeof(struct nlmsghdr) + sizeof(struct smc_diag_msg);
	struct diag_smc_list list = {.item = NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct datagram datagram = good();

		memcpy(datagram.data + place, &lengths[i], sizeof(lengths[i]));
		assert_int_equal(parse(&datagram, datagram.size, &list), -EBADMSG);
	}
	assert_int_equal(list.count, 0);
}

/* Attributes that are shorter than what they should hold count as not there. */
static void short_attributes(void **state)
{
	struct datagram datagram = {.size = 0};
	const struct smc_diag_msg message = {.diag_family = 43};
	struct diag_smc_list list = {.item = NULL};

	(void)state;
	put_header(&datagram, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE, sizeof(message) + 3 * 8);
	put(&datagram, &message, sizeof(message));
	put_attribute(&datagram, SMC_DIAG_FALLBACK, "abcd", 4);
	put_attribute(&datagram, SMC_DIAG_LGRINFO, "abcd", 4);
	put_attribute(&datagram, SMC_DIAG_DMBINFO, "abcd", 4);
	assert_int_equal(parse(&datagram, datagram.size, &list), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.item[0].reason, 0);
	assert_false(list.item[0].has_link);
	assert_false(list.item[0].has_dmb);
	diag_smc_clear(&list);
}

static int control(uint16_t type, uint16_t flags, uint32_t sequence, int error, size_t size)
{
	struct datagram datagram = {.size = 0};
	struct diag_smc_list list = {.item = NULL};
	int r;

	put_header(&datagram, type, flags, sequence, size);
	put(&datagram, &error, size);
	r = parse(&datagram, datagram.size, &list);
	assert_int_equal(list.count, 0);
	diag_smc_clear(&list);
	return r;
}

static void control_messages(void **state)
{
	(void)state;
	assert_int_equal(control(NLMSG_DONE, NLM_F_MULTI, SEQUENCE, 0, 4), 1);
	assert_int_equal(control(NLMSG_DONE, NLM_F_MULTI, SEQUENCE, 0, 0), 1);
	assert_int_equal(control(NLMSG_DONE, NLM_F_MULTI, SEQUENCE, -EPERM, 4), -EPERM);
	assert_int_equal(control(NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, SEQUENCE, 0, 4), -EAGAIN);
	assert_int_equal(control(NLMSG_DONE, NLM_F_MULTI, SEQUENCE + 1, 0, 4), 0);
	assert_int_equal(control(NLMSG_ERROR, 0, SEQUENCE, -ENOENT, 4), -ENOENT);
	assert_int_equal(control(NLMSG_ERROR, 0, SEQUENCE, 5, 4), -EBADMSG);
	assert_int_equal(control(NLMSG_ERROR, 0, SEQUENCE, INT32_MIN, 4), -EBADMSG);
	assert_int_equal(control(NLMSG_ERROR, 0, SEQUENCE, 0, 0), -EBADMSG);
	assert_int_equal(control(NLMSG_OVERRUN, 0, SEQUENCE, 0, 0), -EAGAIN);
	assert_int_equal(control(NLMSG_NOOP, 0, SEQUENCE, 0, 0), 0);
}

static void interrupted(void **state)
{
	struct datagram datagram = good();
	struct diag_smc_list list = {.item = NULL};

	(void)state;
	datagram.data[offsetof(struct nlmsghdr, nlmsg_flags)] |= NLM_F_DUMP_INTR;
	assert_int_equal(parse(&datagram, datagram.size, &list), -EAGAIN);
	assert_int_equal(list.count, 0);
}

static void tcp_messages(void **state)
{
	struct datagram datagram = {.size = 0};
	struct inet_diag_msg message = {.idiag_family = AF_INET, .idiag_state = 1, .idiag_inode = 5};
	struct diag_tcp_list list = {.item = NULL};

	(void)state;
	put_header(&datagram, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE, sizeof(message));
	put(&datagram, &message, sizeof(message));
	message.idiag_inode = 0;
	put_header(&datagram, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, SEQUENCE, sizeof(message));
	put(&datagram, &message, sizeof(message));
	assert_int_equal(diag_parse_tcp(datagram.data, datagram.size, SEQUENCE, &list), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(diag_parse_tcp(datagram.data, datagram.size - 1, SEQUENCE, &list), -EBADMSG);
	diag_tcp_clear(&list);
}

static void the_tcp_socket_inside(void **state)
{
	struct diag_socket item[] = {
		{.family = AF_INET, .state = 10, .port = {80, 0}, .inode = 1, .address = {{127, 0, 0, 1}}},
		{.family = AF_INET6, .state = 10, .port = {80, 0}, .inode = 2},
		{.family = AF_INET, .state = 1, .port = {80, 4000}, .inode = 3},
		{.family = AF_INET, .state = 10, .port = {80, 0}, .inode = 4, .address = {{127, 0, 0, 2}}},
	};
	struct diag_tcp_list list = {.item = item, .count = 4};
	struct owner_holding holding = {.inode = 4};
	const struct owners nobody = {.holdings = 0};
	const struct owners one = {.holding = &holding, .holdings = 1};
	struct diag_socket smc = {.family = AF_INET, .state = 10, .port = {80, 0}};

	(void)state;
	socket_tcp_sort(&list);
	assert_null(socket_tcp_find(&list, &smc, false, &nobody));
	assert_int_equal(socket_tcp_find(&list, &smc, false, &one)->inode, 1);
	smc.interface = 3;
	assert_null(socket_tcp_find(&list, &smc, false, &one));
	smc.interface = 0;
	smc.family = AF_INET6;
	assert_int_equal(socket_tcp_find(&list, &smc, false, &nobody)->inode, 2);
	smc = (struct diag_socket){.family = 43, .state = 1, .port = {80, 4000}};
	assert_int_equal(socket_tcp_find(&list, &smc, false, &nobody)->inode, 3);
	smc = (struct diag_socket){.family = 43, .state = 10, .port = {80, 0}, .address = {{127, 0, 0, 2}}};
	assert_int_equal(socket_tcp_find(&list, &smc, true, &nobody)->inode, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_message),
		cmocka_unit_test(truncated),
		cmocka_unit_test(short_message),
		cmocka_unit_test(hostile_attribute_lengths),
		cmocka_unit_test(short_attributes),
		cmocka_unit_test(control_messages),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(tcp_messages),
		cmocka_unit_test(the_tcp_socket_inside),
	};

	return cmocka_run_group_tests_name("ctl-diag", tests, NULL, NULL);
}
