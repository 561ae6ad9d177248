/* SPDX-License-Identifier: MIT */
/* Tests of what a device can serve, and of GUIDs made of MAC addresses. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/smc/rdma.h"
#include "ctl/smc/serve.h"

static void guids(void **state)
{
	static const struct {
		const char *guid;
		const char *mac;
		bool matches;
	} rows[] = {
		{"0216:3eff:fe01:0203", "00:16:3e:01:02:03", true}, /* EUI-64: eRDMA, soft-RoCE */
		{"248a:0703:00b4:d5aa", "24:8a:07:b4:d5:aa", true}, /* mlx5 */
		{"0216:3eff:fe01:0204", "00:16:3e:01:02:03", false},
		{"0616:3eff:fe01:0203", "00:16:3e:01:02:03", false},
		{"0217:3eff:fe01:0203", "00:16:3e:01:02:03", false},
		{"", "00:16:3e:01:02:03", false},
		{"0216:3eff:fe01:0203", "", false},
		{"0216:3eff", "00:16", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(rdma_guid_matches(rows[i].guid, rows[i].mac), rows[i].matches);
}

/* Each thing that can stand in the way of a port, alone. */
static void serving_smcr(void **state)
{
	struct rdma_gid gids[] = {{.type = RDMA_GID_V1}, {.type = RDMA_GID_V2_IPV4}, {.type = RDMA_GID_V2_IPV6}};
	struct pnet_entry rows[] = {{.id = "NET1", .interface = "eth0"}, {.id = "NET2", .interface = "eth1"}};
	struct pnet_table none = {.entries = NULL};
	struct pnet_table both = {rows, 2};
	const struct smc_system system = {.smcr_v2 = true, .ueids = 1};
	const struct smc_port port = {.present = true, .active = true};
	const struct rdma_port rdma = {.netdev = "eth0", .gid = gids, .gids = 3};
	struct smc_system s = system;
	struct smc_port p = port;
	struct rdma_port r = rdma;
	struct serve serve;

	(void)state;
#define SERVES(v1, v2) \
	assert_string_equal(serve.why[SERVE_V1], v1); \
	assert_string_equal(serve.why[SERVE_V2], v2)
	serve_smcr(&system, &none, &port, &rdma, &serve);
	SERVES("", "");
	s.ueids = 0;
	s.seid_enabled = true; /* is for SMC-D */
	serve_smcr(&s, &none, &port, &rdma, &serve);
	SERVES("", "this host has no UEID; smcctl eid ensure NAME, the same on both hosts");
	s.smcr_v2 = false;
	serve_smcr(&s, &none, &port, &rdma, &serve);
	SERVES("", "this kernel has no SMC-R of version 2");
	r.gids = 1;
	serve_smcr(&system, &none, &port, &r, &serve);
	SERVES("", "no RoCE v2 GID with an IPv4 address; give its interface one");
	r = rdma;
	r.gid = &gids[1];
	r.gids = 2;
	serve_smcr(&system, &none, &port, &r, &serve);
	SERVES("no RoCE v1 GID", "");
	p.active = false;
	serve_smcr(&system, &none, &p, &rdma, &serve);
	SERVES("the port is down", "the port is down");
	serve_smcr(&system, &none, &port, NULL, &serve);
	assert_non_null(strstr(serve.why[SERVE_V2], "not in this network namespace"));
	r = rdma;
	r.netdev[0] = '\0';
	serve_smcr(&system, &both, &port, &r, &serve);
	assert_non_null(strstr(serve.why[SERVE_V1], "no interface here belongs to it"));

	/* Identifiers: the interface has one and the port none, or another, or that of a further interface. */
	serve_smcr(&system, &both, &port, &rdma, &serve);
	assert_non_null(strstr(serve.why[SERVE_V1], "interface eth0 has the pnet identifier NET1, the port has none"));
	p = (struct smc_port){.active = true, .pnetid = "NET3", .pnetid_by_user = true};
	serve_smcr(&system, &both, &p, &rdma, &serve);
	SERVES("its pnet identifier NET3 is that of no interface here",
		"its pnet identifier NET3 is that of no interface here");
	p.pnetid_by_user = false;
	serve_smcr(&system, &both, &p, &rdma, &serve);
	SERVES("", "");
	p = (struct smc_port){.active = true, .pnetid = "NET2", .pnetid_by_user = true};
	serve_smcr(&system, &both, &p, &rdma, &serve);
	SERVES("", "");
}

static void serving_smcd(void **state)
{
	struct pnet_entry row = {.id = "NET1", .interface = "eth0"};
	struct pnet_table table = {&row, 1};
	const struct smc_port port = {.present = true, .active = true};
	struct smc_system system = {.smcd_v2 = true, .ueids = 0, .seid_enabled = true};
	struct smc_port p = {.pnetid = "NET1", .pnetid_by_user = true};
	struct serve serve;

	(void)state;
	serve_smcd(&system, &table, &p, false, &serve);
	SERVES("", "its pnet identifier NET1 was set by hand; smcctl pnet del NET1");
	p.pnetid_by_user = false;
	serve_smcd(&system, &table, &p, false, &serve);
	SERVES("", "");
	serve_smcd(&system, &table, &port, false, &serve);
	SERVES("it has no pnet identifier", "");
	serve_smcd(&system, &table, &port, true, &serve);
	SERVES("loopback-ism has version 2 only", "");
	system.seid_enabled = false;
	serve_smcd(&system, &table, &port, true, &serve);
	assert_non_null(strstr(serve.why[SERVE_V2], "no UEID"));
	system.smcd_v2 = false;
	serve_smcd(&system, &table, &p, false, &serve);
	SERVES("", "there is no SMC-D of version 2 on this machine");
	p = (struct smc_port){.pnetid = "NET2", .pnetid_by_user = true};
	serve_smcd(&system, &table, &p, false, &serve);
	SERVES("its pnet identifier NET2 is that of no interface here",
		"its pnet identifier NET2 was set by hand; smcctl pnet del NET2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guids),
		cmocka_unit_test(serving_smcr),
		cmocka_unit_test(serving_smcd),
	};

	return cmocka_run_group_tests_name("ctl-serve", tests, NULL, NULL);
}
