/* SPDX-License-Identifier: MIT */
/* The seccomp filter of a supervised program: which of its system calls the supervisor is asked about. */
#ifndef SMCSHIM_CTL_SUPERVISE_FILTER_H
#define SMCSHIM_CTL_SUPERVISE_FILTER_H

#include <linux/audit.h>

#include "ctl/util.h"

/* The machine whose calls are supervised; not defined: none is. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u /* x32 has the same architecture and numbers with this bit */
/* The calls by which its 32-bit programs make sockets (arch/x86/entry/syscalls/syscall_32.tbl, linux/net.h). */
#define FILTER_ARCH_32BIT AUDIT_ARCH_I386
#define FILTER_I386_SOCKET 359
#define FILTER_I386_SOCKETCALL 102
#define FILTER_I386_SOCKETCALL_SOCKET 1 /* its first argument: SYS_SOCKET */
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#elif defined(__s390x__)
#define FILTER_ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define FILTER_ARCH AUDIT_ARCH_PPC64LE
#elif defined(__riscv) && __riscv_xlen == 64
#define FILTER_ARCH AUDIT_ARCH_RISCV64
#endif

/*
 * Puts the filter on the calling thread; *listener gets the descriptor that its notifications come from, with O_CLOEXEC.
 * *killable: signals that do not kill wait until a call that has been received is answered, so what was done for it is not
 * lost, and the supervisor has to end a call that waits long (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19).
 * The process loses the gain of set-user-ID programs (no_new_privs) unless it has CAP_SYS_ADMIN, as seccomp(2) wants.
 * Returns 0 or -errno: -EBUSY (there is a listener already), -ENOTSUP (not on this machine), -EINVAL (old kernel).
 */
_must_check_ int filter_install(int *listener, bool *killable);

#endif
