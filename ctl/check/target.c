/* SPDX-License-Identifier: MIT */
/* Destinations from texts and names. */
#include "config.h"

#include "ctl/check/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_HTTP 80u
#define PORT_HTTPS 443u

void targets_clear(struct targets *targets)
{
	free(targets->item);
	*targets = (struct targets){.item = NULL};
}

static int copy_host(const char *from, size_t length, char host[static TARGET_HOST])
{
	if (!length || length >= TARGET_HOST)
		return -EINVAL;
	memcpy(host, from, length);
	host[length] = '\0';
	return 0;
}

/* Splits "HOST[:PORT]" or "[ADDRESS][:PORT]" of that length; *port stays as it is where none is named. */
static int split(const char *text, size_t length, char host[static TARGET_HOST], uint16_t *port)
{
	char number[8] = "";
	bool brackets = length && *text == '[';
	const char *from = text + brackets;
	const char *end = memchr(text, brackets ? ']' : ':', length);
	const char *rest = end ? end + brackets : text + length;
	size_t left = (size_t)(text + length - rest);
	uint64_t value;
	int r;

	if (brackets && !end)
		return -EINVAL;
	r = copy_host(from, (size_t)((end ? end : text + length) - from), host);
	if (r < 0 || !left)
		return r;
	if (*rest != ':' || left > sizeof(number))
		return -EINVAL;
	memcpy(number, rest + 1, left - 1);
	if (text_to_uint(number, 1, UINT16_MAX, &value) < 0)
		return -EINVAL;
	*port = (uint16_t)value;
	/* Only an address of IPv6 stands in brackets. */
	return brackets && !strchr(host, ':') ? -EINVAL : 0;
}

int target_split(const char *text, char host[static TARGET_HOST], uint16_t *port)
{
	*port = 0;
	return split(text, strlen(text), host, port) < 0 || !*port ? -EINVAL : 0;
}

int target_split_url(const char *url, char host[static TARGET_HOST], uint16_t *port)
{
	const char *separator = strstr(url, "://");
	const char *authority = separator ? separator + 3 : NULL;
	const char *at;
	size_t length;

	if (!separator || separator == url)
		return -EINVAL;
	*port = 0;
	if (strncasecmp(url, "http://", 7) == 0)
		*port = PORT_HTTP;
	else if (strncasecmp(url, "https://", 8) == 0)
		*port = PORT_HTTPS;
	/* RFC 3986 section 3.2: [userinfo "@"] host [":" port], up to a slash, a question mark or a hash. */
	length = strcspn(authority, "/?#");
	at = memrchr(authority, '@', length);
	if (at) {
		length -= (size_t)(at + 1 - authority);
		authority = at + 1;
	}
	/* "http://host:/" is one of the default port. */
	if (*port && length > 1 && authority[length - 1] == ':')
		length--;
	return split(authority, length, host, port) < 0 || !*port ? -EINVAL : 0;
}

static struct target *add(struct targets *targets)
{
	if (targets->count == targets->room) {
		size_t room = targets->room ? targets->room * 2 : 16;
		struct target *larger = realloc(targets->item, room * sizeof(*larger));

		if (!larger)
			return NULL;
		targets->item = larger;
		targets->room = room;
	}
	targets->item[targets->count] = (struct target){.rule = 0};
	return &targets->item[targets->count++];
}

/* An IPv4-mapped address is one of IPv4, on the wire and in a policy. */
static void unmap(struct target *target)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	memcpy(&v6, &target->to, sizeof(v6));
	if (v6.sin6_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
		return;
	v4.sin_port = v6.sin6_port;
	memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, sizeof(v4.sin_addr));
	memset(&target->to, 0, sizeof(target->to));
	memcpy(&target->to, &v4, sizeof(v4));
	target->length = sizeof(v4);
}

static void set_key(struct target *target)
{
	unmap(target);
	if (target->to.ss_family == AF_INET6)
		memcpy(target->key, &((struct sockaddr_in6 *)&target->to)->sin6_addr, 16);
	else
		memcpy(target->key, &((struct sockaddr_in *)&target->to)->sin_addr, 4);
}

int targets_resolve(struct targets *targets, const char *host, uint16_t port, const char **why)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
	struct addrinfo numeric = hints;
	struct addrinfo *list = NULL;
	char service[8];
	int error;

	snprintf(service, sizeof(service), "%u", port);
	/* An address is looked at whether or not this host has one of its family. */
	numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	error = getaddrinfo(host, service, &numeric, &list);
	if (error)
		error = getaddrinfo(host, service, &hints, &list);
	if (error) {
		*why = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
		return -ENOENT;
	}
	for (const struct addrinfo *a = list; a && targets->count < TARGET_ADDRESSES; a = a->ai_next) {
		struct target *target;

		if ((a->ai_family != AF_INET && a->ai_family != AF_INET6) || a->ai_addrlen > sizeof(target->to))
			continue;
		target = add(targets);
		if (!target) {
			freeaddrinfo(list);
			return -ENOMEM;
		}
		memcpy(&target->to, a->ai_addr, a->ai_addrlen);
		target->length = a->ai_addrlen;
		target->port = port;
		set_key(target);
	}
	freeaddrinfo(list);
	*why = "it has no address of IPv4 or IPv6";
	return targets->count ? 0 : -ENOENT;
}

