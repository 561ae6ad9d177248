/* SPDX-License-Identifier: MIT */
/*
 * Asks the kernel about SMC: which sockets there are (SOCK_DIAG) and how many connections it made (generic netlink). It judges
 * smcctl too, so it shares no code with it; and it starts in no time, for tests call it all the time.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <error.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/smc.h>
#include <linux/smc_diag.h>
#include <linux/sock_diag.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] =
	"usage: smcstat sockets       one line per SMC socket: STATE MODE LOCAL-PORT PEER-PORT REASON\n"
	"       smcstat counters      NAME=NUMBER lines, all since boot\n"
	"       smcstat since FILE    the same, minus the counters in FILE, which then holds those of now\n"
	"       smcstat count-made    once, as root: from now on \"made\" counts the SMC sockets that programs create\n"
	"\n"
	"client_smcd, server_smcd, client_smcr, server_smcr: connections whose SMC handshake succeeded, at each end.\n"
	"client_fallback, server_fallback: SMC sockets that became TCP; forced is the part of client_fallback with "
	"reason\n"
	"03060000 (an in-place downgrade), reason_client_* and reason_server_* name the others. client_error, "
	"server_error:\n"
	"failed handshakes. made: calls of the kernel's smc_create_clcsk(), which every socket(AF_SMC) and\n"
	"socket(IPPROTO_SMC) goes through and an accepted connection does not; no statistic has this, so it is a "
	"kprobe.\n"
	"Absent without count-made.\n";

#define TRACEFS "/sys/kernel/tracing"
#define PROBE "smcshim_made"
/* SMC_CLC_DECL_OPTUNSUPP in net/smc/smc_clc.h */
#define OPTUNSUPP 0x03060000

/* --- netlink */

struct span {
	const unsigned char *at;
	size_t length;
};

/* The value of the first attribute of that type; empty if there is none. */
static struct span attribute(struct span attributes, unsigned int type)
{
	while (attributes.length >= NLA_HDRLEN) {
		struct nlattr header;
		size_t next;

		memcpy(&header, attributes.at, sizeof(header));
		if (header.nla_len < NLA_HDRLEN || header.nla_len > attributes.length)
			break;
		if ((header.nla_type & NLA_TYPE_MASK) == type)
			return (struct span){attributes.at + NLA_HDRLEN, header.nla_len - NLA_HDRLEN};
		next = NLA_ALIGN(header.nla_len);
		if (next >= attributes.length)
			break;
		attributes.at += next;
		attributes.length -= next;
	}
	return (struct span){0};
}

/* A number of any width; 0 where there is none. */
static uint64_t number(struct span attributes, unsigned int type)
{
	struct span value = attribute(attributes, type);
	uint64_t eight;
	uint32_t four;
	uint16_t two;

	switch (value.length) {
	case 0:
		return 0;
	case sizeof(eight):
		memcpy(&eight, value.at, sizeof(eight));
		return eight;
	case sizeof(four):
		memcpy(&four, value.at, sizeof(four));
		return four;
	case sizeof(two):
		memcpy(&two, value.at, sizeof(two));
		return two;
	case 1:
		return value.at[0];
	default:
		error(1, 0, "attribute %u has %zu bytes", type, value.length);
		return 0;
	}
}

/* Gives the body of each answer to the function. */
static void ask(int protocol, uint16_t type, uint16_t flags, const void *body, size_t length, void (*each)(struct span))
{
	static unsigned char buffer[1 << 16] __attribute__((aligned(8)));
	struct nlmsghdr *message = (struct nlmsghdr *)buffer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		error(1, errno, "netlink socket");
	*message = (struct nlmsghdr){
		.nlmsg_len = (uint32_t)NLMSG_LENGTH(length), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
	memcpy(NLMSG_DATA(message), body, length);
	if (send(fd, buffer, message->nlmsg_len, 0) < 0)
		error(1, errno, "netlink request");
	for (;;) {
		ssize_t got = recv(fd, buffer, sizeof(buffer), MSG_TRUNC);
		size_t left = (size_t)got;

		if (got < 0)
			error(1, errno, "netlink answer");
		if (left > sizeof(buffer))
			error(1, 0, "a netlink answer of %zu bytes", left);
		for (message = (struct nlmsghdr *)buffer; NLMSG_OK(message, left);
			message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
				int code = 0;

				if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(code)))
					memcpy(&code, NLMSG_DATA(message), sizeof(code));
				if (code < 0)
					error(1, -code, "netlink request refused");
				close(fd);
				return;
			}
			each((struct span){NLMSG_DATA(message), NLMSG_PAYLOAD(message, 0)});
			if (!(flags & NLM_F_DUMP)) {
				close(fd);
				return;
			}
		}
	}
}

