/* SPDX-License-Identifier: MIT */
/*
 * A static program for the ends that a connect can come to, other than those of calls.c: timed out, many at a time, cancelled,
 * in children of every kind, in another network namespace, and with arguments that change under way. Says the same with and
 * without supervision; "refilled" is for a supervised one.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/supervise/talk.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

static struct sockaddr_in target;

/* ---- the kernel gives up ---- */

static const char *pending_error(int fd)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len))
		return "none";
	return value ? strerrorname_np(value) : "0";
}

static int timed_out(char **args)
{
	struct pollfd p = {.events = POLLOUT};
	int fd = socket(AF_INET, SOCK_STREAM, 0), r;

	target = address(args[0], args[1]);
	p.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	r = dial(p.fd, &target);
	printf("nonblocking: %s\n", word(r));
	r = dial(fd, &target);
	printf("blocking: %s\n", word(r));
	r = poll(&p, 1, 20000);
	printf("poll %d, SO_ERROR %s", r, pending_error(p.fd));
	printf(", then %s\n", pending_error(p.fd));
	return 0;
}

/* ---- a signal ends a connect whose outcome is there, and the thread makes another one before anybody looks ---- */

static struct {
	int first, second;
	struct sockaddr_in silent;
	atomic_int tid;
} refill;

static void taken(int number)
{
	(void)number;
}

static void *one_after_the_other(void *arg)
{
	(void)arg;
	atomic_store(&refill.tid, gettid());
	printf("first: %s\n", word(dial(refill.first, &target)));
	printf("second: %s\n", word(dial(refill.second, &refill.silent)));
	return NULL;
}

static bool is_in_second(void)
{
	char path[64], what[64] = "";
	int number = -1;
	unsigned fd = 0;
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", atomic_load(&refill.tid));
	stream = fopen(path, "r");
	if (!stream)
		return false;
	if (!fgets(what, sizeof(what), stream) || sscanf(what, "%d %x", &number, &fd) != 2)
		number = -1;
	fclose(stream);
	return number == SYS_connect && fd == (unsigned)refill.second;
}

/* Nobody may look from the first connect's outcome on until this has said "queued". */
static int refilled(char **args)
{
	const struct sigaction action = {.sa_handler = taken};
	const struct timeval second = {1, 0};
	struct pollfd p = {.events = POLLOUT};
	pthread_t thread;

	target = address(args[0], args[1]);
	refill.silent = address(args[2], args[1]);
	refill.first = p.fd = socket(AF_INET, SOCK_STREAM, 0);
	refill.second = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(refill.second, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	sigaction(SIGUSR1, &action, NULL);
	if (pthread_create(&thread, NULL, one_after_the_other, NULL) || poll(&p, 1, 60000) != 1)
		return 1;
	pthread_kill(thread, SIGUSR1);
	while (!is_in_second())
		usleep(1000);
	printf("queued\n");
	fflush(stdout);
	pthread_join(thread, NULL);
	return 0;
}

/* ---- many wait at the same time ---- */

static atomic_int as_told;

static void *one_that_waits(void *arg)
{
	const struct timeval second = {1, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	if (dial(fd, &target) < 0 && errno == EINPROGRESS)
		atomic_fetch_add(&as_told, 1);
	close(fd);
	return NULL;
}

static int many(char **args)
{
	pthread_t thread[64];
	int n = atoi(args[2]);
	double began = seconds(), took;

	target = address(args[0], args[1]);
	for (int i = 0; i < n; i++)
		if (pthread_create(&thread[i], NULL, one_that_waits, NULL))
			return 1;
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	took = seconds() - began;
	printf("%d of %d, %s\n", atomic_load(&as_told), n, took < 1 ? "early" : took < 3 ? "together" : "one by one");
	return 0;
}

/* ---- the caller is taken away ---- */

static void *one_for_ever(void *arg)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	dial(fd, &target);
	return NULL;
}

static const char *soon(double began)
{
	return seconds() - began < 2 ? "soon" : "late";
}

static int cancelled(char **args)
{
	pthread_t thread;
	void *value = NULL;
	double began;
	pid_t child;
	int status = 0;

	target = address(args[0], args[1]);
	if (pthread_create(&thread, NULL, one_for_ever, NULL))
		return 1;
	usleep(300000);
	began = seconds();
	pthread_cancel(thread);
	pthread_join(thread, &value);
	printf("a thread: %s %s\n", value == PTHREAD_CANCELED ? "cancelled" : "not", soon(began));
	fflush(stdout);
	child = fork();
	if (child == 0) {
		one_for_ever(NULL);
		_exit(0);
	}
	usleep(300000);
	began = seconds();
	kill(child, SIGTERM);
	waitpid(child, &status, 0);
	printf("a process: signal %d %s\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0, soon(began));
	return 0;
}

/* ---- children of every kind ---- */

static int one(char **args)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), r;

	target = address(args[0], args[1]);
	r = dial(fd, &target);
	if (r == 0)
		r = talk(fd, 5);
	close(fd);
	return r != 0;
}

