/* SPDX-License-Identifier: MIT */
/* The policy's buffer sizes: on SMC sockets, never on what has become TCP, and never against the program's own. */
#include "config.h"

#include "tests/shim/harness.h"

#include <poll.h>
#include <unistd.h>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

#define MEGABYTE (1 << 20)

#define WITH_BUFFERS \
	"{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":\"127.0.0.0/24\"}," \
	"{\"use\":\"smc\",\"listen\":\"127.0.0.0/24\"}],\"buffers\":\"1M\"}"

static int sndbuf(int fd)
{
	return raw_int_option(fd, SOL_SOCKET, SO_SNDBUF);
}

static int rcvbuf(int fd)
{
	return raw_int_option(fd, SOL_SOCKET, SO_RCVBUF);
}

static int locks(int fd)
{
	return raw_int_option(fd, SOL_SOCKET, SO_BUF_LOCK);
}

static void on_clients(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(0), server;
		int plain = raw_socket(AF_INET, SOCK_STREAM, 0), plain_server;

		EQUAL(sndbuf(client), 2 * MEGABYTE);
		EQUAL(rcvbuf(client), 2 * MEGABYTE);
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		MUST(raw_connect(plain, &at) == 0);
		plain_server = raw_accept(listener);
		if (place == ALLOWED) {
			/* SO_SNDBUF of a connected SMC-D socket is the peer's receive buffer (smcd_buf_attach). */
			EQUAL(rcvbuf(client), 2 * MEGABYTE);
		} else {
			KIND(client, TCP);
			EQUAL(locks(client), 0);
			EQUAL(sndbuf(client), sndbuf(plain));
			EQUAL(rcvbuf(client), rcvbuf(plain));
		}
		talk(client, server);
		close(client);
		close(server);
		close(plain);
		close(plain_server);
		close(listener);
	}
}

/* What the program sets holds, on every kind. */
static void the_program_wins(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(0), server, size = 32768, got;
		int plain = raw_socket(AF_INET, SOCK_STREAM, 0);
		socklen_t len = sizeof got;

		SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_SNDBUF, &size, sizeof size));
		SUCCEEDS(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
		MUST(raw_setsockopt(plain, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
		SUCCEEDS(getsockopt(client, SOL_SOCKET, SO_SNDBUF, &got, &len));
		EQUAL(got, 2 * size);
		SUCCEEDS(connect_to(client, &at));
		server = raw_accept(listener);
		if (place == ALLOWED) {
			EQUAL(rcvbuf(client), 2 * size);
		} else {
			EQUAL(sndbuf(client), sndbuf(plain));
			EQUAL(locks(client), 3);
		}
		talk(client, server);
		close(client);
		close(server);
		close(plain);
		close(listener);
	}
}

static void on_accepted(void)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.1.1"};

	for (int i = 0; i < 4; i++) {
		struct address at = address_of(hosts[i / 2], 0);
		int listener = place_socket(0), smc = i & 1,
		    client = raw_socket(AF_INET, SOCK_STREAM, smc ? IPPROTO_SMC : 0), server;
		int plain = raw_listener(&(struct address){.in = at.in, .len = at.len}, 0);

		context("%s, %s client", hosts[i / 2], smc ? "SMC" : "TCP");
		MUST(bind(listener, &at.any, at.len) == 0 && listen(listener, 5) == 0);
		at = local_address(listener);
		MUST(raw_connect(client, &at) == 0);
		server = accept(listener, NULL, NULL);
		MUST(server >= 0);
		if (i / 2 == 0 && smc) {
			KIND(server, SMC);
			EQUAL(rcvbuf(server), 2 * MEGABYTE);
		} else {
			struct address there = local_address(plain);
			int twin = raw_socket(AF_INET, SOCK_STREAM, 0), child;

			MUST(raw_connect(twin, &there) == 0);
			child = raw_accept(plain);
			KIND(server, TCP);
			EQUAL(locks(server), 0);
			/* Auto-tuning must be on; inherent: behind an SMC listener it starts from the listener's sizes. */
			if (i / 2 == 1) {
				EQUAL(sndbuf(server), sndbuf(child));
				EQUAL(rcvbuf(server), rcvbuf(child));
			}
			close(twin);
			close(child);
		}
		talk(client, server);
		close(client);
		close(server);
		close(plain);
		close(listener);
	}
}

/* The point of it: a nonblocking writer gets rid of 400 KB at once. */
static void one_write(void)
{
	static char data[400000];
	struct address at = address_of("127.0.0.1", 0);
	int listener = place_socket(0), client = place_socket(0), server;

	MUST(bind(listener, &at.any, at.len) == 0 && listen(listener, 5) == 0);
	at = local_address(listener);
	SUCCEEDS(connect_to(client, &at));
	server = accept(listener, NULL, NULL);
	MUST(server >= 0);
	KIND(client, SMC);
	EQUAL(send(client, data, sizeof data, MSG_DONTWAIT), (ssize_t)sizeof data);
	close(client);
	close(server);
}

const struct test_case buffer_cases[] = {
	{.name = "buffer-clients", .run = on_clients, .flags = IN_OWN | NEEDS_SMC, .policy = WITH_BUFFERS},
	{.name = "buffer-the-program-wins",
		.run = the_program_wins,
		.flags = IN_OWN | NEEDS_SMC,
		.policy = WITH_BUFFERS},
	{.name = "buffer-accepted", .run = on_accepted, .flags = IN_OWN | NEEDS_SMC, .policy = WITH_BUFFERS},
	{.name = "buffer-one-write", .run = one_write, .flags = IN_OWN | NEEDS_SMC, .policy = WITH_BUFFERS},
	CASE_END,
};
