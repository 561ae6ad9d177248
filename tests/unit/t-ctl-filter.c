/* SPDX-License-Identifier: MIT */
/*
 * Tests of the filter of supervised programs: which calls are handed over, and that for every other number the answer is found
 * without a look at arguments, as the kernel does it for the bitmap of calls that cost nothing more.
 */
#include "config.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/supervise/filter.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define OTHER_ARCH 0x12345678u

static struct sock_filter code[BPF_MAXINSNS];
static unsigned length;

long __wrap_syscall(long number, ...);

/* What is to be installed is only kept. */
long __wrap_syscall(long number, ...)
{
	const struct sock_fprog *program;
	va_list args;

	assert_int_equal(number, SYS_seccomp);
	va_start(args, number);
	assert_int_equal(va_arg(args, int), SECCOMP_SET_MODE_FILTER);
	(void)va_arg(args, unsigned long);
	program = va_arg(args, const struct sock_fprog *);
	va_end(args);
	length = program->len;
	memcpy(code, program->filter, length * sizeof(*code));
	errno = EPERM;
	return -1;
}

static int setup(void **state)
{
	int listener = -1;
	bool killable;

	(void)state;
	return filter_install(&listener, &killable) == -EPERM && length > 0 ? 0 : -1;
}

static bool jumps(const struct sock_filter *at, unsigned value)
{
	switch (BPF_OP(at->code)) {
	case BPF_JEQ:
		return value == at->k;
	case BPF_JGE:
		return value >= at->k;
	case BPF_JGT:
		return value > at->k;
	case BPF_JSET:
		return value & at->k;
	default:
		fail_msg("jump %#x", at->code);
		return false;
	}
}

/* The filter's answer. arguments: those that were looked at, a bit each. */
static unsigned run(const struct seccomp_data *data, unsigned *arguments)
{
	unsigned value = 0;

	*arguments = 0;
	for (unsigned at = 0; at < length; at++) {
		const struct sock_filter *now = &code[at];

		switch (now->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(now->k % sizeof(value) == 0 && now->k < sizeof(*data));
			memcpy(&value, (const char *)data + now->k, sizeof(value));
			if (now->k >= offsetof(struct seccomp_data, args))
				*arguments |= 1u
					<< (now->k - offsetof(struct seccomp_data, args)) / sizeof(data->args[0]);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			value &= now->k;
			break;
		case BPF_RET | BPF_K:
			return now->k;
		default:
			assert_int_equal(BPF_CLASS(now->code), BPF_JMP);
			at += jumps(now, value) ? now->jt : now->jf;
		}
	}
	fail_msg("no answer");
	return 0;
}

