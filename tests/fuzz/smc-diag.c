/* SPDX-License-Identifier: MIT */
/* Fuzz target over the parsers of socket diagnosis: any datagram; the seeds are datagrams of SMC-D, SMC-R, TCP and an error. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/smc/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The sequence number of the seeds. */
#define SEQUENCE 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag_smc_list smc = {.item = NULL};
	struct diag_tcp_list tcp = {.item = NULL};
	int r = diag_parse_smc(data, size, SEQUENCE, &smc);

	if (r > 1 || smc.count > size / 88)
		abort();
	for (size_t i = 0; i < smc.count; i++)
		if (!memchr(smc.item[i].device, 0, sizeof(smc.item[i].device)) ||
			!memchr(smc.item[i].gid[DIAG_PEER], 0, sizeof(smc.item[i].gid[0])))
			abort();
	r = diag_parse_tcp(data, size, SEQUENCE, &tcp);
	if (r > 1 || tcp.count > size / 88)
		abort();
	diag_smc_clear(&smc);
	diag_tcp_clear(&tcp);
	return 0;
}
