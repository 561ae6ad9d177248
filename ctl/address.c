/* SPDX-License-Identifier: MIT */
/* Parses "ADDRESS[:PORT]". */
#include "config.h"

#include "ctl/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define HOST_MAX 64u

/* Splits text into host and the text of the port (NULL: none). */
static int split(const char *text, char host[static HOST_MAX], const char **port)
{
	const char *from = text;
	const char *end;

	*port = NULL;
	if (*text == '[') {
		from++;
		end = strchr(from, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		*port = end[1] ? end + 2 : NULL;
	} else {
		const char *colon = strchr(text, ':');

		/* Two colons and no brackets: IPv6 alone. */
		if (colon && strchr(colon + 1, ':'))
			colon = NULL;
		end = colon ? colon : text + strlen(text);
		*port = colon ? colon + 1 : NULL;
	}
	if ((size_t)(end - from) >= HOST_MAX)
		return -EINVAL;
	memcpy(host, from, (size_t)(end - from));
	host[end - from] = '\0';
	return 0;
}

int address_parse(const char *text, struct address *out)
{
	struct address a = {.has_port = false};
	char host[HOST_MAX];
	const char *port;
	uint64_t number = 0;
	char *scope;

	if (split(text, host, &port) < 0 || (port && text_to_uint(port, 1, 65535, &number) < 0))
		return -EINVAL;
	a.has_port = port != NULL;
	a.port = (uint16_t)number;
	scope = strchr(host, '%');
	if (scope && strchr(host, ':'))
		*scope = '\0';
	if (*text != '[' && inet_pton(AF_INET, host, &a.socket.v4.sin_addr) == 1) {
		a.socket.v4.sin_family = AF_INET;
		a.socket.v4.sin_port = htons(a.port);
		a.length = sizeof(a.socket.v4);
		inet_ntop(AF_INET, &a.socket.v4.sin_addr, a.host, sizeof(a.host));
	} else if (inet_pton(AF_INET6, host, &a.socket.v6.sin6_addr) == 1) {
		a.socket.v6.sin6_family = AF_INET6;
		a.socket.v6.sin6_port = htons(a.port);
		a.length = sizeof(a.socket.v6);
		inet_ntop(AF_INET6, &a.socket.v6.sin6_addr, a.host, sizeof(a.host));
	} else {
		return -EINVAL;
	}
	*out = a;
	return 0;
}