static bool is_one_of(int number, const int *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* Every number but those of ours: seccomp_is_const_allow() knows the number and the machine alone. */
static void nothing_else_pays(unsigned arch, const int *ours, size_t count)
{
	for (int number = 0; number < 2048; number++) {
		const struct seccomp_data data = {.nr = number, .arch = arch};
		unsigned arguments;

		if (is_one_of(number, ours, count))
			continue;
		if (run(&data, &arguments) != SECCOMP_RET_ALLOW || arguments)
			fail_msg("call %d of %#x: arguments %#x", number, arch, arguments);
	}
}

static void other_calls(void **state)
{
	static const int ours[] = {SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_getsockopt, SYS_setsockopt,
		SYS_io_uring_setup, SYS_setns, SYS_unshare};

	(void)state;
	nothing_else_pays(FILTER_ARCH, ours, sizeof(ours) / sizeof(*ours));
	nothing_else_pays(OTHER_ARCH, NULL, 0);
#ifdef FILTER_ARCH_32BIT
	nothing_else_pays(FILTER_ARCH_32BIT, (const int[]){FILTER_I386_SOCKET, FILTER_I386_SOCKETCALL}, 2);
#endif
}

#define INET AF_INET, SOCK_STREAM
#define ANY_FD 3

static void these_calls(void **state)
{
	static const struct {
		int number;
		bool asked;
		uint64_t args[5];
	} rows[] = {
		{SYS_socket, true, {INET, 0}},
		{SYS_socket, true, {AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP}},
		{SYS_socket, false, {INET, IPPROTO_MPTCP}},
		{SYS_socket, false, {INET, IPPROTO_SCTP}},
		{SYS_socket, false, {AF_INET, SOCK_DGRAM, 0}},
		{SYS_socket, false, {AF_UNIX, SOCK_STREAM, 0}},
		{SYS_connect, true, {ANY_FD, 0, sizeof(struct sockaddr_in)}},
		{SYS_connect, true, {ANY_FD, 0, sizeof(struct sockaddr_in6)}},
		{SYS_connect, true, {ANY_FD, 0, sizeof(sa_family_t)}},
		{SYS_connect, true, {ANY_FD, 0, sizeof(struct sockaddr_storage)}},
		{SYS_connect, false, {ANY_FD, 0, sizeof(struct sockaddr_storage) + 1}},
		{SYS_connect, false, {ANY_FD, 0, 1}},
		{SYS_connect, false, {ANY_FD, 0, sizeof(struct sockaddr_un)}},
		{SYS_bind, true, {ANY_FD, 0, sizeof(struct sockaddr_in)}},
		{SYS_bind, false, {ANY_FD, 0, sizeof(struct sockaddr_in) - 1}},
		{SYS_bind, false, {ANY_FD, 0, sizeof(struct sockaddr_un)}},
		{SYS_listen, true, {ANY_FD, 128}},
		{SYS_getsockopt, true, {ANY_FD, SOL_SOCKET, SO_ERROR}},
		{SYS_getsockopt, true, {ANY_FD, SOL_SOCKET, SO_DOMAIN}},
		{SYS_getsockopt, true, {ANY_FD, SOL_SOCKET, SO_PROTOCOL}},
		{SYS_getsockopt, false, {ANY_FD, SOL_SOCKET, SO_TYPE}},
		{SYS_getsockopt, false, {ANY_FD, IPPROTO_TCP, SO_ERROR}},
		{SYS_setsockopt, false, {ANY_FD, SOL_SOCKET, SO_REUSEADDR, 0, 4}},
		{SYS_setsockopt, false, {ANY_FD, SOL_SOCKET, SO_KEEPALIVE, 0, 4}},
		{SYS_setsockopt, true, {ANY_FD, SOL_SOCKET, SO_LINGER, 0, 8}},
		{SYS_setsockopt, false, {ANY_FD, IPPROTO_TCP, TCP_NODELAY, 0, 4}},
		{SYS_setsockopt, true, {ANY_FD, IPPROTO_TCP, TCP_NODELAY, 0, 1}},
		{SYS_setsockopt, true, {ANY_FD, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0, 4}},
		{SYS_setsockopt, true, {ANY_FD, IPPROTO_IPV6, TCP_FASTOPEN, 0, 4}}, /* the number is what SMC sees */
		{SYS_setsockopt, true, {ANY_FD, IPPROTO_TCP, TCP_ULP, 0, 4}},
		{SYS_setsockopt, true, {ANY_FD, IPPROTO_TCP, TCP_MD5SIG, 0, 64}},
		{SYS_unshare, true, {CLONE_NEWNET | CLONE_NEWNS}},
		{SYS_unshare, false, {CLONE_NEWNS}},
		{SYS_setns, true, {ANY_FD, 0}},
		{SYS_io_uring_setup, true, {8}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct seccomp_data data = {.nr = rows[i].number, .arch = FILTER_ARCH};
		unsigned arguments;

		memcpy(data.args, rows[i].args, sizeof(rows[i].args));
		if (run(&data, &arguments) != (rows[i].asked ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW))
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_calls),
		cmocka_unit_test(these_calls),
	};

	return cmocka_run_group_tests_name("ctl-filter", tests, setup, NULL);
}
