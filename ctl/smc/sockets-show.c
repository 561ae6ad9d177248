/* SPDX-License-Identifier: MIT */
/* A row for each SMC socket. */
#include "config.h"

#include "ctl/smc/sockets-show.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/output.h"

static void put_end(struct out *out, const char *key, const struct socket_entry *entry, enum diag_side side)
{
	char host[INET6_ADDRSTRLEN];
	uint16_t port = entry->smc.socket.port[side];

	out_object(out, key, NULL);
	if (port && entry->family && inet_ntop(entry->family, entry->smc.socket.address[side], host, sizeof(host)))
		out_string(out, "address", NULL, host);
	else
		out_null(out, "address", NULL);
	if (port)
		out_uint(out, "port", NULL, port);
	else
		out_null(out, "port", NULL);
	out_close(out);
}

static void put_processes(struct out *out, const struct sockets *sockets, const struct socket_entry *entry)
{
	out_list(out, "processes", NULL);
	for (size_t i = 0; i < entry->holdings; i++) {
		const struct owner_process *process = sockets_owner(sockets, entry, i);

		out_object(out, NULL, NULL);
		out_uint(out, "pid", NULL, (uint64_t)process->pid);
		out_string(out, "program", NULL, process->program);
		out_optional(out, "unit", NULL, process->unit);
		out_bool(out, "supervised", NULL, process->supervised);
		out_close(out);
	}
	out_close(out);
}

/* The device's name: SMC-R has it; ISM devices have a channel, the kernel's own loopback the channel 0xffff. */
static const char *device_text(const struct socket_entry *entry, bool port, char *text, size_t size)
{
	if (entry->mode == MODE_SMC_R && entry->smc.has_link)
		(void)snprintf(text, size, port ? "%s/%u" : "%s", entry->smc.device, entry->smc.device_port);
	else if (entry->mode == MODE_SMC_D && entry->group)
		(void)snprintf(text, size,
			entry->group->chid == SMC_LOOPBACK_CHID ? SMC_LOOPBACK_NAME : "ism-%04" PRIx32,
			entry->group->chid);
	else
		return NULL;
	return text;
}

static const char *group_text(const struct socket_entry *entry, char *text, size_t size)
{
	if (entry->mode == MODE_SMC_D && entry->smc.has_dmb)
		(void)snprintf(text, size, "%08" PRIx32, entry->smc.link_group);
	else if (entry->mode == MODE_SMC_R && entry->group)
		(void)snprintf(text, size, "%08" PRIx32, entry->group->id);
	else
		return NULL;
	return text;
}

static const char *role_text(const struct socket_entry *entry)
{
	static const char *const roles[] = {[ROLE_UNKNOWN] = NULL, [ROLE_CLIENT] = "client", [ROLE_SERVER] = "server"};

	return roles[entry->role];
}

static void put_json(struct out *out, const struct sockets_view *view, const struct socket_entry *entry)
{
	bool fallback = entry->mode == MODE_TCP;
	char text[80];

	out_optional(out, "netns", NULL, view->namespaces ? view->namespaces->item[entry->netns].name : NULL);
	put_processes(out, view->sockets, entry);
	out_uint(out, "inode", NULL, entry->smc.socket.inode);
	out_uint(out, "uid", NULL, entry->smc.uid);
	put_end(out, "local", entry, DIAG_LOCAL);
	put_end(out, "peer", entry, DIAG_PEER);
	out_string(out, "state", NULL, socket_state_text(entry, text, sizeof(text)));
	out_string(out, "mode", NULL, socket_mode_key(entry->mode));
	out_optional(out, "role", NULL, role_text(entry));
	out_optional(out, "device", NULL, device_text(entry, false, text, sizeof(text)));
	if (entry->mode == MODE_SMC_R && entry->smc.has_link)
		out_uint(out, "device_port", NULL, entry->smc.device_port);
	else
		out_null(out, "device_port", NULL);
	out_optional(out, "link_group", NULL, group_text(entry, text, sizeof(text)));
	sockets_put_reason(out, "reason", fallback ? entry->smc.reason : 0);
	sockets_put_reason(out, "peer_reason", fallback ? entry->smc.peer_reason : 0);
}

