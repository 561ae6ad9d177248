/* SPDX-License-Identifier: MIT */
/* Signals, SIGIO and cancellation during connect(2): what TCP does, and never a damaged stream. */
#include "config.h"

#include "tests/shim/harness.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static _Atomic(int) handled[NSIG];

static void on_signal(int number)
{
	handled[number]++;
}

static void handle(int number, int flags)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

	sigemptyset(&action.sa_mask);
	MUST(sigaction(number, &action, NULL) == 0);
}

static void tick(int microseconds)
{
	struct itimerval timer = {{0, microseconds}, {0, microseconds}};

	MUST(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* ---- a timer that ticks during many blocking connects ---- */

/*
 * A server that says what it read before the client's first byte: bytes of an SMC handshake in the stream of a plain
 * TCP connection show here. In a process of its own, so that no signal disturbs it.
 */
static pid_t start_judge(struct address *at, int *verdicts)
{
	int listener = place_listen(NATURAL, at), ends[2];
	pid_t child;

	MUST(pipe(ends) == 0);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		for (;;) {
			int server = (int)syscall(SYS_accept4, listener, NULL, NULL, 0);
			char got[16] = "", verdict = '?';
			ssize_t n = 0, r;

			while (n < 5 && (r = read(server, got + n, sizeof got - (size_t)n)) > 0)
				n += r;
			if (n == 5)
				verdict = memcmp(got, "plain", 5) == 0 ? '.' : 'X';
			else if (n)
				verdict = 'X';
			if (write(ends[1], &verdict, 1) != 1)
				_exit(1);
			send(server, &verdict, 1, MSG_NOSIGNAL);
			close(server);
		}
	}
	close(listener);
	close(ends[1]);
	*verdicts = ends[0];
	return child;
}

struct tally {
	int good, interrupted, failed, corrupted;
};

/* One blocking connect as a program does it that does not know signals: what comes back counts. */
static void connect_once(
	int client, const struct address *at, int (*call)(int, const struct address *), struct tally *tally)
{
	char verdict = '?';
	int r = call(client, at);

	if (r && errno == EINTR) {
		tally->interrupted++;
		/* As POSIX says: the connect goes on, its end is seen by poll, its result by connect or SO_ERROR. */
		if (!(poll_for(client, POLLOUT, 8000) & POLLOUT)) {
			tally->failed++;
			return;
		}
		r = call(client, at);
		if (r && errno == EISCONN)
			r = 0;
	}
	if (r || send(client, "plain", 5, MSG_NOSIGNAL) != 5) {
		tally->failed++;
		return;
	}
	while (recv(client, &verdict, 1, 0) < 0 && errno == EINTR)
		;
	if (verdict == '.')
		tally->good++;
}

static struct tally connects(int number, int (*make)(void), int (*call)(int, const struct address *))
{
	struct tally tally = {0};
	struct address at;
	int verdicts;
	pid_t judge = start_judge(&at, &verdicts);
	char verdict;

	tick(1000);
	for (int i = 0; i < number; i++) {
		int client = make();

		MUST(client >= 0);
		connect_once(client, &at, call, &tally);
		close(client);
	}
	tick(0);
	sleep_ms(100);
	kill(judge, SIGKILL);
	while (read(verdicts, &verdict, 1) == 1)
		tally.corrupted += verdict == 'X';
	close(verdicts);
	return tally;
}

static int libc_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int smc_socket(void)
{
	return raw_socket(AF_INET, SOCK_STREAM, IPPROTO_SMC);
}

/* The server speaks TCP, so which device would have served makes no difference: fewer over RDMA, where all takes longer. */
static int how_many(void)
{
	const char *mode = getenv("LAB_MODE");

	return fresh_is_smc() && !(mode && strcmp(mode, "smcr") == 0) ? 10000 : 1000;
}

static void timer_restart(void)
{
	struct tally t;

	handle(SIGALRM, SA_RESTART);
	t = connects(how_many(), libc_socket, connect_to);
	note("%d connects, %d signals: %d good, %d EINTR, %d failed, %d corrupted", how_many(), handled[SIGALRM],
		t.good, t.interrupted, t.failed, t.corrupted);
	EQUAL(t.good, how_many());
	EQUAL(t.corrupted, 0);
	EQUAL(t.interrupted, 0);
	CHECK(handled[SIGALRM] > 10);
}

static void timer_interrupt(void)
{
	struct tally t;

	handle(SIGALRM, 0);
	t = connects(how_many(), libc_socket, connect_to);
	note("%d connects, %d signals: %d good, %d EINTR, %d failed, %d corrupted", how_many(), handled[SIGALRM],
		t.good, t.interrupted, t.failed, t.corrupted);
	EQUAL(t.good, how_many());
	EQUAL(t.corrupted, 0);
}

static void timer_mixed(void)
{
	struct tally t;

	handle(SIGALRM, SA_RESTART);
	handle(SIGUSR1, 0);
	t = connects(how_many() / 5, libc_socket, connect_to);
	EQUAL(t.good, how_many() / 5);
	EQUAL(t.corrupted, 0);
	EQUAL(t.interrupted, 0);
}

/* Shows that the judge can see it: SMC sockets as the kernel has them, without the shim. */
static void timer_control(void)
{
	struct tally t;

	handle(SIGALRM, SA_RESTART);
	t = connects(300, smc_socket, raw_connect);
	note("300 raw SMC connects, %d signals: %d good, %d EINTR, %d failed, %d corrupted", handled[SIGALRM], t.good,
		t.interrupted, t.failed, t.corrupted);
	CHECKF(t.corrupted > 0, "raw SMC sockets came through unharmed: the other timer cases prove nothing");
}

/* ---- one signal in a connect that waits ---- */

static void *interrupt_later(void *arg)
{
	pthread_t whom = *(pthread_t *)arg;

	sleep_ms(300);
	pthread_kill(whom, SIGUSR1);
	sleep_ms(300);
	pthread_kill(whom, SIGUSR2);
	return NULL;
}

static double interrupted_connect(int first_flags, int second_flags, int error, const struct timeval *limit)
{
	struct address at = address_of("10.77.0.2", 4242);
	pthread_t self = pthread_self(), thread;
	int client = place_socket(0), two = 1;
	double begin;

	handle(SIGUSR1, first_flags);
	handle(SIGUSR2, second_flags);
	MUST(setsockopt(client, IPPROTO_TCP, TCP_SYNCNT, &two, sizeof two) == 0);
	if (limit)
		MUST(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, limit, sizeof *limit) == 0);
	MUST(pthread_create(&thread, NULL, interrupt_later, &self) == 0);
	begin = now();
	FAILS(connect_to(client, &at), error);
	begin = now() - begin;
	CHECK(!is_nonblock(client));
	pthread_join(thread, NULL);
	close(client);
	return begin;
}

