/* SPDX-License-Identifier: MIT */
/* epoll(7) registrations made before connect(2) keep working, whatever the socket becomes. */
#include "config.h"

#include "tests/shim/harness.h"

#include <sys/epoll.h>
#include <unistd.h>

#define MARK 0x1234abcdu

/* How a descriptor is watched: directly or through a second epoll. */
struct watch {
	int inner, outer;
	uint32_t mode;
};

static struct watch watch(int fd, uint32_t mode, bool nested)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | mode, .data.u64 = MARK};
	struct watch w = {epoll_create1(0), -1, mode};

	MUST(w.inner >= 0 && epoll_ctl(w.inner, EPOLL_CTL_ADD, fd, &event) == 0);
	if (nested) {
		event = (struct epoll_event){.events = EPOLLIN};
		w.outer = epoll_create1(0);
		MUST(epoll_ctl(w.outer, EPOLL_CTL_ADD, w.inner, &event) == 0);
	}
	return w;
}

/* Waits until one report holds all the wanted events; returns it, or 0 after 4 s. */
static uint32_t wait_for(const struct watch *w, int fd, uint32_t wanted)
{
	struct epoll_event event = {0};
	double end = now() + 4;

	do {
		if (w->outer >= 0 && epoll_wait(w->outer, &event, 1, 4000) != 1)
			return 0;
		if (epoll_wait(w->inner, &event, 1, w->outer >= 0 ? 0 : 4000) != 1)
			continue;
		EQUAL(event.data.u64, MARK);
		if (w->mode & EPOLLONESHOT) {
			uint32_t seen = event.events;

			event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | w->mode;
			MUST(epoll_ctl(w->inner, EPOLL_CTL_MOD, fd, &event) == 0);
			event.events = seen;
		}
		if ((event.events & wanted) == wanted)
			return event.events;
		sleep_ms(1);
	} while (now() < end);
	return 0;
}

static void life(enum place place, uint32_t mode, bool nested, bool blocking)
{
	struct address at;
	int listener = place_listen(place, &at), client = place_socket(blocking ? 0 : SOCK_NONBLOCK), server,
	    error = -1;
	socklen_t len = sizeof error;
	struct watch w = watch(client, mode, nested);
	uint32_t events;
	char byte;

	context("%s%s%s%s%s", place_name(place), mode & EPOLLET ? ", edge" : "", mode & EPOLLONESHOT ? ", oneshot" : "",
		nested ? ", nested" : "", blocking ? ", blocking" : "");
	if (blocking)
		SUCCEEDS(connect_to(client, &at));
	else
		FAILS(connect_to(client, &at), EINPROGRESS);
	server = raw_accept(listener);
	/* TCP reports OUT|HUP of a fresh socket, and SMC nothing: what counts is OUT without HUP. */
	do {
		events = wait_for(&w, client, EPOLLOUT);
	} while (events & EPOLLHUP);
	CHECKF(events == EPOLLOUT, "after connect: %#x", events);
	EQUAL(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	EQUAL(error, 0);
	KIND(client, place_is_smc(place) ? SMC : TCP);

	sleep_ms(20);
	EQUAL(send(server, "x", 1, MSG_NOSIGNAL), 1);
	events = wait_for(&w, client, EPOLLIN);
	CHECKF(events == (EPOLLIN | EPOLLOUT), "after data: %#x", events);
	EQUAL(recv(client, &byte, 1, MSG_DONTWAIT), 1);

	sleep_ms(20);
	EQUAL(shutdown(server, SHUT_WR), 0);
	events = wait_for(&w, client, EPOLLRDHUP);
	CHECKF(events == (EPOLLIN | EPOLLOUT | EPOLLRDHUP), "after the peer's shutdown: %#x", events);
	EQUAL(recv(client, &byte, 1, MSG_DONTWAIT), 0);

	EQUAL(shutdown(client, SHUT_WR), 0);
	events = wait_for(&w, client, EPOLLHUP);
	CHECKF(events == (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP), "after both shutdowns: %#x", events);
	EQUAL(epoll_ctl(w.inner, EPOLL_CTL_DEL, client, NULL), 0);
	close(client);
	close(server);
	close(listener);
	close(w.inner);
	if (w.outer >= 0)
		close(w.outer);
}

static void lives(void)
{
	static const uint32_t modes[] = {0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT};

	EACH_PLACE(place)
	for (size_t m = 0; m < sizeof modes / sizeof *modes; m++)
		for (int way = 0; way < 4; way++)
			life(place, modes[m], way & 1, way & 2);
}

/* The other outcome: an edge-triggered registration hears of the failure. */
static void refused(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int client = place_socket(SOCK_NONBLOCK), error = 0;
		socklen_t len = sizeof error;
		struct watch w = watch(client, EPOLLET, false);

		close(place_listen(place, &at));
		FAILS(connect_to(client, &at), EINPROGRESS);
		CHECK(wait_for(&w, client, EPOLLERR | EPOLLHUP) != 0);
		EQUAL(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len), 0);
		EQUAL(error, ECONNREFUSED);
		close(client);
		close(w.inner);
	}
}

