/* SPDX-License-Identifier: MIT */
/* Owns the knowledge of socket options: which ones a kernel forgets, their defaults, and how they are carried over. */
#include "config.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/shim.h"

/* Numbers of include/uapi/asm-generic/socket.h and linux/{in,in6,tcp}.h that older headers lack. */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_RESERVE_MEM
#define SO_RESERVE_MEM 73
#endif
#ifndef SO_TXREHASH
#define SO_TXREHASH 74
#endif
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_TIMESTAMP_NEW
#define SO_TIMESTAMP_NEW 63
#define SO_TIMESTAMPNS_NEW 64
#define SO_TIMESTAMPING_NEW 65
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

/* SOL_SOCKET options live on the SMC socket alone, so a downgrade loses them (kernel-smc: forced fallback). */
struct socket_option {
	unsigned char name;
	unsigned char size;
	int64_t fresh; /* the first 8 bytes of a fresh socket's value */
};

#define NUMBER(name) \
	{ \
		name, sizeof(int), 0 \
	}

static const struct socket_option socket_options[] = {
	NUMBER(SO_REUSEADDR),
	NUMBER(SO_REUSEPORT),
	NUMBER(SO_KEEPALIVE),
	{SO_LINGER, sizeof(struct linger), 0},
	NUMBER(SO_MARK),
	NUMBER(SO_PRIORITY),
	NUMBER(SO_OOBINLINE),
	{SO_RCVLOWAT, sizeof(int), 1},
	{SO_RCVTIMEO, sizeof(struct timeval), 0},
	{SO_SNDTIMEO, sizeof(struct timeval), 0},
	NUMBER(SO_BINDTOIFINDEX),
	NUMBER(SO_BROADCAST),
	NUMBER(SO_DONTROUTE),
	NUMBER(SO_DEBUG),
	NUMBER(SO_TIMESTAMP),
	NUMBER(SO_TIMESTAMPNS),
	{SO_TIMESTAMPING, 8, 0}, /* struct so_timestamping; 4 bytes before Linux 5.14 */
	/* Each reads as set by itself only (sk_getsockopt), and decides the format of the control messages. */
	NUMBER(SO_TIMESTAMP_NEW),
	NUMBER(SO_TIMESTAMPNS_NEW),
	{SO_TIMESTAMPING_NEW, 8, 0},
	{SO_MAX_PACING_RATE, 8, -1},
	NUMBER(SO_BUSY_POLL),
	NUMBER(SO_PREFER_BUSY_POLL),
	{SO_INCOMING_CPU, sizeof(int), 0xffffffff},
	NUMBER(SO_RXQ_OVFL),
	NUMBER(SO_NO_CHECK),
	NUMBER(SO_WIFI_STATUS),
	NUMBER(SO_NOFCS),
	NUMBER(SO_SELECT_ERR_QUEUE),
	NUMBER(SO_PASSCRED),
	NUMBER(SO_PASSSEC),
	{SO_TXTIME, 8, 0},
	NUMBER(SO_RESERVE_MEM),
	{SO_TXREHASH, sizeof(int), 1},
	NUMBER(SO_RCVMARK),
	NUMBER(SO_PASSPIDFD),
	/* Carried only if SO_BUF_LOCK says that the program set them. */
	NUMBER(SO_SNDBUF),
	NUMBER(SO_RCVBUF),
};

#define SOCKET_OPTIONS (sizeof socket_options / sizeof *socket_options)
_Static_assert(SOCKET_OPTIONS <= OPTIONS_SOCKET_MAX, "struct options is too small");

/* Bit i: some socket of this process had socket_options[i] set through the shim. Only grows. */
static _Atomic(uint64_t) seen;

/* Options that set another one which is read back. */
static int option_read_as(int name)
{
	switch (name) {
	case SO_BINDTODEVICE:
		return SO_BINDTOIFINDEX;
	case SO_SNDBUFFORCE:
		return SO_SNDBUF;
	case SO_RCVBUFFORCE:
		return SO_RCVBUF;
	case 66: /* SO_RCVTIMEO_NEW */
		return SO_RCVTIMEO;
	case 67: /* SO_SNDTIMEO_NEW */
		return SO_SNDTIMEO;
	default:
		return name;
	}
}

bool options_is_sndtimeo(int name)
{
	return option_read_as(name) == SO_SNDTIMEO;
}

/* The bit of an option in seen; 0 if it need not be carried. */
static uint64_t bit_of(int name)
{
	for (size_t i = 0; i < SOCKET_OPTIONS; i++)
		if (socket_options[i].name == name)
			return UINT64_C(1) << i;
	return 0;
}

bool options_were_seen(int name)
{
	return atomic_load_explicit(&seen, memory_order_relaxed) & bit_of(name);
}

