/* SPDX-License-Identifier: MIT */
/* The policies of XPS as sets of CPUs. But for "kernel" and masks, every online CPU is in exactly one set. */
#include "config.h"

#include "ctl/host/xps.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

/* virtnet_set_affinity() of drivers/net/virtio_net.c, the stragglers with it; other drivers do alike. */
static void plan_kernel(const struct topology *topology, struct cpus *out)
{
	unsigned count = cpus_count(&topology->online);
	unsigned queues = (unsigned)topology->transmit;
	unsigned stride = count / queues ? count / queues : 1;
	unsigned stragglers = count >= queues ? count % queues : 0;
	unsigned cpu = cpus_next(&topology->online, 0);

	for (unsigned queue = 0; queue < queues; queue++) {
		unsigned size = stride + (queue < stragglers);

		for (unsigned i = 0; i < size; i++) {
			cpus_add(&out[queue], cpu);
			cpu = cpus_next(&topology->online, cpu + 1);
			if (cpu == CPUS_MAX)
				cpu = cpus_next(&topology->online, 0);
		}
	}
}

/* Deals the CPUs of a set to the queues by turns, those in done not again. */
static void deal(const struct cpus *set, size_t queues, size_t *turn, struct cpus *done, struct cpus *out)
{
	for (unsigned cpu = cpus_next(set, 0); cpu < CPUS_MAX; cpu = cpus_next(set, cpu + 1)) {
		if (cpus_has(done, cpu))
			continue;
		cpus_add(&out[*turn % queues], cpu);
		cpus_add(done, cpu);
		(*turn)++;
	}
}

static void keep_online(const struct topology *topology, struct cpus *set)
{
	for (size_t i = 0; i < CPUS_MAX / 64; i++)
		set->word[i] &= topology->online.word[i];
}

/* The CPUs near the device first, so that every queue gets one of them while they last. */
static void plan_spread(const struct topology *topology, bool local_first, struct cpus *out)
{
	struct cpus done = {.word = {0}};
	size_t turn = 0;

	if (local_first) {
		struct cpus local = topology->local;

		keep_online(topology, &local);
		deal(&local, topology->transmit, &turn, &done, out);
	}
	deal(&topology->online, topology->transmit, &turn, &done, out);
}

/* The CPU of its interrupt to each queue, then what shares a cache with that, then the others. */
static void plan_irq(const struct topology *topology, struct cpus *out)
{
	struct cpus done = {.word = {0}};
	bool gave = true;
	size_t turn = 0;

	for (size_t queue = 0; queue < topology->transmit; queue++) {
		unsigned cpu = topology->irq_cpu[queue];

		if (cpus_has(&topology->online, cpu) && !cpus_has(&done, cpu)) {
			cpus_add(&out[queue], cpu);
			cpus_add(&done, cpu);
		}
	}
	while (gave) {
		gave = false;
		for (size_t queue = 0; queue < topology->transmit; queue++) {
			struct cpus near = topology->shares[queue];
			unsigned cpu;

			keep_online(topology, &near);
			cpu = cpus_next(&near, 0);
			while (cpu < CPUS_MAX && cpus_has(&done, cpu))
				cpu = cpus_next(&near, cpu + 1);
			if (cpu == CPUS_MAX)
				continue;
			cpus_add(&out[queue], cpu);
			cpus_add(&done, cpu);
			gave = true;
		}
	}
	deal(&topology->online, topology->transmit, &turn, &done, out);
}

int xps_plan(const struct topology *topology, const struct profile_xps *xps, struct cpus *out)
{
	memset(out, 0, topology->transmit * sizeof(*out));
	switch (xps->policy) {
	case XPS_KERNEL:
		plan_kernel(topology, out);
		break;
	case XPS_ONE_TO_ONE:
	case XPS_NUMA:
		plan_spread(topology, xps->policy == XPS_NUMA, out);
		break;
	case XPS_IRQ:
		if (!topology->irqs)
			return -EOPNOTSUPP;
		plan_irq(topology, out);
		break;
	case XPS_RXQS:
		for (unsigned i = 0; i < topology->transmit && i < topology->receive; i++)
			cpus_add(&out[i], i);
		break;
	case XPS_MASKS:
		if (xps->mask_count != topology->transmit)
			return -E2BIG;
		memcpy(out, xps->masks, xps->mask_count * sizeof(*out));
		break;
	case XPS_OFF:
		break;
	}
	return 0;
}

const char *xps_danger(
	const struct topology *topology, const struct cpus *sets, size_t count, char *buffer, size_t size)
{
	struct cpus all = {.word = {0}};
	unsigned online = cpus_count(&topology->online);

	for (size_t i = 0; i < count; i++) {
		/* More queues than CPUs have to share; but then no queue needs more than one. */
		if ((count <= online || cpus_count(&sets[i]) > 1) && cpus_meet(&sets[i], &all)) {
			snprintf(buffer, size,
				"tx-%zu has CPUs that another queue has too: a hash of the flow then picks one of "
				"them, "
				"and the CPUs wait for each other's lock",
				i);
			return buffer;
		}
		cpus_join(&all, &sets[i]);
	}
	for (unsigned cpu = cpus_next(&topology->online, 0); cpus_count(&all) && cpu < CPUS_MAX;
		cpu = cpus_next(&topology->online, cpu + 1)) {
		if (!cpus_has(&all, cpu)) {
			snprintf(buffer, size, "CPU %u is in no queue's set: it sends through all of them, by a hash",
				cpu);
			return buffer;
		}
	}
	return NULL;
}

unsigned xps_impossible(const struct topology *topology, const struct cpus *sets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (cpus_within(&sets[i], &topology->possible))
			continue;
		for (unsigned cpu = cpus_next(&sets[i], 0); cpu < CPUS_MAX; cpu = cpus_next(&sets[i], cpu + 1)) {
			if (!cpus_has(&topology->possible, cpu))
				return cpu;
		}
	}
	return CPUS_MAX;
}

const struct profile_xps *xps_for(const struct profile *profile, const char *interface)
{
	const struct profile_xps *found = NULL;

	for (size_t i = 0; i < profile->xps_count; i++) {
		const struct profile_xps *xps = &profile->xps[i];

		if (strcmp(xps->pattern, interface) == 0)
			return xps;
		if (!found && fnmatch(xps->pattern, interface, 0) == 0)
			found = xps;
	}
	return found;
}
