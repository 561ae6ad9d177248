/* SPDX-License-Identifier: MIT */
/* Calls the functions that stand behind ours: the next library's, or the kernel's before the constructor has run. */
#include "config.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/shim.h"

/* Written once by the constructor, with release; until then the raw system call does. */
static struct {
	_Atomic(int (*)(int, int, int)) socket;
	_Atomic(int (*)(int, const struct sockaddr *, socklen_t)) bind;
	_Atomic(int (*)(int, const struct sockaddr *, socklen_t)) connect;
	_Atomic(int (*)(int, int)) listen;
	_Atomic(int (*)(int, struct sockaddr *, socklen_t *)) accept;
	_Atomic(int (*)(int, struct sockaddr *, socklen_t *, int)) accept4;
	_Atomic(int (*)(int, int, int, const void *, socklen_t)) setsockopt;
	_Atomic(int (*)(int, int, int, void *, socklen_t *)) getsockopt;
} next;

#define RESOLVE(name) \
	atomic_store_explicit( \
		&next.name, (__typeof__(atomic_load(&next.name)))dlsym(RTLD_NEXT, #name), memory_order_release)

void next_resolve(void)
{
	RESOLVE(socket);
	RESOLVE(bind);
	RESOLVE(connect);
	RESOLVE(listen);
	RESOLVE(accept);
	RESOLVE(accept4);
	RESOLVE(setsockopt);
	RESOLVE(getsockopt);
}

#define CALL(name, ...) \
	__typeof__(atomic_load(&next.name)) real = atomic_load_explicit(&next.name, memory_order_acquire); \
	if (__builtin_expect(real != NULL, 1)) \
		return real(__VA_ARGS__); \
	return (int)syscall(SYS_##name, __VA_ARGS__)

int next_socket(int domain, int type, int protocol)
{
	CALL(socket, domain, type, protocol);
}

int next_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	CALL(bind, fd, addr, len);
}

int next_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	CALL(connect, fd, addr, len);
}

int next_listen(int fd, int backlog)
{
	CALL(listen, fd, backlog);
}

int next_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
#ifdef SYS_accept
	CALL(accept, fd, addr, len);
#else
	/* i386 has the newer call only. */
	__typeof__(atomic_load(&next.accept)) real = atomic_load_explicit(&next.accept, memory_order_acquire);

	return real ? real(fd, addr, len) : (int)syscall(SYS_accept4, fd, addr, len, 0);
#endif
}

int next_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	CALL(accept4, fd, addr, len, flags);
}

int next_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	CALL(setsockopt, fd, level, name, value, len);
}

int next_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	CALL(getsockopt, fd, level, name, value, len);
}
