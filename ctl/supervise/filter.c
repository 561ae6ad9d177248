/* SPDX-License-Identifier: MIT */
/* Assembles the filter and installs it. */
#include "config.h"

#include "ctl/supervise/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_INSTRUCTIONS 160u

/* Names of newer headers; uapi numbers. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5)
#endif
#define TCP_AO_FIRST 38 /* TCP_AO_ADD_KEY */
#define MIN_ADDRESS 2u  /* the family alone, as connect(AF_UNSPEC) may give it */

struct program {
	struct sock_filter code[MAX_INSTRUCTIONS];
	unsigned short length;
};

static void emit(struct program *p, unsigned code, unsigned k, unsigned jump_true, unsigned jump_false)
{
	if (p->length < MAX_INSTRUCTIONS)
		p->code[p->length] = (struct sock_filter){
			(unsigned short)code, (unsigned char)jump_true, (unsigned char)jump_false, k};
	p->length++;
}

static void allow(struct program *p)
{
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void notify(struct program *p)
{
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
}

/* The low half: all arguments that are looked at are ints, of which the kernel takes no more. */
static void load_argument(struct program *p, unsigned number)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	const unsigned low = sizeof(uint32_t);
#else
	const unsigned low = 0;
#endif

	emit(p, BPF_LD | BPF_W | BPF_ABS,
		(unsigned)(offsetof(struct seccomp_data, args) + number * sizeof(uint64_t)) + low, 0, 0);
}

static void notify_if(struct program *p, unsigned value)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	notify(p);
}

static void allow_if(struct program *p, unsigned value)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	allow(p);
}

static void notify_if_any(struct program *p, const unsigned *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		notify_if(p, values[i]);
}

/* What begins here is skipped unless the accumulator is value; ended by end_if(). */
static unsigned begin_if(struct program *p, unsigned value)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 0);
	return p->length - 1u;
}

static void end_if(struct program *p, unsigned begun)
{
	if (begun < MAX_INSTRUCTIONS)
		p->code[begun].jf = (unsigned char)(p->length - begun - 1u);
}

static void socket_calls(struct program *p)
{
	load_argument(p, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0);
	allow(p);
	load_argument(p, 1);
	emit(p, BPF_ALU | BPF_AND | BPF_K, ~(unsigned)(SOCK_NONBLOCK | SOCK_CLOEXEC), 0, 0);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 1, 0);
	allow(p);
	load_argument(p, 2);
	notify_if(p, 0);
	notify_if(p, IPPROTO_TCP);
	allow(p);
}

/*
 * connect and bind: the family stands in memory, which a filter does not see, but the length tells much: a whole
 * struct sockaddr_un, as most programs give it, is none of ours.
 */
static void address_calls(struct program *p, unsigned shortest)
{
	load_argument(p, 2);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, shortest, 1, 0);
	allow(p);
	emit(p, BPF_JMP | BPF_JGT | BPF_K, sizeof(struct sockaddr_storage), 0, 1);
	allow(p);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, sizeof(struct sockaddr_un), 0, 1);
	allow(p);
	notify(p);
}

static void option_reads(struct program *p)
{
	load_argument(p, 1);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 1, 0);
	allow(p);
	load_argument(p, 2);
	notify_if(p, SO_ERROR);
	notify_if(p, SO_DOMAIN);
	notify_if(p, SO_PROTOCOL);
	allow(p);
}

