/* SPDX-License-Identifier: MIT */
/* The running side of a unit: its processes, what they carry, and their sockets as the kernel reports them. */
#ifndef SMCSHIM_CTL_SERVICE_PROCESSES_H
#define SMCSHIM_CTL_SERVICE_PROCESSES_H

#include "ctl/process/reports.h"
#include "ctl/service/unit.h"

struct processes {
	pid_t main; /* of the unit; 0: it does not run */
	struct process_reports reports;
	size_t carrying;
};

#define _cleanup_processes_ _cleanup_(processes_clear)

void processes_clear(struct processes *processes);

/* Reads the unit's control group and looks at each process in it. Returns 0 with *out filled, or -errno. */
_must_check_ int processes_read(const struct unit *unit, struct processes *out);

/* The report about the main process, or about the first one; NULL: nothing runs. */
const struct process_report *processes_main(const struct processes *processes);

struct service_listener {
	char address[64]; /* ADDRESS:PORT or [ADDRESS]:PORT */
	bool smc;
	char program[64]; /* of the process that has it */
};

struct service_sockets {
	struct service_listener *listener;
	size_t listeners;
	size_t listen_smc;
	size_t listen_tcp;
	size_t smc_r; /* connections */
	size_t smc_d;
	size_t fell_back;
	size_t tcp;
	uint32_t reason;      /* of the first that fell back: ours */
	uint32_t peer_reason; /* and the peer's */
	int smc_error;        /* why SMC sockets are not told: 0 or -errno; -EPROTONOSUPPORT: the kernel has no SMC */
};

void service_sockets_clear(struct service_sockets *sockets);

/*
 * The sockets of these processes, in the network namespace of the main one. Returns 0 with *out filled or -errno,
 * -EPERM when that namespace or the descriptors may not be looked into.
 */
_must_check_ int service_sockets_read(const struct processes *processes, struct service_sockets *out);

#endif
