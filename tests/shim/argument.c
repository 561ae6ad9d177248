/* SPDX-License-Identifier: MIT */
/* Wrong arguments to every hooked call are answered as by TCP, and nothing is touched. */
#include "config.h"

#include "tests/shim/harness.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int __connect(int fd, const struct sockaddr *address, socklen_t len);

static void *bad_pointers[3];

static void find_bad_pointers(void)
{
	bad_pointers[0] = NULL;
	bad_pointers[1] = (void *)-1;
	bad_pointers[2] = forbidden_page();
}

/* The same call on a plain TCP socket by the kernel alone says what is right. */
struct twins {
	int shim, plain;
};

static struct twins twins(int domain)
{
	struct twins t = {socket(domain, SOCK_STREAM, 0), raw_socket(domain, SOCK_STREAM, 0)};

	MUST(t.shim >= 0 && t.plain >= 0);
	return t;
}

static void end(struct twins t)
{
	close(t.shim);
	close(t.plain);
}

#define SAME(shim_call, plain_call) \
	do { \
		errno = SENTINEL; \
		int plain_ = (plain_call), plain_errno_ = errno; \
		errno = SENTINEL; \
		int shim_ = (shim_call), shim_errno_ = errno; \
		check_at(__FILE__, __LINE__, shim_ == plain_ && shim_errno_ == plain_errno_, false, \
			"%s gives %d, errno %d; TCP gives %d, errno %d", #shim_call, shim_, shim_errno_, plain_, \
			plain_errno_); \
	} while (0)

static void bad_descriptors(void)
{
	struct address at = address_of("127.0.0.1", 1);
	int ends[2], value = 0, fds[3];
	socklen_t len = sizeof value;

	MUST(pipe(ends) == 0);
	fds[0] = -1;
	fds[1] = 999;
	fds[2] = ends[0];
	for (int i = 0; i < 3; i++) {
		int error = i == 2 ? ENOTSOCK : EBADF;

		context("descriptor %d", fds[i]);
		FAILS(connect(fds[i], &at.any, at.len), error);
		FAILS(__connect(fds[i], &at.any, at.len), error);
		FAILS(bind(fds[i], &at.any, at.len), error);
		FAILS(listen(fds[i], 1), error);
		FAILS(accept(fds[i], NULL, NULL), error);
		FAILS(accept4(fds[i], NULL, NULL, 0), error);
		FAILS(setsockopt(fds[i], IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &value, sizeof value), error);
		FAILS(setsockopt(fds[i], SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value), error);
		FAILS(getsockopt(fds[i], SOL_SOCKET, SO_ERROR, &value, &len), error);
		FAILS(getsockopt(fds[i], SOL_SOCKET, SO_PROTOCOL, &value, &len), error);
	}
}

static void path_descriptor(void)
{
	struct address at = address_of("127.0.0.1", 1);
	int fd = open("/", O_PATH), value = 0;

	FAILS(connect(fd, &at.any, at.len), EBADF);
	FAILS(listen(fd, 1), EBADF);
	FAILS(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &value, sizeof value), EBADF);
}

static void connect_arguments(void)
{
	static const int domains[] = {AF_INET, AF_INET6};

	for (int d = 0; d < 2; d++) {
		struct address v4 = address_of("127.0.0.1", 9), v6 = address_of("::1", 9),
			       u = {.len = sizeof u.storage};
		struct twins t = twins(domains[d]);

		context("domain %d", domains[d]);
		for (int i = 0; i < 3; i++)
			FAILS(connect(t.shim, bad_pointers[i], 16), EFAULT);
		for (socklen_t len = 0; len < 32; len++) {
			v4.len = v6.len = len;
			context("domain %d, AF_INET, length %u", domains[d], len);
			if (domains[d] == AF_INET6 || len < sizeof v4.in)
				SAME(connect_to(t.shim, &v4), raw_connect(t.plain, &v4));
			context("domain %d, AF_INET6, length %u", domains[d], len);
			if (domains[d] == AF_INET || len < 24)
				SAME(connect_to(t.shim, &v6), raw_connect(t.plain, &v6));
			if (len >= 2 && len < 16) {
				u.any.sa_family = AF_UNSPEC;
				u.len = len;
				context("domain %d, AF_UNSPEC, length %u", domains[d], len);
				SAME(connect_to(t.shim, &u), raw_connect(t.plain, &u));
			}
		}
		context("domain %d", domains[d]);
		v4.len = sizeof v4.storage;
		v4.any.sa_family = AF_UNIX;
		SAME(connect_to(t.shim, &v4), raw_connect(t.plain, &v4));
		v4.any.sa_family = AF_SMC;
		SAME(connect_to(t.shim, &v4), raw_connect(t.plain, &v4));
		v4.len = sizeof v4.storage + 1;
		SAME(connect_to(t.shim, &v4), raw_connect(t.plain, &v4));
		v4.len = (socklen_t)-1;
		SAME(connect_to(t.shim, &v4), raw_connect(t.plain, &v4));
		end(t);
	}
}

