/* SPDX-License-Identifier: MIT */
/* connect(2): outcomes, repeated calls and errors are those of TCP, and the kind is the policy's. */
#include "config.h"

#include "tests/shim/harness.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static void blocking(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(SOCK_CLOEXEC), server;
		struct counts before = counts_now();

		SUCCEEDS(connect_to(client, &at));
		COUNTED_ONCE(before, place_counter(place));
		server = raw_accept(listener);
		KIND(client, place_is_smc(place) ? SMC : TCP);
		KIND(server, place_is_smc(place) ? SMC : TCP);
		CHECK(!is_nonblock(client));
		EQUAL(fcntl(client, F_GETFD), FD_CLOEXEC);
		/* Inherent: after a blocking connect of an SMC socket the first further call may give 0. */
		if (connect_to(client, &at) != 0)
			EQUAL(errno, EISCONN);
		FAILS(connect_to(client, &at), EISCONN);
		COUNTED_ONCE(before, place_counter(place));
		COUNTED(before, SMCSHIM_connect_pending, 0);
		talk(client, server);
		close(client);
		close(server);
		close(listener);
	}
}

static void nonblocking(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(SOCK_NONBLOCK), server, error = -1;
		socklen_t len = sizeof error;
		struct counts before = counts_now();

		FAILS(connect_to(client, &at), EINPROGRESS);
		EQUAL(poll_for(client, POLLOUT, 5000), POLLOUT);
		COUNTED(before, SMCSHIM_connect_pending, place_is_tried(place));
		COUNTED(before, SMCSHIM_connect_tcp, !place_is_tried(place));
		SUCCEEDS(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len));
		EQUAL(error, 0);
		COUNTED(before, SMCSHIM_connect_pending, 0);
		COUNTED_ONCE(before, place_counter(place));
		server = raw_accept(listener);
		KIND(client, place_is_smc(place) ? SMC : TCP);
		KIND(server, place_is_smc(place) ? SMC : TCP);
		CHECK(is_nonblock(client));
		EQUAL(fcntl(client, F_GETFD), 0);
		talk(client, server);
		close(client);
		close(server);
		close(listener);
	}
}

/* A program that asks by connect() instead of SO_ERROR. */
static void repeated(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(SOCK_NONBLOCK), server;
		struct counts before = counts_now();

		FAILS(connect_to(client, &at), EINPROGRESS);
		EQUAL(poll_for(client, POLLOUT, 5000), POLLOUT);
		SUCCEEDS(connect_to(client, &at));
		COUNTED_ONCE(before, place_counter(place));
		FAILS(connect_to(client, &at), EISCONN);
		COUNTED_ONCE(before, place_counter(place));
		COUNTED(before, SMCSHIM_connect_pending, 0);
		server = raw_accept(listener);
		KIND(client, place_is_smc(place) ? SMC : TCP);
		talk(client, server);
		close(client);
		close(server);
		close(listener);
	}
}

/* The same without waiting in between. */
static void impatient(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at);

		for (int i = 0; i < 100; i++) {
			int client = place_socket(SOCK_NONBLOCK), server, r;
			double end = now() + 5;

			r = connect_to(client, &at);
			while (r && (errno == EINPROGRESS || errno == EALREADY) && now() < end)
				r = connect_to(client, &at);
			CHECKF(r == 0 || errno == EISCONN, "repeated connect: %m");
			server = raw_accept(listener);
			talk(client, server);
			close(client);
			close(server);
		}
		close(listener);
	}
}

static struct address refusing(enum place place)
{
	struct address at;

	close(place_listen(place, &at));
	return at;
}

static void connects_after_all(int client, const struct address *at)
{
	struct address same = *at;
	int listener = raw_listener(&same, 0), server;

	/* TCP answers ECONNABORTED once where the error was taken by SO_ERROR (__inet_stream_connect, SS_CONNECTING). */
	if (connect_to(client, at) && errno == ECONNABORTED)
		SUCCEEDS(connect_to(client, at));
	server = raw_accept(listener);
	talk(client, server);
	close(server);
	close(listener);
}

static void refused(void)
{
	EACH_PLACE(place)
	{
		struct address at = refusing(place);
		int client = place_socket(0);
		struct counts before = counts_now();

		FAILS(connect_to(client, &at), ECONNREFUSED);
		COUNTED_ONCE(before, SMCSHIM_connect_failed);
		COUNTED(before, SMCSHIM_replaced, 0);
		FAILS(connect_to(client, &at), ECONNREFUSED);
		COUNTED(before, SMCSHIM_connect_failed, 2);
		COUNTED(before, SMCSHIM_replaced, place_is_tried(place));
		before = counts_now();
		connects_after_all(client, &at);
		COUNTED_ONCE(before, place_is_tried(place) ? SMCSHIM_connect_fallback : SMCSHIM_connect_tcp);
		close(client);
	}
}

