/* SPDX-License-Identifier: MIT */
/* Ownership that the compiler ends: cleanup attributes, and take() to hand ownership over visibly. */
#ifndef SMCSHIM_POLICY_CLEANUP_H
#define SMCSHIM_POLICY_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/* The value of pointer p, which is NULL afterwards: its owner is now the receiver. */
#define take(p) \
	({ \
		__typeof__(p) taken_ = (p); \
		(p) = NULL; \
		taken_; \
	})

/* The same for a descriptor, which is -1 afterwards. */
#define take_fd(fd) \
	({ \
		int taken_ = (fd); \
		(fd) = -1; \
		taken_; \
	})

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))
#define _cleanup_close_ __attribute__((cleanup(cleanup_close)))

#endif