static int outcome(pid_t child)
{
	int status = -1;

	return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

/* A daemon: a session of its own, and no parent that waits. Says by a pipe what became of it. */
static int daemon_of(char **args)
{
	int ends[2];
	char byte = 'f';
	pid_t child;

	if (pipe(ends))
		return -1;
	child = fork();
	if (child == 0) {
		setsid();
		if (fork() == 0) {
			byte = one(args) == 0 ? 'w' : 'f';
			_exit(write(ends[1], &byte, 1) != 1);
		}
		_exit(0);
	}
	close(ends[1]);
	if (outcome(child) || read(ends[0], &byte, 1) != 1)
		return -1;
	return byte == 'w' ? 0 : 1;
}

static int children(char **args)
{
	pid_t child = fork();

	if (child == 0)
		_exit(one(args));
	printf("fork %d\n", outcome(child));
	fflush(stdout);
	child = vfork();
	if (child == 0) {
		execl("/proc/self/exe", "ends", "one", args[0], args[1], NULL);
		_exit(127);
	}
	printf("vfork %d\n", outcome(child));
	fflush(stdout);
	printf("daemon %d\n", daemon_of(args));
	return 0;
}

/* ---- another network namespace ---- */

static const char *in_proc(pid_t pid, const char *what)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	return path;
}

static uint64_t network_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) ? 0 : cookie;
}

static const char *reaches(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const char *r = word(dial(fd, &target));

	close(fd);
	return r;
}

/* Its children go to another one: by unshare, and by setns to that of the first one, each after it had a socket here. */
static int moves(char **args)
{
	int ends[2], there = open("/proc/self/ns/net", O_RDONLY);
	char byte = 0;
	pid_t child;

	target = address(args[0], args[1]);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 1;
	child = fork();
	if (child == 0) {
		printf("here: %s", reaches());
		printf(", elsewhere: %s", unshare(CLONE_NEWNET) ? "none" : reaches());
		printf(", and back: %s\n", setns(there, CLONE_NEWNET) ? "none" : reaches());
		fflush(stdout);
		/* A namespace lives as long as somebody is in it. */
		_exit(unshare(CLONE_NEWNET) || write(ends[1], &byte, 1) != 1 || read(ends[1], &byte, 1) != 1);
	}
	if (read(ends[0], &byte, 1) != 1)
		return 1;
	printf("here: %s", reaches());
	close(there);
	there = open(in_proc(child, "ns/net"), O_RDONLY);
	printf(", where the child is: %s\n", setns(there, CLONE_NEWNET) ? "none" : reaches());
	return write(ends[0], &byte, 1) != 1 || outcome(child);
}

