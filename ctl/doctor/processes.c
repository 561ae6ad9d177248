/* SPDX-License-Identifier: MIT */
/* doctor: processes and listeners that should be accelerated and are not. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/doctor/doctor.h"
#include "ctl/process/list.h"
#include "ctl/process/reports.h"
#include "ctl/process/supervised.h"
#include "ctl/process/worker.h"
#include "ctl/service/program.h"
#include "ctl/smc/diag.h"
#include "ctl/smc/owners.h"
#include "ctl/smc/socket-tcp.h"

/* More lines of one kind are only counted. */
#define MOST_LINES 8u

/* The walk over the processes. */
struct walk {
	struct findings *findings;
	struct process_reports reports; /* of those that have to do with us */
	size_t carriers;
	size_t supervised; /* trees */
	size_t broken;     /* started with the library, and without it in them, or with one that does not count */
	size_t denied;
	uint64_t connected; /* by SMC, of all carriers */
	uint64_t fallen;
};

static const char supervise_it[] = "start it with smcctl run, which supervises its socket calls";

static void add_broken(struct walk *walk, const struct process_report *report, const char *why)
{
	bool supervise = report->kind == PROCESS_ABSENT && report->absence == ABSENCE_STATIC;

	if (walk->broken++ < MOST_LINES)
		finding_add(walk->findings, FINDING_WARNING, "process", supervise ? supervise_it : NULL,
			"%s (%d) was started with the library: %s", report->program, (int)report->pid, why);
}

/* A table that has come since is found at the next socket(). */
static void add_tableless(struct walk *walk, const struct process_report *report)
{
	char path[sizeof("/proc/4294967295/root") + sizeof(report->table)];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%ld/root%s",
		(long)(report->supervisor ? report->supervisor : report->pid), report->table);
	if ((stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR)) || walk->broken++ >= MOST_LINES)
		return;
	finding_add(walk->findings, FINDING_WARNING, "process",
		"smcctl policy apply; a container needs the host's /run/smc; smcctl run --policy FILE sets SMC_POLICY",
		"%s (%d) finds no policy table %s: all its connections are TCP", report->program, (int)report->pid,
		report->table);
}

static void on_report(void *context, const struct process_report *report)
{
	struct walk *walk = context;

	if (report->kind != PROCESS_PLAIN && report->kind != PROCESS_GONE)
		process_reports_add(&walk->reports, report);
}

static void count_report(struct walk *walk, const struct process_report *report)
{
	switch (report->kind) {
	case PROCESS_CARRIES:
		walk->carriers += !report->supervisor;
		walk->supervised += report->supervisor != 0;
		walk->connected += report->value[SMCSHIM_connect_smc];
		walk->fallen += report->value[SMCSHIM_connect_fallback];
		if (report->table_state == SMCSHIM_TABLE_REFUSED)
			add_broken(walk, report, "it refuses its policy table, which is damaged or another version's");
		if (report->table_state == SMCSHIM_TABLE_MISSING)
			add_tableless(walk, report);
		break;
	case PROCESS_OTHER_ABI:
		add_broken(walk, report, "with one of another version; restart it");
		break;
	case PROCESS_UNREADABLE:
		add_broken(walk, report, "with a file of its name that has no counters");
		break;
	case PROCESS_ABSENT:
		add_broken(walk, report, process_absence_text(report->absence));
		break;
	case PROCESS_STUCK:
	case PROCESS_DENIED:
		walk->denied++;
		break;
	case PROCESS_PLAIN:
	case PROCESS_GONE:
		break;
	}
}

static void conclude(const struct walk *walk)
{
	char count[96];

	(void)snprintf(count, sizeof(count), "%zu carry the library", walk->carriers);
	if (walk->supervised)
		(void)snprintf(count, sizeof(count), "%zu carry the library, and %zu %s supervised with all that %s",
			walk->carriers, walk->supervised, walk->supervised == 1 ? "is" : "are",
			walk->supervised == 1 ? "it starts" : "they start");
	if (walk->broken > MOST_LINES)
		finding_add(walk->findings, FINDING_WARNING, "process", "smcctl status lists them",
			"%zu more that are not accelerated though they were started with the library",
			walk->broken - MOST_LINES);
	if (walk->denied)
		finding_add(walk->findings, FINDING_UNKNOWN, "process", geteuid() == 0 ? NULL : "run as root",
			"%zu process%s could not be looked into", walk->denied, walk->denied == 1 ? "" : "es");
	if (!walk->carriers && !walk->supervised)
		finding_add(walk->findings, FINDING_NOTE, "process", "smcctl run starts a program with it",
			"no process carries the library");
	else if (walk->fallen)
		finding_add(walk->findings, FINDING_WARNING, "process", "smcctl sockets --mode tcp tells why",
			"%s; of their connections %" PRIu64 " are SMC, and %" PRIu64 " fell back to TCP", count,
			walk->connected, walk->fallen);
	else
		finding_add(walk->findings, FINDING_OK, "process", NULL,
			"%s; %" PRIu64 " connections by SMC, none fell back", count, walk->connected);
}

