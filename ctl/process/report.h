/* SPDX-License-Identifier: MIT */
/* One process and the shim: what it carries, or why it does not. */
#ifndef SMCSHIM_CTL_PROCESS_REPORT_H
#define SMCSHIM_CTL_PROCESS_REPORT_H

#include <stdint.h>
#include <sys/types.h>

#include "ctl/util.h"
#include "preload/counters.h"

enum process_kind {
	PROCESS_PLAIN = 0,  /* has nothing to do with the shim */
	PROCESS_CARRIES,    /* counters are filled */
	PROCESS_OTHER_ABI,  /* carries a library of another ABI version */
	PROCESS_UNREADABLE, /* carries something of that name whose counters cannot be found */
	PROCESS_ABSENT,     /* was started with the library in LD_PRELOAD and does not carry it */
	PROCESS_DENIED,     /* we may not look */
	PROCESS_GONE,       /* there is no such process */
	PROCESS_STUCK,      /* its memory does not answer */
};

enum process_absence {
	ABSENCE_UNKNOWN = 0,
	ABSENCE_STATIC,
	ABSENCE_OTHER_KIND, /* word size or machine */
	ABSENCE_SECURE,     /* secure-execution mode */
	ABSENCE_MISSING,    /* the file is not in the process's root directory */
	ABSENCE_FORBIDDEN,  /* the file is not readable for its user */
};

/* Fixed size, no pointers: it travels through a pipe. */
struct process_report {
	pid_t pid;        /* of a supervised tree: its first process, or where that is not known the supervisor */
	pid_t supervisor; /* 0: it carries the library itself */
	pid_t tree;       /* status: the first process of a supervised tree, when its counters these are; or 0 */
	enum process_kind kind;
	enum process_absence absence;
	uint32_t abi;
	char program[64];     /* the kernel's comm */
	char library[1024];   /* the mapping's path, or the element of LD_PRELOAD */
	char table[1024];     /* the policy table it maps or looks for */
	uint64_t table_state; /* enum smcshim_table_state */
	int policy_state;     /* enum policy_state as the process sees it; -1: unknown */
	uint64_t value[SMCSHIM_COUNTER_MAX];
};

/* Looks at one process. May hang on a hostile one: see worker.h. Always fills *out. */
void process_inspect(pid_t pid, struct process_report *out);

/* Why the library is not in a process that was started with it; dir: its /proc directory. (process/absence.c) */
enum process_absence process_absence(int dir, const char *library);

/* In words; static text. */
const char *process_absence_text(enum process_absence absence);

#endif