void options_seen(int name)
{
	uint64_t bit = bit_of(option_read_as(name));

	if (bit & ~atomic_load_explicit(&seen, memory_order_relaxed))
		atomic_fetch_or_explicit(&seen, bit, memory_order_relaxed);
}

/* Bit n: the same for option n of IPPROTO_TCP, below 64. */
static _Atomic(uint64_t) seen_tcp;

void options_seen_tcp(int name)
{
	if (name >= 0 && name < 64 && !options_were_seen_tcp(name))
		atomic_fetch_or_explicit(&seen_tcp, UINT64_C(1) << name, memory_order_relaxed);
}

void options_assume(bool all)
{
	static const int common[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST};

	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		options_seen(common[i]);
	if (all)
		atomic_store_explicit(&seen, (UINT64_C(1) << SOCKET_OPTIONS) - 1, memory_order_relaxed);
	atomic_store_explicit(&seen_tcp, UINT64_MAX, memory_order_relaxed);
}

bool options_were_seen_tcp(int name)
{
	return atomic_load_explicit(&seen_tcp, memory_order_relaxed) >> name & 1;
}

static _Atomic(bool) unreadable_set;

bool options_unreadable(int level, int name)
{
	static const struct {
		short level, name;
	} unreadable[] = {
		{SOL_SOCKET, SO_ATTACH_FILTER}, {SOL_SOCKET, SO_ATTACH_BPF}, {SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF},
		{SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF}, {SOL_SOCKET, SO_LOCK_FILTER}, {IPPROTO_IP, IP_IPSEC_POLICY},
		{IPPROTO_IP, IP_XFRM_POLICY}, {IPPROTO_IPV6, IPV6_XFRM_POLICY}, {IPPROTO_TCP, TCP_MD5SIG},
		{IPPROTO_TCP, TCP_MD5SIG_EXT}, {IPPROTO_TCP, TCP_REPAIR}, {IPPROTO_TCP, 38}, /* TCP_AO_ADD_KEY */
	};

	for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++)
		if (unreadable[i].level == level && unreadable[i].name == name) {
			atomic_store_explicit(&unreadable_set, true, memory_order_relaxed);
			return true;
		}
	return false;
}

static bool read_value(int fd, const struct socket_option *option, struct option_value *out)
{
	socklen_t len = option->size;

	memset(out, 0, sizeof *out);
	if (next_getsockopt(fd, SOL_SOCKET, option->name, out->bytes, &len) || len > sizeof out->bytes)
		return false;
	if (len == sizeof(int) && option->fresh == -1) /* SO_MAX_PACING_RATE where a long has 32 bits */
		out->wide = (uint64_t)(int64_t)out->number;
	out->name = option->name;
	out->len = (unsigned char)len;
	return true;
}

static bool is_fresh(const struct socket_option *option, const struct option_value *value)
{
	uint64_t rest = 0;

	if (value->len > 8)
		memcpy(&rest, value->bytes + 8, 8);
	return value->wide == (uint64_t)option->fresh && rest == 0;
}

static bool is_buffer(int name)
{
	return name == SO_SNDBUF || name == SO_RCVBUF;
}

/* SOCK_SNDBUF_LOCK 1, SOCK_RCVBUF_LOCK 2: set by SO_SNDBUF and SO_RCVBUF, cleared again for the policy's sizes. */
static bool is_locked(int fd, int name)
{
	return kind_int_option(fd, SOL_SOCKET, SO_BUF_LOCK, 0) & (name == SO_SNDBUF ? 1 : 2);
}

void options_read(int fd, struct options *out)
{
	uint64_t bits = atomic_load_explicit(&seen, memory_order_relaxed);

	out->count = 0;
	for (; bits; bits &= bits - 1) {
		const struct socket_option *option = &socket_options[__builtin_ctzll(bits)];
		struct option_value *value = &out->value[out->count];

		if (is_buffer(option->name) && !is_locked(fd, option->name))
			continue;
		if (!read_value(fd, option, value) || is_fresh(option, value))
			continue;
		if (is_buffer(option->name))
			value->number /= 2; /* socket(7): reads back doubled */
		out->count++;
	}
	out->file_flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
}

int options_check(int fd, const struct options *options)
{
	for (unsigned i = 0; i < options->count; i++) {
		const struct option_value *value = &options->value[i];

		if ((value->name == SO_MARK || value->name == SO_PRIORITY) &&
			next_setsockopt(fd, SOL_SOCKET, value->name, value->bytes, value->len))
			return -EPERM;
	}
	return 0;
}

static void set_size(int fd, int name, int force, int size)
{
	/* SO_SNDBUF is cut to net.core.wmem_max (SO_RCVBUF to rmem_max); with CAP_NET_ADMIN the other one is not. */
	if (next_setsockopt(fd, SOL_SOCKET, force, &size, sizeof size))
		next_setsockopt(fd, SOL_SOCKET, name, &size, sizeof size);
}

