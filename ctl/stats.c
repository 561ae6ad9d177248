/* SPDX-License-Identifier: MIT */
/* Prints statistics of SMC: in text what is not zero, in JSON everything. */
#include "config.h"

#include "ctl/stats.h"

#include <inttypes.h>
#include <stdarg.h>

#include "ctl/output.h"
#include "ctl/smc/reasons.h"

static const char *const ends[] = {[STATISTICS_CLIENT] = "client", [STATISTICS_SERVER] = "server"};
static const char *const directions[] = {[STATISTICS_TX] = "tx", [STATISTICS_RX] = "rx"};

static void put_number(struct out *out, const char *key, const char *title, uint64_t value)
{
	if (value == SMC_UNKNOWN)
		out_null(out, key, title);
	else
		out_uint(out, key, title, value);
}

static void put_numbers(
	struct out *out, const char *key, const uint64_t *values, size_t count, const char *(*name)(size_t))
{
	out_object(out, key, NULL);
	for (size_t i = 0; i < count; i++)
		put_number(out, name(i), NULL, values[i]);
	out_close(out);
}

static void put_mode_json(struct out *out, const char *key, const struct statistics_mode *mode)
{
	out_object(out, key, NULL);
	for (size_t i = 0; i < STATISTICS_COUNTERS; i++)
		put_number(out, statistics_counter_key(i), NULL, mode->counter[i]);
	for (size_t d = 0; d < STATISTICS_DIRECTIONS; d++) {
		out_object(out, directions[d], NULL);
		put_numbers(out, "buffers", mode->buffer[d], STATISTICS_BUFFER_COUNTERS, statistics_buffer_key);
		put_numbers(out, "buffers_by_size", mode->buffer_size[d], STATISTICS_SIZES, statistics_size_key);
		put_numbers(out, "calls_by_size", mode->payload[d], STATISTICS_SIZES, statistics_size_key);
		out_close(out);
	}
	out_close(out);
}

static bool nothing(uint64_t value)
{
	return value == 0 || value == SMC_UNKNOWN;
}

static void put_row(struct out *out, const char *what, uint64_t smcd, uint64_t smcr)
{
	if (nothing(smcd) && nothing(smcr))
		return;
	out_object(out, NULL, NULL);
	put_number(out, NULL, "SMC-D", smcd);
	put_number(out, NULL, "SMC-R", smcr);
	out_string(out, NULL, "WHAT", what);
	out_close(out);
}

__attribute__((format(printf, 4, 5))) static void put_named_row(
	struct out *out, uint64_t smcd, uint64_t smcr, const char *format, ...)
{
	char text[80];
	va_list ap;

	va_start(ap, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above */
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	put_row(out, text, smcd, smcr);
}

static void put_modes_text(struct out *out, const struct statistics_mode *smcd, const struct statistics_mode *smcr)
{
	static const char *const kinds[] = {[STATISTICS_TX] = "send", [STATISTICS_RX] = "receive"};

	out_list(out, NULL, NULL);
	for (size_t i = 0; i < STATISTICS_COUNTERS; i++)
		put_row(out, statistics_counter_title(i), smcd->counter[i], smcr->counter[i]);
	for (size_t d = 0; d < STATISTICS_DIRECTIONS; d++) {
		for (size_t i = 0; i < STATISTICS_BUFFER_COUNTERS; i++)
			put_named_row(out, smcd->buffer[d][i], smcr->buffer[d][i], "%s buffers: %s", kinds[d],
				statistics_buffer_title(i));
		for (size_t i = 0; i < STATISTICS_SIZES; i++)
			put_named_row(out, smcd->buffer_size[d][i], smcr->buffer_size[d][i], "%s buffers %s", kinds[d],
				statistics_size_title(i));
		for (size_t i = 0; i < STATISTICS_SIZES; i++)
			put_named_row(out, smcd->payload[d][i], smcr->payload[d][i], "calls to %s %s", kinds[d],
				statistics_size_title(i));
	}
	out_close(out);
}

static void put_reason(struct out *out, const char *end, const struct statistics_reason *counted, bool at_least)
{
	const struct reason *reason = reason_find(counted->code);
	char text[40];

	out_object(out, NULL, NULL);
	out_string(out, "end", "END", end);
	out_uint(out, "count", NULL, counted->count);
	out_bool(out, "at_least", NULL, at_least);
	(void)snprintf(text, sizeof(text), "%s%" PRIu32, at_least ? "at least " : "", counted->count);
	out_string(out, NULL, "COUNT", text);
	(void)snprintf(text, sizeof(text), "%08" PRIx32, counted->code);
	out_string(out, "code", "CODE", text);
	out_optional(out, "name", "NAME", reason ? reason->name : NULL);
	out_optional(out, "meaning", "FELL BACK TO TCP, BECAUSE", reason ? reason->meaning : NULL);
	out_optional(out, "remedy", NULL, reason ? reason->remedy : NULL);
	if (reason && reason->remedy)
		out_note(out, "%s", reason->remedy);
	out_close(out);
}

static void put_reasons(struct out *out, const struct statistics *statistics)
{
	out_list(out, "reasons", NULL);
	for (size_t e = 0; e < STATISTICS_ENDS; e++)
		for (size_t i = 0; i < statistics->side[e].reasons; i++)
			put_reason(out, ends[e], &statistics->side[e].reason[i], statistics->side[e].at_least);
	out_close(out);
}

static void put_sides(struct out *out, const struct statistics *statistics)
{
	const struct statistics_side *client = &statistics->side[STATISTICS_CLIENT];
	const struct statistics_side *server = &statistics->side[STATISTICS_SERVER];

	put_number(out, "client_fallbacks", "connected, but over TCP       ", client->fallbacks);
	put_number(out, "server_fallbacks", "accepted, but over TCP        ", server->fallbacks);
	put_number(out, "client_handshake_errors", "connect failed in SMC's setup ", client->handshake_errors);
	put_number(out, "server_handshake_errors", "accept failed in SMC's setup  ", server->handshake_errors);
}

int stats_print(FILE *stream, const struct statistics *statistics, uint64_t seconds, bool json)
{
	struct out *out;
	int r = out_begin(stream, json, &out);

	if (r < 0)
		return r;
	if (seconds)
		out_uint(out, "seconds", NULL, seconds);
	else
		out_null(out, "seconds", NULL);
	if (seconds)
		out_note(out, "The last %" PRIu64 " seconds in this network namespace:", seconds);
	else
		out_note(out, "All since this network namespace began, or SMC was loaded:");
	put_sides(out, statistics);
	if (json) {
		put_mode_json(out, "smcd", &statistics->smcd);
		put_mode_json(out, "smcr", &statistics->smcr);
	} else {
		put_modes_text(out, &statistics->smcd, &statistics->smcr);
	}
	put_reasons(out, statistics);
	return out_end(out);
}
