/* SPDX-License-Identifier: MIT */
/* The seccomp filter of a supervised program: which of its system calls the supervisor is asked about. */
#ifndef SMCSHIM_CTL_SUPERVISE_FILTER_H
#define SMCSHIM_CTL_SUPERVISE_FILTER_H

#include "ctl/util.h"

/*
 * Puts the filter on the calling thread; *listener gets the descriptor that its notifications come from, with O_CLOEXEC.
 * *killable: signals that do not kill wait until a call that has been received is answered, so what was done for it is not
 * lost, and the supervisor has to end a call that waits long (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19).
 * The process loses the gain of set-user-ID programs (no_new_privs) unless it has CAP_SYS_ADMIN, as seccomp(2) wants.
 * Returns 0 or -errno: -EBUSY (there is a listener already), -ENOTSUP (not on this machine), -EINVAL (old kernel).
 */
_must_check_ int filter_install(int *listener, bool *killable);

#endif
