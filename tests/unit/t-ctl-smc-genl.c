/* SPDX-License-Identifier: MIT */
/* Tests of reading the kernel's lists of SMC: whole answers, missing, short and wrongly nested ones; and of subtracting. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/smc/devices.h"
#include "ctl/smc/diag.h"
#include "ctl/smc/linkgroups.h"
#include "ctl/smc/statistics.h"
#include "ctl/smc/system.h"

/* One answer that is being built. */
static struct nl_msg *answer;

static struct nlattr *begin(int type)
{
	answer = nlmsg_alloc();
	return nla_nest_start(answer, type);
}

static int give(struct nlattr *nest, genl_answer *parser, void *arg)
{
	struct nlattr *attrs[GENL_MAX_ATTR + 1];
	int r;

	nla_nest_end_keep_empty(answer, nest);
	assert_int_equal(nlmsg_parse(nlmsg_hdr(answer), 0, attrs, GENL_MAX_ATTR, NULL), 0);
	r = parser(attrs, arg);
	nlmsg_free(answer);
	return r;
}

/* An answer of one attribute that should be a nest and is those bytes. */
static int give_bytes(int type, const void *bytes, size_t size, genl_answer *parser, void *arg)
{
	struct nlattr *attrs[GENL_MAX_ATTR + 1];
	int r;

	answer = nlmsg_alloc();
	assert_int_equal(nla_put(answer, type, (int)size, bytes), 0);
	assert_int_equal(nlmsg_parse(nlmsg_hdr(answer), 0, attrs, GENL_MAX_ATTR, NULL), 0);
	r = parser(attrs, arg);
	nlmsg_free(answer);
	return r;
}

static void empty_answers(void **state)
{
	struct nlattr *none[GENL_MAX_ATTR + 1] = {NULL};
	_cleanup_smc_devices_ struct smc_devices devices = {.item = NULL};
	_cleanup_smc_linkgroups_ struct smc_linkgroups groups = {.item = NULL};
	struct statistics statistics = {.side = {{0}}};
	struct smc_system system = {.ueids = 0};

	(void)state;
	assert_int_equal(smc_devices_add(none, &devices), -EBADMSG);
	assert_int_equal(smc_linkgroups_add(none, &groups), -EBADMSG);
	assert_int_equal(statistics_add(none, &statistics), -EBADMSG);
	assert_int_equal(statistics_add_fallback(none, &statistics), -EBADMSG);
	assert_int_equal(smc_system_info(none, &system), 0);
	assert_int_equal(smc_system_ueid(none, &system), 0);
	assert_int_equal(smc_system_seid(none, &system), 0);
	assert_int_equal(system.ueids, 0);
	assert_string_equal(system.host, "");
	assert_int_equal(devices.count + groups.count, 0);
}

/* Nests with nothing inside: everything is absent, and nothing fails. */
static void empty_nests(void **state)
{
	_cleanup_smc_devices_ struct smc_devices devices = {.item = NULL};
	_cleanup_smc_linkgroups_ struct smc_linkgroups groups = {.item = NULL};
	struct statistics statistics = {.side = {{0}}};

	(void)state;
	assert_int_equal(give(begin(SMC_GEN_DEV_SMCR), smc_devices_add, &devices), 0);
	assert_int_equal(give(begin(SMC_GEN_DEV_SMCD), smc_devices_add, &devices), 0);
	assert_int_equal(devices.count, 2);
	assert_false(devices.item[0].port[0].present || devices.item[1].port[0].present);
	assert_string_equal(devices.item[0].name, "");
	assert_int_equal(give(begin(SMC_GEN_LGR_SMCR), smc_linkgroups_add, &groups), 0);
	assert_int_equal(give(begin(SMC_GEN_LGR_SMCD), smc_linkgroups_add, &groups), 0);
	assert_true(groups.item[0].role == SMC_UNKNOWN && groups.item[0].send_buffers == SMC_UNKNOWN);
	assert_int_equal(groups.item[1].version, 1);
	assert_int_equal(give(begin(SMC_GEN_STATS), statistics_add, &statistics), 0);
	assert_true(statistics.smcd.counter[0] == SMC_UNKNOWN && statistics.smcr.payload[0][8] == SMC_UNKNOWN);
	assert_true(statistics.side[0].handshake_errors == SMC_UNKNOWN);
	assert_int_equal(give(begin(SMC_GEN_FBACK_STATS), statistics_add_fallback, &statistics), 0);
	assert_int_equal(statistics.side[0].reasons + statistics.side[1].reasons, 0);
}

