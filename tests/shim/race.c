/* SPDX-License-Identifier: MIT */
/* The shim under ThreadSanitizer: 64 threads begin with socket(), while a table appears and flips. Output: TAP. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policy/policy.h"
#include "policy/store.h"
#include "preload/counters.h"

/* Longer than the second after which a missing table is looked for again. */
#define SECONDS 3
#define THREADS 64

extern struct smcshim_counters smcshim_counters;

static char table[64];
static struct sockaddr_in target;
static pthread_barrier_t start;
static _Atomic(bool) over;
static _Atomic(unsigned) sockets, connects, failures;

static void complain(const char *what)
{
	if (failures++ < 10)
		printf("# %s: %s\n", what, strerror(errno));
}

static void use_one(unsigned turn)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), value = 1, protocol = 0;
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof protocol;

	if (fd < 0) {
		complain("socket");
		return;
	}
	sockets++;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) || protocol != IPPROTO_TCP)
		complain("getsockopt");
	if (turn % 4 == 0) {
		if (bind(fd, (struct sockaddr *)&any, sizeof any) || listen(fd, 5))
			complain("listen");
	} else if (turn % 4 == 1) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		if (connect(fd, (struct sockaddr *)&target, sizeof target) && errno != EINPROGRESS)
			complain("nonblocking connect");
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len);
	} else if (connect(fd, (struct sockaddr *)&target, sizeof target)) {
		complain("connect");
	} else {
		connects++;
	}
	close(fd);
}

static void *client(void *arg)
{
	pthread_barrier_wait(&start);
	for (unsigned turn = 0; !over; turn++)
		use_one(turn);
	return arg;
}

static void *server(void *arg)
{
	int listener = *(int *)arg;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		close(fd);
	}
}

static struct policy_image *compile(const char *text)
{
	struct policy_errors errors = {0};
	struct policy_image *image = NULL;
	struct policy *policy = NULL;

	if (policy_parse("race", text, strlen(text), &policy, &errors) || policy_compile(policy, &image, &errors))
		abort();
	policy_free(policy);
	return image;
}

static void *writer(void *arg)
{
	struct policy_publication publications[2] = {{.kernel = 0x1f, .source = "/race", .wait = true}};
	struct policy_store *store;

	publications[1] = publications[0];
	publications[0].image = compile("{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":\"any\"}]}");
	publications[1].image = compile("{\"version\":1,\"rules\":[{\"use\":\"smc\",\"listen\":\"any\"}]}");
	pthread_barrier_wait(&start);
	if (policy_store_open(table, POLICY_STORE_CREATE, &store))
		abort();
	for (int i = 0; !over; i++) {
		struct timespec pause = {0, 3000000};

		if (policy_store_publish(store, &publications[i % 2], NULL) ||
			policy_store_set_state(store, (enum policy_state)(i / 8 % 3)))
			complain("publish");
		nanosleep(&pause, NULL);
	}
	policy_store_close(store);
	return arg;
}

/* The constructor of the shim has run when main begins: SMC_POLICY must be there before. */
static int run_again(char **argv)
{
	int fd;

	snprintf(table, sizeof table, "/tmp/shim-race.XXXXXX");
	fd = mkstemp(table);
	if (fd < 0 || close(fd) || unlink(table) || setenv("SMC_POLICY", table, 1))
		return 99;
	execv("/proc/self/exe", argv);
	return 127;
}

static int listen_here(void)
{
	socklen_t len = sizeof target;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	target = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(fd, (struct sockaddr *)&target, sizeof target) || listen(fd, 1024) ||
		getsockname(fd, (struct sockaddr *)&target, &len))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	pthread_t clients[THREADS], others[2];
	int listener;

	(void)argc;
	if (!getenv("SMC_POLICY"))
		return run_again(argv);
	snprintf(table, sizeof table, "%s", getenv("SMC_POLICY"));
	listener = listen_here();
	if (listener < 0 || pthread_barrier_init(&start, NULL, THREADS + 1) ||
		pthread_create(&others[0], NULL, server, &listener) || pthread_create(&others[1], NULL, writer, NULL))
		return 99;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&clients[i], NULL, client, NULL))
			return 99;
	sleep(SECONDS);
	over = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(clients[i], NULL);
	pthread_join(others[1], NULL);
	shutdown(listener, SHUT_RDWR);
	pthread_join(others[0], NULL);
	unlink(table);
	/* ThreadSanitizer ends the process with 66 where it found something. */
	puts("1..2");
	printf("%s 1 - %u sockets and %u connections, none failed\n", failures ? "not ok" : "ok", sockets, connects);
	printf("%s 2 - the table was found when it appeared\n",
		smcshim_counters.about.table_state == SMCSHIM_TABLE_MAPPED ? "ok" : "not ok");
	return failures ? 1 : 0;
}
