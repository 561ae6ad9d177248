/* SPDX-License-Identifier: MIT */
/* Reads the memory of another process and finds a symbol of a library that is loaded there. */
#ifndef SMCSHIM_CTL_PROCESS_SYMBOL_H
#define SMCSHIM_CTL_PROCESS_SYMBOL_H

#include <stdint.h>
#include <sys/types.h>

#include "ctl/util.h"

/* Reads exactly size bytes of the process's memory. Returns 0, -EFAULT or another -errno of process_vm_readv(2). */
_must_check_ int memory_read(pid_t pid, uint64_t address, void *buffer, size_t size);

/*
 * The address of a symbol of the library whose first byte is mapped at base, found in the process's memory alone, so
 * that a deleted, replaced or chrooted file does not matter. Whatever stands there, the work is bounded.
 * Returns 0, -ENOENT (no such symbol), -ENOEXEC (no library of smcctl's kind), or what memory_read() says.
 */
_must_check_ int symbol_find(pid_t pid, uint64_t base, const char *name, uint64_t *out);

#endif
