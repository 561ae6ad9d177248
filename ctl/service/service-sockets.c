/* SPDX-License-Identifier: MIT */
/* The sockets of a unit's processes, by the kernel's diagnosis of SMC and of TCP. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/service/processes.h"
#include "ctl/smc/socket-tcp.h"
#include "ctl/smc/sockets.h"

#define TCP_DIAG_ESTABLISHED 1

void service_sockets_clear(struct service_sockets *sockets)
{
	free(sockets->listener);
	*sockets = (struct service_sockets){.listener = NULL};
}

static int add_listener(
	struct service_sockets *sockets, const char *address, bool smc, const struct owner_process *process)
{
	struct service_listener *larger = realloc(sockets->listener, (sockets->listeners + 1) * sizeof(*larger));
	struct service_listener *listener;

	if (!larger)
		return -ENOMEM;
	sockets->listener = larger;
	listener = &larger[sockets->listeners++];
	*listener = (struct service_listener){.smc = smc};
	(void)snprintf(listener->address, sizeof(listener->address), "%s", address);
	(void)snprintf(listener->program, sizeof(listener->program), "%s", process->program);
	if (smc)
		sockets->listen_smc++;
	else
		sockets->listen_tcp++;
	return 0;
}

/* The first of the holders that is a process of ours. */
static const struct owner_process *find_process(const struct processes *processes, const struct owners *owners,
	const struct owner_holding *holding, size_t holdings)
{
	for (size_t i = 0; i < holdings; i++) {
		const struct owner_process *process = &owners->process[holding[i].process];

		for (size_t k = 0; k < processes->reports.count; k++) {
			if (processes->reports.item[k].pid == process->pid)
				return process;
		}
	}
	return NULL;
}

static int add_smc(const struct processes *processes, const struct sockets *all, struct service_sockets *out)
{
	int r = 0;

	for (size_t i = 0; i < all->count && r == 0; i++) {
		const struct socket_entry *entry = &all->item[i];
		const struct owner_process *process =
			find_process(processes, &all->owners, entry->holding, entry->holdings);
		char text[SOCKET_ADDRESS];

		if (!process)
			continue;
		socket_address_text(entry, DIAG_LOCAL, text);
		if (strcmp(socket_state_text(entry, (char[24]){""}, 24), "listening") == 0)
			r = add_listener(out, text, true, process);
		out->smc_r += entry->mode == MODE_SMC_R;
		out->smc_d += entry->mode == MODE_SMC_D;
		if (entry->mode == MODE_TCP && !out->fell_back++) {
			out->reason = entry->smc.reason;
			out->peer_reason = entry->smc.peer_reason;
		}
	}
	return r;
}

static void format_address(const struct diag_socket *socket, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(socket->family, socket->address[DIAG_LOCAL], address, sizeof(address));
	(void)snprintf(out, size, socket->family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, socket->port[DIAG_LOCAL]);
}

/* The TCP socket inside an SMC socket is nobody's, so it is not counted here. */
static int add_tcp(const struct processes *processes, const struct owners *owners, struct service_sockets *out)
{
	struct diag_tcp_list list = {.item = NULL};
	int r = diag_dump_tcp(&list);

	for (size_t i = 0; i < list.count && r == 0; i++) {
		const struct diag_socket *socket = &list.item[i];
		size_t holdings;
		const struct owner_holding *holding = owners_find(owners, socket->inode, &holdings);
		const struct owner_process *process = find_process(processes, owners, holding, holdings);
		char text[SOCKET_ADDRESS];

		if (!process)
			continue;
		format_address(socket, text, sizeof(text));
		if (socket->state == TCP_DIAG_LISTEN)
			r = add_listener(out, text, false, process);
		else
			out->tcp += socket->state == TCP_DIAG_ESTABLISHED;
	}
	diag_tcp_clear(&list);
	return r;
}

static int read_here(const struct processes *processes, struct service_sockets *out)
{
	_cleanup_(sockets_clear) struct sockets all = {.item = NULL};
	int r;

	out->smc_error = sockets_add_namespace(&all);
	if (out->smc_error == -ENOMEM)
		return out->smc_error;
	r = sockets_join(&all);
	if (r == 0)
		r = add_smc(processes, &all, out);
	if (r == 0)
		r = add_tcp(processes, &all.owners, out);
	return r;
}

static bool same_namespace(int a, int b)
{
	struct stat x;
	struct stat y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int service_sockets_read(const struct processes *processes, struct service_sockets *out)
{
	const struct process_report *report = processes_main(processes);
	_cleanup_close_ int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int theirs = -1;
	char path[40];
	int r;

	*out = (struct service_sockets){.listener = NULL};
	if (!report)
		return 0;
	if (own < 0)
		return -errno;
	(void)snprintf(path, sizeof(path), "/proc/%ld/ns/net", (long)report->pid);
	theirs = open(path, O_RDONLY | O_CLOEXEC);
	if (theirs < 0)
		return errno == EACCES ? -EPERM : -errno;
	if (same_namespace(own, theirs))
		return read_here(processes, out);
	if (setns(theirs, CLONE_NEWNET) < 0)
		return -errno;
	r = read_here(processes, out);
	if (setns(own, CLONE_NEWNET) < 0 && r == 0)
		r = -errno;
	return r;
}
