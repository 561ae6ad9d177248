/* SPDX-License-Identifier: MIT */
/* The table is large and sparse: a process maps what stands in it, and follows it when that becomes more. */
#include "config.h"

#include "tests/shim/harness.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/table.h"

#define BYTES_OF_CIDR 32u
#define ONE "{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":\"127.0.0.1/32\"}]}"

/* Leaves of 64 intervals take 512 bytes, and each CIDR makes two: 5,000 are more than a window of 64 KiB shows. */
#define MANY 5000u

/* So many CIDRs of 10.0.0.0/8 that nothing joins, and one that is looked for. */
static void publish_many(unsigned count, const char *last)
{
	static const char head[] = "{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":[";
	char *text = malloc(sizeof head + (count + 2) * (size_t)BYTES_OF_CIDR);
	char *at = text;

	MUST(text != NULL);
	at += sprintf(at, "%s", head);
	for (unsigned i = 0; i < count; i++)
		at += sprintf(at, "\"10.%u.%u.%u/32\",", i >> 15 & 255, i >> 7 & 255, (i & 127) * 2);
	sprintf(at, "\"%s/32\"]}]}", last);
	publish(text);
	free(text);
}

/* The policy is only observed, so that any kernel will do: what would have been SMC is counted. */
static void begin(const char *policy)
{
	publish(policy);
	set_state(getenv("SMC_POLICY"), POLICY_OBSERVE);
}

static void connect_is(const char *host, bool smc)
{
	struct address address = address_of(host, 0);
	int listener = raw_listener(&address, IPPROTO_TCP);
	struct counts before = counts_now();
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	context("%s", host);
	SUCCEEDS(connect_to(fd, &address));
	COUNTED(before, SMCSHIM_connect_observed, smc);
	COUNTED(before, SMCSHIM_connect_tcp, !smc);
	KIND(fd, TCP);
	close(fd);
	close(listener);
}

static long long table_bytes(void)
{
	struct stat st;

	MUST(stat(getenv("SMC_POLICY"), &st) == 0);
	return (long long)st.st_blocks * 512;
}

/* Each publication goes to the other half; the third is larger than both windows by then. */
static void grows(void)
{
	begin(ONE);
	connect_is("127.0.0.1", true);
	for (unsigned i = 1; i <= 5; i++) {
		char host[32];

		snprintf(host, sizeof host, "127.0.2.%u", i);
		publish_many(i * MANY, host);
		connect_is(host, true);
		connect_is("127.0.0.1", false);
	}
	publish(ONE);
	connect_is("127.0.0.1", true);
	connect_is("127.0.2.5", false);
}

static void locks(void)
{
	long long before = table_bytes();
	pid_t child;

	connect_is("127.0.0.1", true);
	MUST(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
	CHECKF(table_bytes() - before <= 2 * 65536, "mlockall() took %lld bytes of the table's file",
		table_bytes() - before);
	/* By a process of its own, for who publishes maps the whole table. */
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		publish_many(MANY, "127.0.2.1");
		finish();
	}
	reap(child);
	connect_is("127.0.2.1", true);
	CHECKF(table_bytes() - before < 1 << 20, "the table's file took %lld bytes", table_bytes() - before);
	unlink(getenv("SMC_POLICY"));
}

/* What would fill the holes of the file would fill /run: only a file system in memory gives a hole that is read a page. */
static void locked(void)
{
	char path[64];

	snprintf(path, sizeof path, "/dev/shm/shimtest-%d", (int)getpid());
	MUST(setenv("SMC_POLICY", path, 1) == 0);
	begin(ONE);
	run_helper("helper-window-locks");
}

static void small_space(void)
{
	connect_is("127.0.2.1", true);
	connect_is("127.0.0.1", false);
}

/* ulimit -v, LimitAS= */
static void limited(void)
{
	const struct rlimit limit = {100 << 20, 100 << 20};

	begin(ONE);
	publish_many(MANY, "127.0.2.1");
	MUST(setrlimit(RLIMIT_AS, &limit) == 0);
	run_helper("helper-small-space");
}

static void forbid_mremap(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mremap, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void sandboxed(void)
{
	forbid_mremap();
	/* There before: both halves are seen up to that size. */
	connect_is("127.0.2.1", true);
	publish_many(MANY, "127.0.2.2");
	connect_is("127.0.2.2", true);
	/* More than can be seen now is TCP. */
	publish_many(4 * MANY, "127.0.2.3");
	connect_is("127.0.2.3", false);
	publish(ONE);
	connect_is("127.0.0.1", true);
}

static void sandbox(void)
{
	begin(ONE);
	publish_many(MANY, "127.0.2.1");
	run_helper("helper-window-sandboxed");
}

const struct test_case window_cases[] = {
	{.name = "window-grows", .run = grows, .flags = IN_OWN, .policy = ONE},
	{.name = "window-locked", .run = locked, .flags = IN_OWN | NO_ASAN, .policy = ONE},
	{.name = "helper-window-locks", .run = locks, .flags = HELPER},
	{.name = "window-limited", .run = limited, .flags = IN_OWN | NO_ASAN, .policy = ONE},
	{.name = "helper-small-space", .run = small_space, .flags = HELPER},
	{.name = "window-sandboxed", .run = sandbox, .flags = IN_OWN, .policy = ONE},
	{.name = "helper-window-sandboxed", .run = sandboxed, .flags = HELPER},
	CASE_END,
};