int options_write(int fd, const struct options *options)
{
	int r = 0;

	for (unsigned i = 0; i < options->count; i++) {
		const struct option_value *value = &options->value[i];

		/* A size above net.core.*mem_max needed CAP_NET_ADMIN; when that is gone since, what is allowed is set. */
		if (is_buffer(value->name)) {
			set_size(fd, value->name, value->name == SO_SNDBUF ? SO_SNDBUFFORCE : SO_RCVBUFFORCE,
				value->number);
			continue;
		}
		if (next_setsockopt(fd, SOL_SOCKET, value->name, value->bytes, value->len) && r == 0)
			r = -errno;
	}
	if (options->file_flags & O_ASYNC)
		options_renew_async(fd);
	return r;
}

void options_renew_async(int fd)
{
	long flags = syscall(SYS_fcntl, fd, F_GETFL);

	if (flags < 0 || !(flags & O_ASYNC))
		return;
	/* The list of SIGIO receivers stayed with the SMC socket: only a change of the flag makes a new entry. */
	syscall(SYS_fcntl, fd, F_SETFL, flags & ~(long)O_ASYNC);
	syscall(SYS_fcntl, fd, F_SETFL, flags);
}

/* ---- replacement: every level, compared with the new socket ---- */

struct level_option {
	short level;
	short name;
	short size;
};

static const struct level_option level_options[] = {
	{IPPROTO_IP, IP_TOS, 4},
	{IPPROTO_IP, IP_TTL, 4},
	{IPPROTO_IP, IP_OPTIONS, 40},
	{IPPROTO_IP, IP_RECVOPTS, 4},
	{IPPROTO_IP, IP_RETOPTS, 4},
	{IPPROTO_IP, IP_PKTINFO, 4},
	{IPPROTO_IP, IP_MTU_DISCOVER, 4},
	{IPPROTO_IP, IP_RECVERR, 4},
	{IPPROTO_IP, IP_RECVTTL, 4},
	{IPPROTO_IP, IP_RECVTOS, 4},
	{IPPROTO_IP, IP_FREEBIND, 4},
	{IPPROTO_IP, IP_PASSSEC, 4},
	{IPPROTO_IP, IP_TRANSPARENT, 4},
	{IPPROTO_IP, IP_ORIGDSTADDR, 4},
	{IPPROTO_IP, IP_MINTTL, 4},
	{IPPROTO_IP, IP_CHECKSUM, 4},
	{IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 4},
	{IPPROTO_IP, IP_MULTICAST_IF, 4},
	{IPPROTO_IP, IP_UNICAST_IF, 4},
	{IPPROTO_IP, IP_LOCAL_PORT_RANGE, 4},
	{IPPROTO_IPV6, IPV6_V6ONLY, 4},
	{IPPROTO_IPV6, IPV6_UNICAST_HOPS, 4},
	{IPPROTO_IPV6, IPV6_MTU_DISCOVER, 4},
	{IPPROTO_IPV6, IPV6_RECVERR, 4},
	{IPPROTO_IPV6, IPV6_RECVPKTINFO, 4},
	{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 4},
	{IPPROTO_IPV6, IPV6_RECVTCLASS, 4},
	{IPPROTO_IPV6, IPV6_TCLASS, 4},
	{IPPROTO_IPV6, IPV6_DONTFRAG, 4},
	{IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 4},
	{IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, 4},
	{IPPROTO_IPV6, IPV6_MINHOPCOUNT, 4},
	{IPPROTO_IPV6, IPV6_TRANSPARENT, 4},
	{IPPROTO_IPV6, IPV6_FREEBIND, 4},
	{IPPROTO_TCP, TCP_NODELAY, 4},
	{IPPROTO_TCP, TCP_MAXSEG, 4},
	{IPPROTO_TCP, TCP_CORK, 4},
	{IPPROTO_TCP, TCP_KEEPIDLE, 4},
	{IPPROTO_TCP, TCP_KEEPINTVL, 4},
	{IPPROTO_TCP, TCP_KEEPCNT, 4},
	{IPPROTO_TCP, TCP_SYNCNT, 4},
	{IPPROTO_TCP, TCP_LINGER2, 4},
	{IPPROTO_TCP, TCP_DEFER_ACCEPT, 4},
	{IPPROTO_TCP, TCP_WINDOW_CLAMP, 4},
	{IPPROTO_TCP, TCP_QUICKACK, 4},
	{IPPROTO_TCP, TCP_CONGESTION, 16},
	{IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 4},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, 4},
	{IPPROTO_TCP, TCP_FASTOPEN, 4},
	{IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 4},
	{IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 4},
	{IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4},
	{IPPROTO_TCP, TCP_SAVE_SYN, 4},
	{IPPROTO_TCP, TCP_INQ, 4},
	{IPPROTO_TCP, TCP_TX_DELAY, 4},
};