static void refused_nonblocking(void)
{
	EACH_PLACE(place)
	{
		struct address at = refusing(place);
		int client = place_socket(SOCK_NONBLOCK), error = -1;
		socklen_t len = sizeof error;
		struct counts before = counts_now();

		FAILS(connect_to(client, &at), EINPROGRESS);
		CHECK(poll_for(client, POLLOUT, 5000) & POLLERR);
		SUCCEEDS(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len));
		EQUAL(error, ECONNREFUSED);
		/* One on TCP is counted when it begins. */
		COUNTED_ONCE(before, place_is_tried(place) ? SMCSHIM_connect_failed : SMCSHIM_connect_tcp);
		COUNTED(before, SMCSHIM_connect_pending, 0);
		EQUAL(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len), 0);
		EQUAL(error, 0);
		set_nonblock(client, false);
		connects_after_all(client, &at);
		close(client);
	}
}

/* The error by connect() instead of SO_ERROR. */
static void refused_repeated(void)
{
	EACH_PLACE(place)
	{
		struct address at = refusing(place);
		int client = place_socket(SOCK_NONBLOCK);

		FAILS(connect_to(client, &at), EINPROGRESS);
		CHECK(poll_for(client, POLLOUT, 5000) & POLLERR);
		FAILS(connect_to(client, &at), ECONNREFUSED);
		set_nonblock(client, false);
		connects_after_all(client, &at);
		close(client);
	}
}

/* ---- destinations that do not answer ---- */

/* 1: ETIMEDOUT after 3 s, about when neighbour discovery gives up; 2: after 7 s. */
static int syn_count = 1;

static int prepared(int flags)
{
	int client = place_socket(flags);

	MUST(setsockopt(client, IPPROTO_TCP, TCP_SYNCNT, &syn_count, sizeof syn_count) == 0);
	return client;
}

/* These destinations are outside every rule of "some". */
static bool is_tried(void)
{
	return fresh_is_smc() && config_now() == IN_ALL;
}

static void by_blocking(const char *host, int error)
{
	struct address at = address_of(host, 4242);
	int client = prepared(0);
	struct counts before = counts_now();

	context("%s, blocking", host);
	FAILS(connect_to(client, &at), error);
	COUNTED_ONCE(before, SMCSHIM_connect_failed);
	COUNTED(before, SMCSHIM_quirk_so_error, is_tried());
	CHECK(!is_nonblock(client));
	at = refusing(DENIED);
	connects_after_all(client, &at);
	close(client);
}

static void by_so_error(const char *host, int want)
{
	struct address at = address_of(host, 4242);
	int client = prepared(SOCK_NONBLOCK), error = -1, events;
	socklen_t len = sizeof error;
	struct counts before = counts_now();
	char byte = 0;

	context("%s, SO_ERROR", host);
	FAILS(connect_to(client, &at), EINPROGRESS);
	FAILS(connect_to(client, &at), EALREADY);
	COUNTED(before, SMCSHIM_quirk_reconnect, is_tried());
	COUNTED(before, SMCSHIM_connect_pending, is_tried());
	events = poll_for(client, POLLOUT, 15000);
	CHECK(events & (POLLERR | POLLHUP));
	context("%s, SO_ERROR behind events %#x", host, (unsigned)events);
	SUCCEEDS(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len));
	EQUAL(error, want);
	COUNTED(before, SMCSHIM_quirk_so_error, is_tried());
	COUNTED(before, SMCSHIM_connect_pending, 0);
	COUNTED_ONCE(before, is_tried() ? SMCSHIM_connect_failed : SMCSHIM_connect_tcp);
	CHECK(send(client, &byte, 1, MSG_NOSIGNAL) < 0);
	set_nonblock(client, false);
	at = refusing(DENIED);
	connects_after_all(client, &at);
	close(client);
}

static void by_connect(const char *host, int error)
{
	struct address at = address_of(host, 4242);
	int client = prepared(SOCK_NONBLOCK);
	struct counts before = counts_now();

	context("%s, second connect", host);
	FAILS(connect_to(client, &at), EINPROGRESS);
	CHECK(poll_for(client, POLLOUT, 15000) & (POLLERR | POLLHUP));
	FAILS(connect_to(client, &at), error);
	COUNTED(before, SMCSHIM_quirk_so_error, is_tried());
	COUNTED(before, SMCSHIM_connect_failed, 1);
	close(client);
}

