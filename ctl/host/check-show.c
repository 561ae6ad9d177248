/* SPDX-License-Identifier: MIT */
/* Drift and counters, for people, for programs and for Prometheus. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "ctl/host/check.h"

static void show_item(struct out *out, const struct check_item *check, bool netns)
{
	const struct host_plan_item *item = check->item;
	_cleanup_free_ char *now = host_plan_value_text(item->kind, item->now);
	_cleanup_free_ char *wanted = host_plan_value_text(item->kind, item->wanted);

	out_object(out, NULL, NULL);
	out_string(out, NULL, "DRIFT", check->now ? check->boot ? "-" : "at boot" : "now");
	out_bool(out, "in_force", NULL, check->now);
	if (netns)
		out_null(out, "at_boot", NULL);
	else
		out_bool(out, "at_boot", NULL, check->boot);
	out_string(out, "kind", "KIND", host_kind_word(item->kind));
	out_string(out, "name", "NAME", item->name);
	out_string(out, "now", "NOW", now ? now : "?");
	out_string(out, "wanted", "WANTED", wanted ? wanted : "?");
	out_optional(out, "boot", NULL, item->boot);
	out_optional(out, "origin", NULL, item->origin);
	out_optional(out, "cause", NULL, check->cause);
	if (check->cause)
		out_note(out, "    %s", check->cause);
	out_close(out);
}

static void show_counters(struct out *out, const struct counters *counters)
{
	out_object(out, "counters", "Counters");
	if (counters->has_time_wait)
		out_uint(out, "time_wait", "TIME-WAIT", counters->time_wait);
	if (counters->has_limit)
		out_uint(out, "time_wait_limit", "At most", counters->time_wait_limit);
	if (counters->has_overflows) {
		out_uint(out, "time_wait_overflows", "Over that", counters->time_wait_overflow);
		out_uint(out, "listen_overflows", "Listeners full", counters->listen_overflows);
		out_uint(out, "syn_cookies_sent", "SYN cookies", counters->cookies_sent);
		if (counters->cookies_sent)
			out_note(out, "    a SYN cookie has no room for SMC: such connections are plain TCP");
	}
	if (counters->has_smc)
		out_uint(out, "smc_sockets", "SMC sockets", counters->smc_sockets);
	else
		out_string(out, NULL, "SMC sockets", "the kernel has no SMC loaded");
	out_close(out);
}

static void show_queues(struct out *out, const struct check *check)
{
	out_list(out, "queues", check->interface_count ? "Queues" : NULL);
	for (size_t i = 0; i < check->interface_count; i++) {
		const struct check_queues *interface = &check->interfaces[i];

		if (!interface->count) {
			out_object(out, NULL, NULL);
			out_string(out, "interface", "INTERFACE", interface->interface);
			out_null(out, "queue", "TX QUEUE");
			out_null(out, "packets", "PACKETS");
			out_note(out, "    no counters: its driver does not count the packets of each queue");
			out_close(out);
		}
		for (size_t k = 0; k < interface->count; k++) {
			out_object(out, NULL, NULL);
			out_string(out, "interface", "INTERFACE", interface->interface);
			out_uint(out, "queue", "TX QUEUE", interface->queues[k].queue);
			out_uint(out, "packets", "PACKETS", interface->queues[k].packets);
			if (!interface->spreads && k == 0)
				out_note(out, "    nearly all packets go through one queue");
			out_close(out);
		}
	}
	out_close(out);
}

void check_show(struct out *out, const struct check *check)
{
	out_uint(out, "drift", NULL, check->drift);
	out_list(out, "items", NULL);
	for (size_t i = 0; i < check->plan.count; i++) {
		if (out_is_json(out) || check->items[i].cause)
			show_item(out, &check->items[i], check->plan.netns != 0);
	}
	out_close(out);
	if (!check->drift)
		out_note(out, "no drift: %zu things are as the profile says%s", check->plan.count,
			check->plan.netns ? "" : ", now and at boot");
	show_counters(out, &check->counters);
	show_queues(out, check);
}

/* ---- metrics ---- */

/* A label's value: backslash, quote and line feed are escaped. */
static void put_label(FILE *stream, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			fputc('\\', stream);
		if (*text == '\n')
			fputs("\\n", stream);
		else
			fputc(*text, stream);
	}
}

static void put_items(FILE *stream, const struct check *check, const char *name, const char *help, bool boot)
{
	fprintf(stream, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	for (size_t i = 0; i < check->plan.count; i++) {
		const struct check_item *item = &check->items[i];

		if (boot && item->item->kind != HOST_SYSCTL)
			continue;
		fprintf(stream, "%s{kind=\"%s\",name=\"", name, host_kind_word(item->item->kind));
		put_label(stream, item->item->name);
		fprintf(stream, "\"} %d\n", boot ? item->boot && item->now : item->now);
	}
}

static void put_one(FILE *stream, const char *name, const char *type, const char *help, uint64_t value)
{
	fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name, type, name, value);
}

void check_metrics(FILE *stream, const struct check *check)
{
	const struct counters *counters = &check->counters;

	put_one(stream, "smcctl_host_drift", "gauge", "Things that are not as the profile says.", check->drift);
	put_items(stream, check, "smcctl_host_in_force", "Whether it is in force now.", false);
	if (!check->plan.netns)
		put_items(
			stream, check, "smcctl_host_lasts", "Whether it is in force and will be after a reboot.", true);
	put_one(stream, "smcctl_host_smc_loaded", "gauge", "Whether the kernel has SMC.", counters->has_smc);
	if (counters->has_smc)
		put_one(stream, "smcctl_host_smc_sockets", "gauge", "SMC sockets.", counters->smc_sockets);
	if (counters->has_time_wait)
		put_one(stream, "smcctl_host_tcp_time_wait", "gauge", "TCP sockets in TIME-WAIT.", counters->time_wait);
	if (counters->has_limit)
		put_one(stream, "smcctl_host_tcp_time_wait_limit", "gauge", "net.ipv4.tcp_max_tw_buckets.",
			counters->time_wait_limit);
	if (counters->has_overflows)
		put_one(stream, "smcctl_host_listen_overflows_total", "counter",
			"Connections refused by full listeners.", counters->listen_overflows);
	if (check->interface_count)
		fputs("# HELP smcctl_host_tx_queue_packets_total Packets sent through a transmit queue.\n"
		      "# TYPE smcctl_host_tx_queue_packets_total counter\n",
			stream);
	for (size_t i = 0; i < check->interface_count; i++) {
		const struct check_queues *interface = &check->interfaces[i];

		for (size_t k = 0; k < interface->count; k++) {
			fputs("smcctl_host_tx_queue_packets_total{interface=\"", stream);
			put_label(stream, interface->interface);
			fprintf(stream, "\",queue=\"%u\"} %" PRIu64 "\n", interface->queues[k].queue,
				interface->queues[k].packets);
		}
	}
}
