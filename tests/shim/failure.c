/* SPDX-License-Identifier: MIT */
/* Too few descriptors, tables that are missing, late, hostile or unlinked: the program notices nothing. */
#include "config.h"

#include "tests/shim/harness.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERYTHING \
	"{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":\"any\"},{\"use\":\"smc\",\"listen\":\"any\"}]}"
#define NOTHING "{\"version\":1,\"rules\":[{\"use\":\"tcp\",\"connect\":\"any\"}]}"

/* ---- descriptors ---- */

/* Takes every descriptor but those left. */
static int fill_up(int left)
{
	struct rlimit limit = {40, 40};
	int last = -1, fd;

	MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	EQUAL(errno, EMFILE);
	for (int i = 0; i < left; i++)
		close(last - i);
	return last;
}

/* None is free but the socket's own. Inherent: options under 4 bytes then give EINVAL, for TCP cannot be asked. */
static void no_descriptor_to_spare(void)
{
	EACH_PLACE(place)
	{
		bool smc = place_is_smc(place), fresh = fresh_is_smc();

		for (int quirk = 0; quirk < 2; quirk++) {
			pid_t child = fork();

			if (child == 0) {
				struct address at;
				int listener = place_listen(place, &at), client, on = 1, off = 0;

				fill_up(1);
				client = socket(AF_INET, SOCK_STREAM, 0);
				MUST(client >= 0);
				KIND(client, fresh ? SMC : TCP);
				FAILS(socket(AF_INET, SOCK_STREAM, 0), EMFILE);
				SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
				SUCCEEDS(setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
				if (quirk)
					SUCCEEDS(setsockopt(
						client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &off, sizeof off));
				SUCCEEDS(connect_to(client, &at));
				KIND(client, smc && !quirk ? SMC : TCP);
				EQUAL(raw_int_option(client, SOL_SOCKET, SO_KEEPALIVE), 1);
				close(listener);
				finish();
			}
			reap(child);
		}
	}
}

/* The socket cannot be replaced for want of a descriptor: it listens all the same. */
static void listens_with_none(void)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.1.1"};

	for (int i = 0; i < 4; i++) {
		pid_t child = fork();

		context("%s, port %s", hosts[i / 2], i & 1 ? "given" : "0");
		if (child == 0) {
			struct address at = address_of(hosts[i / 2], 0);
			int listener, client = raw_socket(AF_INET, SOCK_STREAM, 0), server, last;

			if (i & 1)
				close(raw_listener(&at, 0));
			last = fill_up(1);
			listener = socket(AF_INET, SOCK_STREAM, 0);
			SUCCEEDS(bind(listener, &at.any, at.len));
			SUCCEEDS(listen(listener, 5));
			at = local_address(listener);
			EQUAL(raw_connect(client, &at), 0);
			FAILS(accept(listener, NULL, NULL), EMFILE);
			close(last - 1);
			server = accept(listener, NULL, NULL);
			CHECKF(server >= 0, "accept: %m");
			if (server >= 0)
				talk(client, server);
			finish();
		}
		reap(child);
	}
}

/* ---- tables ---- */

/* What every program does, on TCP. */
static void plain_life(void)
{
	struct address at = address_of("127.0.0.1", 0);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server;

	SUCCEEDS(bind(listener, &at.any, at.len));
	SUCCEEDS(listen(listener, 5));
	at = local_address(listener);
	SUCCEEDS(connect_to(client, &at));
	server = accept(listener, NULL, NULL);
	MUST(server >= 0);
	KIND(listener, TCP);
	KIND(client, TCP);
	KIND(server, TCP);
	talk(client, server);
}

static void temporary(char path[64])
{
	int fd;

	snprintf(path, 64, "/tmp/shimtest-table.XXXXXX");
	fd = mkstemp(path);
	MUST(fd >= 0);
	close(fd);
	MUST(unlink(path) == 0);
}

static void with_table(const char *path, const char *helper)
{
	pid_t child = fork();

	MUST(child >= 0);
	if (child == 0) {
		setenv("SMC_POLICY", path, 1);
		run_helper(helper);
	}
	reap(child);
}

static void strange_tables(void)
{
	static const char *const paths[] = {"", "relative", "/nonexistent/table", "/tmp", "/dev/null", "/dev/zero",
		"/proc/self/mem", "/proc/self/exe", "/etc/passwd"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		context("SMC_POLICY='%s'", paths[i]);
		with_table(paths[i], "helper-plain-life");
	}
}

/* A good table that somebody else may write, a link to one, one cut short, one of a foreign version, one of noise. */
static void hostile_tables(void)
{
	char path[64], link[80], junk[1024];
	int fd;

	temporary(path);
	publish_at(path, EVERYTHING, 0x1f);
	context("writable by others");
	MUST(chmod(path, 0666) == 0);
	with_table(path, "helper-plain-life");

	MUST(chmod(path, 0644) == 0);
	if (geteuid() == 0) {
		context("of another owner");
		MUST(chown(path, 1234, 1234) == 0);
		with_table(path, "helper-plain-life");
		MUST(chown(path, 0, 0) == 0);
	}
	context("a link");
	snprintf(link, sizeof link, "%s.link", path);
	MUST(symlink(path, link) == 0);
	with_table(link, "helper-plain-life");
	unlink(link);

	context("a foreign version");
	fd = open(path, O_RDWR);
	MUST(pwrite(fd, &(uint32_t){77}, 4, 8) == 4);
	with_table(path, "helper-plain-life");
	MUST(pwrite(fd, &(uint32_t){1}, 4, 8) == 4);

	context("noise");
	for (size_t i = 0; i < sizeof junk; i++)
		junk[i] = (char)(i * 7919 >> 3);
	for (off_t at = 4096; at < 65536; at += (off_t)sizeof junk)
		MUST(pwrite(fd, junk, sizeof junk, at) == sizeof junk);
	for (off_t at = 4096 + (256 << 20); at < 65536 + (256 << 20); at += (off_t)sizeof junk)
		MUST(pwrite(fd, junk, sizeof junk, at) == sizeof junk);
	with_table(path, "helper-plain-life");

	context("cut short");
	MUST(ftruncate(fd, 5000) == 0);
	with_table(path, "helper-plain-life");
	MUST(ftruncate(fd, 0) == 0);
	with_table(path, "helper-plain-life");
	close(fd);
	unlink(path);
}

