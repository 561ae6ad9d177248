/* SPDX-License-Identifier: MIT */
/* SMC that the kernel or a sandbox refuses: everything is plain TCP, works, and is counted. */
#include "config.h"

#include "tests/shim/harness.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVERYTHING \
	"{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":\"any\"},{\"use\":\"smc\",\"listen\":\"any\"}]}"

#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))

static void filter(struct sock_filter *code, size_t count)
{
	struct sock_fprog program = {(unsigned short)count, code};

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* socket(AF_SMC, ...) and socket(..., IPPROTO_SMC) give the errno, all else is allowed. */
static void refuse_smc(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_SMC, 2, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(2)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_SMC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	filter(code, sizeof code / sizeof *code);
}

/* What the option that downgrades is answered, without being set. */
static void answer_downgrade(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(1)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(2)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_FASTOPEN_NO_COOKIE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	filter(code, sizeof code / sizeof *code);
}

/* As systemd's RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX. */
static void restrict_families(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	filter(code, sizeof code / sizeof *code);
}

static uint64_t refusals(void)
{
	uint64_t sum = 0;

	for (int c = SMCSHIM_refused_eafnosupport; c <= SMCSHIM_refused_other; c++)
		sum += counter((enum smcshim_counter)c);
	return sum;
}

/* Client and server by libc: all of it is TCP. */
static void lives_on_tcp(enum smcshim_counter counted)
{
	static const char *const hosts[] = {"127.0.0.1", "::1", "0.0.0.0"};

	for (size_t i = 0; i < 3; i++) {
		struct address at = address_of(hosts[i], 0), to;
		struct counts before = counts_now();
		int listener, client, server;

		errno = SENTINEL;
		listener = socket(at.any.sa_family, SOCK_STREAM, 0);
		client = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
		EQUAL(errno, SENTINEL);
		MUST(listener >= 0 && client >= 0);
		KIND(listener, TCP);
		KIND(client, TCP);
		SUCCEEDS(bind(listener, &at.any, at.len));
		SUCCEEDS(listen(listener, 5));
		KIND(listener, TCP);
		/* The policy would have it SMC. */
		COUNTED(before, SMCSHIM_own_errors, 1);
		COUNTED(before, SMCSHIM_listen_tcp, 1);
		to = local_address(listener);
		SUCCEEDS(connect_to(client, &to));
		server = accept(listener, NULL, NULL);
		MUST(server >= 0);
		KIND(server, TCP);
		talk(client, server);
		COUNTED(before, SMCSHIM_sockets_tcp, 2);
		COUNTED(before, SMCSHIM_accept_tcp, 1);
		COUNTED_ONCE(before, SMCSHIM_connect_tcp);
		close(client);
		close(server);
		close(listener);
	}
	CHECKF(counter(counted) >= 1, "refusals were not counted");
	EQUAL(refusals(), counter(counted));
	EQUAL(counter(SMCSHIM_sockets_smc), 0);
	EQUAL(counter(SMCSHIM_connect_smc), 0);
	EQUAL(counter(SMCSHIM_listen_smc), 0);
}

static void by_seccomp(int error, enum smcshim_counter counted)
{
	refuse_smc(error);
	FAILS(raw_socket(AF_INET, SOCK_STREAM, IPPROTO_SMC), error);
	lives_on_tcp(counted);
}

static void eafnosupport(void)
{
	by_seccomp(EAFNOSUPPORT, SMCSHIM_refused_eafnosupport);
}

static void eperm(void)
{
	by_seccomp(EPERM, SMCSHIM_refused_eperm);
}

static void eacces(void)
{
	by_seccomp(EACCES, SMCSHIM_refused_eacces);
}

static void eprotonosupport(void)
{
	by_seccomp(EPROTONOSUPPORT, SMCSHIM_refused_eprotonosupport);
}

static void esocktnosupport(void)
{
	by_seccomp(ESOCKTNOSUPPORT, SMCSHIM_refused_esocktnosupport);
}

static void enobufs(void)
{
	by_seccomp(ENOBUFS, SMCSHIM_refused_enobufs);
}

static void enomem(void)
{
	by_seccomp(ENOMEM, SMCSHIM_refused_enomem);
}

static void enosys(void)
{
	by_seccomp(ENOSYS, SMCSHIM_refused_other);
}

/* IPPROTO_SMC passes a filter of families, AF_SMC does not. */
static void families_inet(void)
{
	restrict_families();
	EACH_PLACE(place)
	{
		int server, client = place_connect(place, &server);

		talk(client, server);
		close(client);
		close(server);
	}
	EQUAL(refusals(), 0);
}

static void families_af_smc(void)
{
	/* As a kernel before 6.11: no IPPROTO_SMC. */
	publish_at(getenv("SMC_POLICY"), EVERYTHING, 0x1c);
	restrict_families();
	lives_on_tcp(SMCSHIM_refused_eafnosupport);
}

/* AF_SMC sockets instead of IPPROTO_SMC: all of it works the same. */
static void older_kernel(void)
{
	publish_at(getenv("SMC_POLICY"), EVERYTHING, 0x1c);
	EACH_PLACE(place)
	{
		int server, client = place_connect(place, &server), domain = 0;
		socklen_t len = sizeof domain;

		SUCCEEDS(getsockopt(client, SOL_SOCKET, SO_DOMAIN, &domain, &len));
		EQUAL(domain, AF_INET);
		talk(client, server);
		close(client);
		close(server);
	}
	CHECK(counter(SMCSHIM_sockets_smc) >= 3);
	EQUAL(refusals(), 0);
}

/*
 * A kernel on which the downgrade does not work, or loses what waits for the socket, as it was measured: nothing begins as
 * SMC that may have to be TCP. Listeners are, for nothing waits for one before it listens.
 */
static void loses_epoll(void)
{
	static const unsigned kernels[] = {0x07, 0x0f};

	for (size_t i = 0; i < 2; i++) {
		context("kernel %#x", kernels[i]);
		publish_at(getenv("SMC_POLICY"), EVERYTHING, kernels[i]);
		EACH_PLACE(place)
		{
			int client = socket(AF_INET, SOCK_STREAM, 0), listener;
			struct address at;

			KIND(client, TCP);
			close(client);
			listener = place_listen(place, &at);
			connects_as_tcp(place_socket(0), listener, &at);
			close(listener);
		}
		EQUAL(listener_kind("127.0.0.1"), SMC);
	}
	EQUAL(counter(SMCSHIM_sockets_smc), 0);
	EQUAL(refusals(), 0);
}

/* The same where it had worked when it was measured: replacement, whether the option is refused or only kept. */
static void no_downgrade(void)
{
	static const int answers[] = {ENOPROTOOPT, 0};
	unsigned long long replaced = 0;

	publish_at(getenv("SMC_POLICY"),
		"{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":\"127.0.0.0/"
		"24\"},{\"use\":\"smc\",\"listen\":\"any\"}]}",
		0x1f);
	for (size_t i = 0; i < 2; i++) {
		answer_downgrade(answers[i]);
		EACH_PLACE(place)
		{
			int server, client = place_connect(place, &server);
			bool denied = !place_is_tried(place);

			talk(client, server);
			if (denied)
				KIND(client, TCP);
			replaced += denied;
			close(client);
			close(server);
		}
	}
	CHECK(replaced > 0);
	EQUAL(counter(SMCSHIM_replaced), replaced);
	EQUAL(counter(SMCSHIM_downgraded), 0);
}

/* The table says that the kernel has no SMC: nobody even tries. */
static void nothing_to_try(void)
{
	publish_at(getenv("SMC_POLICY"), EVERYTHING, 0);
	for (int i = 0; i < 3; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		KIND(fd, TCP);
		close(fd);
	}
	EQUAL(refusals(), 0);
	EQUAL(counter(SMCSHIM_sockets_tcp), 3);
}

/* A kernel without SMC and a table that promises it. */
static void absent(void)
{
	for (int i = 0; i < 3; i++) {
		int fd = socket(i ? AF_INET : AF_INET6, SOCK_STREAM, 0);

		MUST(fd >= 0);
		KIND(fd, TCP);
		close(fd);
	}
	CHECK(refusals() >= 2);
	EQUAL(counter(SMCSHIM_sockets_tcp), 3);
	EQUAL(counter(SMCSHIM_sockets_smc), 0);
}

/* A kernel without the module starts modprobe for each socket it refuses: it must not be asked for each. */
static void rests(void)
{
	double begin, plain, shim;

	refuse_smc(EAFNOSUPPORT);
	begin = now();
	for (int i = 0; i < 1000; i++)
		close(raw_socket(AF_INET, SOCK_STREAM, 0));
	plain = now() - begin;
	begin = now();
	for (int i = 0; i < 1000; i++)
		close(socket(AF_INET, SOCK_STREAM, 0));
	shim = now() - begin;
	note("1,000 sockets in %.1f ms, without the shim in %.1f ms", shim * 1e3, plain * 1e3);
	CHECKF(refusals() <= 6, "the kernel was asked %llu times", (unsigned long long)refusals());
	EQUAL(counter(SMCSHIM_sockets_tcp), 1000);
}

#define OWN .flags = IN_OWN, .policy = EVERYTHING

const struct test_case refusal_cases[] = {
	{.name = "refusal-eafnosupport", .run = eafnosupport, OWN},
	{.name = "refusal-eperm", .run = eperm, OWN},
	{.name = "refusal-eacces", .run = eacces, OWN},
	{.name = "refusal-eprotonosupport", .run = eprotonosupport, OWN},
	{.name = "refusal-esocktnosupport", .run = esocktnosupport, OWN},
	{.name = "refusal-enobufs", .run = enobufs, OWN},
	{.name = "refusal-enomem", .run = enomem, OWN},
	{.name = "refusal-rests", .run = rests, OWN},
	{.name = "refusal-other", .run = enosys, OWN},
	{.name = "refusal-families", .run = families_inet, .flags = IN_SOME | IN_ALL | NEEDS_SMC},
	{.name = "refusal-families-af-smc", .run = families_af_smc, OWN},
	{.name = "refusal-older-kernel", .run = older_kernel, .flags = IN_OWN | NEEDS_SMC, .policy = EVERYTHING},
	{.name = "refusal-loses-epoll", .run = loses_epoll, .flags = IN_OWN | NEEDS_SMC, .policy = EVERYTHING},
	{.name = "refusal-no-downgrade", .run = no_downgrade, .flags = IN_OWN | NEEDS_SMC, .policy = EVERYTHING},
	{.name = "refusal-nothing-to-try", .run = nothing_to_try, OWN},
	{.name = "refusal-absent", .run = absent, .flags = IN_OWN | NO_SMC, .policy = EVERYTHING},
	CASE_END,
};
