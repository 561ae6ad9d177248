/* SPDX-License-Identifier: MIT */
/* Tests of smcctl host without a host: profiles and their errors, masks, queues on fake trees, values, the journal. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ctl/host/check.h"
#include "ctl/host/journal-text.h"
#include "ctl/host/journal.h"
#include "ctl/host/sysctl.h"
#include "ctl/host/xps.h"
#include "ctl/smc/genl.h"

/* ---- profiles ---- */

static void test_profile(void **state)
{
	static const char text[] =
		"{\"version\":1,\"modules\":[\"smc\",\"smc-diag\"],\"sysctl\":{\"net.core.somaxconn\":{\"at_least\":"
		"4096},\"net/ipv4/conf/eth0.100/forwarding\":0,\"net.ipv4.tcp_rmem\":\"1\\t2  3\"},\"smc\":{\"ueids\":["
		"\"A\"],"
		"\"seid\":false,\"pnet\":[{\"id\":\"net1\",\"interface\":\"eth1\"},{\"id\":\"N\",\"device\":\"mlx5_0\"}"
		"],"
		"\"handshake_limit\":true},\"xps\":{\"eth*\":\"numa\",\"eth1\":[\"1\",\"2-3\",[4]]},\"nic\":{\"eth1\":"
		"\"strict\"}}";
	_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
	_cleanup_profile_ struct profile *profile = NULL;
	const struct profile_xps *xps;

	(void)state;
	assert_int_equal(profile_parse("p", text, strlen(text), &profile, &errors), 0);
	assert_string_equal(profile->modules[1], "smc_diag");
	assert_true(profile->sysctls[0].at_least && !profile->sysctls[1].at_least);
	assert_string_equal(profile->sysctls[1].key, "net.ipv4.conf.eth0/100.forwarding");
	assert_string_equal(profile->sysctls[2].value, "1 2 3");
	assert_int_equal(profile->seid, PROFILE_OFF);
	assert_int_equal(profile->handshake_limit, PROFILE_ON);
	assert_string_equal(profile->pnets[0].id, "NET1");
	assert_int_equal(profile->pnets[1].port, 1);
	assert_true(profile->nics[0].strict);
	xps = xps_for(profile, "eth1");
	assert_int_equal(xps->policy, XPS_MASKS);
	assert_int_equal(xps->mask_count, 3);
	assert_true(cpus_has(&xps->masks[1], 2) && cpus_has(&xps->masks[1], 3) && cpus_count(&xps->masks[1]) == 2);
	assert_true(cpus_has(&xps->masks[2], 4));
	assert_int_equal(xps_for(profile, "eth7")->policy, XPS_NUMA);
	assert_null(xps_for(profile, "ens1"));
}

static void test_shipped(void **state)
{
	static const char *const names[] = {"throughput", "latency", "low-memory"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
		_cleanup_profile_ struct profile *profile = NULL;
		_cleanup_free_ char *path = NULL;
		_cleanup_free_ char *text = NULL;
		const char *top = getenv("top_srcdir");
		size_t size;
		int fd;

		assert_true(asprintf(&path, "%s/ctl/host/profiles/%s.json", top ? top : ".", names[i]) > 0);
		fd = open_read(path);
		assert_true(fd >= 0);
		assert_int_equal(read_all(fd, PROFILE_FILE_MAX, &text, &size), 0);
		close(fd);
		assert_int_equal(profile_parse(names[i], text, size, &profile, &errors), 0);
		assert_string_equal(profile->modules[0], "smc");
	}
}

