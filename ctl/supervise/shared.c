/* SPDX-License-Identifier: MIT */
/* Maps the memory that the guardian and all supervisors have in common. */
#include "config.h"

#include "ctl/supervise/shared.h"

#include <stdlib.h>
#include <string.h>

/* Puts shared pages under an object that fills pages of its own, contents kept. */
static bool share_object(void *object, size_t size)
{
	void *copy = malloc(size);
	bool shared;

	if (!copy)
		return false;
	memcpy(copy, object, size);
	shared = mmap(object, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == object;
	memcpy(object, copy, size);
	free(copy);
	return shared;
}

struct shared *shared_map(void)
{
	size_t size;
	void *pending = pending_memory(&size);
	struct shared *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (shared == MAP_FAILED || !share_object(pending, size) ||
		!share_object(&smcshim_counters, sizeof(smcshim_counters)))
		return NULL;
	/* The kernel writes there when nothing may go wrong any more. */
	memset(shared, 0, offsetof(struct shared, waiter));
	return shared;
}
