/* SPDX-License-Identifier: MIT */
/* The checks and helpers of the cases. */
#include "config.h"

#include "tests/shim/harness.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- checks ---- */

static char context_text[128];
static _Atomic(int) failures;

#define FAILURES_SHOWN 40

void context(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(context_text, sizeof context_text, format, args);
	va_end(args);
}

/* One write(2): also from a signal handler, a thread, or a child that shares the memory. */
static void __attribute__((format(printf, 2, 0))) print(const char *head, const char *format, va_list args)
{
	char line[512];
	int n = snprintf(line, sizeof line, "%s", head);

	n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(99);
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("", format, args);
	va_end(args);
}

void check_at(const char *file, int line, bool good, bool end, const char *format, ...)
{
	const char *base = strrchr(file, '/');
	char head[256];
	va_list args;
	int saved = errno;

	if (good)
		return;
	snprintf(head, sizeof head, "%s:%d: %s%s", base ? base + 1 : file, line, context_text,
		context_text[0] ? ": " : "");
	if (++failures <= FAILURES_SHOWN) {
		va_start(args, format);
		errno = saved;
		print(head, format, args);
		va_end(args);
	}
	if (end)
		_exit(1);
	errno = saved;
}

void equal_at(const char *file, int line, const char *what, long long got, long long want, bool end)
{
	check_at(file, line, got == want, end, "%s is %lld, not %lld", what, got, want);
}

void skip(const char *reason)
{
	note("SKIP %s", reason);
	_exit(77);
}

void finish(void)
{
	_exit(failures ? 1 : 0);
}

void reap(pid_t child)
{
	int status = -1;
	bool ended = waitpid(child, &status, 0) == child;

	check_at(__FILE__, __LINE__, ended && status == 0, false, "a child of the case ended with status %#x",
		(unsigned)status);
}

/* ---- configuration ---- */

unsigned config_now(void)
{
	const char *text = getenv("SHIMTEST_CONFIG");

	return text ? (unsigned)strtoul(text, NULL, 0) : IN_BARE;
}

unsigned first_port(void)
{
	const char *text = getenv("SHIMTEST_PORT");

	return text ? (unsigned)strtoul(text, NULL, 10) : FIRST_PORT;
}

static struct smcshim_counters *counters(void)
{
	static struct smcshim_counters *found;

	if (!found)
		found = dlsym(RTLD_DEFAULT, "smcshim_counters");
	return found;
}

bool shim_loaded(void)
{
	return counters() != NULL;
}

uint64_t counter(enum smcshim_counter which)
{
	return counters() ? __atomic_load_n(&counters()->value[which], __ATOMIC_RELAXED) : 0;
}

struct counts counts_now(void)
{
	struct counts all;

	for (int c = 0; c < SMCSHIM_COUNTER_MAX; c++)
		all.value[c] = counter((enum smcshim_counter)c);
	return all;
}

static const char *counter_name(enum smcshim_counter which)
{
#define NAME(name, meaning) #name,
	static const char *const names[] = {SMCSHIM_COUNTERS(NAME)};
#undef NAME

	return names[which];
}

void counted_at(const char *file, int line, const struct counts *before, enum smcshim_counter which, long long n)
{
	char what[64];

	snprintf(what, sizeof what, "what was counted as %s", counter_name(which));
	equal_at(file, line, what, (long long)(counter(which) - before->value[which]), shim_loaded() ? n : 0, false);
}

void counted_once_at(const char *file, int line, const struct counts *before, enum smcshim_counter outcome)
{
	static const enum smcshim_counter outcomes[] = {SMCSHIM_connect_smc, SMCSHIM_connect_fallback,
		SMCSHIM_connect_tcp, SMCSHIM_connect_failed, SMCSHIM_connect_observed};

	for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
		counted_at(file, line, before, outcomes[i], outcomes[i] == outcome);
}

bool kernel_has_smc(void)
{
	static int answer = -1;

	/* Asked once: a kernel without it starts modprobe each time. */
	if (answer < 0) {
		int fd = raw_socket(AF_INET, SOCK_STREAM, IPPROTO_SMC);

		answer = fd >= 0;
		close(fd);
	}
	return answer;
}

bool fresh_is_smc(void)
{
	return shim_loaded() && (config_now() & (IN_SOME | IN_ALL | IN_OWN)) && kernel_has_smc();
}

bool ipv6_is_smc(void)
{
	const char *mode = getenv("LAB_MODE");

	return !mode || strcmp(mode, "smcr") != 0;
}

/* ---- raw system calls ---- */

int raw_socket(int domain, int type, int protocol)
{
	return (int)syscall(SYS_socket, domain, type, protocol);
}

int raw_bind(int fd, const struct address *address)
{
	return (int)syscall(SYS_bind, fd, &address->any, address->len);
}

int raw_connect(int fd, const struct address *address)
{
	return (int)syscall(SYS_connect, fd, &address->any, address->len);
}

int raw_listen(int fd, int backlog)
{
	return (int)syscall(SYS_listen, fd, backlog);
}

int raw_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

int raw_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
}

int raw_int_option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	return raw_getsockopt(fd, level, name, &value, &len) ? -errno : value;
}

