/* SPDX-License-Identifier: MIT */
/* doctor: buffers, memory, and the limit of handshakes. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/doctor/doctor.h"
#include "ctl/smc/hs-limit.h"

/* What a nonblocking writer of 48 KiB at a time needs to be safe as with TCP: see doc/compatibility.md. */
#define BUFFERS_SAFE (1u << 20)
#define CONNECTIONS_FEW 1000u

/* MemAvailable of /proc/meminfo, in bytes; 0: not there. */
static uint64_t available_memory(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (starts_with(line, "MemAvailable:"))
			return strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024;
	return 0;
}

static void look_at_memory(struct findings *findings, uint64_t send, uint64_t receive)
{
	uint64_t memory = available_memory();
	uint64_t each = send + receive;

	if (!memory)
		finding_add(findings, FINDING_UNKNOWN, "memory", NULL, "/proc/meminfo tells no available memory");
	else
		finding_add(findings, memory / each < CONNECTIONS_FEW ? FINDING_WARNING : FINDING_OK, "memory",
			memory / each < CONNECTIONS_FEW ? "smaller buffers, or more memory" : NULL,
			"a connection holds up to %" PRIu64
			" KiB of the kernel's memory for buffers: what is available "
			"is enough for %" PRIu64,
			each / 1024, memory / each);
}

static void look_at_buffers(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	uint64_t send;
	uint64_t receive;
	uint64_t policy = doctor->info ? doctor->info->buffers : 0;

	if (read_number("/proc/sys/net/smc/wmem", &send) < 0 || read_number("/proc/sys/net/smc/rmem", &receive) < 0) {
		finding_add(findings, FINDING_UNKNOWN, "buffers", "\"buffers\": \"1M\" in the policy sets them",
			"this kernel has no sysctls net.smc.wmem and net.smc.rmem");
		return;
	}
	send = policy ? policy : send;
	receive = policy ? policy : receive;
	doctor->offer.send = send;
	doctor->offer.receive = receive;
	if (send < BUFFERS_SAFE || receive < BUFFERS_SAFE)
		finding_add(findings, FINDING_WARNING, "buffers",
			"\"buffers\": \"1M\" in the policy, or sysctl -w net.smc.wmem=1048576 net.smc.rmem=1048576",
			"of %" PRIu64 " and %" PRIu64
			" KiB (send, receive): a program that ignores a short write loses data "
			"of its own, and bulk transfers are slow",
			send / 1024, receive / 1024);
	else
		finding_add(findings, FINDING_OK, "buffers", NULL,
			"%" PRIu64 " and %" PRIu64 " KiB (send, receive), by %s", send / 1024, receive / 1024,
			policy ? "the policy" : "net.smc.wmem and net.smc.rmem");
	look_at_memory(findings, send, receive);
}

static void look_at_limit(struct doctor *doctor)
{
	bool on;
	int r = hs_limit_get(doctor->genl, &on);

	if (r == -EOPNOTSUPP)
		finding_add(
			&doctor->findings, FINDING_NOTE, "hs-limit", NULL, "this kernel cannot limit SMC handshakes");
	else if (r < 0)
		finding_add(&doctor->findings, FINDING_UNKNOWN, "hs-limit", NULL, "the limit of handshakes: %s",
			strerror(-r));
	else if (on)
		finding_add(&doctor->findings, FINDING_OK, "hs-limit", NULL,
			"on: a listener whose handshakes are congested takes new connections as TCP");
	else
		finding_add(&doctor->findings, FINDING_NOTE, "hs-limit",
			"smcctl hs-limit on, before the services start",
			"off: when many clients connect at once they wait for SMC's handshakes, which the kernel does "
			"256 at "
			"a time on each processor");
}

void doctor_limits(struct doctor *doctor)
{
	if (!doctor->genl)
		return;
	look_at_buffers(doctor);
	look_at_limit(doctor);
}