/* Whether the listener at fd belongs to the namespace where the thread is, and what it was made as. */
static void say_listener(const char *what, int fd)
{
	int here = socket(AF_INET, SOCK_DGRAM, 0);
	char made[16] = "";

	if (listen(fd, 5) || fgetxattr(fd, "system.sockprotoname", made, sizeof(made)) < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %s, %s\n", what, network_of(fd) == network_of(here) ? "here" : "elsewhere", made);
	close(here);
}

/* Listeners whose sockets are of another namespace: bound there, not bound at all, and bound after it has come back. */
static int listens(char **args)
{
	struct sockaddr_in any = address("0.0.0.0", args[1]);
	int back = open("/proc/self/ns/net", O_RDONLY);
	int bound, unbound, late;

	target = address(args[0], args[1]);
	if (unshare(CLONE_NEWNET))
		return 1;
	bound = socket(AF_INET, SOCK_STREAM, 0);
	unbound = socket(AF_INET, SOCK_STREAM, 0);
	late = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(bound, (struct sockaddr *)&any, sizeof(any)))
		return 1;
	say_listener("bound", bound);
	say_listener("not bound", unbound);
	if (setns(back, CLONE_NEWNET))
		return 1;
	printf("seen from here: %s\n", reaches());
	any.sin_port = htons((uint16_t)(ntohs(any.sin_port) + 1));
	if (bind(late, (struct sockaddr *)&any, sizeof(any)))
		return 1;
	say_listener("bound late", late);
	return 0;
}

/* A thread that is not the first goes there, and becomes another program, with the process's number. */
static void *goes_and_becomes(void *arg)
{
	char **args = arg;

	if (unshare(CLONE_NEWNET) == 0)
		execl("/proc/self/exe", "ends", "became", args[0], args[1], NULL);
	_exit(127);
}

static int becomes(char **args)
{
	pthread_t thread;

	target = address(args[0], args[1]);
	printf("before: %s\n", reaches());
	fflush(stdout);
	if (pthread_create(&thread, NULL, goes_and_becomes, args))
		return 1;
	pthread_join(thread, NULL);
	return 1;
}

static int became(char **args)
{
	target = address(args[0], args[1]);
	printf("after: %s\n", reaches());
	return 0;
}

/* ---- a thread that has a name of its own ---- */

static void *one_by_another_name(void *arg)
{
	prctl(PR_SET_NAME, "worker", 0, 0, 0);
	return (void *)(intptr_t)one(arg);
}

static int named(char **args)
{
	pthread_t thread;
	void *failed = NULL;

	if (pthread_create(&thread, NULL, one_by_another_name, args))
		return 1;
	pthread_join(thread, &failed);
	return failed != NULL;
}

/* ---- the address changes while the call is under way ---- */

static in_addr_t choices[2];
static atomic_bool over;

static void *flip(void *arg)
{
	in_addr_t *changing = &target.sin_addr.s_addr;

	(void)arg;
	for (unsigned i = 0; !atomic_load_explicit(&over, memory_order_relaxed); i++)
		__atomic_store_n(changing, choices[i / 16 % 2], __ATOMIC_RELAXED);
	return NULL;
}

static bool comes_up(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (dial(fd, &target) == 0)
		return true;
	return errno == EINPROGRESS && poll(&p, 1, 20000) == 1 && strcmp(pending_error(fd), "0") == 0;
}

static int flips(char **args)
{
	struct sockaddr_in peer;
	socklen_t len;
	pthread_t thread;
	int n = atoi(args[3]), well = 0, elsewhere = 0;

	target = address(args[0], args[2]);
	choices[0] = target.sin_addr.s_addr;
	choices[1] = address(args[1], args[2]).sin_addr.s_addr;
	if (pthread_create(&thread, NULL, flip, NULL))
		return 1;
	for (int i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | (i % 2 ? SOCK_NONBLOCK : 0), 0);

		if (comes_up(fd)) {
			len = sizeof(peer);
			if (getpeername(fd, (struct sockaddr *)&peer, &len) || peer.sin_port != target.sin_port ||
				(peer.sin_addr.s_addr != choices[0] && peer.sin_addr.s_addr != choices[1]))
				elsewhere++;
			fcntl(fd, F_SETFL, 0);
			well += talk(fd, (unsigned char)i) == 0;
		}
		close(fd);
	}
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	printf("%d of %d, %d elsewhere\n", well, n, elsewhere);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = {{"timed-out", timed_out, 2}, {"refilled", refilled, 3}, {"many", many, 3},
		{"cancelled", cancelled, 2}, {"one", one, 2}, {"children", children, 2}, {"moves", moves, 2},
		{"listens", listens, 2}, {"becomes", becomes, 2}, {"became", became, 2}, {"named", named, 2},
		{"flips", flips, 4}};

	return run_mode(modes, sizeof(modes) / sizeof(*modes), argc, argv);
}