static void bind_arguments(void)
{
	static const int domains[] = {AF_INET, AF_INET6};

	for (int d = 0; d < 2; d++) {
		struct address v4 = address_of("127.0.0.1", 0), v6 = address_of("::1", 0),
			       far = address_of("192.0.2.7", 4242);
		struct twins t = twins(domains[d]);

		context("domain %d", domains[d]);
		for (int i = 0; i < 3; i++)
			FAILS(bind(t.shim, bad_pointers[i], 16), EFAULT);
		for (socklen_t len = 0; len < 24; len++) {
			v4.len = v6.len = len;
			context("domain %d, length %u", domains[d], len);
			if (domains[d] == AF_INET6 || len < sizeof v4.in)
				SAME(bind(t.shim, &v4.any, len), raw_bind(t.plain, &v4));
			SAME(bind(t.shim, &v6.any, len), raw_bind(t.plain, &v6));
		}
		context("domain %d", domains[d]);
		if (domains[d] == AF_INET) {
			SAME(bind(t.shim, &far.any, far.len), raw_bind(t.plain, &far));
			v6 = address_of("::1", 0);
			SAME(bind(t.shim, &v6.any, v6.len), raw_bind(t.plain, &v6));
			/* bind(2) of an AF_INET socket takes AF_UNSPEC with the wildcard address. */
			far = address_of("0.0.0.0", 0);
			far.any.sa_family = AF_UNSPEC;
			SAME(bind(t.shim, &far.any, far.len), raw_bind(t.plain, &far));
		} else {
			v4 = address_of("127.0.0.1", 0);
			v4.len = sizeof v4.in6;
			SAME(bind(t.shim, &v4.any, v4.len), raw_bind(t.plain, &v4));
			v6 = address_of("2001:db8::7", 0);
			SAME(bind(t.shim, &v6.any, v6.len), raw_bind(t.plain, &v6));
		}
		end(t);
	}
}

/* A second bind, and an address that is taken. */
static void bind_twice(void)
{
	EACH_PLACE(place)
	{
		struct address at = address_of(place_host(place), 0), other = at;
		int first = place_socket(0), second = place_socket(0);

		SUCCEEDS(bind(first, &at.any, at.len));
		FAILS(bind(first, &at.any, at.len), EINVAL);
		at = local_address(first);
		FAILS(bind(first, &at.any, at.len), EINVAL);
		FAILS(bind(second, &at.any, at.len), EADDRINUSE);
		SUCCEEDS(bind(second, &other.any, other.len));
		SUCCEEDS(listen(first, 1));
		FAILS(bind(first, &at.any, at.len), EINVAL);
		close(first);
		close(second);
	}
}

static void accept_arguments(void)
{
	EACH_PLACE(place)
	{
		struct address at = address_of(place_host(place), 0);
		struct sockaddr_storage name;
		int listener = place_socket(SOCK_NONBLOCK), client = place_socket(0), server;
		socklen_t len = sizeof name, small = 4;

		FAILS(accept(listener, NULL, NULL), EINVAL);
		FAILS(accept4(listener, NULL, NULL, 0), EINVAL);
		SUCCEEDS(bind(listener, &at.any, at.len));
		FAILS(accept(listener, NULL, NULL), EINVAL);
		SUCCEEDS(listen(listener, 5));
		FAILS(accept(listener, NULL, NULL), EAGAIN);
		FAILS(accept4(listener, NULL, NULL, 0x100), EINVAL);
		at = local_address(listener);
		SUCCEEDS(connect_to(client, &at));
		CHECK(poll_for(listener, POLLIN, 5000) & POLLIN);
		server = accept(listener, (struct sockaddr *)&name, &small);
		CHECKF(server >= 0 && small == sizeof(struct sockaddr_in), "accept gives %d, length %u", server, small);
		close(server);
		close(client);

		client = place_socket(0);
		SUCCEEDS(connect_to(client, &at));
		CHECK(poll_for(listener, POLLIN, 5000) & POLLIN);
		FAILS(accept(listener, (struct sockaddr *)&name, bad_pointers[2]), EFAULT);
		close(client);

		client = place_socket(0);
		SUCCEEDS(connect_to(client, &at));
		CHECK(poll_for(listener, POLLIN, 5000) & POLLIN);
		FAILS(accept(listener, bad_pointers[2], &len), EFAULT);
		close(client);
		FAILS(accept(client, NULL, NULL), EBADF);
		close(listener);
	}
}

