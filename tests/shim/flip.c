/* SPDX-License-Identifier: MIT */
/* The policy flips while 64 threads connect without a pause: no connection fails, and each is wholly one kind. */
#include "config.h"

#include "tests/shim/harness.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 64
#define DESTINATIONS 8
#define SERVERS 8

#define RULES(who) \
	"{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":" who \
	"},{\"use\":\"smc\",\"listen\":\"any\",\"ports\":1}]}"

/* The first and the last four of 127.0.0.1 to 127.0.0.8. */
#define FIRST_HALF RULES("[\"127.0.0.1/32\",\"127.0.0.2/31\",\"127.0.0.4/32\"]")
#define SECOND_HALF RULES("[\"127.0.0.5/32\",\"127.0.0.6/31\",\"127.0.0.8/32\"]")

/* ---- the server: a process without threads of ours, SMC and TCP by whatever the client is ---- */

struct greeting {
	uint32_t number;
	uint32_t kind;
};

/*
 * The client has ended the connection; a reset keeps it from TIME_WAIT. A storm would leave so many that the kernel would
 * keep no more of them, also none of other tests that look for theirs.
 */
static void close_by_reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(fd);
}

static void answer(int fd)
{
	struct greeting g;

	if (recv(fd, &g, sizeof g, MSG_WAITALL) == sizeof g) {
		g.number = ~g.number;
		g.kind = kind_of(fd);
		send(fd, &g, sizeof g, MSG_NOSIGNAL);
		/* Until the client's end. */
		recv(fd, &g, 1, 0);
	}
	close_by_reset(fd);
}

static void *serve(void *arg)
{
	int listener = (int)(intptr_t)arg;

	for (;;) {
		int fd = (int)syscall(SYS_accept4, listener, NULL, NULL, 0);

		if (fd >= 0)
			answer(fd);
	}
	return NULL;
}

static pid_t start_server(unsigned *port)
{
	struct address at = address_of("0.0.0.0", 0);
	int listener = raw_listener(&at, IPPROTO_SMC);
	pid_t child;

	*port = port_of(&at);
	raw_listen(listener, 1024);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		pthread_t thread;

		for (int i = 0; i < SERVERS; i++)
			pthread_create(&thread, NULL, serve, (void *)(intptr_t)listener);
		for (;;)
			pause();
	}
	close(listener);
	return child;
}

/* ---- the clients ---- */

static struct {
	unsigned port;
	_Atomic(bool) over;
	_Atomic(unsigned) numbers, kinds[2], mixed, failed;
} storm;

static void one(unsigned number)
{
	char host[16];
	struct address at;
	struct greeting g = {number, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	enum kind kind;

	snprintf(host, sizeof host, "127.0.0.%u", 1 + number % DESTINATIONS);
	at = address_of(host, storm.port);
	if (fd < 0 || connect_to(fd, &at)) {
		if (storm.failed++ < 5)
			note("connection %u: %s", number, strerror(errno));
		close(fd);
		return;
	}
	kind = kind_of(fd);
	if (send(fd, &g, sizeof g, MSG_NOSIGNAL) != sizeof g || recv(fd, &g, sizeof g, MSG_WAITALL) != sizeof g ||
		g.number != ~number) {
		if (storm.failed++ < 5)
			note("connection %u of kind %s broke: %s", number, kind_name(kind), strerror(errno));
	} else if (g.kind != (uint32_t)kind || kind_of(fd) != kind || kind == OTHER) {
		storm.mixed++;
	} else {
		storm.kinds[kind]++;
	}
	close(fd);
}

static void *connect_without_pause(void *arg)
{
	while (!storm.over)
		one(storm.numbers++);
	return arg;
}

static void run_storm(pid_t writer, pid_t server)
{
	pthread_t threads[THREADS];
	pthread_attr_t small;
	int status = -1;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128 << 10);
	for (int i = 0; i < THREADS; i++)
		MUST(pthread_create(&threads[i], &small, connect_without_pause, NULL) == 0);
	MUST(waitpid(writer, &status, 0) == writer);
	EQUAL(status, 0);
	storm.over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	kill(server, SIGKILL);
	note("%u connections: %u SMC, %u TCP, %u mixed, %u failed", storm.numbers, storm.kinds[SMC], storm.kinds[TCP],
		storm.mixed, storm.failed);
	EQUAL(storm.failed, 0);
	EQUAL(storm.mixed, 0);
	CHECK(storm.kinds[TCP] > 100);
	CHECK(!kernel_has_smc() || storm.kinds[SMC] > 100);
	EQUAL(storm.kinds[SMC] + storm.kinds[TCP], storm.numbers);
}

/* ---- the writer ---- */

