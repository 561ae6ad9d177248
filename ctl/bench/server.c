/* SPDX-License-Identifier: MIT */
/* The ports and threads of the server; what a connection does is in server-peer.c. */
#include "config.h"

#include "ctl/bench/server.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ctl/bench/protocol.h"
#include "ctl/bench/socket.h"

static int listen_on(enum bench_transport transport, const struct sockaddr *at, socklen_t length)
{
	_cleanup_close_ int fd = bench_socket(transport, at->sa_family);

	if (fd < 0)
		return take_fd(fd);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, at, length) < 0 || listen(fd, 4096) < 0)
		return -errno;
	return take_fd(fd);
}

static uint16_t port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {.v6 = {.sin6_family = AF_UNSPEC}};
	socklen_t length = sizeof(at);

	if (getsockname(fd, &at.any, &length) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}

int server_open(struct server *server, const struct sockaddr *at, socklen_t length)
{
	struct sockaddr_storage other;

	server->tcp_listener = -1;
	server->listener = server->no_smc ? server->no_smc : listen_on(BENCH_SMC, at, length);
	if (server->listener < 0) {
		server->no_smc = server->listener;
		server->listener = listen_on(BENCH_TCP, at, length);
		if (server->listener < 0)
			return server->listener;
	}
	server->port = port_of(server->listener);
	if (server->no_smc)
		return 0;
	memcpy(&other, at, length);
	if (other.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&other)->sin6_port = 0;
	else
		((struct sockaddr_in *)&other)->sin_port = 0;
	server->tcp_listener = listen_on(BENCH_TCP, (const struct sockaddr *)&other, length);
	if (server->tcp_listener >= 0)
		server->tcp_port = port_of(server->tcp_listener);
	return 0;
}

void server_close(struct server *server)
{
	if (server->listener >= 0)
		close(server->listener);
	if (server->tcp_listener >= 0)
		close(server->tcp_listener);
}

size_t server_status(const struct server *server, char *out, size_t size)
{
	struct rusage usage;
	char text[400];
	int n;

	(void)getrusage(RUSAGE_SELF, &usage);
	n = snprintf(text, sizeof(text),
		BENCH_STATUS_FIRST BENCH_STATUS_CPU " %" PRIu64 "\n" BENCH_STATUS_SMC " %" PRIu64 "\n" BENCH_STATUS_TCP
						    " %" PRIu64 "\n" BENCH_STATUS_TCP_PORT " %u\n" BENCH_STATUS_LISTENER
						    " %d\n",
		(uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * BENCH_SECOND +
			(uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000,
		atomic_load(&server->accepted[BENCH_SMC]), atomic_load(&server->accepted[BENCH_TCP]), server->tcp_port,
		server->no_smc == 0);
	n = snprintf(out, size, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", n, text);
	return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static void accept_all(struct server_thread *thread, int listener)
{
	/* A bounded number at a time: those that are served already come first. */
	for (int i = 0; i < 64; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0) {
			/* Without descriptors the listener stays readable: leave others the time to close some. */
			if (is_shortage(errno))
				usleep(10000);
			return;
		}
		atomic_fetch_add_explicit(
			&thread->server->accepted[bench_is_smc(fd) ? BENCH_SMC : BENCH_TCP], 1, memory_order_relaxed);
		bench_no_delay(fd);
		if (peer_new(thread, fd) < 0)
			return;
	}
}

static int watch_listener(const struct server_thread *thread, int *listener)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = listener};

	if (*listener < 0)
		return 0;
	return epoll_ctl(thread->epoll, EPOLL_CTL_ADD, *listener, &event) < 0 ? -errno : 0;
}

static void *serve(void *arg)
{
	struct server_thread *thread = arg;
	struct server *server = thread->server;
	struct epoll_event events[128];

	for (;;) {
		int n = epoll_wait(thread->epoll, events, 128, -1);

		if (n < 0 && errno != EINTR)
			return NULL;
		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &server->stop)
				return NULL;
			if (events[i].data.ptr == &server->listener || events[i].data.ptr == &server->tcp_listener)
				accept_all(thread, *(int *)events[i].data.ptr);
			else
				peer_event(thread, events[i].data.ptr, events[i].events);
		}
	}
}

static int thread_start(struct server *server, struct server_thread *thread)
{
	struct epoll_event stop = {.events = EPOLLIN, .data.ptr = &server->stop};
	int r;

	thread->server = server;
	thread->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (thread->epoll < 0)
		return -errno;
	thread->block = malloc(SERVER_SINK_BLOCK);
	if (!thread->block)
		return -ENOMEM;
	if (epoll_ctl(thread->epoll, EPOLL_CTL_ADD, server->stop, &stop) < 0)
		return -errno;
	r = watch_listener(thread, &server->listener);
	if (r == 0)
		r = watch_listener(thread, &server->tcp_listener);
	if (r == 0)
		r = -pthread_create(&thread->id, NULL, serve, thread);
	return r;
}

static void thread_end(struct server_thread *thread)
{
	peers_free(thread);
	free(thread->block);
	if (thread->epoll > 0)
		close(thread->epoll);
}

int server_run(struct server *server, uint32_t threads)
{
	_cleanup_free_ struct server_thread *thread = calloc(threads, sizeof(*thread));
	_cleanup_close_ int stop = eventfd(0, EFD_CLOEXEC);
	uint32_t started = 0;
	sigset_t end;
	int signal;
	int r = 0;

	if (!thread || stop < 0)
		return thread ? -errno : -ENOMEM;
	server->stop = stop;
	raise_limit(RLIMIT_NOFILE);
	(void)sigemptyset(&end);
	(void)sigaddset(&end, SIGINT);
	(void)sigaddset(&end, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &end, NULL);
	for (; r == 0 && started < threads; started++)
		r = thread_start(server, &thread[started]);
	if (r < 0)
		thread_end(&thread[--started]);
	else
		(void)sigwait(&end, &signal);
	(void)eventfd_write(stop, 1);
	for (uint32_t i = 0; i < started; i++) {
		(void)pthread_join(thread[i].id, NULL);
		thread_end(&thread[i]);
	}
	return r;
}