/* A text and one line for each thing that has to be said of it. */
static const struct {
	const char *text;
	const char *said;
} bad[] = {
	{"[]", "p:1:1: profile '[]': is a list; write { \"version\": 1, \"modules\": [ \"smc\" ] }\n"},
	{"{}", "p:1:1: profile '{': has no version; write \"version\": 1\n"},
	{"{\"version\":1,\n \"sysctl\": {\"net.ipv4.tcp_rmem\": 5}}",
		"p:2:13: value of key 'net.ipv4.tcp_rmem': has not three numbers, and the kernel would set a part; "
		"write "
		"\"MINIMUM DEFAULT MAXIMUM\"\n"},
	{"{\"version\":1,\"sysctl\":{\"net.ipv4.tcp_rmem\":\"3 2 9\"}}",
		"p:1:24: value of key 'net.ipv4.tcp_rmem': goes down; write \"MINIMUM DEFAULT MAXIMUM\", none smaller "
		"than "
		"that before it\n"},
	{"{\"version\":1,\"sysctl\":{\"net.ipv4.tcp_tw_reuse\":3}}",
		"p:1:24: value of key 'net.ipv4.tcp_tw_reuse': is not 0, 1 or 2; write 2 (loopback only, the kernel's "
		"default), 1 or 0\n"},
	{"{\"version\":1,\"sysctl\":{\"net.ipv4.tcp_max_tw_buckets\":-5}}",
		"p:1:24: value of key 'net.ipv4.tcp_max_tw_buckets': is below 0 (the kernel takes that in silence); "
		"write a "
		"number, as large as what is there\n"},
	{"{\"version\":1,\"sysctl\":{\"net.ipv4.tcp_tw_recycle\":1}}",
		"p:1:24: value of key 'net.ipv4.tcp_tw_recycle': is a key that Linux 4.12 removed, for it broke "
		"connections "
		"through NAT; remove it\n"},
	{"{\"version\":1,\"sysctl\":{\"net.smc.rmem\":100}}",
		"p:1:24: value of key 'net.smc.rmem': is out of range; write 16384 to 2147483647 (1048576 is what "
		"SMC-D uses "
		"at most)\n"},
	{"{\"version\":1,\"sysctl\":{\"../x\":1,\"a..b\":1,\"a\":1,\"a.b*\":1}}",
		"p:1:24: key '../x': is not the name of a kernel parameter; write one, as in \"net.core.somaxconn\"\n"
		"p:1:33: key 'a..b': is not the name of a kernel parameter; write one, as in \"net.core.somaxconn\"\n"
		"p:1:42: key 'a': is not the name of a kernel parameter; write one, as in \"net.core.somaxconn\"\n"
		"p:1:48: key 'a.b*': is not the name of a kernel parameter; write one, as in \"net.core.somaxconn\"\n"},
	{"{\"version\":1,\"sysctl\":{\"a.b\":1.5,\"a/b\":1}}",
		"p:1:30: value '1.5': is no whole number; write digits\n"
		"p:1:34: key 'a/b': stands twice in one object; remove one of them\n"},
	{"{\"version\":1,\"sysctl\":{\"a.b\":{\"at_least\":\"x\"},\"a.c\":{},\"a.d\":[]}}",
		"p:1:42: value 'x': is not made of whole numbers, of which alone there is a larger one; write digits\n"
		"p:1:53: sysctl '{': has neither value nor at_least; write \"value\" or \"at_least\", one of them\n"
		"p:1:62: value '[]': is a list; write a number, a string, or { \"at_least\": ... } or { \"value\": ... "
		"}\n"},
	{"{\"version\":1,\"modules\":[\"smc\",\"a b\",\"smc\",\"-r\",1]}",
		"p:1:31: module 'a b': is not the name of a module; write letters, digits, '_' and '-', as in "
		"\"smc_diag\"\n"
		"p:1:37: module 'smc': stands twice in the list; remove it\n"
		"p:1:43: module '-r': is not the name of a module; write letters, digits, '_' and '-', as in "
		"\"smc_diag\"\n"
		"p:1:48: module '1': is a number; write it in double quotes\n"},
	{"{\"version\":1,\"smc\":{\"ueids\":[\"a\"],\"pnet\":[{\"id\":\"N\"},{\"interface\":\"e\"}],\"seid\":1}}",
		"p:1:30: EID 'a': is not 1 to 32 of A-Z, 0-9, '.' and '-' with a letter or digit first; write upper "
		"case\n"
		"p:1:43: pnet '{': names neither interface nor device; write \"interface\" or \"device\", one of them\n"
		"p:1:54: pnet '{': has no id; write \"id\": \"NET1\"\n"
		"p:1:80: seid '1': is a number; write true or false\n"},
	{"{\"version\":1,\"xps\":{\"eth0\":\"best\",\"a b\":\"off\",\"e\":[\"0x3\"],\"f\":[]}}",
		"p:1:28: xps 'best': is unknown; write kernel, one-to-one, numa, irq, rxqs, off or a list of masks\n"
		"p:1:35: interface 'a b': is not the name of an interface, nor a pattern of such; write one, as in "
		"\"eth1\" or "
		"\"eth*\"\n"
		"p:1:52: mask '0x3': is no mask; write hexadecimal digits with a comma before each group of eight, or "
		"a list "
		"with a dash (\"8-8\"), or [ 8 ]\n"
		"p:1:63: xps '[': has 0 masks; write one for each transmit queue\n"},
	{"{\"version\":1,\"nic\":{\"eth*\":\"soft\",\"eth1\":\"hard\",\"eth1\":\"soft\"}}",
		"p:1:21: interface 'eth*': is not the name of an interface; write one, as in \"eth1\"\n"
		"p:1:42: nic 'hard': is unknown; write \"soft\" or \"strict\"\n"
		"p:1:49: key 'eth1': stands twice in one object; remove one of them\n"},
	{"{\"version\":1,\"sysctls\":{}}",
		"p:1:14: key 'sysctls': is unknown in a profile; write one of version, modules, sysctl, smc, xps, nic, "
		"or "
		"remove it\n"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		_cleanup_policy_errors_ struct policy_errors errors = {.count = 0};
		_cleanup_profile_ struct profile *profile = NULL;
		static char said[4096];
		size_t used = 0;

		said[0] = '\0';
		assert_int_equal(profile_parse("p", bad[i].text, strlen(bad[i].text), &profile, &errors), -EINVAL);
		assert_null(profile);
		for (size_t k = 0; k < errors.count; k++)
			used += (size_t)snprintf(said + used, sizeof(said) - used, "%s\n", errors.items[k].text);
		assert_string_equal(said, bad[i].said);
	}
}