static socklen_t address_of(const struct diag_socket *socket, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(socket->port[DIAG_LOCAL])};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(socket->port[DIAG_LOCAL])};
	bool is_v4 = socket->family == AF_INET;

	memcpy(&v4.sin_addr, socket->address[DIAG_LOCAL], sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, socket->address[DIAG_LOCAL], sizeof(v6.sin6_addr));
	memset(out, 0, sizeof(*out));
	memcpy(out, is_v4 ? (const void *)&v4 : (const void *)&v6, is_v4 ? sizeof(v4) : sizeof(v6));
	return is_v4 ? sizeof(v4) : sizeof(v6);
}

/* True if the policy wants the listener to be SMC, and it is plain TCP; process gets who holds it. */
static bool is_missed(const struct policy_map *map, const struct diag_socket *socket, const struct owners *owners,
	const struct owner_process **process)
{
	struct policy_summary summary;
	struct sockaddr_storage address;
	const struct owner_holding *holding;
	socklen_t length;
	size_t count;

	if (socket->state != TCP_DIAG_LISTEN)
		return false;
	/* The TCP socket inside an SMC listener has an inode that no descriptor shows. */
	holding = owners_find(owners, socket->inode, &count);
	if (!count)
		return false;
	*process = &owners->process[holding[0].process];
	length = address_of(socket, &address);
	if (!(policy_map_decide(map, POLICY_LISTEN, (struct sockaddr *)&address, length) & POLICY_VALUE_SMC))
		return false;
	policy_map_summary(map, (*process)->program, &summary);
	return summary.program;
}

/* The library, or the supervisor, is there for it. */
static bool is_reached(const struct walk *walk, pid_t pid)
{
	for (size_t i = 0; i < walk->reports.count; i++) {
		const struct process_report *report = &walk->reports.item[i];

		if (report->pid == pid && report->kind == PROCESS_CARRIES)
			return true;
	}
	return supervised_find(&walk->reports, pid) != NULL;
}

static const char *remedy_of(const struct walk *walk, pid_t pid)
{
	const struct program_context context = {.user = PRIVILEGE_USER_CALLER};
	_cleanup_program_ struct program program = {.path = NULL};
	char path[40];

	if (is_reached(walk, pid))
		return "restart it: it listened before the policy said so, or its socket came from somebody else";
	(void)snprintf(path, sizeof(path), "/proc/%ld/exe", (long)pid);
	if (program_inspect(path, &context, &program) == 0 && program_for_supervisor(&program))
		return "start it with smcctl run, or its unit by smcctl service enable: no library reaches it, and "
		       "these "
		       "supervise its socket calls";
	return "start it with smcctl run, or by the line of smcctl run --print-env";
}

static void add_listener(struct findings *findings, const struct diag_socket *socket,
	const struct owner_process *process, const char *remedy)
{
	char host[INET6_ADDRSTRLEN];

	finding_add(findings, FINDING_WARNING, "listener", remedy,
		"%s (%d%s%s) listens on %s port %u by plain TCP, and the policy says SMC", process->program,
		(int)process->pid, process->unit[0] ? ", " : "", process->unit,
		inet_ntop(socket->family, socket->address[DIAG_LOCAL], host, sizeof(host)), socket->port[DIAG_LOCAL]);
}

/* Listeners of this network namespace. */
static void look_at_listeners(struct doctor *doctor, const struct walk *walk)
{
	const struct policy_map *map = policy_store_map(doctor->store);
	struct diag_tcp_list list = {.item = NULL};
	struct owners owners = {.process = NULL};
	size_t missed = 0;
	int r = diag_dump_tcp(&list);

	if (r == 0)
		r = owners_read(&owners);
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		const struct owner_process *process;

		if (is_missed(map, &list.item[i], &owners, &process) && missed++ < MOST_LINES)
			add_listener(&doctor->findings, &list.item[i], process, remedy_of(walk, process->pid));
	}
	if (missed > MOST_LINES)
		finding_add(&doctor->findings, FINDING_WARNING, "listener", NULL,
			"%zu more listeners that the policy says are SMC, by plain TCP", missed - MOST_LINES);
	if (r < 0)
		finding_add(&doctor->findings, FINDING_UNKNOWN, "listener", NULL, "listeners: %s", strerror(-r));
	diag_tcp_clear(&list);
	owners_clear(&owners);
}

void doctor_processes(struct doctor *doctor)
{
	struct walk walk = {.findings = &doctor->findings};
	_cleanup_free_ pid_t *pids = NULL;
	size_t count;
	int r = process_list(&pids, &count);

	if (r == 0)
		r = worker_inspect(pids, count, on_report, &walk);
	/* What a supervisor's report stands for is not told again. */
	supervised_join(&walk.reports);
	for (size_t i = 0; i < walk.reports.count; i++)
		count_report(&walk, &walk.reports.item[i]);
	if (r == 0)
		r = walk.reports.error;
	if (r < 0)
		finding_add(&doctor->findings, FINDING_UNKNOWN, "process", NULL, "processes: %s", strerror(-r));
	else
		conclude(&walk);
	if (r == 0 && doctor->info && doctor->info->state == POLICY_ON)
		look_at_listeners(doctor, &walk);
	process_reports_clear(&walk.reports);
}