static void one_signal(void)
{
	const struct timeval limit = {5, 0};
	double t;

	context("interrupts");
	t = interrupted_connect(0, 0, EINTR, NULL);
	CHECKF(t > 0.2 && t < 2.5, "ended after %.2f s", t);
	context("restarts, then interrupts");
	t = interrupted_connect(SA_RESTART, 0, EINTR, NULL);
	CHECKF(t > 0.5 && t < 2.5, "ended after %.2f s", t);
	context("both restart");
	t = interrupted_connect(SA_RESTART, SA_RESTART, ETIMEDOUT, NULL);
	CHECKF(t > 2, "ended after %.2f s", t);
	/* signal(7): with a timeout set, connect() is not restarted. */
	context("restarts, with a timeout");
	t = interrupted_connect(SA_RESTART, SA_RESTART, EINTR, &limit);
	CHECKF(t > 0.2 && t < 4.5, "ended after %.2f s", t);
}

static void blocked_signal(void)
{
	struct address at = address_of("10.77.0.2", 4242);
	const struct timeval limit = {1, 0};
	pthread_t self = pthread_self(), thread;
	int client = place_socket(0);
	sigset_t set;

	handle(SIGUSR1, 0);
	handle(SIGUSR2, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	MUST(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
	MUST(pthread_create(&thread, NULL, interrupt_later, &self) == 0);
	FAILS(connect_to(client, &at), EINPROGRESS);
	EQUAL(handled[SIGUSR1] + handled[SIGUSR2], 0);
	pthread_join(thread, NULL);
	MUST(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
	EQUAL(handled[SIGUSR1], 1);
	EQUAL(handled[SIGUSR2], 1);
	close(client);
}

/* After EINTR the connect goes on: poll, then connect again or SO_ERROR. */
static void interrupted_then_fine(void)
{
	EACH_PLACE(place)
	{
		struct address at;
		int listener = place_listen(place, &at);

		handle(SIGALRM, 0);
		for (int i = 0; i < 200; i++) {
			struct itimerval once = {{0, 0}, {0, 1 + i * 10}};
			int client = place_socket(0), server, r;

			MUST(setitimer(ITIMER_REAL, &once, NULL) == 0);
			r = connect_to(client, &at);
			tick(0);
			if (r && errno == EINTR) {
				CHECK(poll_for(client, POLLOUT, 8000) & POLLOUT);
				r = connect_to(client, &at);
			}
			CHECKF(r == 0 || errno == EISCONN, "connect: %m");
			server = raw_accept(listener);
			KIND(client, place_is_smc(place) ? SMC : TCP);
			talk(client, server);
			close(client);
			close(server);
		}
		close(listener);
	}
}

/* ---- connect in a handler ---- */

static struct address handler_address;
static volatile sig_atomic_t handler_result;
static volatile int handler_client;

static void connect_in_handler(int number)
{
	int saved = errno;

	(void)number;
	handler_client = socket(AF_INET, SOCK_STREAM, 0);
	handler_result = connect(handler_client, &handler_address.any, handler_address.len) ? errno : 0;
	errno = saved;
}

static void in_handler(void)
{
	struct sigaction action = {.sa_handler = connect_in_handler};

	MUST(sigaction(SIGUSR1, &action, NULL) == 0);
	EACH_PLACE(place)
	{
		int listener = place_listen(place, &handler_address), server;

		handler_result = -1;
		SUCCEEDS(raise(SIGUSR1));
		EQUAL(handler_result, 0);
		server = raw_accept(listener);
		KIND(handler_client, place_is_smc(place) ? SMC : TCP);
		talk(handler_client, server);
		close(handler_client);
		close(server);
		close(listener);
	}
}

/* In a handler that interrupts a connect of its own thread. */
static void in_handler_of_connect(void)
{
	struct sigaction action = {.sa_handler = connect_in_handler, .sa_flags = SA_RESTART};
	struct address at = address_of("10.77.0.2", 4242);
	int listener = place_listen(ALLOWED, &handler_address), client = place_socket(0), server, one = 1;
	struct itimerval once = {{0, 0}, {0, 200000}};

	MUST(setsockopt(client, IPPROTO_TCP, TCP_SYNCNT, &one, sizeof one) == 0);
	MUST(sigaction(SIGALRM, &action, NULL) == 0);
	MUST(setitimer(ITIMER_REAL, &once, NULL) == 0);
	handler_result = -1;
	FAILS(connect_to(client, &at), ETIMEDOUT);
	EQUAL(handler_result, 0);
	server = raw_accept(listener);
	KIND(handler_client, place_is_smc(ALLOWED) ? SMC : TCP);
	talk(handler_client, server);
}

/* ---- SIGIO ---- */

static void wait_for_signal(int number)
{
	double end = now() + 3;

	while (!handled[number] && now() < end)
		sleep_ms(5);
}

static void signal_driven(void)
{
	EACH_PLACE(place)
	{
		for (int own = 0; own < 2; own++) {
			struct address at;
			int listener = place_listen(place, &at), client = place_socket(0), server;
			int number = own ? SIGRTMIN + 3 : SIGIO;

			context("%s, signal %d", place_name(place), number);
			handle(number, SA_RESTART);
			MUST(fcntl(client, F_SETOWN, getpid()) == 0);
			if (own)
				MUST(fcntl(client, F_SETSIG, number) == 0);
			MUST(fcntl(client, F_SETFL, O_RDWR | O_ASYNC) == 0);
			SUCCEEDS(connect_to(client, &at));
			server = raw_accept(listener);
			CHECK(fcntl(client, F_GETFL) & O_ASYNC);
			EQUAL(fcntl(client, F_GETOWN), getpid());
			sleep_ms(50);
			handled[number] = 0;
			EQUAL(send(server, "x", 1, MSG_NOSIGNAL), 1);
			wait_for_signal(number);
			CHECKF(handled[number] > 0, "no signal for data");
			close(client);
			close(server);
			close(listener);
		}
	}
}

/* ---- cancellation ---- */

struct victim {
	int fd;
	struct address at;
};

static void *connect_for_ever(void *arg)
{
	struct victim *victim = arg;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	connect_to(victim->fd, &victim->at);
	return NULL;
}

static void cancelled(void)
{
	static const int delays[] = {0, 1, 5, 30, 300};

	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
		struct victim victim = {place_socket(0), address_of("10.77.0.2", 4242)};
		pthread_t thread;
		void *result;
		double begin;

		context("after %d ms", delays[i]);
		MUST(pthread_create(&thread, NULL, connect_for_ever, &victim) == 0);
		sleep_ms(delays[i]);
		begin = now();
		MUST(pthread_cancel(thread) == 0);
		MUST(pthread_join(thread, &result) == 0);
		CHECKF(now() - begin < 2, "ended %.2f s after pthread_cancel", now() - begin);
		CHECK(result == PTHREAD_CANCELED);
		CHECK(!is_nonblock(victim.fd));
		close(victim.fd);
	}
}

/* Cancellation that is switched off does not come through. */
static void *connect_uncancelled(void *arg)
{
	struct victim *victim = arg;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return connect_to(victim->fd, &victim->at) ? arg : NULL;
}

static void not_cancelled(void)
{
	EACH_PLACE(place)
	{
		struct victim victim = {.fd = place_socket(0)};
		int listener = place_listen(place, &victim.at);
		pthread_t thread;
		void *result = &victim;

		MUST(pthread_create(&thread, NULL, connect_uncancelled, &victim) == 0);
		MUST(pthread_cancel(thread) == 0);
		MUST(pthread_join(thread, &result) == 0);
		CHECK(result == NULL);
		CHECK(!is_nonblock(victim.fd));
		close(victim.fd);
		close(listener);
	}
}

/* The calls that are no cancellation points: socket, bind, listen, setsockopt, getsockopt. */
static void *calls_uncancelled(void *arg)
{
	int *done = arg, five = 5, value;
	struct address at = address_of("127.0.1.1", 0);
	socklen_t len = sizeof value;
	int fd;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	while (!__atomic_load_n(done, __ATOMIC_ACQUIRE))
		sleep_ms(1);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &five, sizeof five);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len);
	bind(fd, &at.any, at.len);
	listen(fd, 5);
	*done = 2;
	close(fd);
	return NULL;
}

