/* SPDX-License-Identifier: MIT */
/* doctor --listen: the other end of doctor --peer. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/doctor/peer.h"
#include "ctl/smc/socket.h"

#define FAMILIES 2u
#define WAIT_MS 2000

/* A listener of SMC, of plain TCP where the kernel has none. Returns it or -errno. */
static int listen_on(int family, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	_cleanup_close_ int fd = smc_socket(family, SOCK_CLOEXEC);
	int on = 1;

	if (fd < 0)
		fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		(family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
		bind(fd, address, family == AF_INET ? sizeof(v4) : sizeof(v6)) < 0 || listen(fd, 16) < 0)
		return -errno;
	return take_fd(fd);
}

/* Sends text to one that connected, and lets it close first, so that all of it arrives. */
static void answer(int listener, const char *text, size_t size)
{
	_cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	if (fd < 0 || send(fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
		return;
	(void)shutdown(fd, SHUT_WR);
	(void)poll(&ready, 1, WAIT_MS);
}

static enum ctl_exit serve(struct ctl *ctl, const struct pollfd *listeners, const char *text, size_t size)
{
	struct pollfd fds[FAMILIES];

	for (;;) {
		memcpy(fds, listeners, sizeof(fds));
		if (poll(fds, FAMILIES, -1) < 0 && errno != EINTR)
			return ctl_error(ctl, CTL_FAILED, "doctor", NULL, "%s", strerror(errno));
		for (size_t i = 0; i < FAMILIES; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				answer(fds[i].fd, text, size);
	}
}

enum ctl_exit peer_listen(struct ctl *ctl, uint16_t port, const struct offer *ours)
{
	struct pollfd listeners[FAMILIES] = {{.fd = listen_on(AF_INET, port), .events = POLLIN},
		{.fd = listen_on(AF_INET6, port), .events = POLLIN}};
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	char number[8];
	enum ctl_exit code;
	int r = stream ? offer_print(ours, stream) : -ENOMEM;

	if (stream && fclose(stream) != 0)
		r = -ENOMEM;
	(void)snprintf(number, sizeof(number), "%u", port);
	if (r < 0) {
		code = ctl_error(ctl, CTL_FAILED, "doctor", NULL, "%s", strerror(ENOMEM));
	} else if (listeners[0].fd < 0 && listeners[1].fd < 0) {
		code = ctl_error(ctl, ctl_exit_of(listeners[0].fd), "port", number, "%s", strerror(-listeners[0].fd));
	} else {
		fprintf(ctl->out, "listening on port %u; on the other host: smcctl doctor --peer THIS-HOST:%u\n", port,
			port);
		fflush(ctl->out);
		code = serve(ctl, listeners, text, size);
	}
	for (size_t i = 0; i < FAMILIES; i++)
		if (listeners[i].fd >= 0)
			close(listeners[i].fd);
	return code;
}