/* Values of no length, of odd lengths, too long, and text without a NUL or far too long. */
static void wrong_lengths(void **state)
{
	_cleanup_smc_devices_ struct smc_devices devices = {.item = NULL};
	_cleanup_smc_linkgroups_ struct smc_linkgroups groups = {.item = NULL};
	char text[300];
	struct nlattr *nest = begin(SMC_GEN_DEV_SMCR);
	struct nlattr *port;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(nla_put(answer, SMC_NLA_DEV_IB_NAME, sizeof(text), text), 0);
	assert_int_equal(nla_put(answer, SMC_NLA_DEV_PCI_ID, 0, NULL), 0);
	assert_int_equal(nla_put(answer, SMC_NLA_DEV_IS_CRIT, 3, text), 0);
	port = nla_nest_start(answer, SMC_NLA_DEV_PORT);
	assert_int_equal(nla_put_u64(answer, SMC_NLA_DEV_PORT_VALID, 1), 0);
	assert_int_equal(nla_put(answer, SMC_NLA_DEV_PORT_PNETID, 5, "ABCDE"), 0);
	assert_int_equal(nla_put(answer, SMC_NLA_DEV_PORT_NETDEV, 0, NULL), 0);
	nla_nest_end(answer, port);
	assert_int_equal(give(nest, smc_devices_add, &devices), 0);
	assert_int_equal(strlen(devices.item[0].name), SMC_DEVICE_NAME_SIZE - 1);
	assert_string_equal(devices.item[0].pci, "");
	assert_false(devices.item[0].critical);
	assert_true(devices.item[0].port[0].present);
	assert_false(devices.item[0].port[1].present);
	assert_string_equal(devices.item[0].port[0].pnetid, "ABCDE");
	assert_int_equal(devices.item[0].port[0].ifindex, 0);

	nest = begin(SMC_GEN_LGR_SMCD);
	assert_int_equal(nla_put_u16(answer, SMC_NLA_LGR_D_CHID, 0xffff), 0);
	assert_int_equal(nla_put(answer, SMC_NLA_LGR_D_GID, 7, text), 0);
	assert_int_equal(give(nest, smc_linkgroups_add, &groups), 0);
	assert_int_equal(groups.item[0].chid, SMC_LOOPBACK_CHID);
	assert_int_equal(groups.item[0].gid[0], 0);
}

/* A value where a nest should be. */
static void wrong_nests(void **state)
{
	_cleanup_smc_devices_ struct smc_devices devices = {.item = NULL};
	_cleanup_smc_linkgroups_ struct smc_linkgroups groups = {.item = NULL};
	struct statistics statistics = {.side = {{0}}};
	struct smc_system system = {.ueids = 0};
	static const unsigned char bytes[] = {0xff, 0xff, 1, 0, 2, 0, 3, 0, 0, 0, 0, 0};
	struct nlattr *nest;

	(void)state;
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		(void)give_bytes(SMC_GEN_DEV_SMCR, bytes, size, smc_devices_add, &devices);
		(void)give_bytes(SMC_GEN_DEV_SMCD, bytes, size, smc_devices_add, &devices);
		(void)give_bytes(SMC_GEN_LGR_SMCR, bytes, size, smc_linkgroups_add, &groups);
		(void)give_bytes(SMC_GEN_LGR_SMCD, bytes, size, smc_linkgroups_add, &groups);
		(void)give_bytes(SMC_GEN_LINK_SMCR, bytes, size, smc_linkgroups_add, &groups);
		(void)give_bytes(SMC_GEN_STATS, bytes, size, statistics_add, &statistics);
		(void)give_bytes(SMC_GEN_FBACK_STATS, bytes, size, statistics_add_fallback, &statistics);
		(void)give_bytes(SMC_GEN_SYS_INFO, bytes, size, smc_system_info, &system);
	}
	nest = begin(SMC_GEN_STATS);
	assert_int_equal(nla_put(answer, SMC_NLA_STATS_SMCD_TECH, 1, bytes), 0);
	assert_int_equal(give(nest, statistics_add, &statistics), 0);
	assert_true(statistics.smcd.counter[0] == SMC_UNKNOWN);
}

static int add_link(struct smc_linkgroups *groups, uint8_t id)
{
	struct nlattr *nest = begin(SMC_GEN_LINK_SMCR);

	assert_int_equal(nla_put_u8(answer, SMC_NLA_LINK_ID, id), 0);
	assert_int_equal(nla_put_u32(answer, SMC_NLA_LINK_STATE, 77), 0);
	return give(nest, smc_linkgroups_add, groups);
}