/* ---- masks ---- */

static void test_codec(void **state)
{
	static const struct {
		const char *mask;
		const char *written; /* NULL: refused */
	} masks[] = {{"0", "0"}, {"f", "f"}, {"F", "f"}, {"1,00000000", "1,00000000"}, {"100000000", "1,00000000"},
		{"00000000,00000003\n", "3"}, {"", NULL}, {"0x3", NULL}, {"0-1", NULL}, {"zz", NULL}, {",1", NULL},
		{"1,", NULL}, {"1,0", NULL}, {"1,000000000", NULL}, {"1 2", NULL}};
	static const struct {
		const char *list;
		const char *written;
	} lists[] = {{"0-3,8", "10f"}, {"", "0"}, {"31-32\n", "1,80000000"}, {"8191", NULL}, {"8192", NULL},
		{"3-1", NULL}, {"1,", NULL}, {"1-", NULL}, {"a", NULL}, {"4294967296", NULL}};
	char text[CPUS_MASK_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		struct cpus *set = test_calloc(1, sizeof(*set));
		int r = cpus_parse_mask(masks[i].mask, set);

		assert_int_equal(r == 0, masks[i].written != NULL);
		cpus_mask(set, text);
		if (r == 0)
			assert_string_equal(text, masks[i].written);
		test_free(set);
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct cpus *set = test_calloc(1, sizeof(*set));
		int r = cpus_parse_list(lists[i].list, set);

		if (strcmp(lists[i].list, "8191") == 0) {
			assert_int_equal(r, 0);
			assert_true(cpus_has(set, 8191));
			cpus_mask(set, text);
			assert_int_equal(strlen(text), CPUS_MASK_TEXT - 1);
		} else {
			assert_int_equal(r == 0, lists[i].written != NULL);
			cpus_mask(set, text);
			if (r == 0)
				assert_string_equal(text, lists[i].written);
		}
		test_free(set);
	}
}

/* ---- queues, on trees that are made up ---- */

static char tree[] = "/tmp/t-host.XXXXXX";

__attribute__((format(printf, 2, 3))) static void put(const char *path, const char *format, ...)
{
	char full[256];
	FILE *stream;
	va_list ap;

	snprintf(full, sizeof(full), "%s/%s", tree, path);
	for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(full, 0755);
		*slash = '/';
	}
	stream = fopen(full, "w");
	assert_non_null(stream);
	va_start(ap, format);
	vfprintf(stream, format, ap);
	va_end(ap);
	fclose(stream);
}

static int remove_tree(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", tree);
	return system(command);
}