/* As smcctl status has it. */
static void put_supervised(struct out *out, const struct owner_process *process)
{
	char text[sizeof(process->program) + sizeof(" (supervised)")];

	(void)snprintf(text, sizeof(text), "%s (supervised)", process->program);
	out_string(out, NULL, "PROGRAM", text);
}

static void put_row(struct out *out, const struct sockets_view *view, const struct socket_entry *entry)
{
	const struct owner_process *process = socket_filter_owner(view->filter, view->sockets, entry);
	char text[160];

	if (view->namespaces)
		out_string(out, NULL, "NETNS", view->namespaces->item[entry->netns].name);
	if (process && entry->holdings > 1)
		(void)snprintf(text, sizeof(text), "%d +%zu", (int)process->pid, entry->holdings - 1);
	else if (process)
		(void)snprintf(text, sizeof(text), "%d", (int)process->pid);
	out_optional(out, NULL, "PID", process ? text : NULL);
	if (process && process->supervised)
		put_supervised(out, process);
	else
		out_optional(out, NULL, "PROGRAM", process ? process->program : NULL);
	out_optional(out, NULL, "UNIT", process ? process->unit : NULL);
	socket_address_text(entry, DIAG_LOCAL, text);
	out_string(out, NULL, "LOCAL", text);
	socket_address_text(entry, DIAG_PEER, text);
	out_string(out, NULL, "PEER", text);
	out_string(out, NULL, "STATE", socket_state_text(entry, text, sizeof(text)));
	out_string(out, NULL, "MODE", socket_mode_text(entry->mode));
	out_optional(out, NULL, "ROLE", role_text(entry));
	out_optional(out, NULL, "DEVICE", device_text(entry, true, text, sizeof(text)));
	out_optional(out, NULL, "GROUP", group_text(entry, text, sizeof(text)));
	if (entry->mode == MODE_TCP) {
		sockets_note_reason(out, "TCP, because", entry->smc.reason);
		sockets_note_reason(out, "the peer said", entry->smc.peer_reason);
	}
}

/* By namespace, process, local port, cookie: the same from look to look. */
static int compare_entries(const void *a, const void *b)
{
	const struct socket_entry *x = a;
	const struct socket_entry *y = b;
	uint64_t left[] = {x->netns, x->holding ? x->holding->process : UINT32_MAX, x->smc.socket.port[DIAG_LOCAL],
		x->smc.socket.cookie};
	uint64_t right[] = {y->netns, y->holding ? y->holding->process : UINT32_MAX, y->smc.socket.port[DIAG_LOCAL],
		y->smc.socket.cookie};

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return 0;
}

static void put_end_notes(struct out *out, const struct sockets *sockets, size_t shown, size_t ownerless)
{
	out_uint(out, "not_permitted", NULL, sockets->owners.denied);
	if (!shown)
		out_note(out, "No SMC socket%s.", sockets->count ? " is like that" : "");
	if (ownerless && sockets->owners.denied)
		out_note(out, "%zu process%s could not be looked into: %s.", sockets->owners.denied,
			sockets->owners.denied == 1 ? "" : "es",
			geteuid() == 0 ? "not even root may here" : "run as root");
}

int sockets_show(const struct sockets_view *view, FILE *stream)
{
	struct sockets *sockets = view->sockets;
	size_t shown = 0;
	size_t ownerless = 0;
	struct out *out;
	int r = out_begin(stream, view->json, &out);

	if (r < 0)
		return r;
	if (sockets->count)
		qsort(sockets->item, sockets->count, sizeof(*sockets->item), compare_entries);
	out_list(out, "sockets", NULL);
	for (size_t i = 0; i < sockets->count; i++) {
		const struct socket_entry *entry = &sockets->item[i];

		if (!socket_filter_holds(view->filter, sockets, entry))
			continue;
		out_object(out, NULL, NULL);
		if (view->json)
			put_json(out, view, entry);
		else
			put_row(out, view, entry);
		out_close(out);
		shown++;
		ownerless += entry->smc.socket.inode && !entry->holdings;
	}
	out_close(out);
	put_end_notes(out, sockets, shown, ownerless);
	return out_end(out);
}
