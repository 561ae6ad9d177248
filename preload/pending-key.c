/* SPDX-License-Identifier: MIT */
/* Names a nonblocking connect within its process. */
#include "config.h"

#include "preload/shim.h"

uint64_t pending_key(int fd)
{
	unsigned port = kind_local_port(fd);

	return port ? (uint64_t)(unsigned)fd << 17 | 1u << 16 | port : 0;
}
