/* SPDX-License-Identifier: MIT */
/* doctor: IPsec policies, which SMC passes by. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "ctl/doctor/doctor.h"
#include "ctl/smc/xfrm.h"

/*
 * smc_listen_work() and __smc_connect() refuse a socket with an IPsec policy of its own (using_ipsec()); those of the
 * network namespace they do not look at.
 */
void doctor_ipsec(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	uint64_t count;
	int r;

	if (!doctor->genl)
		return;
	r = xfrm_count_policies(&count);
	if (r == -EPERM)
		finding_add(findings, FINDING_UNKNOWN, "ipsec", "run as root", "whether there are IPsec policies");
	else if (r < 0 && r != -EPROTONOSUPPORT)
		finding_add(findings, FINDING_UNKNOWN, "ipsec", NULL, "IPsec policies: %s", strerror(-r));
	else if (r == 0 && count)
		finding_add(findings, FINDING_WARNING, "ipsec",
			"give the destinations under IPsec rules with \"use\": \"tcp\"",
			"there are %" PRIu64 " IPsec policies: what goes over SMC passes them by, unencrypted", count);
	else
		finding_add(findings, FINDING_OK, "ipsec", NULL, "no IPsec policies that SMC would pass by");
}
