/* SPDX-License-Identifier: MIT */
/* What the running kernel can do with SMC sockets: measured with real sockets, for the table. */
#ifndef SMCSHIM_CTL_PROBE_H
#define SMCSHIM_CTL_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/util.h"

struct probe {
	uint32_t kernel; /* POLICY_KERNEL_* */
	int refused;     /* -errno of socket(AF_INET, SOCK_STREAM, IPPROTO_SMC), or 0 */
	int refused_af;  /* -errno of socket(AF_SMC, SOCK_STREAM, 0), or 0 */
	bool converts;   /* probe_converts(): then nothing else was measured */
	bool unmeasured; /* whether a downgrade keeps epoll: no connection over the loopback device came about */
};

/*
 * Opens sockets, and for the epoll question a connection over the loopback device; closes all of them. May make the
 * kernel load its smc module. Takes at most two seconds.
 */
void probe_kernel(struct probe *out);

/*
 * True if the kernel by itself makes TCP sockets of this network namespace SMC sockets (net.smc.tcp2smc of Alibaba's
 * kernels): one new socket tells. No policy can hold there, so the table says that the kernel has no SMC.
 */
bool probe_converts(void);

/* True if the kernel's list of protocols has SMC already: costs one read and loads nothing. */
bool probe_smc_registered(void);

/* "IPPROTO_SMC for IPv4 and IPv6, AF_SMC; ..." as text for people. */
#define PROBE_TEXT 200u
void probe_format(uint32_t kernel, char out[static PROBE_TEXT]);

/* Why there is no SMC, and what to do; static text. */
const char *probe_refusal(const struct probe *probe);

#endif