/* Inherent: an unknown level and a bad pointer together give EFAULT on SMC, ENOPROTOOPT on TCP. */
static void option_arguments(void)
{
	static const struct {
		int level, name;
	} options[] = {{SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_ERROR}, {SOL_SOCKET, SO_PROTOCOL},
		{SOL_SOCKET, SO_DOMAIN}, {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_FASTOPEN},
		{IPPROTO_TCP, TCP_FASTOPEN_CONNECT}, {IPPROTO_TCP, TCP_CONGESTION}, {IPPROTO_IP, IP_TOS},
		{SOL_SOCKET, 999}, {SOL_SOCKET, -1}};

	for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
		int level = options[o].level, name = options[o].name, value = 0, plain_value = 0;

		for (int i = 0; i < 3; i++) {
			struct twins t = twins(AF_INET);
			socklen_t len = 4, plain_len = 4;

			context("level %d, option %d, pointer %d", level, name, i);
			SAME(setsockopt(t.shim, level, name, bad_pointers[i], 4),
				raw_setsockopt(t.plain, level, name, bad_pointers[i], 4));
			SAME(getsockopt(t.shim, level, name, bad_pointers[i], &len),
				raw_getsockopt(t.plain, level, name, bad_pointers[i], &plain_len));
			EQUAL(len, plain_len);
			SAME(getsockopt(t.shim, level, name, &value, bad_pointers[i]),
				raw_getsockopt(t.plain, level, name, &plain_value, bad_pointers[i]));
			len = plain_len = (socklen_t)-1;
			SAME(getsockopt(t.shim, level, name, &value, &len),
				raw_getsockopt(t.plain, level, name, &plain_value, &plain_len));
			SAME(setsockopt(t.shim, level, name, &value, (socklen_t)-1),
				raw_setsockopt(t.plain, level, name, &value, (socklen_t)-1));
			end(t);
		}
	}
}

/* An address that ends right before a page that cannot be read, and one that reaches into it. */
static void at_the_edge(void)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at), client = place_socket(0), server;
		char *edge = pages + 4096 - at.len;

		memcpy(edge + 1, &at, at.len - 1);
		FAILS(connect(client, (struct sockaddr *)(void *)(edge + 1), at.len), EFAULT);
		memcpy(edge, &at, at.len);
		SUCCEEDS(connect(client, (struct sockaddr *)(void *)edge, at.len));
		server = raw_accept(listener);
		talk(client, server);
		close(server);
		close(client);
		close(listener);
	}
}

static void listen_arguments(void)
{
	EACH_PLACE(place)
	{
		static const int backlogs[] = {0, -1, 1, 2147483647};
		struct address at = address_of(place_host(place), 0), to;

		for (size_t i = 0; i < sizeof backlogs / sizeof *backlogs; i++) {
			int listener = place_socket(0), client = place_socket(0), server;

			MUST(bind(listener, &at.any, at.len) == 0);
			SUCCEEDS(listen(listener, backlogs[i]));
			SUCCEEDS(listen(listener, 7));
			to = local_address(listener);
			SUCCEEDS(connect_to(client, &to));
			server = accept(listener, NULL, NULL);
			CHECK(server >= 0);
			FAILS(listen(server, 1), EINVAL);
			FAILS(listen(client, 1), EINVAL);
			talk(client, server);
			close(listener);
			close(client);
			close(server);
		}
	}
}

#define WITH_BAD_POINTERS(function) \
	static void function##_case(void) \
	{ \
		find_bad_pointers(); \
		function(); \
	}

WITH_BAD_POINTERS(connect_arguments)
WITH_BAD_POINTERS(bind_arguments)
WITH_BAD_POINTERS(accept_arguments)
WITH_BAD_POINTERS(option_arguments)

const struct test_case argument_cases[] = {
	{.name = "argument-bad-descriptors", .run = bad_descriptors},
	{.name = "argument-path-descriptor", .run = path_descriptor},
	{.name = "argument-connect", .run = connect_arguments_case},
	{.name = "argument-bind", .run = bind_arguments_case},
	{.name = "argument-bind-twice", .run = bind_twice},
	{.name = "argument-accept", .run = accept_arguments_case, .flags = IN_USUAL | NO_ASAN},
	{.name = "argument-options", .run = option_arguments_case, .flags = IN_USUAL | NO_ASAN},
	{.name = "argument-listen", .run = listen_arguments},
	{.name = "argument-edge", .run = at_the_edge},
	CASE_END,
};
