/* SPDX-License-Identifier: MIT */
/* Data that arrives later wakes a sleeper, on every kind of connection: read, poll, select, epoll. */
#include "config.h"

#include "tests/shim/harness.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#define DELAY_MS 150
/* The descriptor that a helper takes over. */
#define INHERITED 3

struct late {
	int fd;
	pthread_t thread;
};

static void *send_late(void *arg)
{
	const struct late *late = arg;

	sleep_ms(DELAY_MS);
	if (send(late->fd, "x", 1, MSG_NOSIGNAL) != 1)
		note("send failed");
	return NULL;
}

/* Each sleeps until there is data, and returns when it woke; that it was for the data is asked of recv(). */
static double sleep_in_read(int fd)
{
	char byte;

	EQUAL(read(fd, &byte, 1), 1);
	return now();
}

static double sleep_in_poll(int fd)
{
	double end;
	char byte;

	EQUAL(poll_for(fd, POLLIN, 3000), POLLIN);
	end = now();
	EQUAL(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
	return end;
}

static double sleep_in_select(int fd)
{
	double end;
	struct timeval limit = {3, 0};
	fd_set set;
	char byte;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	EQUAL(select(fd + 1, &set, NULL, NULL, &limit), 1);
	end = now();
	EQUAL(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
	return end;
}

static double sleep_in_epoll(int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET | EPOLLRDHUP};
	int epoll = epoll_create1(0);
	double end;
	char byte;

	MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	EQUAL(epoll_wait(epoll, &event, 1, 3000), 1);
	end = now();
	EQUAL(event.events, EPOLLIN);
	EQUAL(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
	close(epoll);
	return end;
}

static void wakes(int sleeper, int sender, const char *whose)
{
	static double (*const ways[])(int) = {sleep_in_read, sleep_in_poll, sleep_in_select, sleep_in_epoll};
	static const char *const names[] = {"read", "poll", "select", "epoll"};

	for (size_t i = 0; i < 4; i++) {
		struct late late = {.fd = sender};
		double begin = now(), slept;

		MUST(pthread_create(&late.thread, NULL, send_late, &late) == 0);
		slept = ways[i](sleeper) - begin;
		CHECKF(slept > (DELAY_MS - 1) / 1e3 && slept < 2.9, "%s: %s woke after %.2f s", whose, names[i], slept);
		pthread_join(late.thread, NULL);
	}
}

static void clients(void)
{
	EACH_PLACE(place)
	{
		int server, client = place_connect(place, &server);

		wakes(client, server, "client");
		close(client);
		close(server);
	}
}

/*
 * What is done to the listener before it listens. The colliding option is the first trick: the shim knows of no socket that
 * became TCP in place yet, so it is the hook of setsockopt() that has to see it.
 */
enum trick { PLAIN, COLLIDING, FAST_OPEN, FAILED_CONNECT, DENIED_CONNECT, TRICKS };

static void play(enum trick trick, int fd)
{
	struct address at;
	int five = 5, one = 1;

	switch (trick) {
	case COLLIDING: /* 23, as TCP_FASTOPEN */
		SUCCEEDS(setsockopt(fd, IPPROTO_IP, IP_CHECKSUM, &one, sizeof one));
		break;
	case FAST_OPEN:
		SUCCEEDS(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &five, sizeof five));
		break;
	case FAILED_CONNECT: /* as SMC, where the policy says so */
		close(place_listen(ALLOWED, &at));
		FAILS(connect_to(fd, &at), ECONNREFUSED);
		break;
	case DENIED_CONNECT: /* became TCP in place */
		close(place_listen(DENIED, &at));
		FAILS(connect_to(fd, &at), ECONNREFUSED);
		break;
	default:
		break;
	}
}

static void children(const char *host, enum trick trick)
{
	static const char *const names[TRICKS] = {
		"plain", "IP_CHECKSUM", "TCP_FASTOPEN", "a connect that failed", "a denied connect"};
	struct address at = address_of(host, 0);
	int listener = place_socket(0), protocols[] = {0, IPPROTO_SMC};

	play(trick, listener);
	if (trick != FAILED_CONNECT && trick != DENIED_CONNECT)
		SUCCEEDS(bind(listener, &at.any, at.len));
	SUCCEEDS(listen(listener, 5));
	at = local_address(listener);
	/*
	 * Inherent: after a failed connect TCP forgets the local address and listens everywhere; an SMC socket keeps it.
	 */
	at = address_of(trick == FAILED_CONNECT || trick == DENIED_CONNECT ? "127.0.0.1" : host, port_of(&at));
	for (int i = 0; i < (kernel_has_smc() ? 2 : 1); i++) {
		int client = raw_socket(AF_INET, SOCK_STREAM, protocols[i]), server;

		context("%s, %s, %s client", host, names[trick], i ? "SMC" : "TCP");
		MUST(raw_connect(client, &at) == 0);
		CHECK(poll_for(listener, POLLIN, 5000) & POLLIN);
		server = accept(listener, NULL, NULL);
		MUST(server >= 0);
		wakes(server, client, "accepted");
		close(server);
		close(client);
	}
	close(listener);
}

static void accepted(void)
{
	for (enum trick trick = PLAIN; trick < TRICKS; trick++) {
		children("127.0.0.1", trick);
		children("127.0.1.1", trick);
	}
}

/* Became TCP in place before the program that listens was executed. */
static void takes_listener(void)
{
	int client = raw_socket(AF_INET, SOCK_STREAM, 0), server;
	struct address at;

	SUCCEEDS(listen(INHERITED, 5));
	at = local_address(INHERITED);
	MUST(raw_connect(client, &at) == 0);
	CHECK(poll_for(INHERITED, POLLIN, 5000) & POLLIN);
	server = accept(INHERITED, NULL, NULL);
	MUST(server >= 0);
	wakes(server, client, "accepted");
}

static void inherited(void)
{
	struct address at = address_of("127.0.0.1", 0);
	int fd = place_socket(0);

	play(FAST_OPEN, fd);
	MUST(bind(fd, &at.any, at.len) == 0 && dup2(fd, INHERITED) == INHERITED);
	run_helper("helper-takes-listener");
}

/* The listener itself wakes who waits for a connection. */
static void *connect_late(void *arg)
{
	const struct address *at = arg;
	int client = raw_socket(AF_INET, SOCK_STREAM, 0);

	sleep_ms(DELAY_MS);
	if (raw_connect(client, at))
		note("connect failed");
	sleep_ms(DELAY_MS);
	close(client);
	return NULL;
}

static void listeners(void)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.1.1"};

	for (int i = 0; i < 4; i++) {
		struct address at = address_of(hosts[i / 2], 0);
		struct epoll_event event = {.events = EPOLLIN | EPOLLET};
		int listener = place_socket(0), epoll = epoll_create1(0), server;
		pthread_t thread;

		context("%s, %s", hosts[i / 2], i % 2 ? "epoll" : "accept");
		MUST(bind(listener, &at.any, at.len) == 0 && listen(listener, 5) == 0);
		at = local_address(listener);
		MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0);
		MUST(pthread_create(&thread, NULL, connect_late, &at) == 0);
		if (i % 2)
			EQUAL(epoll_wait(epoll, &event, 1, 3000), 1);
		server = accept(listener, NULL, NULL);
		CHECK(server >= 0);
		pthread_join(thread, NULL);
		close(server);
		close(listener);
		close(epoll);
	}
}