static pid_t start_writer(int flips, int go)
{
	void *writer = open_writer(getenv("SMC_POLICY"));
	const void *images[] = {compile_policy(FIRST_HALF), compile_policy(SECOND_HALF),
		compile_policy(RULES("\"any\"")),
		compile_policy("{\"version\":1,\"rules\":[{\"use\":\"tcp\",\"connect\":\"any\"}]}")};
	pid_t child = fork();

	MUST(child >= 0);
	if (child == 0) {
		char byte;

		if (go >= 0)
			MUST(read(go, &byte, 1) == 1);
		for (int i = 0; i < flips; i++) {
			write_policy(writer, images[i % 4]);
			sleep_ms(5);
		}
		finish();
	}
	return child;
}

static void thousand(void)
{
	pid_t server = start_server(&storm.port), writer = start_writer(1000, -1);

	run_storm(writer, server);
}

/* ---- a process that can open nothing any more ---- */

static void forbid_open(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 437 /* openat2 */, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_creat, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_shmget, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void imprisoned(void)
{
	char root[] = "/tmp/shimtest-root.XXXXXX";
	int go[2];
	pid_t server = start_server(&storm.port), writer;

	MUST(pipe(go) == 0);
	writer = start_writer(400, go[0]);
	MUST(mkdtemp(root) != NULL);
	MUST(unshare(CLONE_NEWNS) == 0);
	MUST(chroot(root) == 0 && chdir("/") == 0);
	MUST(setgid(65534) == 0 && setuid(65534) == 0);
	forbid_open();
	MUST(write(go[1], "", 1) == 1);
	run_storm(writer, server);
}

/* The file is gone from its directory, the table is not. */
static void unlinked(void)
{
	int go[2];
	pid_t server = start_server(&storm.port), writer;

	MUST(pipe(go) == 0);
	writer = start_writer(200, go[0]);
	MUST(unlink(getenv("SMC_POLICY")) == 0);
	MUST(write(go[1], "", 1) == 1);
	run_storm(writer, server);
}

/* ---- writers that are killed ---- */

/* A policy long enough that its publication takes a while: what it says of 127.0.0.1 to .8 is the half's. */
static const void *long_policy(bool first)
{
	static char text[600000];
	size_t n = (size_t)snprintf(text, sizeof text,
		"{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":[\"127.0.0.%d/32\",\"127.0.0.%d/"
		"31\",\"127.0.0.%d/32\"]}",
		first ? 1 : 5, first ? 2 : 6, first ? 4 : 8);

	for (unsigned i = 0; i < 8000; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, ",{\"use\":\"%s\",\"connect\":\"10.%u.%u.0/25\"}",
			i % 2 ? "smc" : "tcp", i / 250, i % 250);
	snprintf(text + n, sizeof text - n, "]}");
	return compile_policy(text);
}

static pid_t start_killed_writers(int kills)
{
	const void *images[] = {long_policy(true), long_policy(false)};
	const char *table = getenv("SMC_POLICY");
	pid_t child;

	write_policy(open_writer(table), images[0]);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		for (int i = 0; i < kills; i++) {
			pid_t victim = fork();

			MUST(victim >= 0);
			if (victim == 0) {
				void *writer = open_writer(table);

				for (int turn = 0;; turn++)
					write_policy(writer, images[turn % 2]);
			}
			usleep((unsigned)(2000 + i * 7919 % 20000));
			kill(victim, SIGKILL);
			waitpid(victim, NULL, 0);
		}
		finish();
	}
	return child;
}

static enum kind kind_of_connection(const char *host)
{
	struct address at = address_of(host, storm.port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	enum kind kind;

	MUST(connect_to(fd, &at) == 0);
	kind = kind_of(fd);
	close(fd);
	return kind;
}

static void killed_writers(void)
{
	pid_t server = start_server(&storm.port), writers = start_killed_writers(150);
	unsigned port = storm.port;
	void *writer;

	run_storm(writers, server);
	/* Whichever policy is in force, it is one of the two, whole. */
	server = start_server(&port);
	storm.port = port;
	if (kernel_has_smc())
		CHECK((kind_of_connection("127.0.0.1") == SMC) != (kind_of_connection("127.0.0.5") == SMC));
	/* And the next writer is not held up. */
	writer = open_writer(getenv("SMC_POLICY"));
	write_policy(writer, compile_policy("{\"version\":1,\"rules\":[{\"use\":\"tcp\",\"connect\":\"any\"}]}"));
	EQUAL(kind_of_connection("127.0.0.1"), TCP);
	EQUAL(kind_of_connection("127.0.0.5"), TCP);
	kill(server, SIGKILL);
}

const struct test_case flip_cases[] = {
	{.name = "flip-thousand", .run = thousand, .flags = IN_OWN | ALONE, .seconds = 120, .policy = FIRST_HALF},
	{.name = "flip-imprisoned",
		.run = imprisoned,
		.flags = IN_OWN | ALONE | NEEDS_LAB,
		.seconds = 90,
		.policy = FIRST_HALF},
	{.name = "flip-unlinked", .run = unlinked, .flags = IN_OWN | ALONE, .seconds = 60, .policy = FIRST_HALF},
	{.name = "flip-killed-writers",
		.run = killed_writers,
		.flags = IN_OWN | ALONE,
		.seconds = 90,
		.policy = FIRST_HALF},
	CASE_END,
};