static void only_cancellation_points(void)
{
	pthread_t thread;
	int done = 0;

	MUST(pthread_create(&thread, NULL, calls_uncancelled, &done) == 0);
	MUST(pthread_cancel(thread) == 0);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	MUST(pthread_join(thread, NULL) == 0);
	EQUAL(done, 2);
}

const struct test_case signal_cases[] = {
	{.name = "signal-timer-restart", .run = timer_restart, .seconds = 180, .flags = IN_USUAL | ALONE},
	{.name = "signal-timer-interrupt", .run = timer_interrupt, .seconds = 180, .flags = IN_USUAL | ALONE},
	{.name = "signal-timer-mixed", .run = timer_mixed, .seconds = 180, .flags = IN_USUAL | ALONE},
	{.name = "signal-timer-control", .run = timer_control, .seconds = 60, .flags = IN_BARE | ALONE | NEEDS_SMC},
	{.name = "signal-one", .run = one_signal, .flags = IN_USUAL | NEEDS_LAB, .seconds = 40},
	{.name = "signal-blocked", .run = blocked_signal, .flags = IN_USUAL | NEEDS_LAB},
	{.name = "signal-interrupted-then-fine", .run = interrupted_then_fine, .seconds = 60},
	{.name = "signal-handler-connects", .run = in_handler},
	{.name = "signal-handler-of-connect", .run = in_handler_of_connect, .flags = IN_USUAL | NEEDS_LAB},
	{.name = "signal-driven", .run = signal_driven},
	{.name = "cancel-blackhole", .run = cancelled, .flags = IN_USUAL | NEEDS_LAB},
	{.name = "cancel-disabled", .run = not_cancelled},
	{.name = "cancel-other-calls", .run = only_cancellation_points, .flags = IN_USUAL | NO_ASAN},
	CASE_END,
};
