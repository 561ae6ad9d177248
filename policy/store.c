/* SPDX-License-Identifier: MIT */
/* An open table file: opening, publishing, switching the state, and what it says of itself. */
#include "config.h"

#include "policy/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/cleanup.h"
#include "policy/store-file.h"

/* Views of a table that changed while it was read, before policy_store_info() gives up. */
#define ROUNDS 64

struct policy_store {
	int fd;
	bool writable;
	struct policy_map map;
	void *base; /* map.base */
};

/* ---- opening ---- */

static int map_table(struct policy_store *store)
{
	void *base = mmap(NULL, POLICY_TABLE_SIZE, store->writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
		store->fd, 0);

	if (base == MAP_FAILED)
		return -errno;
	store->base = base;
	store->map = policy_map_whole(base);
	return policy_map_valid(&store->map) ? 0 : -EPROTO;
}

int policy_store_open(const char *path, enum policy_store_mode mode, struct policy_store **out)
{
	_cleanup_policy_store_ struct policy_store *store = malloc(sizeof(*store));
	bool writable = mode != POLICY_STORE_READ;
	int r;

	if (!store)
		return -ENOMEM;
	*store = (struct policy_store){.fd = policy_store_file_open(path, writable), .writable = writable};
	if (store->fd == -ENOENT && mode == POLICY_STORE_CREATE) {
		r = policy_store_file_create(path);
		if (r)
			return r;
		store->fd = policy_store_file_open(path, writable);
	}
	if (store->fd < 0)
		return store->fd;
	r = map_table(store);
	if (r)
		return r;
	*out = take(store);
	return 0;
}

void policy_store_close(struct policy_store *store)
{
	if (!store)
		return;
	if (store->base)
		(void)munmap(store->base, POLICY_TABLE_SIZE);
	if (store->fd >= 0)
		(void)close(store->fd);
	free(store);
}

const struct policy_map *policy_store_map(const struct policy_store *store)
{
	return &store->map;
}

/* ---- publishing ---- */

static int lock(int fd, bool wait)
{
	while (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)))
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* posix_fallocate also where the file system cannot reserve: then it writes, and the error comes here all the same. */
static int reserve(int fd, uint64_t offset, uint64_t size)
{
	int r;

	do
		r = posix_fallocate(fd, (off_t)offset, (off_t)size);
	while (r == EINTR);
	return -r;
}

/*
 * pwrite, not the mapping: a fault there would be a signal. The body goes first, so that a half whose own sequence is
 * the new one is whole.
 */
static int fill_half(int fd, const struct policy_publication *publication, uint64_t sequence)
{
	const struct policy_image *image = publication->image;
	uint64_t offset = POLICY_HALF_OFFSET(sequence & 1);
	_cleanup_free_ struct policy_half *half = malloc(sizeof(*half));
	struct timespec now;
	int r;

	if (!half)
		return -ENOMEM;
	if (clock_gettime(CLOCK_REALTIME, &now))
		return -errno;
	memcpy(half, image->data, sizeof(*half));
	half->sequence = sequence;
	half->published_ns = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
	half->digest = publication->digest;
	half->kernel = publication->kernel;
	memset(half->source, 0, sizeof(half->source));
	memcpy(half->source, publication->source, strlen(publication->source));
	r = policy_store_file_write(
		fd, (const char *)image->data + sizeof(*half), image->size - sizeof(*half), offset + sizeof(*half));
	return r ? r : policy_store_file_write(fd, half, sizeof(*half), offset);
}

static int publish_locked(struct policy_store *store, const struct policy_publication *publication, uint64_t *sequence)
{
	struct policy_header *header = store->base;
	uint64_t next;
	int r;

	if (!policy_map_valid(&store->map))
		return -EPROTO;
	next = policy_map_sequence(&store->map) + 1;
	r = reserve(store->fd, POLICY_HALF_OFFSET(next & 1), publication->image->size);
	if (!r)
		r = fill_half(store->fd, publication, next);
	if (r)
		return r;
	__atomic_store_n(&header->sequence, next, __ATOMIC_SEQ_CST);
	if (sequence)
		*sequence = next;
	return 0;
}