int raw_accept(int listener)
{
	MUST(poll_for(listener, POLLIN, 10000) & POLLIN);
	return (int)syscall(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC);
}

int raw_listener(struct address *address, int protocol)
{
	int fd, wanted = kernel_has_smc() ? protocol : 0;
	const int on = 1;

	fd = raw_socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, wanted);
	MUST(fd >= 0);
	raw_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	MUST(raw_bind(fd, address) == 0);
	MUST(raw_listen(fd, 128) == 0);
	*address = local_address(fd);
	return fd;
}

/* ---- addresses ---- */

struct address address_of(const char *text, unsigned port)
{
	struct address a = {.len = sizeof a.in};

	if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((uint16_t)port);
	} else {
		MUST(inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1);
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons((uint16_t)port);
		a.len = sizeof a.in6;
	}
	return a;
}

struct address local_address(int fd)
{
	struct address a = {.len = sizeof a.storage};

	MUST(getsockname(fd, &a.any, &a.len) == 0);
	return a;
}

unsigned port_of(const struct address *address)
{
	return ntohs(address->in.sin_port);
}

/* ---- places ---- */

const char *place_name(enum place place)
{
	static const char *const names[PLACES] = {"allowed", "natural fallback", "denied"};

	return names[place];
}

const char *place_host(enum place place)
{
	return place == DENIED ? "127.0.1.1" : "127.0.0.1";
}

int place_listen(enum place place, struct address *address)
{
	*address = address_of(place_host(place), 0);
	return raw_listener(address, place == ALLOWED ? IPPROTO_SMC : 0);
}

int place_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	MUST(fd >= 0);
	return fd;
}

bool place_is_smc(enum place place)
{
	return place == ALLOWED && fresh_is_smc();
}

bool place_is_tried(enum place place)
{
	return fresh_is_smc() && (place != DENIED || config_now() == IN_ALL);
}

enum smcshim_counter place_counter(enum place place)
{
	if (config_now() == IN_OBSERVE)
		return SMCSHIM_connect_observed;
	if (!place_is_tried(place))
		return SMCSHIM_connect_tcp;
	return place_is_smc(place) ? SMCSHIM_connect_smc : SMCSHIM_connect_fallback;
}

int place_connect(enum place place, int *server)
{
	struct address at;
	int listener = place_listen(place, &at);
	int client = place_socket(0);

	MUST(connect_to(client, &at) == 0);
	*server = raw_accept(listener);
	MUST(*server >= 0);
	close(listener);
	KIND(client, place_is_smc(place) ? SMC : TCP);
	KIND(*server, place_is_smc(place) ? SMC : TCP);
	return client;
}

void connects_as_tcp(int client, int listener, const struct address *at)
{
	int server;

	SUCCEEDS(connect_to(client, at));
	server = raw_accept(listener);
	KIND(client, TCP);
	talk(client, server);
	close(client);
	close(server);
}

/* ---- the kernel's answers ---- */

enum kind kind_of(int fd)
{
	int protocol = raw_int_option(fd, SOL_SOCKET, SO_PROTOCOL), domain = raw_int_option(fd, SOL_SOCKET, SO_DOMAIN);

	if (domain == AF_SMC || protocol == IPPROTO_SMC)
		return SMC;
	return protocol == IPPROTO_TCP ? TCP : OTHER;
}

const char *kind_name(enum kind kind)
{
	static const char *const names[] = {"TCP", "SMC", "neither TCP nor SMC"};

	return names[kind];
}

enum kind listener_kind(const char *host)
{
	if (!fresh_is_smc())
		return TCP;
	return config_now() == IN_ALL || strncmp(host, "127.0.0.", 8) == 0 || strcmp(host, "::1") == 0 ? SMC : TCP;
}

/* ---- help ---- */

void run_helper(const char *name)
{
	execl("/proc/self/exe", "shimtest", "--case", name, (char *)NULL);
	_exit(127);
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void sleep_ms(int ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

int poll_for(int fd, int events, int ms)
{
	double end = now() + ms / 1e3;
	struct pollfd p = {.fd = fd, .events = (short)events};
	int n;

	do {
		int left = (int)((end - now()) * 1e3) + 1;

		n = poll(&p, 1, left > 0 ? left : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? p.revents : 0;
}

int connect_to(int fd, const struct address *address)
{
	return connect(fd, &address->any, address->len);
}

void set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	MUST(flags >= 0);
	MUST(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0);
}

bool is_nonblock(int fd)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

static void send_and_see(int from, int to, const char *text)
{
	char got[64] = "";
	size_t have = 0, want = strlen(text);

	MUST_EQUAL(send(from, text, want, MSG_NOSIGNAL), (ssize_t)want);
	while (have < want) {
		ssize_t n;

		MUST(poll_for(to, POLLIN, 10000) & POLLIN);
		n = recv(to, got + have, sizeof got - 1 - have, 0);
		MUST(n > 0);
		have += (size_t)n;
	}
	check_at(__FILE__, __LINE__, memcmp(got, text, want) == 0, false, "sent '%s', received '%s'", text, got);
}

void talk(int a, int b)
{
	send_and_see(a, b, "one way");
	send_and_see(b, a, "and the other");
}

void *forbidden_page(void)
{
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(page != MAP_FAILED);
	return page;
}