/* Sleepers that were there before connect(): poll in another thread on a fresh socket. */
struct early {
	int fd, epoll, got;
};

static void *wait_early(void *arg)
{
	struct early *early = arg;
	struct epoll_event event = {0};
	double end = now() + 4;

	do {
		early->got = epoll_wait(early->epoll, &event, 1, 4000);
	} while (!(event.events & EPOLLIN) && now() < end);
	return NULL;
}

static void early_sleepers(void)
{
	EACH_PLACE(place)
	{
		struct epoll_event event = {.events = EPOLLIN | EPOLLET};
		struct early early = {.fd = place_socket(0), .epoll = epoll_create1(0)};
		struct address at;
		int listener = place_listen(place, &at), server;
		pthread_t thread;
		double begin;

		MUST(epoll_ctl(early.epoll, EPOLL_CTL_ADD, early.fd, &event) == 0);
		MUST(pthread_create(&thread, NULL, wait_early, &early) == 0);
		sleep_ms(50);
		SUCCEEDS(connect_to(early.fd, &at));
		server = raw_accept(listener);
		sleep_ms(50);
		begin = now();
		EQUAL(send(server, "x", 1, MSG_NOSIGNAL), 1);
		pthread_join(thread, NULL);
		CHECKF(early.got == 1 && now() - begin < 2, "woken %d after %.2f s", early.got, now() - begin);
		close(early.fd);
		close(early.epoll);
		close(server);
		close(listener);
	}
}

const struct test_case wake_cases[] = {
	{.name = "wake-clients", .run = clients},
	{.name = "wake-accepted", .run = accepted, .seconds = 60},
	{.name = "wake-inherited", .run = inherited},
	{.name = "helper-takes-listener", .run = takes_listener, .flags = HELPER},
	{.name = "wake-listeners", .run = listeners},
	{.name = "wake-early-sleepers", .run = early_sleepers, .seconds = 30},
	CASE_END,
};