/* Options that SMC refuses, misreads, or falls back on (kernel-smc, "Traps of smc_setsockopt"; preload/options.c). */
static void option_writes(struct program *p)
{
	/*
	 * Set on every connection by many programs (of Go: all), and nothing is wrong with them: the supervisor reads these when
	 * they must be kept. The others it reads from the first time on that somebody sets them.
	 */
	static const unsigned common[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST};
	static const unsigned of_any[] = {TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_KEY, TCP_FASTOPEN_NO_COOKIE};
	static const unsigned of_tcp[] = {TCP_MD5SIG, TCP_MD5SIG_EXT, TCP_REPAIR, TCP_ULP, TCP_AO_FIRST};
	static const unsigned of_ip[] = {IP_IPSEC_POLICY, IP_XFRM_POLICY};
	unsigned begun;

	load_argument(p, 1);
	begun = begin_if(p, SOL_SOCKET);
	load_argument(p, 2);
	for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
		allow_if(p, common[i]);
	notify(p);
	end_if(p, begun);
	load_argument(p, 4);
	emit(p, BPF_JMP | BPF_JGE | BPF_K, sizeof(int), 1, 0);
	notify(p);
	load_argument(p, 2);
	notify_if_any(p, of_any, sizeof(of_any) / sizeof(*of_any));
	load_argument(p, 1);
	begun = begin_if(p, IPPROTO_TCP);
	load_argument(p, 2);
	notify_if_any(p, of_tcp, sizeof(of_tcp) / sizeof(*of_tcp));
	allow(p);
	end_if(p, begun);
	begun = begin_if(p, IPPROTO_IP);
	load_argument(p, 2);
	notify_if_any(p, of_ip, sizeof(of_ip) / sizeof(*of_ip));
	allow(p);
	end_if(p, begun);
	begun = begin_if(p, IPPROTO_IPV6);
	load_argument(p, 2);
	notify_if(p, IPV6_XFRM_POLICY);
	end_if(p, begun);
	allow(p);
}

#ifdef FILTER_ARCH_32BIT
/* Only to be counted. */
static void calls_of_32bit(struct program *p)
{
	unsigned begun;

	emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	begun = begin_if(p, FILTER_I386_SOCKET);
	socket_calls(p);
	end_if(p, begun);
	begun = begin_if(p, FILTER_I386_SOCKETCALL);
	load_argument(p, 0);
	notify_if(p, FILTER_I386_SOCKETCALL_SOCKET);
	end_if(p, begun);
	allow(p);
}
#endif

#ifdef FILTER_ARCH
/*
 * For a number that is none of these, the answer does not depend on arguments: the kernel finds that out and keeps it in
 * a bitmap, so such a call costs nothing more (kernel/seccomp.c, seccomp_is_const_allow).
 */
static void assemble(struct program *p)
{
	unsigned begun;

	emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
#ifdef FILTER_ARCH_32BIT
	begun = begin_if(p, FILTER_ARCH_32BIT);
	calls_of_32bit(p);
	end_if(p, begun);
#endif
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0);
	allow(p); /* of another word size: not supervised */
	emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
#ifdef X32_BIT
	emit(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	allow(p);
#endif
	begun = begin_if(p, SYS_socket);
	socket_calls(p);
	end_if(p, begun);
	begun = begin_if(p, SYS_connect);
	address_calls(p, MIN_ADDRESS);
	end_if(p, begun);
	begun = begin_if(p, SYS_bind);
	address_calls(p, sizeof(struct sockaddr_in));
	end_if(p, begun);
	begun = begin_if(p, SYS_listen);
	notify(p);
	end_if(p, begun);
	begun = begin_if(p, SYS_getsockopt);
	option_reads(p);
	end_if(p, begun);
	begun = begin_if(p, SYS_setsockopt);
	option_writes(p);
	end_if(p, begun);
	/* Only to be counted: what a ring does then, no filter sees. */
	begun = begin_if(p, SYS_io_uring_setup);
	notify(p);
	end_if(p, begun);
	/* To another network namespace: so that it need not be asked at each socket(). */
	begun = begin_if(p, SYS_setns);
	notify(p);
	end_if(p, begun);
	begun = begin_if(p, SYS_unshare);
	load_argument(p, 0);
	emit(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWNET, 1, 0);
	allow(p);
	notify(p);
	end_if(p, begun);
	allow(p);
}
#endif

static int install(const struct sock_fprog *program, unsigned long flags)
{
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, program);

	return fd < 0 ? -errno : (int)fd;
}

int filter_install(int *listener, bool *killable)
{
	struct program p = {.length = 0};
	struct sock_fprog program = {.filter = p.code};
	unsigned long flags = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	int r;

#ifdef FILTER_ARCH
	assemble(&p);
#endif
	if (p.length == 0 || p.length > MAX_INSTRUCTIONS)
		return -ENOTSUP;
	program.len = p.length;
	r = install(&program, flags);
	if (r == -EINVAL) { /* before Linux 5.19 */
		flags = 0;
		r = install(&program, flags);
	}
	if (r == -EACCES) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
			return -errno;
		r = install(&program, flags);
	}
	if (r < 0)
		return r;
	*listener = r;
	*killable = flags != 0;
	return 0;
}
