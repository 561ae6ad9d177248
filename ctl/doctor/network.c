/* SPDX-License-Identifier: MIT */
/* doctor: what in the host's network keeps SMC away: SYN cookies, taken ports, a lack of IPv4 addresses. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/doctor/doctor.h"
#include "ctl/smc/diag.h"
#include "ctl/smc/socket-tcp.h"

/* What Alibaba's eRDMA driver takes for connecting queue pairs, in each network namespace. */
#define ERDMA_PORT_FIRST 65500u
#define ERDMA_PORT_LAST 65515u

/* tcp_conn_request(): a SYN that is answered with a cookie loses the SMC option. */
static void look_at_cookies(struct findings *findings)
{
	uint64_t cookies;
	int r = read_number("/proc/sys/net/ipv4/tcp_syncookies", &cookies);

	if (r == 0 && cookies == 2)
		finding_add(findings, FINDING_PROBLEM, "syn-cookies", "sysctl -w net.ipv4.tcp_syncookies=1",
			"net.ipv4.tcp_syncookies is 2: all that listeners accept here falls back to TCP");
	else if (r < 0)
		finding_add(
			findings, FINDING_UNKNOWN, "syn-cookies", NULL, "net.ipv4.tcp_syncookies: %s", strerror(-r));
}

static bool is_erdma(const char *device)
{
	char path[SMC_DEVICE_NAME_SIZE + 50];
	char target[256];
	ssize_t n;

	if (starts_with(device, "erdma"))
		return true;
	(void)snprintf(path, sizeof(path), "/sys/class/infiniband/%s/device/driver", device);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strcmp(path_base(target), "erdma") == 0;
}

/* Whether all of the ports are out of what the kernel gives to sockets that name none. */
static bool ports_reserved(void)
{
	char text[2048];
	char *rest;
	uint64_t highest = 0;

	if (read_line_at(AT_FDCWD, "/proc/sys/net/ipv4/ip_local_port_range", text, sizeof(text)) == 0) {
		const char *second = text + strcspn(text, "\t ");

		highest = strtoull(second, NULL, 10);
	}
	if (highest && highest < ERDMA_PORT_FIRST)
		return true;
	if (read_line_at(AT_FDCWD, "/proc/sys/net/ipv4/ip_local_reserved_ports", text, sizeof(text)) < 0)
		return false;
	for (char *part = strtok_r(text, ",", &rest); part; part = strtok_r(NULL, ",", &rest)) {
		char *end;
		unsigned long from = strtoul(part, &end, 10);
		unsigned long to = *end == '-' ? strtoul(end + 1, NULL, 10) : from;

		if (from <= ERDMA_PORT_FIRST && to >= ERDMA_PORT_LAST)
			return true;
	}
	return false;
}

/* A port of the range that a listener of somebody has; 0: none, or nobody can tell. */
static unsigned port_taken(void)
{
	struct diag_tcp_list list = {.item = NULL};
	unsigned taken = 0;

	if (diag_dump_tcp(&list) == 0)
		for (size_t i = 0; i < list.count; i++) {
			unsigned port = list.item[i].port[DIAG_LOCAL];

			if (list.item[i].state == TCP_DIAG_LISTEN && port >= ERDMA_PORT_FIRST &&
				port <= ERDMA_PORT_LAST)
				taken = port;
		}
	diag_tcp_clear(&list);
	return taken;
}

static void look_at_ports(struct doctor *doctor)
{
	const char *device = NULL;
	unsigned taken;

	for (size_t i = 0; i < doctor->smc.devices.count && !device; i++)
		device = is_erdma(doctor->smc.devices.item[i].name) ? doctor->smc.devices.item[i].name : NULL;
	if (!device)
		return;
	taken = port_taken();
	if (taken)
		finding_add(&doctor->findings, FINDING_WARNING, "ports", "let that program listen elsewhere",
			"a program listens on port %u, which %s needs for its connections (65500 to 65515)", taken,
			device);
	else if (!ports_reserved())
		finding_add(&doctor->findings, FINDING_WARNING, "ports",
			"sysctl -w net.ipv4.ip_local_reserved_ports=65500-65515",
			"the ports 65500 to 65515, which %s needs for its connections, are given to programs too",
			device);
	else
		finding_add(&doctor->findings, FINDING_OK, "ports", NULL,
			"65500 to 65515, which %s needs, are kept for it", device);
}

/* smc_find_proposal_devices(): version 2 of SMC-R is for IPv4 sockets only. */
static void look_at_addresses(struct doctor *doctor)
{
	struct ifaddrs *list;
	bool v4 = false;
	bool v6 = false;

	if (doctor->smc.devices.count == doctor->smc.devices.isms || getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		if (!entry->ifa_addr || entry->ifa_flags & IFF_LOOPBACK)
			continue;
		v4 = v4 || entry->ifa_addr->sa_family == AF_INET;
		if (entry->ifa_addr->sa_family == AF_INET6) {
			struct sockaddr_in6 address;

			memcpy(&address, entry->ifa_addr, sizeof(address));
			v6 = v6 || !IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr);
		}
	}
	freeifaddrs(list);
	if (v6 && !v4)
		finding_add(&doctor->findings, FINDING_WARNING, "ipv6", "give its interfaces IPv4 addresses",
			"this host has IPv6 addresses only, over which SMC-R of version 2 does not connect");
}

void doctor_network(struct doctor *doctor)
{
	if (!doctor->genl)
		return;
	look_at_cookies(&doctor->findings);
	look_at_ports(doctor);
	look_at_addresses(doctor);
}
