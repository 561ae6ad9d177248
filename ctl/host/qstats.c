/* SPDX-License-Identifier: MIT */
/* The counters of queues that drivers give by generic netlink, family "netdev". */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/host/counters.h"
#include "ctl/smc/genl.h"

#define QUEUES_MAX 4096u

/* include/uapi/linux/netdev.h, which came with Linux 6.3, and this part with 6.9: under names of our own. */
enum {
	UAPI_CMD_QSTATS_GET = 12,
	UAPI_QSTATS_IFINDEX = 1,
	UAPI_QSTATS_QUEUE_TYPE = 2,
	UAPI_QSTATS_QUEUE_ID = 3,
	UAPI_QSTATS_SCOPE = 4,
	UAPI_QSTATS_TX_PACKETS = 10,
	UAPI_QUEUE_TYPE_TX = 1,
	UAPI_SCOPE_QUEUE = 1,
};

int counters_qstats_add(struct nlattr *const *attrs, void *arg)
{
	struct qstats *stats = arg;
	uint64_t queue = genl_number(attrs[UAPI_QSTATS_QUEUE_ID], QUEUES_MAX);
	struct queue_counter *more;

	/* A count that the driver does not keep is left out (netdev_stat_put()). */
	if (genl_number(attrs[UAPI_QSTATS_IFINDEX], 0) != stats->interface || queue >= QUEUES_MAX ||
		genl_number(attrs[UAPI_QSTATS_QUEUE_TYPE], 0) != UAPI_QUEUE_TYPE_TX || !attrs[UAPI_QSTATS_TX_PACKETS] ||
		stats->count >= QUEUES_MAX)
		return 0;
	more = reallocarray(stats->queues, stats->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	stats->queues = more;
	more[stats->count++] = (struct queue_counter){
		.queue = (unsigned)queue,
		.packets = genl_number(attrs[UAPI_QSTATS_TX_PACKETS], 0),
	};
	return 0;
}

static void forget(void *arg)
{
	((struct qstats *)arg)->count = 0;
}

int counters_qstats(const char *interface, struct queue_counter **out)
{
	_cleanup_genl_ struct genl *genl = NULL;
	struct qstats stats = {.interface = if_nametoindex(interface)};
	int r = stats.interface ? genl_open("netdev", &genl) : -ENODEV;

	/* Of all interfaces: the request knows an interface's index only since Linux 6.10. */
	if (r == 0)
		r = genl_dump_by(genl, UAPI_CMD_QSTATS_GET, UAPI_QSTATS_SCOPE, UAPI_SCOPE_QUEUE, forget,
			counters_qstats_add, &stats);
	if (r == 0 && stats.count) {
		*out = stats.queues;
		return (int)stats.count;
	}
	free(stats.queues);
	/* Kernels without the family or the command. */
	return r == -EPROTONOSUPPORT || r == -EOPNOTSUPP || r == -EINVAL ? 0 : r;
}
