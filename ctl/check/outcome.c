/* SPDX-License-Identifier: MIT */
/* Asks the kernel what a socket is: SO_PROTOCOL first, which never errs, then socket diagnosis for the kind and the reason. */
#include "config.h"

#include "ctl/check/outcome.h"

#include <errno.h>
#include <linux/smc_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "ctl/smc/diag.h"

static void take_socket(const struct diag_smc *smc, struct handshake *out)
{
	if (out->result == HANDSHAKE_TCP) {
		out->reason = smc->reason;
		out->peer_reason = smc->peer_reason;
	} else if (smc->mode == SMC_DIAG_MODE_SMCD) {
		out->result = HANDSHAKE_SMC_D;
	} else if (smc->mode == SMC_DIAG_MODE_SMCR) {
		out->result = HANDSHAKE_SMC_R;
	}
}

int outcome_find(int fd, struct handshake *out)
{
	struct diag_smc_list list = {.item = NULL};
	struct stat status;
	int protocol = 0;
	socklen_t size = sizeof(protocol);

	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) < 0 || fstat(fd, &status) < 0)
		return -errno;
	out->result = protocol == IPPROTO_TCP ? HANDSHAKE_TCP : HANDSHAKE_SMC;
	/* Without the module smc_diag there is no more to know. */
	if (diag_dump_smc(&list) == 0)
		for (size_t i = 0; i < list.count; i++)
			if (list.item[i].socket.inode == status.st_ino)
				take_socket(&list.item[i], out);
	diag_smc_clear(&list);
	return 0;
}
