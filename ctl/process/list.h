/* SPDX-License-Identifier: MIT */
/* The processes there are. */
#ifndef SMCSHIM_CTL_PROCESS_LIST_H
#define SMCSHIM_CTL_PROCESS_LIST_H

#include <sys/types.h>

#include "ctl/util.h"

/* The IDs of all processes in /proc but our own, ascending; the caller frees *out. Returns 0 or -errno. */
_must_check_ int process_list(pid_t **out, size_t *count);

/* Compares two pid_t as qsort(3) and bsearch(3) want it. */
int process_compare(const void *a, const void *b);

#endif