/* Options that change the kind of a registered socket must not cost the registration. */
static void quirky_options(void)
{
	static const struct {
		int level, name, value;
		enum smcshim_counter counted;
	} quirks[] = {{IPPROTO_TCP, 30, 0, SMCSHIM_quirk_fastopen}, {IPPROTO_TCP, 34, 1, SMCSHIM_quirk_fastopen},
		{IPPROTO_IP, IP_CHECKSUM, 1, SMCSHIM_quirk_optname},
		{SOL_SOCKET, SO_ZEROCOPY, 1, SMCSHIM_quirk_refused_option}};

	for (size_t i = 0; i < sizeof quirks / sizeof *quirks; i++) {
		struct address at;
		int listener = place_listen(ALLOWED, &at), client = place_socket(SOCK_NONBLOCK), server;
		struct watch w = watch(client, EPOLLET, false);
		struct counts before = counts_now();
		uint32_t events;

		context("level %d, option %d", quirks[i].level, quirks[i].name);
		SUCCEEDS(setsockopt(client, quirks[i].level, quirks[i].name, &quirks[i].value, sizeof(int)));
		KIND(client, TCP);
		COUNTED(before, SMCSHIM_downgraded, fresh_is_smc());
		COUNTED(before, quirks[i].counted, fresh_is_smc());
		FAILS(connect_to(client, &at), EINPROGRESS);
		do {
			events = wait_for(&w, client, EPOLLOUT);
		} while (events & EPOLLHUP);
		EQUAL(events, EPOLLOUT);
		server = raw_accept(listener);
		sleep_ms(20);
		EQUAL(send(server, "x", 1, MSG_NOSIGNAL), 1);
		EQUAL(wait_for(&w, client, EPOLLIN), EPOLLIN | EPOLLOUT);
		close(client);
		close(server);
		close(listener);
		close(w.inner);
	}
}

/* Registered before bind and listen: the one place where a replacement may cost a registration. */
static void listener_registered_late(void)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.1.1"};

	for (int i = 0; i < 2; i++) {
		struct address at = address_of(hosts[i], 0);
		struct epoll_event event = {.events = EPOLLIN};
		int listener = place_socket(SOCK_NONBLOCK), client = raw_socket(AF_INET, SOCK_STREAM, 0),
		    epoll = epoll_create1(0);

		context("%s", hosts[i]);
		SUCCEEDS(bind(listener, &at.any, at.len));
		SUCCEEDS(listen(listener, 5));
		MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0);
		at = local_address(listener);
		EQUAL(raw_connect(client, &at), 0);
		EQUAL(epoll_wait(epoll, &event, 1, 3000), 1);
		close(client);
		close(listener);
		close(epoll);
	}
}

const struct test_case epoll_cases[] = {
	{.name = "epoll-lives", .run = lives, .seconds = 60},
	{.name = "epoll-refused", .run = refused},
	{.name = "epoll-quirky-options", .run = quirky_options},
	{.name = "epoll-listener", .run = listener_registered_late},
	CASE_END,
};
