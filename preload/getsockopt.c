/* SPDX-License-Identifier: MIT */
/* Hooks getsockopt(2): a socket that the shim made SMC says that it is TCP, and the truth about its connect. */
#include "config.h"

#include <netinet/in.h>
#include <poll.h>

#include "preload/shim.h"

/* Some programs have the option's value written to errno itself. */
static void restore_errno(int saved, const void *value)
{
	if (value != (const void *)&errno)
		errno = saved;
}

static int answer_int(void *value, socklen_t *len, int number, int saved)
{
	socklen_t n = *len < sizeof number ? *len : sizeof number;

	restore_errno(saved, value);
	__builtin_memcpy(value, &number, n);
	*len = n;
	return 0;
}

/* After a successful call: value and *len are readable, *len bytes of value are what the kernel wrote. */
static int mask_identity(int fd, int name, void *value, socklen_t *len, int saved)
{
	int seen = 0;

	__builtin_memcpy(&seen, value, *len < sizeof seen ? *len : sizeof seen);
	if (name == SO_DOMAIN && seen == AF_SMC) {
		count(SMCSHIM_quirk_identity);
		return answer_int(value, len, kind_family(fd), saved);
	}
	if (name == SO_PROTOCOL && (seen == IPPROTO_SMC || seen == 0 || seen == 1) && kind_of(fd) == KIND_SMC) {
		count(SMCSHIM_quirk_identity);
		return answer_int(value, len, IPPROTO_TCP, saved);
	}
	return answer_int(value, len, seen, saved);
}

static int resolve_pending(int fd, void *value, socklen_t *len, int saved)
{
	struct aftermath after;
	int error = 0, events, r;

	__builtin_memcpy(&error, value, *len < sizeof error ? *len : sizeof error);
	events = kind_events(fd);
	if ((error || events) && pending_take(fd, &after)) {
		r = connect_outcome(fd, events, error, &after);
		return answer_int(value, len, -r, saved);
	}
	if (error == 0 && pending_forgotten_any())
		error = connect_lost_error(fd, events);
	return answer_int(value, len, error, saved);
}

HOOK int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int saved = errno, r = next_getsockopt(fd, level, name, value, len);

	if (r || level != SOL_SOCKET || !table_mapped() || table_standing_aside())
		return r;
	if (name == SO_ERROR && (pending_any() || pending_forgotten_any()))
		return resolve_pending(fd, value, len, saved);
	if (name == SO_DOMAIN || name == SO_PROTOCOL)
		return mask_identity(fd, name, value, len, saved);
	return r;
}
