/* SPDX-License-Identifier: MIT */
/* Whether an interface may be taken from its manager: not the one we would be cut off with. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "ctl/host/plan.h"

#define ROUTES_MAX (16u << 20)
#define TCP_ESTABLISHED 1u /* include/net/tcp_states.h */
#define SSH_PORT 22u

static int read_text(const char *path, char **out)
{
	_cleanup_close_ int fd = open_read(path);
	size_t size;

	return fd < 0 ? fd : read_all(fd, ROUTES_MAX, out, &size);
}

/* /proc/net/route: interface, destination, gateway, flags, ..., mask. */
static bool is_default4(const char *line, const char *interface)
{
	char name[IFNAMSIZ];
	uint32_t destination, mask;

	return sscanf(line, "%15s %" SCNx32 " %*x %*x %*d %*d %*d %" SCNx32, name, &destination, &mask) == 3 &&
		!destination && !mask && strcmp(name, interface) == 0;
}

/* /proc/net/ipv6_route: destination, length, ..., flags, interface; those that refuse (RTF_REJECT) are on lo. */
static bool is_default6(const char *line, const char *interface)
{
	char name[IFNAMSIZ];
	unsigned length;

	return sscanf(line, "%*32s %x %*32s %*x %*32s %*x %*x %*x %*x %15s", &length, name) == 2 && !length &&
		strspn(line, "0") >= 32 && strcmp(name, interface) == 0;
}

static bool has_default_route(const char *interface)
{
	static const struct {
		const char *path;
		bool (*is)(const char *line, const char *interface);
	} tables[] = {{"/proc/self/net/route", is_default4}, {"/proc/self/net/ipv6_route", is_default6}};

	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *text = NULL;
		char *rest;

		if (read_text(tables[i].path, &text) < 0)
			continue;
		for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
			if (tables[i].is(line, interface))
				return true;
		}
	}
	return false;
}

/* The address as 16 bytes, IPv4 mapped. */
static bool address_of(const struct sockaddr *sa, struct in6_addr *out)
{
	if (sa && sa->sa_family == AF_INET6) {
		*out = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
		return true;
	}
	if (!sa || sa->sa_family != AF_INET)
		return false;
	*out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	memcpy(out->s6_addr + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	return true;
}

static bool has_address(const char *interface, const struct in6_addr *wanted)
{
	struct ifaddrs *list;
	bool found = false;

	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
		struct in6_addr own;

		found = strcmp(i->ifa_name, interface) == 0 && address_of(i->ifa_addr, &own) &&
			memcmp(&own, wanted, sizeof(own)) == 0;
	}
	freeifaddrs(list);
	return found;
}

static bool parse_address(const char *text, struct in6_addr *out)
{
	*out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	return inet_pton(AF_INET, text, out->s6_addr + 12) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

/* SSH_CONNECTION: "PEER PORT OWN PORT". */
static bool is_of_this_session(const char *interface)
{
	const char *connection = getenv("SSH_CONNECTION");
	char own[INET6_ADDRSTRLEN];
	struct in6_addr address;

	return connection && sscanf(connection, "%*s %*s %45s", own) == 1 && parse_address(own, &address) &&
		has_address(interface, &address);
}

/* The local address of an established connection of a server of ssh, which sudo does not tell of. */
static bool read_ssh_line(const char *line, struct in6_addr *out)
{
	char hex[33];
	unsigned port, state;
	size_t words;

	if (sscanf(line, " %*d: %32[0-9A-F]:%x %*[0-9A-F:] %x", hex, &port, &state) != 3 || port != SSH_PORT ||
		state != TCP_ESTABLISHED)
		return false;
	words = strlen(hex) / 8;
	if (words != 1 && words != 4)
		return false;
	*out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	for (size_t i = 0; i < words; i++) {
		char word[9] = "";
		uint32_t value;

		memcpy(word, hex + i * 8, 8);
		value = (uint32_t)strtoul(word, NULL, 16);
		memcpy(out->s6_addr + (words == 1 ? 12 : i * 4), &value, 4);
	}
	return true;
}

static bool carries_ssh(const char *interface)
{
	static const char *const tables[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};

	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *text = NULL;
		struct in6_addr address;
		char *rest;

		if (read_text(tables[i], &text) < 0)
			continue;
		for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
			if (read_ssh_line(line, &address) && has_address(interface, &address))
				return true;
		}
	}
	return false;
}

char *nic_danger(const char *interface)
{
	const char *why = NULL;

	if (has_default_route(interface))
		why = "has the default route: nobody would renew its address, and after a reboot the host is cut off";
	else if (is_of_this_session(interface) || carries_ssh(interface))
		why = "carries a connection of ssh: after a reboot nobody would give it its address";
	return why ? strdup(why) : NULL;
}

static void plan_nic(struct host *host, const struct profile_nic *nic, struct host_plan *plan)
{
	bool manager = access("/usr/sbin/NetworkManager", F_OK) == 0 || access("/etc/NetworkManager", F_OK) == 0;
	bool networkd = access("/usr/lib/systemd/systemd-networkd", F_OK) == 0 ||
		access("/lib/systemd/systemd-networkd", F_OK) == 0;
	char text[512];
	char path[128];
	char *danger = host->offline ? NULL : nic_danger(nic->name);
	size_t first = plan->count;

	/* A section of its own for soft, += for strict: other files' settings stay in force. */
	if (nic->strict)
		snprintf(text, sizeof(text),
			PLAN_MARK ": smcctl host apply. Undo: smcctl host revert.\n"
				  "[keyfile]\nunmanaged-devices+=interface-name:%s\n",
			nic->name);
	else
		snprintf(text, sizeof(text),
			PLAN_MARK ": smcctl host apply. Undo: smcctl host revert.\n"
				  "[device-smcctl-%s]\nmatch-device=interface-name:%s\nmanaged=0\n",
			nic->name, nic->name);
	snprintf(path, sizeof(path), PLAN_NM, nic->name);
	host_plan_file(host, plan, path, manager ? text : NULL);
	snprintf(text, sizeof(text),
		PLAN_MARK ": smcctl host apply. Undo: smcctl host revert.\n"
			  "[Match]\nName=%s\n\n[Link]\nUnmanaged=yes\n",
		nic->name);
	snprintf(path, sizeof(path), PLAN_NETWORKD, nic->name);
	host_plan_file(host, plan, path, networkd ? text : NULL);
	if (!manager && !networkd) {
		struct host_plan_item *item = host_plan_add(plan, host, HOST_FILE, path, NULL);

		if (item) {
			item->state = PLAN_CANNOT;
			host_plan_say(
				plan, &item->why, "neither NetworkManager nor systemd-networkd is installed here");
		}
	}
	for (size_t i = first; danger && i < plan->count; i++) {
		if (plan->items[i].kind == HOST_FILE && plan->items[i].state == PLAN_CHANGE)
			host_plan_say(plan, &plan->items[i].danger, "%s %s", nic->name, danger);
	}
	free(danger);
}

void host_plan_nics(struct host *host, const struct profile *profile, struct host_plan *plan)
{
	for (size_t i = 0; i < profile->nic_count; i++)
		plan_nic(host, &profile->nics[i], plan);
}