static void timed_out(void)
{
	by_blocking("10.77.0.2", ETIMEDOUT);
	by_so_error("10.77.0.2", ETIMEDOUT);
	by_connect("10.77.0.2", ETIMEDOUT);
}

/* More than the shim remembers: those that it forgot tell the truth, too. */
static void many_timed_out(void)
{
	enum { MANY = 600 };
	struct address at = address_of("10.77.0.2", 4242);
	int clients[MANY], told = 0;

	syn_count = 1;
	for (int i = 0; i < MANY; i++) {
		clients[i] = prepared(SOCK_NONBLOCK);
		FAILS(connect_to(clients[i], &at), EINPROGRESS);
	}
	for (int i = 0; i < MANY; i++) {
		int error = 0;
		socklen_t len = sizeof error;

		CHECK(poll_for(clients[i], POLLOUT, 30000) & (POLLERR | POLLHUP));
		SUCCEEDS(getsockopt(clients[i], SOL_SOCKET, SO_ERROR, &error, &len));
		told += error == ETIMEDOUT;
		close(clients[i]);
	}
	EQUAL(told, MANY);
	CHECK(!is_tried() || counter(SMCSHIM_connect_unseen) > 0);
}

static void no_neighbour(void)
{
	syn_count = 2;
	by_blocking("10.78.0.2", EHOSTUNREACH);
	by_so_error("10.78.0.3", EHOSTUNREACH);
	by_connect("10.78.0.4", EHOSTUNREACH);
}

static void no_route(void)
{
	static const struct {
		const char *host;
		int error;
	} routes[] = {{"10.79.0.1", EHOSTUNREACH}, {"10.79.1.1", EACCES}, {"192.0.2.1", ENETUNREACH}};

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		for (int flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
			struct address at = address_of(routes[i].host, 4242);
			int client = place_socket(flags);

			context("%s%s", routes[i].host, flags ? ", nonblocking" : "");
			FAILS(connect_to(client, &at), routes[i].error);
			FAILS(connect_to(client, &at), routes[i].error);
			set_nonblock(client, false);
			at = refusing(DENIED);
			connects_after_all(client, &at);
			close(client);
		}
}

/* ---- SO_SNDTIMEO ---- */

static void timeout_ends_connect(void)
{
	const struct timeval half = {0, 500000};
	struct timeval got = {0, 0};
	socklen_t len = sizeof got;
	struct address at = address_of("10.77.0.2", 4242);
	int client = place_socket(0);
	double begin;

	MUST(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &half, sizeof half) == 0);
	begin = now();
	FAILS(connect_to(client, &at), EINPROGRESS);
	CHECKF(now() - begin > 0.4 && now() - begin < 3, "connect took %.2f s", now() - begin);
	begin = now();
	FAILS(connect_to(client, &at), EALREADY);
	CHECKF(now() - begin > 0.4 && now() - begin < 3, "the second connect took %.2f s", now() - begin);
	EQUAL(getsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &got, &len), 0);
	CHECKF(got.tv_sec == 0 && got.tv_usec >= 500000 && got.tv_usec < 510000, "SO_SNDTIMEO reads %ld.%06ld",
		(long)got.tv_sec, (long)got.tv_usec);
	CHECK(!is_nonblock(client));
	close(client);
}

static void timeout_survives(void)
{
	EACH_PLACE(place)
	{
		const struct timeval three = {3, 0};
		struct timeval got = {0, 0};
		socklen_t len = sizeof got;
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(0), server;

		MUST(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &three, sizeof three) == 0);
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		KIND(client, place_is_smc(place) ? SMC : TCP);
		EQUAL(getsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &got, &len), 0);
		EQUAL(got.tv_sec, 3);
		talk(client, server);
		close(client);
		close(server);
		close(listener);
	}
}

/* Set anew while a nonblocking connect is under way, before anybody asks for its outcome. */
static void timeout_newer(void)
{
	EACH_PLACE(place)
	{
		const struct timeval three = {3, 0}, seven = {7, 0};
		struct timeval got = {0, 0};
		socklen_t len = sizeof got;
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(SOCK_NONBLOCK), error = 0;

		MUST(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &three, sizeof three) == 0);
		FAILS(connect_to(client, &at), EINPROGRESS);
		SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &seven, sizeof seven));
		close(raw_accept(listener));
		CHECK(poll_for(client, POLLOUT, 5000) & POLLOUT);
		len = sizeof error;
		SUCCEEDS(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &len));
		len = sizeof got;
		SUCCEEDS(getsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &got, &len));
		EQUAL(got.tv_sec, 7);
		close(client);
		close(listener);
	}
}

