/* SPDX-License-Identifier: MIT */
/* Remembers nonblocking connects until their outcome is asked for: for counting, and for what the kernel forgets. */
#include "config.h"

#include "preload/shim.h"

/*
 * A hint, never the truth: what a descriptor is, the kernel says. An entry is found by pending_key(), so a
 * reused descriptor number finds nothing; one that nobody asks for is overwritten some day, and counted as unseen.
 */
#define PENDING_SLOTS 512u
#define PENDING_TRIES 8u

struct slot {
	_Atomic(uint64_t) key;   /* 0: free */
	_Atomic(uint64_t) after; /* linger << 32 | sndtimeo_ms */
	_Atomic(uint32_t) destination;
};

static struct slot slots[PENDING_SLOTS] __attribute__((aligned(4096)));

static struct slot *slot_of(uint64_t key, unsigned try)
{
	return &slots[((key >> 17) * 31 + (key & 0xffff) + try) % PENDING_SLOTS];
}

static void put(struct slot *slot, const struct aftermath *after)
{
	atomic_store(&slot->after, (uint64_t)(uint32_t)after->linger << 32 | (uint32_t)after->sndtimeo_ms);
	atomic_store(&slot->destination, after->destination);
}

/* At the first use: most programs have none, and it costs every start of one. */
static void forget_in_children(void)
{
	static _Atomic(bool) done;

	if (!atomic_load_explicit(&done, memory_order_relaxed)) {
		kernel_wipe_on_fork(slots, sizeof slots);
		atomic_store_explicit(&done, true, memory_order_relaxed);
	}
}

void pending_add(int fd, const struct aftermath *after)
{
	uint64_t key = pending_key(fd), was = 0;
	struct slot *slot = NULL;

	if (!key)
		return;
	forget_in_children();
	count(SMCSHIM_connect_pending);
	for (unsigned try = 0; try < PENDING_TRIES && !slot; try++) {
		was = 0;
		if (atomic_compare_exchange_strong(&slot_of(key, try)->key, &was, key) || was == key)
			slot = slot_of(key, try);
	}
	if (!slot) {
		slot = slot_of(key, 0);
		was = atomic_exchange(&slot->key, key);
	}
	put(slot, after);
	if (was) { /* nobody has asked for that one, and now nobody can */
		uncount(SMCSHIM_connect_pending);
		count(SMCSHIM_connect_unseen);
	}
}

bool pending_any(void)
{
	return __atomic_load_n(&smcshim_counters.value[SMCSHIM_connect_pending], __ATOMIC_RELAXED) != 0;
}

bool pending_forgotten_any(void)
{
	return __atomic_load_n(&smcshim_counters.value[SMCSHIM_connect_unseen], __ATOMIC_RELAXED) != 0;
}

static struct slot *find(int fd, uint64_t *key)
{
	*key = pending_any() ? pending_key(fd) : 0;
	for (unsigned try = 0; *key && try < PENDING_TRIES; try++)
		if (atomic_load_explicit(&slot_of(*key, try)->key, memory_order_relaxed) == *key)
			return slot_of(*key, try);
	return NULL;
}

bool pending_has(int fd)
{
	uint64_t key;

	return find(fd, &key) != NULL;
}

bool pending_take(int fd, struct aftermath *after)
{
	uint64_t key;
	struct slot *slot = find(fd, &key);
	uint64_t packed;

	if (!slot)
		return false;
	packed = atomic_load(&slot->after);
	after->destination = atomic_load(&slot->destination);
	if (!atomic_compare_exchange_strong(&slot->key, &key, 0))
		return false;
	after->linger = (int)(uint32_t)(packed >> 32);
	after->sndtimeo_ms = (int)(uint32_t)packed;
	uncount(SMCSHIM_connect_pending);
	return true;
}

void pending_drop_sndtimeo(int fd)
{
	uint64_t key;
	struct slot *slot = find(fd, &key);

	if (slot)
		atomic_fetch_and(&slot->after, ~(uint64_t)UINT32_MAX);
}

void pending_forget(int fd)
{
	struct aftermath after;

	if (pending_take(fd, &after))
		count(SMCSHIM_connect_unseen);
}

void *pending_memory(size_t *size)
{
	*size = sizeof slots;
	return slots;
}