/* A link belongs to the group before it, and a group has so many. */
static void links(void **state)
{
	_cleanup_smc_linkgroups_ struct smc_linkgroups groups = {.item = NULL};

	(void)state;
	assert_int_equal(add_link(&groups, 1), -EBADMSG);
	assert_int_equal(give(begin(SMC_GEN_LGR_SMCR), smc_linkgroups_add, &groups), 0);
	for (uint8_t i = 0; i < SMC_MAX_LINKS; i++)
		assert_int_equal(add_link(&groups, i), 0);
	assert_int_equal(add_link(&groups, 9), -EBADMSG);
	assert_int_equal(groups.item[0].links, SMC_MAX_LINKS);
	assert_int_equal(groups.item[0].link[3].id, 3);
	assert_null(smc_link_state_text(groups.item[0].link[3].state));
	assert_string_equal(smc_link_state_text(3), "active");
	assert_null(smc_os_text(0));
	assert_null(smc_role_text(SMC_UNKNOWN));
}

static int add_reason(struct statistics *statistics, bool server, uint64_t fallbacks, uint32_t code, uint16_t count)
{
	struct nlattr *nest = begin(SMC_GEN_FBACK_STATS);

	assert_int_equal(nla_put_u8(answer, SMC_NLA_FBACK_STATS_TYPE, server), 0);
	if (fallbacks)
		assert_int_equal(
			nla_put_u64(
				answer, server ? SMC_NLA_FBACK_STATS_SRV_CNT : SMC_NLA_FBACK_STATS_CLNT_CNT, fallbacks),
			0);
	assert_int_equal(nla_put_u32(answer, SMC_NLA_FBACK_STATS_RSN_CODE, code), 0);
	assert_int_equal(nla_put_u16(answer, SMC_NLA_FBACK_STATS_RSN_CNT, count), 0);
	return give(nest, statistics_add_fallback, statistics);
}

/* The counter of a reason has 16 bits: totals say "at least", a difference is right over one wrap. */
static void wrap(void **state)
{
	static struct statistics before;
	static struct statistics now;
	static struct statistics delta;

	(void)state;
	assert_int_equal(add_reason(&before, false, 65530, 0x03010000, 65530), 0);
	assert_int_equal(add_reason(&before, true, 3, 0x03030008, 3), 0);
	statistics_complete(&before);
	assert_false(before.side[STATISTICS_CLIENT].at_least || before.side[STATISTICS_SERVER].at_least);

	assert_int_equal(add_reason(&now, false, 65545, 0x03010000, 4), 0);
	assert_int_equal(add_reason(&now, false, 0, 0x05000000, 5), 0);
	assert_int_equal(add_reason(&now, true, 3, 0x03030008, 3), 0);
	statistics_complete(&now);
	assert_true(now.side[STATISTICS_CLIENT].at_least);
	assert_false(now.side[STATISTICS_SERVER].at_least);

	statistics_delta(&now, &before, &delta);
	assert_int_equal(delta.side[STATISTICS_CLIENT].fallbacks, 15);
	assert_int_equal(delta.side[STATISTICS_CLIENT].reasons, 2);
	assert_int_equal(delta.side[STATISTICS_CLIENT].reason[0].count, 10);
	assert_int_equal(delta.side[STATISTICS_CLIENT].reason[1].count, 5);
	assert_false(delta.side[STATISTICS_CLIENT].at_least);
	assert_int_equal(delta.side[STATISTICS_SERVER].reasons, 0);

	/* More than one wrap in between. */
	now.side[STATISTICS_CLIENT].fallbacks += 65536;
	statistics_delta(&now, &before, &delta);
	assert_true(delta.side[STATISTICS_CLIENT].at_least);

	/* The module was loaded anew. */
	statistics_delta(&before, &now, &delta);
	assert_int_equal(delta.side[STATISTICS_CLIENT].fallbacks, 65530);
	assert_int_equal(delta.side[STATISTICS_CLIENT].reason[0].count, 65530);
}

static void too_many_reasons(void **state)
{
	struct statistics statistics = {.side = {{0}}};

	(void)state;
	for (uint32_t i = 1; i <= STATISTICS_MAX_REASONS; i++)
		assert_int_equal(add_reason(&statistics, true, 0, i, 1), 0);
	assert_int_equal(add_reason(&statistics, true, 0, 99, 1), -EBADMSG);
	assert_int_equal(add_reason(&statistics, false, 0, 99, 1), 0);
	assert_int_equal(statistics.side[STATISTICS_SERVER].reasons, STATISTICS_MAX_REASONS);
}

