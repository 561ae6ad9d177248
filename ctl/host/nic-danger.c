/* SPDX-License-Identifier: MIT */
/* Whether an interface may be taken from its manager: not the one we would be cut off with. */
#include "config.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "ctl/host/plan.h"
#include "ctl/neighbours.h"

#define ROUTES_MAX (16u << 20)
#define TCP_ESTABLISHED 1u /* include/net/tcp_states.h */
#define SSH_PORT 22u
#define UPPERS_MAX 64u /* bridge on VLAN on bond is three */

/* The interface and all that stand above it: its bridge, its bond, its VLANs, and theirs. */
struct stack {
	char names[UPPERS_MAX][IFNAMSIZ];
	size_t count;
};

static int read_text(const char *path, char **out)
{
	_cleanup_close_ int fd = open_read(path);
	size_t size;

	return fd < 0 ? fd : read_all(fd, ROUTES_MAX, out, &size);
}

static const char *in_stack(const struct stack *stack, const char *name)
{
	for (size_t i = 0; i < stack->count; i++) {
		if (strcmp(stack->names[i], name) == 0)
			return stack->names[i];
	}
	return NULL;
}

static void push(struct stack *stack, const char *name)
{
	if (stack->count < UPPERS_MAX && strlen(name) < IFNAMSIZ && !in_stack(stack, name))
		memcpy(stack->names[stack->count++], name, strlen(name) + 1);
}

static void push_above(const char *name, void *context)
{
	push(context, name);
}

static void read_stack(struct stack *stack, const char *interface)
{
	stack->count = 0;
	push(stack, interface);
	for (size_t i = 0; i < stack->count; i++)
		neighbours_each(stack->names[i], "upper_", push_above, stack);
}

/* ---- the default route ---- */

/* /proc/net/route: interface, destination, gateway, flags, ..., mask. */
static bool is_default4(const char *line, char name[static IFNAMSIZ])
{
	uint32_t destination, mask;

	return sscanf(line, "%15s %" SCNx32 " %*x %*x %*d %*d %*d %" SCNx32, name, &destination, &mask) == 3 &&
		!destination && !mask;
}

/* /proc/net/ipv6_route: destination, length, ..., flags, interface; those that refuse (RTF_REJECT) are on lo. */
static bool is_default6(const char *line, char name[static IFNAMSIZ])
{
	unsigned length;

	return sscanf(line, "%*32s %x %*32s %*x %*32s %*x %*x %*x %*x %15s", &length, name) == 2 && !length &&
		strspn(line, "0") >= 32;
}

static const char *with_default_route(const struct stack *stack)
{
	static const struct {
		const char *path;
		bool (*is)(const char *line, char name[static IFNAMSIZ]);
	} tables[] = {{"/proc/self/net/route", is_default4}, {"/proc/self/net/ipv6_route", is_default6}};

	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *text = NULL;
		char *rest;

		if (read_text(tables[i].path, &text) < 0)
			continue;
		for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
			char name[IFNAMSIZ];

			if (tables[i].is(line, name) && in_stack(stack, name))
				return in_stack(stack, name);
		}
	}
	return NULL;
}

/* ---- ssh ---- */

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

static const char *with_address(const struct stack *stack, const struct in6_addr *wanted)
{
	struct ifaddrs *list;
	const char *found = NULL;

	if (getifaddrs(&list) < 0)
		return NULL;
	for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
		struct in6_addr own;

		if (address_of(i->ifa_addr, &own) && memcmp(&own, wanted, sizeof(own)) == 0)
			found = in_stack(stack, i->ifa_name);
	}
	freeifaddrs(list);
	return found;
}

static int on_route(struct nl_msg *message, void *arg)
{
	struct nlattr *attrs[RTA_MAX + 1];
	uint32_t *index = arg;

	if (nlmsg_parse(nlmsg_hdr(message), sizeof(struct rtmsg), attrs, RTA_MAX, NULL) == 0 && attrs[RTA_OIF] &&
		nla_len(attrs[RTA_OIF]) == sizeof(*index))
		memcpy(index, nla_data(attrs[RTA_OIF]), sizeof(*index));
	return NL_OK;
}

