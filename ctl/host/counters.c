/* SPDX-License-Identifier: MIT */
/* Counters of the kernel and of drivers. */
#include "config.h"

#include "ctl/host/counters.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define TEXT_MAX (1u << 20)
#define STATS_MAX 65536u

static char *read_text(const char *path)
{
	_cleanup_close_ int fd = open_read(path);
	char *text = NULL;
	size_t size;

	return fd < 0 || read_all(fd, TEXT_MAX, &text, &size) < 0 ? NULL : text;
}

bool counters_netstat(const char *text, const char *title, uint64_t *out)
{
	const char *titles = strstr(text, "TcpExt: ");
	const char *numbers = titles ? strstr(titles + 1, "\nTcpExt: ") : NULL;

	if (!numbers)
		return false;
	numbers++;
	while (*titles && *titles != '\n' && *numbers && *numbers != '\n') {
		size_t length = strcspn(titles, " \n");

		if (length == strlen(title) && memcmp(titles, title, length) == 0)
			return sscanf(numbers, "%" SCNu64, out) == 1;
		titles += length + strspn(titles + length, " ");
		numbers += strcspn(numbers, " \n");
		numbers += strspn(numbers, " ");
	}
	return false;
}

void counters_read(struct counters *out)
{
	_cleanup_free_ char *sockstat = read_text("/proc/self/net/sockstat");
	_cleanup_free_ char *netstat = read_text("/proc/self/net/netstat");
	_cleanup_free_ char *protocols = read_text("/proc/self/net/protocols");
	const char *at = sockstat ? strstr(sockstat, "TCP: ") : NULL;

	*out = (struct counters){.has_smc = false};
	at = at ? strstr(at, " tw ") : NULL;
	out->has_time_wait = at && sscanf(at, " tw %" SCNu64, &out->time_wait) == 1;
	out->has_limit = read_number("/proc/sys/net/ipv4/tcp_max_tw_buckets", &out->time_wait_limit) == 0;
	out->has_overflows = netstat && counters_netstat(netstat, "ListenOverflows", &out->listen_overflows) &&
		counters_netstat(netstat, "SyncookiesSent", &out->cookies_sent) &&
		counters_netstat(netstat, "TCPTimeWaitOverflow", &out->time_wait_overflow);
	out->has_smc = protocols && counters_smc(protocols, &out->smc_sockets);
}

bool counters_smc(const char *text, uint64_t *out)
{
	static const char *const names[] = {"\nSMC ", "\nSMC6 "};
	bool found = false;

	*out = 0;
	for (size_t i = 0; i < 2; i++) {
		const char *at = strstr(text, names[i]);
		uint64_t count;

		if (!at || sscanf(at, " %*s %*u %" SCNu64, &count) != 1)
			continue;
		*out += count;
		found = true;
	}
	return found;
}

/* "tx_queue_3_packets", "tx3_packets", "tx-3.packets", "queue_3_tx_cnt": virtio_net, igb, ixgbe, ice; mlx5; i40e; ena. */
bool counters_queue_of(const char *name, unsigned *queue)
{
	static const char *const forms[] = {"tx_queue_%u_packets%n", "tx%u_packets%n", "tx-%u.packets%n",
		"tx-%u.tx_packets%n", "queue_%u_tx_cnt%n"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		int end = 0;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		if (sscanf(name, forms[i], queue, &end) == 1 && end && !name[end])
			return true;
#pragma GCC diagnostic pop
	}
	return false;
}

static int ask(int fd, const char *interface, void *command)
{
	struct ifreq request = {.ifr_data = command};

	if (strlen(interface) >= sizeof(request.ifr_name))
		return -EINVAL;
	memcpy(request.ifr_name, interface, strlen(interface) + 1);
	return ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

static int by_ethtool(const char *interface, struct queue_counter **out)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	_cleanup_free_ struct ethtool_gstrings *names = NULL;
	_cleanup_free_ struct ethtool_stats *values = NULL;
	_cleanup_free_ struct queue_counter *found = NULL;
	int count = 0;
	int r = fd < 0 ? -errno : ask(fd, interface, &info);

	if (r < 0 || !info.n_stats)
		return r == -EOPNOTSUPP ? 0 : r;
	if (info.n_stats > STATS_MAX)
		return -E2BIG;
	/* The driver may have grown since it said how many: the kernel writes as many as it has (net/ethtool/ioctl.c). */
	names = calloc(1, sizeof(*names) + (size_t)STATS_MAX * ETH_GSTRING_LEN);
	values = calloc(1, sizeof(*values) + STATS_MAX * sizeof(values->data[0]));
	found = calloc(info.n_stats, sizeof(*found));
	if (!names || !values || !found)
		return -ENOMEM;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = info.n_stats;
	values->cmd = ETHTOOL_GSTATS;
	values->n_stats = info.n_stats;
	r = ask(fd, interface, names);
	if (r == 0)
		r = ask(fd, interface, values);
	for (unsigned i = 0; r == 0 && i < info.n_stats && i < names->len && i < values->n_stats; i++) {
		char name[ETH_GSTRING_LEN + 1] = "";

		memcpy(name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		if (counters_queue_of(name, &found[count].queue))
			found[count++].packets = values->data[i];
	}
	if (r < 0)
		return r;
	*out = take(found);
	return count;
}

int counters_queues(const char *interface, struct queue_counter **out)
{
	int count = counters_qstats(interface, out);

	return count > 0 || count == -ENOMEM ? count : by_ethtool(interface, out);
}