/* What is not counted stays unknown; what is in use now is no counter; what is smaller has begun anew. */
static void differences(void **state)
{
	static struct statistics before;
	static struct statistics now;
	static struct statistics delta;
	size_t gauge = 0;

	(void)state;
	while (strcmp(statistics_counter_key(gauge), "tx_buffer_bytes") != 0)
		gauge++;
	before.smcd.counter[0] = 10;
	now.smcd.counter[0] = 17;
	before.smcd.counter[1] = now.smcd.counter[1] = SMC_UNKNOWN;
	before.smcr.counter[2] = 9;
	now.smcr.counter[2] = 4;
	before.smcr.counter[gauge] = 1000;
	now.smcr.counter[gauge] = 1500;
	before.smcr.payload[STATISTICS_RX][3] = 2;
	now.smcr.payload[STATISTICS_RX][3] = 5;
	statistics_delta(&now, &before, &delta);
	assert_int_equal(delta.smcd.counter[0], 7);
	assert_true(delta.smcd.counter[1] == SMC_UNKNOWN);
	assert_int_equal(delta.smcr.counter[2], 4);
	assert_int_equal(delta.smcr.counter[gauge], 1500);
	assert_int_equal(delta.smcr.payload[STATISTICS_RX][3], 3);
}

/* Identifiers from hardware are padded, and one of blanks is none. */
static void padded(void **state)
{
	_cleanup_smc_devices_ struct smc_devices devices = {.item = NULL};
	static const char *const texts[] = {"NET1            ", "                ", "ABCDEFGHIJKLMNOP"};
	static const char *const ids[] = {"NET1", "", "ABCDEFGHIJKLMNOP"};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct nlattr *nest = begin(SMC_GEN_DEV_SMCD);
		struct nlattr *port = nla_nest_start(answer, SMC_NLA_DEV_PORT);

		assert_int_equal(nla_put_string(answer, SMC_NLA_DEV_PORT_PNETID, texts[i]), 0);
		nla_nest_end(answer, port);
		assert_int_equal(nla_put_string(answer, SMC_NLA_DEV_PCI_ID, ids[i]), 0);
		assert_int_equal(give(nest, smc_devices_add, &devices), 0);
		assert_string_equal(devices.item[i].port[0].pnetid, ids[i]);
		assert_string_equal(smc_device_pnetid(&devices, ids[i], 1), ids[i]);
	}
	assert_int_equal(devices.isms, 3);
	assert_string_equal(smc_device_pnetid(&devices, "none", 1), "");
}

static void fill_group(struct smc_linkgroup *group, uint64_t role, const char *gid)
{
	*group = (struct smc_linkgroup){.role = role, .links = 2, .link = {{.id = 1, .port = 1}, {.id = 2, .port = 1}}};
	for (size_t i = 0; i < group->links; i++) {
		memcpy(group->link[i].device, "rxe0", 5);
		memcpy(group->link[i].gid, gid, strlen(gid) + 1);
		memcpy(group->link[i].peer_gid, "::2", 4);
	}
}

/* A connection over SMC-R is known by its link, of whichever number; between two that are alike nothing is guessed. */
static void group_of_connection(void **state)
{
	static struct smc_linkgroup items[5];
	struct smc_linkgroups groups = {.item = items, .count = sizeof(items) / sizeof(items[0])};
	struct diag_smc connection = {.has_link = true,
		.link_role = 1,
		.link_id = 2,
		.device_port = 1,
		.device = "rxe0",
		.gid = {"::1", "::2"}};

	(void)state;
	fill_group(&items[0], 0, "::1");
	fill_group(&items[1], 1, "::1");
	fill_group(&items[2], 1, "::3");
	items[3] = (struct smc_linkgroup){.smcd = true, .id = 0x100};
	items[4] = (struct smc_linkgroup){.smcd = true, .id = 0x200};
	assert_ptr_equal(smc_linkgroups_find(&groups, &connection), &items[1]);
	connection.link_id = 3;
	assert_null(smc_linkgroups_find(&groups, &connection));
	connection.link_id = 1;
	items[2] = items[1];
	assert_null(smc_linkgroups_find(&groups, &connection));
	connection.link_role = 0;
	assert_ptr_equal(smc_linkgroups_find(&groups, &connection), &items[0]);
	connection.has_link = false;
	assert_null(smc_linkgroups_find(&groups, &connection));
	connection = (struct diag_smc){.has_dmb = true, .link_group = 0x200};
	assert_ptr_equal(smc_linkgroups_find(&groups, &connection), &items[4]);
	connection.link_group = 0;
	assert_null(smc_linkgroups_find(&groups, &connection));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_answers),
		cmocka_unit_test(empty_nests),
		cmocka_unit_test(wrong_lengths),
		cmocka_unit_test(wrong_nests),
		cmocka_unit_test(links),
		cmocka_unit_test(wrap),
		cmocka_unit_test(too_many_reasons),
		cmocka_unit_test(differences),
		cmocka_unit_test(padded),
		cmocka_unit_test(group_of_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