/* The index of the interface that a packet there would leave by (inet_rtm_getroute(), inet6_rtm_getroute()); 0: none. */
static uint32_t route_to(const struct in6_addr *peer)
{
	const bool mapped = IN6_IS_ADDR_V4MAPPED(peer);
	const struct rtmsg head = {
		.rtm_family = mapped ? AF_INET : AF_INET6, .rtm_dst_len = (unsigned char)(mapped ? 32 : 128)};
	struct nl_sock *sock = nl_socket_alloc();
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETROUTE, 0);
	uint32_t index = 0;

	if (sock && message && nlmsg_append(message, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO) == 0 &&
		nla_put(message, RTA_DST, mapped ? 4 : 16, peer->s6_addr + (mapped ? 12 : 0)) == 0 &&
		nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_route, &index) == 0 &&
		nl_connect(sock, NETLINK_ROUTE) == 0 && nl_send_auto(sock, message) >= 0 &&
		nl_recvmsgs_default(sock) < 0)
		index = 0;
	nlmsg_free(message);
	nl_socket_free(sock);
	return index;
}

static const char *with_route_to(const struct stack *stack, const struct in6_addr *peer)
{
	uint32_t index = route_to(peer);
	char name[IFNAMSIZ];

	return index && if_indextoname(index, name) ? in_stack(stack, name) : NULL;
}

/* Of a link-local address the interface stands behind a percent sign. */
static bool parse_address(char *text, struct in6_addr *out)
{
	text[strcspn(text, "%")] = '\0';
	*out = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	return inet_pton(AF_INET, text, out->s6_addr + 12) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

/* The connection has our address there, or its peer is reached that way. */
static const char *with_connection(const struct stack *stack, const struct in6_addr *own, const struct in6_addr *peer)
{
	const char *name = with_address(stack, own);

	return name ? name : with_route_to(stack, peer);
}

/* SSH_CONNECTION: "PEER PORT OWN PORT". */
static const char *with_this_session(const struct stack *stack)
{
	const char *connection = getenv("SSH_CONNECTION");
	char ends[2][INET6_ADDRSTRLEN + IFNAMSIZ];
	struct in6_addr peer, own;

	return connection && sscanf(connection, "%61s %*s %61s", ends[0], ends[1]) == 2 &&
			parse_address(ends[0], &peer) && parse_address(ends[1], &own)
		? with_connection(stack, &own, &peer)
		: NULL;
}

/* "0100007F" or four such words: each a number as the processor has it. */
static bool parse_hex(const char *hex, struct in6_addr *out)
{
	size_t words = strlen(hex) / 8;

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

/* An established connection of a server of ssh, which sudo does not tell of. */
static bool read_ssh_line(const char *line, struct in6_addr *own, struct in6_addr *peer)
{
	char ends[2][33];
	unsigned port, state;

	return sscanf(line, " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%*x %x", ends[0], &port, ends[1], &state) == 4 &&
		port == SSH_PORT && state == TCP_ESTABLISHED && parse_hex(ends[0], own) && parse_hex(ends[1], peer);
}

static const char *with_ssh(const struct stack *stack)
{
	static const char *const tables[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};
	const char *found = with_this_session(stack);

	for (size_t i = 0; i < 2 && !found; i++) {
		_cleanup_free_ char *text = NULL;
		struct in6_addr own, peer;
		char *rest;

		if (read_text(tables[i], &text) < 0)
			continue;
		for (char *line = strtok_r(text, "\n", &rest); line && !found; line = strtok_r(NULL, "\n", &rest)) {
			if (read_ssh_line(line, &own, &peer))
				found = with_connection(stack, &own, &peer);
		}
	}
	return found;
}

char *nic_danger(const char *interface)
{
	struct stack stack;
	const char *why =
		"has the default route: nobody would renew its address, and after a reboot the host is cut off";
	const char *name;
	char *text;

	read_stack(&stack, interface);
	name = with_default_route(&stack);
	if (!name) {
		why = "carries a connection of ssh: after a reboot nobody would give it its address";
		name = with_ssh(&stack);
	}
	if (!name)
		return NULL;
	if (strcmp(name, interface) == 0)
		return strdup(why);
	return asprintf(&text, "is below %s, which %s", name, why) < 0 ? NULL : text;
}