/* The table appears when the process already runs. */
static void late_table_process(void)
{
	const char *path = getenv("SMC_POLICY");
	double end = now() + 4;
	int fd = socket(AF_INET, SOCK_STREAM, 0), kind = TCP;

	KIND(fd, TCP);
	publish_at(path, EVERYTHING, 0x1f);
	while (now() < end && kind == TCP) {
		close(fd);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		kind = (int)kind_of(fd);
		sleep_ms(50);
	}
	CHECKF(kind == SMC, "4 s after the table appeared, sockets are still TCP");
	unlink(path);
}

static void late_table(void)
{
	char path[64];

	temporary(path);
	with_table(path, "helper-late-table");
}

/* A process that has lost every way to the table's file: flips still reach it. */
static void flips_reach(const char *table)
{
	int ends[2], back[2], status;
	pid_t child;
	char byte;

	MUST(pipe(ends) == 0 && pipe(back) == 0);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		char root[64] = "/tmp/shimtest-root.XXXXXX";

		/* unshare(2) of mounts and chroot(2) need root; without it, the rest is still a test. */
		if (geteuid() == 0) {
			MUST(mkdtemp(root) != NULL);
			MUST(chroot(root) == 0 && chdir("/") == 0);
			MUST(setgid(65534) == 0 && setuid(65534) == 0);
		}
		for (int i = 0; i < 4; i++) {
			int fd = socket(AF_INET, SOCK_STREAM, 0);

			context("turn %d", i);
			KIND(fd, i % 2 == 0 && kernel_has_smc() ? SMC : TCP);
			close(fd);
			MUST(write(back[1], "", 1) == 1 && read(ends[0], &byte, 1) == 1);
		}
		finish();
	}
	for (int i = 0; i < 4; i++) {
		MUST(read(back[0], &byte, 1) == 1);
		publish_at(table, i % 2 == 0 ? NOTHING : EVERYTHING, 0x1f);
		MUST(write(ends[1], "", 1) == 1);
	}
	MUST(waitpid(child, &status, 0) == child);
	EQUAL(status, 0);
}

static void after_chroot(void)
{
	flips_reach(getenv("SMC_POLICY"));
}

/* The kill switch and its opposite, in a running process. */
static void switched(void)
{
	const char *table = getenv("SMC_POLICY");

	for (int i = 0; i < 6; i++) {
		static const unsigned states[] = {1, 0, 2};
		bool smc = states[i % 3] == 1 && kernel_has_smc();
		int fd;

		set_state(table, states[i % 3]);
		context("state %u", states[i % 3]);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		KIND(fd, smc ? SMC : TCP);
		close(fd);
	}
	/* Sockets that began as SMC and connect after the switch. */
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client;

		set_state(table, 1);
		client = place_socket(0);
		KIND(client, kernel_has_smc() ? SMC : TCP);
		set_state(table, place == ALLOWED ? 0 : 2);
		connects_as_tcp(client, listener, &at);
		close(listener);
	}
}

/* "programs": by the name of the executable, as the kernel's comm has it. */
static void programs(void)
{
	static const struct {
		const char *programs;
		bool inside;
	} lists[] = {{"{\"only\":[\"shimtest\"]}", true}, {"{\"only\":[\"other\"]}", false},
		{"{\"except\":[\"shimtest\"]}", false}, {"{\"except\":[\"other\"]}", true},
		{"{\"only\":[\"shim*\"]}", true}, {"{\"except\":[\"sh*\"]}", false}};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		char text[256];
		int fd;

		context("%s", lists[i].programs);
		snprintf(text, sizeof text,
			"{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":\"any\"}],\"programs\":%s}",
			lists[i].programs);
		publish(text);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		KIND(fd, lists[i].inside && kernel_has_smc() ? SMC : TCP);
		close(fd);
	}
}

#define OWN .flags = IN_OWN, .policy = EVERYTHING

const struct test_case failure_cases[] = {
	{.name = "failure-no-descriptor-to-spare", .run = no_descriptor_to_spare},
	{.name = "failure-listens-with-none", .run = listens_with_none},
	{.name = "failure-strange-tables", .run = strange_tables, OWN},
	{.name = "failure-hostile-tables", .run = hostile_tables, OWN},
	{.name = "helper-plain-life", .run = plain_life, .flags = HELPER},
	{.name = "failure-late-table", .run = late_table, .flags = IN_OWN | NEEDS_SMC, .policy = EVERYTHING},
	{.name = "helper-late-table", .run = late_table_process, .flags = HELPER},
	{.name = "policy-after-chroot", .run = after_chroot, OWN},
	{.name = "policy-switched", .run = switched, OWN},
	{.name = "policy-programs", .run = programs, OWN},
	CASE_END,
};
