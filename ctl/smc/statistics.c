/* SPDX-License-Identifier: MIT */
/* Reads the statistics from the kernel, and subtracts them. */
#include "config.h"

#include "ctl/smc/statistics.h"

#include <errno.h>

#include "ctl/smc/uapi.h"

struct field {
	const char *key;
	const char *title;
	int attr;
	bool gauge; /* not a counter: goes down too */
};

static const struct field counters[STATISTICS_COUNTERS] = {
	{"client_v1", "connected, version 1", SMC_NLA_STATS_T_CLNT_V1_SUCC, false},
	{"client_v2", "connected, version 2", SMC_NLA_STATS_T_CLNT_V2_SUCC, false},
	{"server_v1", "accepted, version 1", SMC_NLA_STATS_T_SRV_V1_SUCC, false},
	{"server_v2", "accepted, version 2", SMC_NLA_STATS_T_SRV_V2_SUCC, false},
	{"tx_calls", "calls to send", SMC_NLA_STATS_T_TX_CNT, false},
	{"tx_bytes", "bytes sent", SMC_NLA_STATS_T_TX_BYTES, false},
	{"rx_calls", "calls to receive", SMC_NLA_STATS_T_RX_CNT, false},
	{"rx_bytes", "bytes received", SMC_NLA_STATS_T_RX_BYTES, false},
	{"sendpage_calls", "calls of sendpage", SMC_NLA_STATS_T_SENDPAGE_CNT, false},
	{"splice_calls", "calls of splice", SMC_NLA_STATS_T_SPLICE_CNT, false},
	{"cork", "uses of TCP_CORK", SMC_NLA_STATS_T_CORK_CNT, false},
	{"nodelay", "uses of TCP_NODELAY", SMC_NLA_STATS_T_NDLY_CNT, false},
	{"urgent", "urgent data", SMC_NLA_STATS_T_URG_DATA_CNT, false},
	{"tx_buffer_bytes", "bytes of send buffers now", UAPI_STATS_T_TX_RMB_USAGE, true},
	{"rx_buffer_bytes", "bytes of receive buffers now", UAPI_STATS_T_RX_RMB_USAGE, true},
};

static const struct field buffers[STATISTICS_BUFFER_COUNTERS] = {
	{"allocated", "allocated", SMC_NLA_STATS_RMB_ALLOC_CNT, false},
	{"reused", "reused", SMC_NLA_STATS_RMB_REUSE_CNT, false},
	{"full", "full here", SMC_NLA_STATS_RMB_FULL_CNT, false},
	{"full_peer", "full at the peer", SMC_NLA_STATS_RMB_FULL_PEER_CNT, false},
	{"too_small", "too small here", SMC_NLA_STATS_RMB_SIZE_SM_CNT, false},
	{"too_small_peer", "too small at the peer", SMC_NLA_STATS_RMB_SIZE_SM_PEER_CNT, false},
	{"downgraded", "smaller than asked for", SMC_NLA_STATS_RMB_DGRADE_CNT, false},
};

static const struct field sizes[STATISTICS_SIZES] = {
	{"8k", "up to 8k", SMC_NLA_STATS_PLOAD_8K, false},
	{"16k", "up to 16k", SMC_NLA_STATS_PLOAD_16K, false},
	{"32k", "up to 32k", SMC_NLA_STATS_PLOAD_32K, false},
	{"64k", "up to 64k", SMC_NLA_STATS_PLOAD_64K, false},
	{"128k", "up to 128k", SMC_NLA_STATS_PLOAD_128K, false},
	{"256k", "up to 256k", SMC_NLA_STATS_PLOAD_256K, false},
	{"512k", "up to 512k", SMC_NLA_STATS_PLOAD_512K, false},
	{"1024k", "up to 1024k", SMC_NLA_STATS_PLOAD_1024K, false},
	{"larger", "over 1024k", SMC_NLA_STATS_PLOAD_G_1024K, false},
};

const char *statistics_counter_key(size_t i)
{
	return counters[i].key;
}

const char *statistics_counter_title(size_t i)
{
	return counters[i].title;
}

const char *statistics_buffer_key(size_t i)
{
	return buffers[i].key;
}

const char *statistics_buffer_title(size_t i)
{
	return buffers[i].title;
}

const char *statistics_size_key(size_t i)
{
	return sizes[i].key;
}