/* What follows a header of that size in a message, as attributes. */
static struct span after(struct span message, size_t header)
{
	size_t skip = NLMSG_ALIGN(header);

	if (message.length < skip)
		error(1, 0, "a message of %zu bytes", message.length);
	return (struct span){message.at + skip, message.length - skip};
}

static uint16_t smc_family;

static void take_family(struct span message)
{
	smc_family = (uint16_t)number(after(message, GENL_HDRLEN), CTRL_ATTR_FAMILY_ID);
}

static void find_family(void)
{
	struct {
		struct genlmsghdr genl;
		struct nlattr header;
		char name[16];
	} request = {{.cmd = CTRL_CMD_GETFAMILY, .version = 1}, {sizeof(struct nlattr) + 16, CTRL_ATTR_FAMILY_NAME},
		SMC_GENL_FAMILY_NAME};

	ask(NETLINK_GENERIC, GENL_ID_CTRL, 0, &request, sizeof(request), take_family);
	if (!smc_family)
		error(1, 0, "no %s", SMC_GENL_FAMILY_NAME);
}

static void dump_smc(uint8_t command, void (*each)(struct span))
{
	struct genlmsghdr genl = {.cmd = command, .version = 1};

	ask(NETLINK_GENERIC, smc_family, NLM_F_DUMP, &genl, sizeof(genl), each);
}

/* --- counters */

static struct counter {
	char name[32];
	long long value;
} counters[256], before[256];
static size_t counters_count, before_count;

/* The value by this name, which is made if there is none. */
static long long *counter(const char *name)
{
	for (size_t i = 0; i < counters_count; i++)
		if (!strcmp(counters[i].name, name))
			return &counters[i].value;
	if (counters_count == sizeof(counters) / sizeof(*counters) || strlen(name) >= sizeof(counters->name))
		error(1, 0, "no room for the counter %s", name);
	memcpy(counters[counters_count].name, name, strlen(name) + 1);
	return &counters[counters_count++].value;
}

/* The hits of the kprobe, if there is one. */
static void take_made(void)
{
	FILE *profile = fopen(TRACEFS "/kprobe_profile", "re");
	char name[64];
	long long hits, missed;

	if (!profile)
		return;
	while (fscanf(profile, "%63s %lld %lld", name, &hits, &missed) == 3) {
		if (strcmp(name, PROBE) != 0)
			continue;
		if (missed)
			error(1, 0, "the kprobe missed %lld hits", missed);
		*counter("made") = hits;
	}
	fclose(profile);
}

static void count_made(void)
{
	static const char *const writes[][2] = {{TRACEFS "/kprobe_events", "p:" PROBE " smc_create_clcsk\n"},
		{TRACEFS "/events/kprobes/" PROBE "/enable", "1"}};

	for (size_t i = 0; i < 2; i++) {
		FILE *file = fopen(writes[i][0], "we");

		if (!file || fputs(writes[i][1], file) < 0 || fclose(file) != 0)
			error(1, errno, "%s", writes[i][0]);
	}
}

static void take_technology(const char *name, struct span of)
{
	static const struct {
		const char *name;
		unsigned int types[2];
	} sums[] = {{"client", {SMC_NLA_STATS_T_CLNT_V1_SUCC, SMC_NLA_STATS_T_CLNT_V2_SUCC}},
		{"server", {SMC_NLA_STATS_T_SRV_V1_SUCC, SMC_NLA_STATS_T_SRV_V2_SUCC}},
		{"bytes", {SMC_NLA_STATS_T_TX_BYTES}}};

	for (size_t i = 0; i < sizeof(sums) / sizeof(*sums); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s_%s", sums[i].name, name);
		*counter(text) = (long long)number(of, sums[i].types[0]);
		if (sums[i].types[1])
			*counter(text) += (long long)number(of, sums[i].types[1]);
	}
}

static void take_stats(struct span message)
{
	struct span stats = attribute(after(message, GENL_HDRLEN), SMC_GEN_STATS);

	take_technology("smcd", attribute(stats, SMC_NLA_STATS_SMCD_TECH));
	take_technology("smcr", attribute(stats, SMC_NLA_STATS_SMCR_TECH));
	*counter("client_error") = (long long)number(stats, SMC_NLA_STATS_CLNT_HS_ERR_CNT);
	*counter("server_error") = (long long)number(stats, SMC_NLA_STATS_SRV_HS_ERR_CNT);
}

