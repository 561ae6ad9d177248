/* SPDX-License-Identifier: MIT */
/* What the kernel's SMC headers say: those of the system, and numbers that are newer than some systems' headers. */
#ifndef SMCSHIM_CTL_SMC_UAPI_H
#define SMCSHIM_CTL_SMC_UAPI_H

#include <linux/smc.h>

/* Attributes that came after Linux 6.1 (include/uapi/linux/smc.h of 6.12), under names of our own. */
enum {
	UAPI_LGR_R_V2_MAX_CONNS = 2,
	UAPI_LGR_R_V2_MAX_LINKS = 3,
	UAPI_LGR_R_SNDBUF_ALLOC = 12,
	UAPI_LGR_R_RMB_ALLOC = 13,
	UAPI_LGR_D_EXT_GID = 10,
	UAPI_LGR_D_PEER_EXT_GID = 11,
	UAPI_LGR_D_SNDBUF_ALLOC = 12,
	UAPI_LGR_D_DMB_ALLOC = 13,
	UAPI_STATS_T_RX_RMB_USAGE = 20,
	UAPI_STATS_T_TX_RMB_USAGE = 21,
};

/* The longest name of an RDMA device with its NUL (IB_DEVICE_NAME_MAX). */
#define SMC_DEVICE_NAME_SIZE 64
/* A GID as text with its NUL (struct smc_diag_linkinfo). */
#define SMC_GID_TEXT_SIZE 41
/* A pnet identifier with its NUL (SMC_MAX_PNETID_LEN). */
#define SMC_PNETID_SIZE 17
#define SMC_EID_SIZE (SMC_MAX_EID_LEN + 1)
#define SMC_HOST_SIZE (SMC_MAX_HOSTNAME_LEN + 1)

/* Ports of an RDMA device (SMC_MAX_PORTS of net/smc/smc_ib.h). */
#define SMC_MAX_PORTS 2

/* SMC-D in the kernel's memory; no PCI device, so in none of its lists. The channel is of no other device (smc_loopback.h). */
#define SMC_LOOPBACK_NAME "loopback-ism"
#define SMC_LOOPBACK_CHID 0xffffu

#endif