int policy_store_publish(struct policy_store *store, const struct policy_publication *publication, uint64_t *sequence)
{
	int r;

	if (!store->writable)
		return -EBADF;
	if (strlen(publication->source) >= sizeof(((struct policy_half *)NULL)->source))
		return -ENAMETOOLONG;
	if (publication->image->size < sizeof(struct policy_half) || publication->image->size > POLICY_HALF_SIZE)
		return -E2BIG;
	r = lock(store->fd, publication->wait);
	if (r)
		return r;
	r = publish_locked(store, publication, sequence);
	(void)flock(store->fd, LOCK_UN);
	return r;
}

int policy_store_set_state(struct policy_store *store, enum policy_state state)
{
	struct policy_header *header = store->base;

	if (!store->writable)
		return -EBADF;
	if (state != POLICY_OFF && state != POLICY_ON && state != POLICY_OBSERVE)
		return -EINVAL;
	__atomic_store_n(&header->state, (uint32_t)state, __ATOMIC_SEQ_CST);
	return 0;
}

/* ---- what was published ---- */

/* Byte by byte and atomic, for a writer may be at it. */
static void copy_half(const struct policy_map *map, uint64_t sequence, struct policy_half *out)
{
	const char *from = map->half[sequence & 1];
	char *to = (char *)out;

	for (size_t i = 0; i < sizeof(*out); i++)
		to[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
}

static void fill_info(struct policy_info *info, const struct policy_half *half)
{
	info->sequence = half->sequence;
	info->published_ns = half->published_ns;
	info->digest = half->digest;
	info->kernel = half->kernel;
	info->flags = half->flags;
	info->buffers = half->buffers;
	info->rules = half->rules;
	info->cidrs = half->cidrs;
	info->program_mode = half->program_mode <= POLICY_PROGRAMS_EXCEPT ? half->program_mode : POLICY_PROGRAMS_ALL;
	info->program_count = half->programs_len <= POLICY_MAX_PROGRAMS ? half->programs_len : POLICY_MAX_PROGRAMS;
	memcpy(info->programs, half->programs, sizeof(info->programs));
	memcpy(info->source, half->source, sizeof(info->source));
	info->source[sizeof(info->source) - 1] = '\0';
	for (size_t i = 0; i < POLICY_MAX_PROGRAMS; i++)
		info->programs[i][POLICY_COMM_LEN - 1] = '\0';
}

int policy_store_info(const struct policy_map *map, struct policy_info **out)
{
	_cleanup_free_ struct policy_info *info = calloc(1, sizeof(*info));
	_cleanup_free_ struct policy_half *half = calloc(1, sizeof(*half));

	if (!info || !half)
		return -ENOMEM;
	info->state = policy_map_state(map);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t sequence = policy_map_sequence(map);

		if (sequence)
			copy_half(map, sequence, half);
		/* Acquire: nothing above is read after this. */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (policy_map_sequence(map) != sequence)
			continue;
		if (sequence && half->sequence != sequence)
			return -EPROTO;
		if (sequence)
			fill_info(info, half);
		*out = take(info);
		return 0;
	}
	return -EPROTO;
}

const char *policy_store_strerror(int error)
{
	switch (error < 0 ? -error : error) {
	case EPROTO:
		return "is not a policy table, or a damaged one; remove it and apply the policy again";
	case EPROTONOSUPPORT:
		return "is the table of another version of smcshim; remove it, apply the policy again and restart what "
		       "maps it";
	case EPERM:
		return "somebody else owns it or may write it; remove it and apply the policy again";
	case ELOOP:
		return "is a symbolic link; name the table itself";
	case EWOULDBLOCK:
		return "another publication is running; try again";
	case E2BIG:
		return "the policy does not fit into the table";
	default:
		return strerror(error < 0 ? -error : error);
	}
}
