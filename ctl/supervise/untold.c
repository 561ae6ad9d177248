/* SPDX-License-Identifier: MIT */
/*
 * Answers that the kernel gives once and that may not have arrived: the error of a connect, that it has succeeded, that it has
 * begun. Kept until they have, and given when the program asks again: before Linux 5.19 a signal may end a call just before its
 * answer, and on any kernel a supervisor may be killed there.
 */
#include "config.h"

#include <sys/stat.h>

#include "ctl/supervise/call.h"

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* NULL: nothing is kept of that inode. */
static struct untold *find(struct shared *shared, uint64_t inode)
{
	for (unsigned i = 0; i < SHARED_UNTOLD; i++)
		if (shared->untold[i].inode == inode)
			return &shared->untold[i];
	return NULL;
}

bool untold_any(const struct shared *shared)
{
	for (unsigned i = 0; i < SHARED_UNTOLD; i++)
		if (shared->untold[i].inode)
			return true;
	return false;
}

void untold_keep(const struct call *call, int fd, int answer)
{
	struct shared *shared = call->supervisor->shared;
	uint64_t inode = inode_of(fd);
	struct untold *untold = find(shared, inode);

	if (!inode)
		return;
	if (!untold)
		untold = find(shared, 0);
	if (!untold)
		untold = &shared->untold[inode % SHARED_UNTOLD];
	untold->answer = answer;
	untold->id = call->notif->id;
	__atomic_store_n(&untold->inode, inode, __ATOMIC_RELEASE);
}

static struct untold *find_of(const struct call *call, int fd)
{
	struct shared *shared = call->supervisor->shared;
	uint64_t inode = untold_any(shared) ? inode_of(fd) : 0;

	return inode ? find(shared, inode) : NULL;
}

static void forget(struct untold *untold)
{
	__atomic_store_n(&untold->inode, 0, __ATOMIC_RELEASE);
}

bool untold_answer(const struct call *call, int fd, int *answer)
{
	const struct untold *untold = find_of(call, fd);

	if (untold)
		*answer = untold->answer;
	return untold != NULL;
}

void untold_drop(const struct call *call, int fd)
{
	struct untold *untold = find_of(call, fd);

	if (untold)
		forget(untold);
}

void untold_told(struct shared *shared, uint64_t id)
{
	for (unsigned i = 0; i < SHARED_UNTOLD; i++)
		if (shared->untold[i].inode && shared->untold[i].id == id)
			forget(&shared->untold[i]);
}