const char *statistics_size_title(size_t i)
{
	return sizes[i].title;
}

static int parse_fields(struct nlattr *nest, const struct field *fields, size_t count, uint64_t *out)
{
	struct nlattr *attrs[UAPI_STATS_T_TX_RMB_USAGE + 1];
	int r = genl_nested(nest, UAPI_STATS_T_TX_RMB_USAGE, attrs);

	for (size_t i = 0; r == 0 && i < count; i++)
		out[i] = genl_number(attrs[fields[i].attr], SMC_UNKNOWN);
	return r;
}

static int parse_mode(struct nlattr *nest, struct statistics_mode *mode)
{
	struct nlattr *attrs[SMC_NLA_STATS_T_MAX + 1];
	const struct {
		int attr;
		const struct field *fields;
		size_t count;
		uint64_t *out;
	} nests[] = {
		{SMC_NLA_STATS_T_TX_RMB_STATS, buffers, STATISTICS_BUFFER_COUNTERS, mode->buffer[STATISTICS_TX]},
		{SMC_NLA_STATS_T_RX_RMB_STATS, buffers, STATISTICS_BUFFER_COUNTERS, mode->buffer[STATISTICS_RX]},
		{SMC_NLA_STATS_T_TX_RMB_SIZE, sizes, STATISTICS_SIZES, mode->buffer_size[STATISTICS_TX]},
		{SMC_NLA_STATS_T_RX_RMB_SIZE, sizes, STATISTICS_SIZES, mode->buffer_size[STATISTICS_RX]},
		{SMC_NLA_STATS_T_TXPLOAD_SIZE, sizes, STATISTICS_SIZES, mode->payload[STATISTICS_TX]},
		{SMC_NLA_STATS_T_RXPLOAD_SIZE, sizes, STATISTICS_SIZES, mode->payload[STATISTICS_RX]},
	};
	int r = genl_nested(nest, SMC_NLA_STATS_T_MAX, attrs);

	if (r == 0)
		r = parse_fields(nest, counters, STATISTICS_COUNTERS, mode->counter);
	for (size_t i = 0; r == 0 && i < sizeof(nests) / sizeof(nests[0]); i++)
		r = parse_fields(attrs[nests[i].attr], nests[i].fields, nests[i].count, nests[i].out);
	return r;
}

int statistics_add(struct nlattr *const *attrs, void *arg)
{
	struct statistics *statistics = arg;
	struct nlattr *stats[SMC_NLA_STATS_MAX + 1];
	int r = attrs[SMC_GEN_STATS] ? genl_nested(attrs[SMC_GEN_STATS], SMC_NLA_STATS_MAX, stats) : -EBADMSG;

	if (r == 0)
		r = parse_mode(stats[SMC_NLA_STATS_SMCD_TECH], &statistics->smcd);
	if (r == 0)
		r = parse_mode(stats[SMC_NLA_STATS_SMCR_TECH], &statistics->smcr);
	if (r < 0)
		return r;
	statistics->side[STATISTICS_CLIENT].handshake_errors =
		genl_number(stats[SMC_NLA_STATS_CLNT_HS_ERR_CNT], SMC_UNKNOWN);
	statistics->side[STATISTICS_SERVER].handshake_errors =
		genl_number(stats[SMC_NLA_STATS_SRV_HS_ERR_CNT], SMC_UNKNOWN);
	return 0;
}

int statistics_add_fallback(struct nlattr *const *attrs, void *arg)
{
	struct statistics *statistics = arg;
	struct nlattr *stats[SMC_NLA_FBACK_STATS_MAX + 1];
	struct statistics_side *side;
	int r = attrs[SMC_GEN_FBACK_STATS] ? genl_nested(attrs[SMC_GEN_FBACK_STATS], SMC_NLA_FBACK_STATS_MAX, stats)
					   : -EBADMSG;

	if (r < 0)
		return r;
	/* The totals of both sides stand in the first answer only. */
	statistics->side[STATISTICS_CLIENT].fallbacks += genl_number(stats[SMC_NLA_FBACK_STATS_CLNT_CNT], 0);
	statistics->side[STATISTICS_SERVER].fallbacks += genl_number(stats[SMC_NLA_FBACK_STATS_SRV_CNT], 0);
	if (!stats[SMC_NLA_FBACK_STATS_RSN_CODE])
		return 0;
	side = &statistics
			->side[genl_number(stats[SMC_NLA_FBACK_STATS_TYPE], 0) ? STATISTICS_SERVER : STATISTICS_CLIENT];
	if (side->reasons == STATISTICS_MAX_REASONS)
		return -EBADMSG;
	side->reason[side->reasons++] = (struct statistics_reason){
		.code = (uint32_t)genl_number(stats[SMC_NLA_FBACK_STATS_RSN_CODE], 0),
		.count = (uint16_t)genl_number(stats[SMC_NLA_FBACK_STATS_RSN_CNT], 0),
	};
	return 0;
}