/* ---- AF_UNSPEC ---- */

static int dissolve(int fd)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	return connect(fd, &none, sizeof none);
}

static void use_again(int client, enum place place)
{
	struct address at;
	int listener = place_listen(place, &at), server;

	SUCCEEDS(connect_to(client, &at));
	server = raw_accept(listener);
	talk(client, server);
	close(server);
	close(listener);
}

static void unspec_fresh(void)
{
	EACH_PLACE(place)
	{
		int client = place_socket(0);
		struct counts before = counts_now();

		SUCCEEDS(dissolve(client));
		SUCCEEDS(dissolve(client));
		COUNTED(before, SMCSHIM_quirk_disconnect, fresh_is_smc() ? 2 : 0);
		COUNTED(before, SMCSHIM_replaced, 0);
		COUNTED(before, SMCSHIM_connect_tcp, 0);
		use_again(client, place);
		close(client);
	}
}

static void unspec_bound(void)
{
	EACH_PLACE(place)
	{
		struct address any = address_of(place_host(place), 0), before, after;
		int client = place_socket(0);
		struct counts counts;

		MUST(bind(client, &any.any, any.len) == 0);
		before = local_address(client);
		counts = counts_now();
		SUCCEEDS(dissolve(client));
		COUNTED(counts, SMCSHIM_quirk_disconnect, fresh_is_smc());
		after = local_address(client);
		EQUAL(port_of(&after), port_of(&before));
		use_again(client, place);
		close(client);
	}
}

static void unspec_connected(void)
{
	EACH_PLACE(place)
	{
		struct address peer = {.len = sizeof peer.storage};
		int server, client = place_connect(place, &server);
		struct counts before = counts_now();
		char byte;

		SUCCEEDS(dissolve(client));
		/* Only what is SMC still: TCP dissolves its own. */
		COUNTED(before, SMCSHIM_quirk_disconnect, place_is_smc(place));
		COUNTED(before, SMCSHIM_replaced, place_is_smc(place));
		COUNTED(before, SMCSHIM_connect_tcp, 0);
		FAILS(getpeername(client, &peer.any, &peer.len), ENOTCONN);
		MUST(poll_for(server, POLLIN, 5000));
		CHECK(recv(server, &byte, 1, 0) <= 0);
		use_again(client, place);
		close(client);
		close(server);
	}
}

static void unspec_pending(void)
{
	struct address at = address_of("10.77.0.2", 4242);
	int client = place_socket(SOCK_NONBLOCK);
	struct counts before = counts_now();

	FAILS(connect_to(client, &at), EINPROGRESS);
	COUNTED(before, SMCSHIM_connect_pending, is_tried());
	SUCCEEDS(dissolve(client));
	COUNTED(before, SMCSHIM_connect_pending, 0);
	COUNTED(before, SMCSHIM_quirk_disconnect, is_tried());
	CHECK(is_nonblock(client));
	set_nonblock(client, false);
	use_again(client, ALLOWED);
	close(client);
}

const struct test_case connect_cases[] = {
	{.name = "connect-blocking", .run = blocking, .flags = IN_USUAL | IN_OBSERVE},
	{.name = "connect-nonblocking", .run = nonblocking},
	{.name = "connect-repeated", .run = repeated},
	{.name = "connect-impatient", .run = impatient},
	{.name = "connect-refused", .run = refused},
	{.name = "connect-refused-nonblocking", .run = refused_nonblocking},
	{.name = "connect-refused-repeated", .run = refused_repeated},
	{.name = "connect-timed-out", .run = timed_out, .flags = IN_USUAL | NEEDS_LAB, .seconds = 40},
	{.name = "connect-many-timed-out", .run = many_timed_out, .flags = IN_USUAL | NEEDS_LAB, .seconds = 60},
	{.name = "connect-no-neighbour", .run = no_neighbour, .flags = IN_USUAL | NEEDS_LAB, .seconds = 70},
	{.name = "connect-no-route", .run = no_route, .flags = IN_USUAL | NEEDS_LAB},
	{.name = "connect-timeout-ends", .run = timeout_ends_connect, .flags = IN_USUAL | NEEDS_LAB},
	{.name = "connect-timeout-newer", .run = timeout_newer},
	{.name = "connect-timeout-survives", .run = timeout_survives},
	{.name = "connect-unspec-fresh", .run = unspec_fresh},
	{.name = "connect-unspec-bound", .run = unspec_bound},
	{.name = "connect-unspec-connected", .run = unspec_connected},
	{.name = "connect-unspec-pending", .run = unspec_pending, .flags = IN_USUAL | NEEDS_LAB},
	CASE_END,
};
