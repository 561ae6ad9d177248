/* SPDX-License-Identifier: MIT */
/* States, modes and addresses as text. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/smc/sockets.h"

/* enum smc_state of the kernel's net/smc/smc.h. */
static const char *const smc_states[] = {
	[1] = "connected",
	[2] = "unconnected",
	[7] = "closed",
	[10] = "listening",
	[20] = "peer-close-wait-1",
	[21] = "peer-close-wait-2",
	[22] = "app-close-wait-1",
	[23] = "app-close-wait-2",
	[24] = "app-fin-close-wait",
	[25] = "peer-fin-close-wait",
	[26] = "peer-abort-wait",
	[27] = "process-abort",
};

/* Of include/net/tcp_states.h. */
static const char *const tcp_states[] = {
	[1] = "connected",
	[2] = "connecting",
	[3] = "syn-received",
	[4] = "fin-wait-1",
	[5] = "fin-wait-2",
	[6] = "time-wait",
	[7] = "unconnected",
	[8] = "close-wait",
	[9] = "last-ack",
	[10] = "listening",
	[11] = "closing",
	[12] = "syn-received",
	[13] = "unconnected",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* After a fallback the state of TCP is the one that moves; before, SMC's, which does not know of connecting. */
const char *socket_state_text(const struct socket_entry *entry, char *text, size_t size)
{
	uint8_t smc = entry->smc.socket.state;
	uint8_t tcp = entry->tcp_state;
	const char *word = NULL;

	if (entry->mode == MODE_TCP && tcp)
		word = tcp < COUNT(tcp_states) ? tcp_states[tcp] : NULL;
	else if (smc == 2 && (tcp == 1 || tcp == 2))
		word = tcp == 1 ? "handshake" : "connecting";
	else
		word = smc < COUNT(smc_states) ? smc_states[smc] : NULL;
	if (word)
		return word;
	(void)snprintf(text, size, "state %d", entry->mode == MODE_TCP && tcp ? tcp : smc);
	return text;
}

static const struct {
	const char *text;
	const char *key;
} modes[MODE_COUNT] = {
	[MODE_NONE] = {"-", "none"},
	[MODE_SMC_R] = {"SMC-R", "smc-r"},
	[MODE_SMC_D] = {"SMC-D", "smc-d"},
	[MODE_TCP] = {"TCP", "tcp"},
};

const char *socket_mode_text(enum socket_mode mode)
{
	return modes[mode].text;
}

const char *socket_mode_key(enum socket_mode mode)
{
	return modes[mode].key;
}

int socket_mode_parse(const char *text, enum socket_mode *mode)
{
	for (size_t i = 0; i < MODE_COUNT; i++) {
		if (strcmp(modes[i].key, text) == 0) {
			*mode = (enum socket_mode)i;
			return 0;
		}
	}
	return -EINVAL;
}

void socket_address_text(const struct socket_entry *entry, enum diag_side side, char out[static SOCKET_ADDRESS])
{
	uint16_t port = entry->smc.socket.port[side];
	char host[INET6_ADDRSTRLEN];

	if (!port)
		(void)snprintf(out, SOCKET_ADDRESS, "-");
	else if (!entry->family || !inet_ntop(entry->family, entry->smc.socket.address[side], host, sizeof(host)))
		(void)snprintf(out, SOCKET_ADDRESS, "-:%u", port);
	else
		(void)snprintf(out, SOCKET_ADDRESS, entry->family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
}
