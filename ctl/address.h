/* SPDX-License-Identifier: MIT */
/* "ADDRESS[:PORT]" as text. */
#ifndef SMCSHIM_CTL_ADDRESS_H
#define SMCSHIM_CTL_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "ctl/util.h"

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} socket;
	socklen_t length;
	bool has_port;
	uint16_t port;               /* host byte order */
	char host[INET6_ADDRSTRLEN]; /* canonical */
};

/* 10.0.0.1, 10.0.0.1:80, ::1, [::1], [::1]:80, fe80::1%eth0. Names are not looked up. Returns 0 or -EINVAL. */
_must_check_ int address_parse(const char *text, struct address *out);

#endif