static void take_fallbacks(struct span message)
{
	struct span stats = attribute(after(message, GENL_HDRLEN), SMC_GEN_FBACK_STATS);
	uint32_t reason = (uint32_t)number(stats, SMC_NLA_FBACK_STATS_RSN_CODE);
	uint16_t times = (uint16_t)number(stats, SMC_NLA_FBACK_STATS_RSN_CNT);
	int at_server = number(stats, SMC_NLA_FBACK_STATS_TYPE) != 0;
	char name[32];

	/* The totals come with the first message only. */
	*counter("server_fallback") += (long long)number(stats, SMC_NLA_FBACK_STATS_SRV_CNT);
	*counter("client_fallback") += (long long)number(stats, SMC_NLA_FBACK_STATS_CLNT_CNT);
	if (!times)
		return;
	snprintf(name, sizeof(name), "reason_%s_%08x", at_server ? "server" : "client", reason);
	*counter(!at_server && reason == OPTUNSUPP ? "forced" : name) = times;
}

static void read_counters(void)
{
	take_made();
	find_family();
	dump_smc(SMC_NETLINK_GET_STATS, take_stats);
	*counter("client_fallback") = 0;
	*counter("server_fallback") = 0;
	*counter("forced") = 0;
	dump_smc(SMC_NETLINK_GET_FBACK_STATS, take_fallbacks);
}

static void write_counters(FILE *out)
{
	for (size_t i = 0; i < counters_count; i++)
		fprintf(out, "%s=%lld\n", counters[i].name, counters[i].value);
}

static void since(const char *path)
{
	FILE *file = fopen(path, "r+e");

	if (!file)
		error(1, errno, "%s", path);
	while (before_count < sizeof(before) / sizeof(*before) &&
		fscanf(file, "%31[^=]=%lld\n", before[before_count].name, &before[before_count].value) == 2)
		before_count++;
	if (!feof(file))
		error(1, 0, "%s: not what \"counters\" prints", path);
	rewind(file);
	write_counters(file);
	if (fflush(file) != 0 || ftruncate(fileno(file), ftell(file)) != 0 || fclose(file) != 0)
		error(1, errno, "%s", path);
	for (size_t i = 0; i < counters_count; i++) {
		const char *name = counters[i].name;
		int reason = !strncmp(name, "reason_", 7);
		long long value = counters[i].value;

		for (size_t j = 0; j < before_count; j++)
			if (!strcmp(before[j].name, name))
				value -= before[j].value;
		/* The kernel counts reasons in 16 bits. */
		if (reason || !strcmp(name, "forced"))
			value &= 0xffff;
		if (value || !reason)
			printf("%s=%lld\n", name, value);
	}
}

/* --- sockets */

static void print_socket(struct span message)
{
	/* enum smc_state in net/smc/smc.h */
	enum { ACTIVE = 1, PEERCLOSEWAIT1 = 20, PROCESSABORT = 27 };
	static const char *const states[] = {[ACTIVE] = "ACTIVE", [2] = "INIT", [7] = "CLOSED", [10] = "LISTEN"};
	static const char *const modes[] = {
		[SMC_DIAG_MODE_SMCR] = "SMCR", [SMC_DIAG_MODE_FALLBACK_TCP] = "TCP", [SMC_DIAG_MODE_SMCD] = "SMCD"};
	struct span fallback = attribute(after(message, sizeof(struct smc_diag_msg)), SMC_DIAG_FALLBACK);
	struct smc_diag_msg socket;
	uint32_t reason = 0;
	unsigned int state, mode;

	memcpy(&socket, message.at, sizeof(socket));
	state = socket.diag_state;
	mode = socket.diag_mode;
	if (fallback.length >= sizeof(reason))
		memcpy(&reason, fallback.at, sizeof(reason));
	if (state < sizeof(states) / sizeof(*states) && states[state])
		printf("%s ", states[state]);
	else
		printf("%u ", state);
	/* Before there is a connection the mode reads 0, which would be SMC-R. */
	if (state != ACTIVE && !(state >= PEERCLOSEWAIT1 && state <= PROCESSABORT) &&
		mode != SMC_DIAG_MODE_FALLBACK_TCP)
		printf("- ");
	else if (mode < sizeof(modes) / sizeof(*modes))
		printf("%s ", modes[mode]);
	else
		printf("%u ", mode);
	printf("%u %u %08x\n", ntohs(socket.id.idiag_sport), ntohs(socket.id.idiag_dport), reason);
}

static void sockets(void)
{
	struct smc_diag_req request = {.diag_family = AF_SMC, .diag_ext = 1 << (SMC_DIAG_FALLBACK - 1)};

	ask(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof(request), print_socket);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (argc == 2 && !strcmp(verb, "sockets")) {
		sockets();
	} else if (argc == 2 && !strcmp(verb, "count-made")) {
		count_made();
	} else if (argc == 2 && !strcmp(verb, "counters")) {
		read_counters();
		write_counters(stdout);
	} else if (argc == 3 && !strcmp(verb, "since")) {
		read_counters();
		since(argv[2]);
	} else {
		fputs(usage, stderr);
		return 64;
	}
	return fflush(stdout) != 0;
}
