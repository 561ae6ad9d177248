/* SPDX-License-Identifier: MIT */
/* Tests of the table of reasons, which smcctl-sockets(8) must repeat word by word, and of the names of units and containers. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/smc/owners.h"
#include "ctl/smc/reasons.h"
#include "tests/unit/manual.h"

static void manual(void **state)
{
	const char *text = manual_read("smcctl-sockets.8");
	const char *from = strstr(text, ".Sh REASONS ");
	const char *end;
	size_t count;
	size_t items = 0;
	const struct reason *table = reasons(&count);

	(void)state;
	assert_non_null(from);
	end = strstr(from + 1, ".Sh ");
	assert_non_null(end);
	for (const char *p = from; (p = strstr(p, ".It 0")) && p < end; p++)
		items++;
	assert_int_equal(items, count);
	for (size_t i = 0; i < count; i++) {
		char expected[400];

		snprintf(expected, sizeof(expected), ".It %08" PRIx32 " %s %s; %s. ", table[i].code, table[i].name,
			table[i].meaning, table[i].remedy);
		if (!strstr(from, expected))
			fail_msg("smcctl-sockets.8 does not say: %s", expected);
	}
}

static void table_is_sound(void **state)
{
	size_t count;
	const struct reason *table = reasons(&count);

	(void)state;
	assert_int_equal(count, 36);
	for (size_t i = 0; i < count; i++) {
		uint32_t code = 0;

		assert_true(i == 0 || table[i - 1].code < table[i].code);
		assert_ptr_equal(reason_find(table[i].code), &table[i]);
		assert_int_equal(reason_parse(table[i].name, &code), 0);
		assert_int_equal(code, table[i].code);
		assert_true(table[i].meaning[0] && table[i].remedy[0]);
	}
	assert_null(reason_find(0));
	assert_null(reason_find(0x0a0b0c0d));
}

static void parsing(void **state)
{
	static const char *const bad[] = {
		"", "0", "0x", "noueid", "NOUEID ", "-1", "123456789", "0303000g", "SMC_CLC_DECL_"};
	uint32_t code;

	(void)state;
	assert_int_equal(reason_parse("SMC_CLC_DECL_NOUEID", &code), 0);
	assert_int_equal(code, 0x03030008);
	assert_int_equal(reason_parse("3030008", &code), 0);
	assert_int_equal(code, 0x03030008);
	assert_int_equal(reason_parse("0x0A0b0c0d", &code), 0);
	assert_int_equal(code, 0x0a0b0c0d);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(reason_parse(bad[i], &code), -EINVAL);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void units(void **state)
{
	static const struct {
		const char *cgroup;
		const char *unit;
	} rows[] = {
		{"0::/system.slice/redis.service\n", "redis.service"},
		{"0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service\n", "a.service"},
		{"0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope"},
		{"12:cpu,cpuacct:/x.service\n1:name=systemd:/system.slice/ssh.service\n0::/\n", "ssh.service"},
		{"0::/system.slice/docker-" ID ".scope\n", "docker:0123456789ab"},
		{"0::/docker/" ID "\n", "docker:0123456789ab"},
		{"0::/machine.slice/libpod-" ID ".scope/container\n", "libpod:0123456789ab"},
		{"0::/kubepods.slice/kubepods-besteffort.slice/cri-containerd-" ID ".scope\n",
			"cri-containerd:0123456789ab"},
		{"0::/kubepods/burstable/pod1234/" ID "\n", "container:0123456789ab"},
		{"0::/lxc.payload.web/init.scope\n", "init.scope"},
		{"0::/\n", ""},
		{"", ""},
		{"nonsense", ""},
		{"0:", ""},
		{"0::/system.slice/" ID "a\n", ""},
	};
	char unit[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		owners_unit(rows[i].cgroup, unit, sizeof(unit));
		assert_string_equal(unit, rows[i].unit);
	}
}

/* Of version 1 the line that counts is the last of many, each as long as Kubernetes makes it. */
static void unit_at_the_end(void **state)
{
	char path[] = "/tmp/smcshim-unit-XXXXXX";
	char unit[128];
	FILE *file;
	int directory;

	(void)state;
	assert_non_null(mkdtemp(path));
	directory = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(directory >= 0);
	assert_int_equal(owners_unit_of(directory, unit, sizeof(unit)), 0);
	assert_string_equal(unit, "");
	file = fdopen(openat(directory, "cgroup", O_WRONLY | O_CREAT, 0600), "w");
	assert_non_null(file);
	for (int i = 14; i > 1; i--)
		fprintf(file,
			"%d:controller%d:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod%s.slice/"
			"cri-%s\n",
			i, i, ID, ID);
	fputs("1:name=systemd:/system.slice/cri-containerd-" ID ".scope\n", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(owners_unit_of(directory, unit, sizeof(unit)), 0);
	assert_string_equal(unit, "cri-containerd:0123456789ab");
	assert_int_equal(unlinkat(directory, "cgroup", 0), 0);
	close(directory);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manual),
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(parsing),
		cmocka_unit_test(units),
		cmocka_unit_test(unit_at_the_end),
	};

	return cmocka_run_group_tests_name("ctl-reasons", tests, NULL, NULL);
}
