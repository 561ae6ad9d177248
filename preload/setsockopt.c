/* SPDX-License-Identifier: MIT */
/* Hooks setsockopt(2): what SMC would refuse, misread or fall back on silently behaves as on TCP. */
#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/shim.h"

struct option_call {
	int fd, level, name;
	const void *value;
	socklen_t len;
};

static int set(const struct option_call *call)
{
	return next_setsockopt(call->fd, call->level, call->name, call->value, call->len);
}

/* What TCP says to this option, asked of a socket made for the purpose: 0 or an errno; otherwise if none can be had. */
static int ask_tcp(const struct option_call *call, int otherwise)
{
	struct option_call twin = *call;
	int error;

	twin.fd = next_socket(kind_family(call->fd), SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (twin.fd < 0)
		return otherwise;
	error = set(&twin) ? errno : 0;
	syscall(SYS_close, twin.fd);
	return error;
}

static int answer(int error, int saved)
{
	errno = error ? error : saved;
	return error ? -1 : 0;
}

static int set_fastopen_like(const struct option_call *call, int saved)
{
	int error;

	count(call->level == IPPROTO_TCP ? SMCSHIM_quirk_fastopen : SMCSHIM_quirk_optname);
	if (kind_tcp_state(call->fd) == TCP_CLOSE) {
		error = ask_tcp(call, 0);
		if (error || make_tcp_in_place(call->fd) < 0)
			return answer(error, saved);
		errno = saved;
		return set(call);
	}
	/* Fast open is an offer: without it the peer does an ordinary handshake. */
	if (call->level == IPPROTO_TCP)
		return answer(ask_tcp(call, 0), saved);
	/* The TCP socket beneath has taken the option before SMC says EINVAL. */
	error = set(call) ? errno : 0;
	return answer(error == EINVAL ? ask_tcp(call, 0) : error, saved);
}

/* Filters and keys act on TCP segments and cannot be read back: such a socket is to be TCP, and not by a downgrade. */
static int set_unreadable(const struct option_call *call, int saved)
{
	if (kind_tcp_state(call->fd) == TCP_CLOSE) {
		int tcp = ask_tcp(call, 0);

		if (tcp)
			return answer(tcp, saved);
		if (make_replacement(call->fd, KIND_TCP, 0, true) == 0 || make_tcp_in_place(call->fd) >= 0)
			count(SMCSHIM_quirk_refused_option);
	}
	errno = saved;
	return set(call);
}

/* SMC refused. A socket that is still fresh answers as TCP does, and becomes TCP where TCP accepts. */
static int set_refused(const struct option_call *call, int error, int saved)
{
	bool fresh = kind_tcp_state(call->fd) == TCP_CLOSE;
	int tcp;

	if (call->level != SOL_SOCKET && call->len < sizeof(int)) {
		/* The TCP socket beneath has its answer, SMC overwrites it with EINVAL (smc_setsockopt). */
		tcp = ask_tcp(call, error);
		if (tcp != error)
			count(SMCSHIM_quirk_optlen);
		return answer(tcp, saved);
	}
	tcp = fresh ? ask_tcp(call, error) : error;
	if (tcp || make_tcp_in_place(call->fd) < 0)
		return answer(tcp ? tcp : error, saved);
	count(SMCSHIM_quirk_refused_option);
	errno = saved;
	return set(call);
}

HOOK int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	const struct option_call call = {fd, level, name, value, len};
	int saved = errno, r, error;

	if (level == SOL_SOCKET)
		options_seen(name);
	else if (level == IPPROTO_TCP)
		options_seen_tcp(name);
	if (!table_mapped() || table_standing_aside())
		return set(&call);
	if (level != SOL_SOCKET && options_collide(name) && kind_of(fd) == KIND_SMC)
		return set_fastopen_like(&call, saved);
	if (options_unreadable(level, name) && kind_of(fd) == KIND_SMC)
		return set_unreadable(&call, saved);
	errno = saved;
	r = set(&call);
	if (r == 0 && level == SOL_SOCKET && options_is_sndtimeo(name) && pending_any()) {
		pending_drop_sndtimeo(fd);
		errno = saved;
	}
	if (r == 0 || (errno != EINVAL && errno != EOPNOTSUPP && errno != ENOPROTOOPT))
		return r;
	error = errno;
	if (kind_of(fd) == KIND_SMC)
		return set_refused(&call, error, saved);
	errno = error;
	return r;
}