void statistics_complete(struct statistics *statistics)
{
	for (size_t i = 0; i < STATISTICS_ENDS; i++) {
		struct statistics_side *side = &statistics->side[i];
		uint64_t sum = 0;

		for (size_t k = 0; k < side->reasons; k++)
			sum += side->reason[k].count;
		side->at_least = sum < side->fallbacks;
	}
}

static void restart(void *arg)
{
	struct statistics *statistics = arg;

	*statistics = (struct statistics){.smcd = {.counter = {0}}};
}

static void restart_fallbacks(void *arg)
{
	struct statistics *statistics = arg;

	for (size_t i = 0; i < STATISTICS_ENDS; i++) {
		statistics->side[i].fallbacks = 0;
		statistics->side[i].reasons = 0;
	}
}

int statistics_get(struct genl *genl, struct statistics *out)
{
	int r = genl_dump(genl, SMC_NETLINK_GET_STATS, restart, statistics_add, out);

	if (r == 0)
		r = genl_dump(genl, SMC_NETLINK_GET_FBACK_STATS, restart_fallbacks, statistics_add_fallback, out);
	if (r == 0)
		statistics_complete(out);
	return r;
}

static uint64_t difference(uint64_t now, uint64_t before)
{
	if (now == SMC_UNKNOWN || before == SMC_UNKNOWN || now < before)
		return now;
	return now - before;
}

static void subtract(const uint64_t *now, const uint64_t *before, size_t count, uint64_t *out)
{
	for (size_t i = 0; i < count; i++)
		out[i] = difference(now[i], before[i]);
}

static void subtract_mode(
	const struct statistics_mode *now, const struct statistics_mode *before, struct statistics_mode *out)
{
	for (size_t i = 0; i < STATISTICS_COUNTERS; i++)
		out->counter[i] = counters[i].gauge ? now->counter[i] : difference(now->counter[i], before->counter[i]);
	for (size_t d = 0; d < STATISTICS_DIRECTIONS; d++) {
		subtract(now->buffer[d], before->buffer[d], STATISTICS_BUFFER_COUNTERS, out->buffer[d]);
		subtract(now->buffer_size[d], before->buffer_size[d], STATISTICS_SIZES, out->buffer_size[d]);
		subtract(now->payload[d], before->payload[d], STATISTICS_SIZES, out->payload[d]);
	}
}

static uint32_t count_of(const struct statistics_side *side, uint32_t code)
{
	for (size_t i = 0; i < side->reasons; i++)
		if (side->reason[i].code == code)
			return side->reason[i].count;
	return 0;
}

static void subtract_side(
	const struct statistics_side *now, const struct statistics_side *before, struct statistics_side *out)
{
	bool begun_anew = now->fallbacks < before->fallbacks;

	out->handshake_errors = difference(now->handshake_errors, before->handshake_errors);
	out->fallbacks = difference(now->fallbacks, before->fallbacks);
	for (size_t i = 0; i < now->reasons; i++) {
		struct statistics_reason reason = now->reason[i];

		if (!begun_anew)
			reason.count = (uint16_t)(reason.count - count_of(before, reason.code));
		if (reason.count)
			out->reason[out->reasons++] = reason;
	}
}

void statistics_delta(const struct statistics *now, const struct statistics *before, struct statistics *out)
{
	*out = (struct statistics){.smcd = {.counter = {0}}};
	subtract_mode(&now->smcd, &before->smcd, &out->smcd);
	subtract_mode(&now->smcr, &before->smcr, &out->smcr);
	for (size_t i = 0; i < STATISTICS_ENDS; i++)
		subtract_side(&now->side[i], &before->side[i], &out->side[i]);
	statistics_complete(out);
}