bool options_collide(int name)
{
	return name == TCP_FASTOPEN || name == TCP_FASTOPEN_CONNECT || name == TCP_FASTOPEN_KEY ||
		name == TCP_FASTOPEN_NO_COOKIE;
}

/* Reads as the program's own value or, once a connection was tried, as what TCP found: up to 65483, which it refuses. */
static bool measured(int name)
{
	return name == TCP_MAXSEG || name == TCP_WINDOW_CLAMP;
}

static bool equal_bytes(const unsigned char *a, const unsigned char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static int copy_level_option(int from, int to, const struct level_option *option, enum kind to_kind)
{
	unsigned char old[40], new[40];
	socklen_t old_len = (socklen_t)option->size, new_len = old_len;

	if (option->level == IPPROTO_TCP && measured(option->name) && !options_were_seen_tcp(option->name))
		return 0;
	if (next_getsockopt(from, option->level, option->name, old, &old_len))
		return 0; /* not an option of this family or kernel */
	if (next_getsockopt(to, option->level, option->name, new, &new_len))
		return 0;
	if (old_len == new_len && equal_bytes(old, new, old_len))
		return 0;
	if (to_kind == KIND_SMC && options_collide(option->name))
		return -EOPNOTSUPP;
	if (next_setsockopt(to, option->level, option->name, old, old_len) == 0)
		return 0;
	return option->level == IPPROTO_TCP && measured(option->name) ? 0 : -errno;
}

static int copy_socket_option(int from, int to, const struct socket_option *option)
{
	struct option_value old, new;

	if (is_buffer(option->name) && !is_locked(from, option->name))
		return 0;
	if (!read_value(from, option, &old) || !read_value(to, option, &new))
		return 0;
	if (equal_bytes(old.bytes, new.bytes, sizeof old.bytes))
		return 0;
	if (is_buffer(option->name))
		old.number /= 2;
	return next_setsockopt(to, SOL_SOCKET, option->name, old.bytes, old.len) ? -errno : 0;
}

static void copy_owner(int from, int to)
{
	struct f_owner_ex owner;
	long signal = syscall(SYS_fcntl, from, F_GETSIG);

	if (syscall(SYS_fcntl, from, F_GETOWN_EX, &owner) == 0 && owner.pid)
		syscall(SYS_fcntl, to, F_SETOWN_EX, &owner);
	if (signal > 0)
		syscall(SYS_fcntl, to, F_SETSIG, signal);
}

int options_copy(int from, int to, enum kind to_kind)
{
	int r = 0;

	/* Which socket has them cannot be asked, only whether this process ever set one. */
	if (to_kind == KIND_SMC && atomic_load_explicit(&unreadable_set, memory_order_relaxed))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < SOCKET_OPTIONS && r == 0; i++)
		r = copy_socket_option(from, to, &socket_options[i]);
	for (size_t i = 0; i < sizeof level_options / sizeof *level_options && r == 0; i++)
		r = copy_level_option(from, to, &level_options[i], to_kind);
	if (r < 0)
		return r;
	copy_owner(from, to);
	return syscall(SYS_fcntl, to, F_SETFL, syscall(SYS_fcntl, from, F_GETFL)) < 0 ? -errno : 0;
}

/* ---- the policy's buffer sizes ---- */

static void set_sizes(int fd, int size)
{
	set_size(fd, SO_SNDBUF, SO_SNDBUFFORCE, size);
	set_size(fd, SO_RCVBUF, SO_RCVBUFFORCE, size);
}

/* A locked size follows the connection into a fallback and ends TCP's auto-tuning there (smc_copy_sock_settings). */
static void unlock_sizes(int fd)
{
	int none = 0;

	next_setsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &none, sizeof none);
}

void options_set_buffers(int fd)
{
	int size = (int)table_buffers();

	if (size <= 0)
		return;
	set_sizes(fd, size);
	unlock_sizes(fd);
}

void options_lock_buffers(int listener)
{
	int size = (int)table_buffers();

	if (size > 0 && kind_int_option(listener, SOL_SOCKET, SO_BUF_LOCK, 0) == 0)
		set_sizes(listener, size);
}

void options_unlock_buffers(int listener, int fd)
{
	int size = (int)table_buffers();

	if (size > 0 && kind_int_option(listener, SOL_SOCKET, SO_SNDBUF, 0) <= 2 * size &&
		kind_int_option(fd, SOL_SOCKET, SO_BUF_LOCK, 0) == (1 | 2) && !options_were_seen(SO_SNDBUF) &&
		!options_were_seen(SO_RCVBUF))
		unlock_sizes(fd);
}