void target_text(const struct target *target, bool port, char out[static TARGET_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";
	char scope[IF_NAMESIZE + 1] = "";
	bool ipv6 = target->to.ss_family == AF_INET6;
	uint32_t index = ipv6 ? ((const struct sockaddr_in6 *)&target->to)->sin6_scope_id : 0;

	inet_ntop(target->to.ss_family, target->key, host, sizeof(host));
	if (index) {
		scope[0] = '%';
		if (!if_indextoname(index, scope + 1))
			scope[0] = '\0';
	}
	if (port)
		snprintf(out, TARGET_TEXT, ipv6 ? "[%s%s]:%u" : "%s%s:%u", host, scope, target->port);
	else
		snprintf(out, TARGET_TEXT, "%s%s", host, scope);
}

/* ---- from a policy ---- */

static bool is_host(const struct policy_cidr *cidr)
{
	return cidr->prefix == (cidr->ipv6 ? 128 : 32);
}

static size_t count_ports(const struct policy *policy, const struct policy_rule *rule)
{
	size_t count = 0;

	for (uint32_t i = 0; i < rule->port_count; i++)
		count += (size_t)policy->ports[rule->port_first + i].to - policy->ports[rule->port_first + i].from + 1;
	return count;
}

unsigned target_left_out(const struct policy *policy, const struct policy_rule *rule)
{
	unsigned left = 0;

	if (rule->role != POLICY_CONNECT)
		return 0;
	for (uint32_t i = 0; i < rule->cidr_count; i++)
		left |= is_host(&policy->cidrs[rule->cidr_first + i]) ? 0 : LEFT_NETWORK;
	if (!rule->port_count)
		left |= LEFT_NO_PORTS;
	return left | (count_ports(policy, rule) > TARGET_PORTS ? LEFT_MANY_PORTS : 0);
}

static void set_address(struct target *target, const struct policy_cidr *cidr)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(target->port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET,
		.sin_port = htons(target->port),
		.sin_addr.s_addr = htonl((uint32_t)cidr->address.low)};

	for (unsigned i = 0; i < 8; i++) {
		v6.sin6_addr.s6_addr[i] = (uint8_t)(cidr->address.high >> (56 - 8 * i));
		v6.sin6_addr.s6_addr[8 + i] = (uint8_t)(cidr->address.low >> (56 - 8 * i));
	}
	target->length = cidr->ipv6 ? sizeof(v6) : sizeof(v4);
	memcpy(&target->to, cidr->ipv6 ? (const void *)&v6 : (const void *)&v4, target->length);
	set_key(target);
}

static int add_host(struct targets *targets, const struct policy *policy, uint32_t rule, const struct policy_cidr *cidr)
{
	const struct policy_rule *r = &policy->rules[rule - 1];

	for (uint32_t i = 0; i < r->port_count; i++) {
		const struct policy_port_range *range = &policy->ports[r->port_first + i];

		for (uint32_t port = range->from; port <= range->to; port++) {
			struct target *target = port ? add(targets) : NULL;

			if (!port)
				continue;
			if (!target)
				return -ENOMEM;
			target->rule = rule;
			target->port = (uint16_t)port;
			target->width = (uint32_t)range->to - range->from;
			set_address(target, cidr);
		}
	}
	return 0;
}

/* By family, address, port; the rule that decides (the narrower range of ports) first. */
static int compare(const void *a, const void *b)
{
	const struct target *left = a;
	const struct target *right = b;
	int order = memcmp(left->key, right->key, sizeof(left->key));

	if (left->to.ss_family != right->to.ss_family)
		return left->to.ss_family < right->to.ss_family ? -1 : 1;
	if (order)
		return order;
	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	return (left->width > right->width) - (left->width < right->width);
}

static void keep_first(struct targets *targets)
{
	size_t kept = 0;

	for (size_t i = 0; i < targets->count; i++) {
		const struct target *last = kept ? &targets->item[kept - 1] : NULL;

		if (last && last->to.ss_family == targets->item[i].to.ss_family &&
			memcmp(last->key, targets->item[i].key, sizeof(last->key)) == 0 &&
			last->port == targets->item[i].port)
			continue;
		targets->item[kept++] = targets->item[i];
	}
	targets->count = kept;
}

int targets_add_policy(struct targets *targets, const struct policy *policy)
{
	for (uint32_t rule = 1; rule <= policy->rule_count; rule++) {
		const struct policy_rule *r = &policy->rules[rule - 1];

		if (r->role != POLICY_CONNECT || target_left_out(policy, r) & (LEFT_NO_PORTS | LEFT_MANY_PORTS))
			continue;
		for (uint32_t i = 0; i < r->cidr_count; i++) {
			const struct policy_cidr *cidr = &policy->cidrs[r->cidr_first + i];

			if (is_host(cidr) && add_host(targets, policy, rule, cidr) < 0)
				return -ENOMEM;
		}
	}
	if (targets->count)
		qsort(targets->item, targets->count, sizeof(*targets->item), compare);
	keep_first(targets);
	return 0;
}