/* A virtio device with its interrupts in the device above it, as in a guest. */
static void make_interface(const char *name, unsigned queues, const char *irq, const char *const *cpus)
{
	char path[128];

	for (unsigned i = 0; i < queues; i++) {
		snprintf(path, sizeof(path), "class/net/%s/queues/tx-%u/xps_cpus", name, i);
		put(path, "0\n");
		snprintf(path, sizeof(path), "class/net/%s/queues/rx-%u/x", name, i);
		put(path, "0\n");
		if (!irq)
			continue;
		snprintf(path, sizeof(path), "class/net/%s/device/msi_irqs/%u", name, 100 + i);
		put(path, "msi\n");
		snprintf(path, sizeof(path), "kernel/irq/%u/actions", 100 + i);
		put(path, "%s%u\n", irq, i);
		snprintf(path, sizeof(path), "irq/%u/effective_affinity_list", 100 + i);
		put(path, "%s\n", cpus[i]);
	}
}

static void read_interface(const char *name, struct topology *out)
{
	int fd = open(tree, O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	assert_int_equal(topology_read(fd, fd, name, out), 0);
	close(fd);
}

/* Every online CPU in exactly one set, no other CPU in any. */
static void assert_partition(const struct topology *topology, const struct cpus *sets)
{
	struct cpus *all = test_calloc(1, sizeof(*all));
	unsigned count = 0;

	for (size_t i = 0; i < topology->transmit; i++) {
		assert_false(cpus_meet(&sets[i], all));
		cpus_join(all, &sets[i]);
		count += cpus_count(&sets[i]);
	}
	assert_true(cpus_equal(all, &topology->online));
	assert_int_equal(count, cpus_count(&topology->online));
	test_free(all);
}

static void assert_masks(enum xps_policy policy, const struct topology *topology, const char *expected)
{
	struct profile_xps xps = {.policy = policy};
	struct cpus *sets = test_calloc(topology->transmit, sizeof(*sets));
	char text[CPUS_MASK_TEXT];
	char said[1024] = "";
	size_t used = 0;

	assert_int_equal(xps_plan(topology, &xps, sets), 0);
	if (policy != XPS_OFF && policy != XPS_RXQS)
		assert_null(xps_danger(topology, sets, topology->transmit, said, sizeof(said)));
	said[0] = '\0';
	for (size_t i = 0; i < topology->transmit; i++) {
		cpus_mask(&sets[i], text);
		used += (size_t)snprintf(said + used, sizeof(said) - used, "%s%s", i ? " " : "", text);
	}
	assert_string_equal(said, expected);
	test_free(sets);
}

static void test_policies(void **state)
{
	static const char *const cpus[] = {"4", "0", "5", "1"};
	struct topology *t = test_calloc(1, sizeof(*t));

	(void)state;
	put("devices/system/cpu/online", "0-5\n");
	put("devices/system/cpu/possible", "0-7\n");
	put("devices/system/node/node1/cpulist", "4-5\n");
	for (unsigned cpu = 0; cpu < 6; cpu++) {
		char path[80];

		snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/cache/index3/shared_cpu_list", cpu);
		put(path, cpu < 4 ? "0-3\n" : "4-5\n");
	}
	make_interface("four", 4, "virtio1-output.", cpus);
	put("class/net/four/device/numa_node", "1\n");
	read_interface("four", t);
	assert_int_equal(t->transmit, 4);
	assert_true(t->irqs);
	assert_int_equal(t->irq_cpu[2], 5);
	assert_int_equal(cpus_count(&t->local), 2);
	/* virtnet_set_affinity(): stride 1, two stragglers. */
	assert_masks(XPS_KERNEL, t, "3 c 10 20");
	assert_masks(XPS_ONE_TO_ONE, t, "11 22 4 8");
	/* CPUs 4 and 5 first. */
	assert_masks(XPS_NUMA, t, "14 28 1 2");
	assert_masks(XPS_IRQ, t, "10 5 20 a");
	assert_masks(XPS_RXQS, t, "1 2 4 8");
	assert_masks(XPS_OFF, t, "0 0 0 0");
	topology_clear(t);
	make_interface("eight", 8, NULL, NULL);
	read_interface("eight", t);
	assert_false(t->irqs);
	assert_masks(XPS_ONE_TO_ONE, t, "1 2 4 8 10 20 0 0");
	/* More queues than CPUs: the kernel's own way goes round. */
	assert_masks(XPS_KERNEL, t, "1 2 4 8 10 20 1 2");
	topology_clear(t);
	test_free(t);
}

static void test_dangers(void **state)
{
	struct topology *t = test_calloc(1, sizeof(*t));
	struct cpus *sets = test_calloc(2, sizeof(*sets));
	char why[256];

	(void)state;
	assert_int_equal(cpus_parse_list("0-3", &t->online), 0);
	assert_int_equal(cpus_parse_list("0-7", &t->possible), 0);
	t->transmit = 2;
	/* "echo f" into both. */
	assert_int_equal(cpus_parse_mask("f", &sets[0]), 0);
	assert_int_equal(cpus_parse_mask("f", &sets[1]), 0);
	assert_non_null(xps_danger(t, sets, 2, why, sizeof(why)));
	assert_int_equal(cpus_parse_mask("3", &sets[0]), 0);
	assert_int_equal(cpus_parse_mask("4", &sets[1]), 0);
	assert_non_null(xps_danger(t, sets, 2, why, sizeof(why)));
	assert_non_null(strstr(why, "CPU 3 is in no queue's set"));
	assert_int_equal(cpus_parse_mask("c", &sets[1]), 0);
	assert_null(xps_danger(t, sets, 2, why, sizeof(why)));
	assert_int_equal(xps_impossible(t, sets, 2), CPUS_MAX);
	cpus_add(&sets[1], 8);
	assert_int_equal(xps_impossible(t, sets, 2), 8);
	test_free(sets);
	test_free(t);
}

/* 1,024 CPUs with some offline, 256 queues, four nodes: each policy deals out all CPUs that are there, once. */
static void test_large(void **state)
{
	static const unsigned queue_counts[] = {2, 3, 64, 255, 256};
	static const enum xps_policy policies[] = {XPS_KERNEL, XPS_ONE_TO_ONE, XPS_NUMA, XPS_IRQ};
	struct topology *t = test_calloc(1, sizeof(*t));
	char name[16];

	(void)state;
	put("devices/system/cpu/online", "0-6,8-500,502,504-1021,1023\n");
	put("devices/system/cpu/possible", "0-1023\n");
	put("devices/system/node/node3/cpulist", "768-1023\n");
	for (size_t i = 0; i < sizeof(queue_counts) / sizeof(*queue_counts); i++) {
		unsigned queues = queue_counts[i];
		struct cpus *sets = test_calloc(queues, sizeof(*sets));

		snprintf(name, sizeof(name), "big%u", queues);
		make_interface(name, queues, NULL, NULL);
		snprintf(name, sizeof(name), "class/net/");
		put("class/net/big256/device/numa_node", "3\n");
		snprintf(name, sizeof(name), "big%u", queues);
		read_interface(name, t);
		assert_int_equal(t->transmit, queues);
		/* Interrupts: all queues of a cache on its first CPU, one on a CPU that is offline. */
		t->irqs = true;
		for (unsigned q = 0; q < queues; q++) {
			t->irq_cpu[q] = q == 1 ? 7 : q / 8 * 8;
			for (unsigned cpu = 0; cpu < 8; cpu++)
				cpus_add(&t->shares[q], q / 8 * 8 + cpu);
		}
		for (size_t p = 0; p < sizeof(policies) / sizeof(*policies); p++) {
			struct profile_xps xps = {.policy = policies[p]};
			char why[256];

			assert_int_equal(xps_plan(t, &xps, sets), 0);
			assert_partition(t, sets);
			assert_null(xps_danger(t, sets, queues, why, sizeof(why)));
		}
		test_free(sets);
		topology_clear(t);
		memset(t, 0, sizeof(*t));
	}
	test_free(t);
}

/* ---- modules ---- */

static void test_built_in(void **state)
{
	char list[64];

	(void)state;
	put("modules.builtin",
		"kernel/net/smc/smc.ko\nkernel/net/smc/smc-diag.ko\nkernel/net/802/p8022.ko\nkernel/lib/a_b-c.ko");
	snprintf(list, sizeof(list), "%s/modules.builtin", tree);
	assert_true(module_is_built_in(list, "smc"));
	assert_true(module_is_built_in(list, "smc_diag"));
	assert_true(module_is_built_in(list, "a_b_c"));
	assert_false(module_is_built_in(list, "sm"));
	assert_false(module_is_built_in(list, "smc_"));
	assert_false(module_is_built_in(list, "8022"));
	assert_false(module_is_built_in(list, "net"));
	snprintf(list, sizeof(list), "%s/nowhere", tree);
	assert_false(module_is_built_in(list, "smc"));
}

/* ---- values ---- */

static void test_values(void **state)
{
	char out[PROFILE_VALUE];
	int64_t number;

	(void)state;
	assert_true(sysctl_equal("4096\t131072\t6", "4096 131072  6"));
	assert_true(sysctl_equal("010", "10"));
	assert_false(sysctl_equal("1 2", "1 2 3"));
	assert_false(sysctl_equal("cubic", "reno"));
	assert_true(sysctl_larger("1 5 3", "4 2 3", out));
	assert_string_equal(out, "4 5 3");
	assert_true(sysctl_larger("-1", "-2", out));
	assert_string_equal(out, "-1");
	assert_false(sysctl_larger("1", "1 2", out));
	assert_false(sysctl_larger("a", "1", out));
	assert_true(sysctl_number("1 -2", 1, &number) && number == -2);
	assert_non_null(sysctl_danger("net.ipv4.tcp_max_tw_buckets", "131072", "10000"));
	assert_null(sysctl_danger("net.ipv4.tcp_max_tw_buckets", "131072", "262144"));
	assert_non_null(sysctl_danger("net.ipv4.ip_local_port_range", "1 2", "1"));
}

static void test_counters(void **state)
{
	static const char netstat[] =
		"TcpExt: SyncookiesSent ListenOverflows X\nTcpExt: 3 45 6\nIpExt: ListenOverflows\nIpExt: 9\n";
	static const struct queue_counter one[] = {{0, 5000}, {1, 20}}, both[] = {{0, 5000}, {1, 4000}},
					  few[] = {{0, 9}, {1, 0}};
	uint64_t value;
	unsigned queue;

	(void)state;
	assert_true(counters_netstat(netstat, "ListenOverflows", &value) && value == 45);
	assert_false(counters_netstat(netstat, "Listen", &value));
	assert_false(counters_netstat("TcpExt: A\n", "A", &value));
	assert_true(counters_queue_of("tx_queue_3_packets", &queue) && queue == 3);
	assert_true(counters_queue_of("tx12_packets", &queue) && queue == 12);
	assert_true(counters_queue_of("queue_7_tx_cnt", &queue) && queue == 7);
	assert_false(counters_queue_of("tx_queue_3_packets_x", &queue));
	assert_false(counters_queue_of("rx_queue_3_packets", &queue));
	assert_false(check_spreads(one, 2));
	assert_true(check_spreads(both, 2) && check_spreads(few, 2) && check_spreads(one, 1));
}

/* One answer of the kernel's to a dump of queues; a number below 0: no such attribute. */
static int answer(struct qstats *stats, uint32_t interface, uint32_t type, int64_t queue, int64_t packets, bool wide)
{
	struct nl_msg *message = nlmsg_alloc();
	struct nlattr *attrs[GENL_MAX_ATTR + 1];
	int r;

	assert_non_null(message);
	assert_non_null(nlmsg_put(message, 0, 0, 16, 0, 0));
	assert_int_equal(nla_put_u32(message, 1, interface) + nla_put_u32(message, 2, type), 0);
	if (queue >= 0)
		assert_int_equal(nla_put_u32(message, 3, (uint32_t)queue), 0);
	assert_int_equal(nla_put_u32(message, 8, 77), 0); /* received packets */
	if (packets >= 0)
		assert_int_equal(wide ? nla_put_u64(message, 10, (uint64_t)packets)
				      : nla_put_u32(message, 10, (uint32_t)packets),
			0);
	assert_int_equal(nlmsg_parse(nlmsg_hdr(message), 0, attrs, GENL_MAX_ATTR, NULL), 0);
	r = counters_qstats_add(attrs, stats);
	nlmsg_free(message);
	return r;
}

static void test_qstats(void **state)
{
	struct qstats stats = {.interface = 3};

	(void)state;
	assert_int_equal(answer(&stats, 3, 0, 0, 5, false), 0); /* of receiving */
	assert_int_equal(answer(&stats, 4, 1, 0, 5, false), 0); /* of another interface */
	assert_int_equal(answer(&stats, 3, 1, 0, -1, false), 0);
	assert_int_equal(answer(&stats, 3, 1, -1, 5, false), 0);
	assert_int_equal(answer(&stats, 3, 1, 4096, 5, false), 0);
	assert_int_equal(stats.count, 0);
	assert_int_equal(answer(&stats, 3, 1, 0, 7, false), 0);
	assert_int_equal(answer(&stats, 3, 1, 2, 1LL << 40, true), 0);
	assert_int_equal(stats.count, 2);
	assert_true(stats.queues[0].queue == 0 && stats.queues[0].packets == 7);
	assert_true(stats.queues[1].queue == 2 && stats.queues[1].packets == 1ULL << 40);
	free(stats.queues);
}

static void test_smc_sockets(void **state)
{
	static const char head[] = "protocol  size sockets  memory press maxhdr  slab module     cl co di ac\n";
	char text[512];
	uint64_t count;

	(void)state;
	assert_false(counters_smc(head, &count));
	snprintf(text, sizeof(text), "%s%s", head, "SMC6      1704      3      -1   NI       0   no   smc\n");
	assert_true(counters_smc(text, &count) && count == 3);
	snprintf(text, sizeof(text), "%s%s", head,
		"SMC6      1704      3      -1   NI       0   no   smc\nSMC       1704      4      -1   NI       0   "
		"no   smc\n");
	assert_true(counters_smc(text, &count) && count == 7);
	snprintf(text, sizeof(text), "%sMPTCP 1 2 3\nXSMC 1 2\nSMC7 1 9\n", head);
	assert_false(counters_smc(text, &count));
}

/* ---- the journal ---- */

static void test_journal(void **state)
{
	_cleanup_journal_ struct journal journal = {.applying = true, .path = strdup("/p"), .profile = strdup("{\n}")};
	_cleanup_journal_ struct journal again = {.entries = NULL};
	_cleanup_free_ char *text = NULL;
	struct journal_entry *entry;
	size_t size;

	(void)state;
	assert_int_equal(journal_note(&journal, HOST_SYSCTL, "a.b", "1", "2"), 0);
	assert_int_equal(journal_note(&journal, HOST_FILE, "/f", NULL, "0644 0 0 61"), 0);
	journal_commit(&journal);
	/* A second run: what was before the first one stays, both values are ours. */
	assert_int_equal(journal_note(&journal, HOST_SYSCTL, "a.b", "2", "3"), 0);
	assert_int_equal(journal_note(&journal, HOST_SYSCTL, "c.d", "7", "8"), 0);
	journal.applying = true;
	text = journal_text(&journal);
	size = strlen(text);
	assert_int_equal(journal_parse(text, size, &again), 0);
	assert_int_equal(again.count, 3);
	assert_true(again.applying);
	assert_string_equal(again.profile, "{\n}");
	entry = journal_find(&again, HOST_SYSCTL, "a.b");
	assert_string_equal(entry->before, "1");
	assert_true(journal_is_ours(entry, "2") && journal_is_ours(entry, "3") && !journal_is_ours(entry, "1"));
	assert_null(journal_find(&again, HOST_FILE, "/f")->before);
	/* Taken back, it is as after the first run. */
	journal_undo(&journal);
	assert_int_equal(journal.count, 2);
	assert_string_equal(journal_find(&journal, HOST_SYSCTL, "a.b")->after, "2");
	/* What goes back to what was before us is forgotten. */
	assert_int_equal(journal_note(&journal, HOST_SYSCTL, "a.b", "2", "1"), 0);
	journal_commit(&journal);
	assert_null(journal_find(&journal, HOST_SYSCTL, "a.b"));
	/* Each byte of it counts. */
	for (size_t i = 0; i < size; i++) {
		struct journal hurt = {.entries = NULL};

		text[i] ^= 1;
		assert_int_equal(journal_parse(text, size, &hurt), -EBADMSG);
		text[i] ^= 1;
		assert_int_equal(journal_parse(text, i, &hurt), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_codec),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_dangers),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_qstats),
		cmocka_unit_test(test_smc_sockets),
		cmocka_unit_test(test_journal),
	};

	if (!mkdtemp(tree))
		return 99;
	return cmocka_run_group_tests(tests, NULL, remove_tree);
}
