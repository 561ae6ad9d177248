/* SPDX-License-Identifier: MIT */
/* What the sandbox of a service lets the library do: socket families, system calls, the network. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/service/judge.h"
#include "ctl/service/words.h"

/* What the library calls beside what programs with sockets call anyway; all of @system-service. */
static const char *const calls[] = {"socket", "connect", "bind", "listen", "getsockopt", "setsockopt", "getsockname",
	"getpeername", "fcntl", "dup3", "ppoll", "openat", "fstat", "fstatfs", "fgetxattr", "mmap", "mremap", "munmap",
	"madvise", "close", "geteuid", "clock_gettime", "rt_sigaction", "rt_sigprocmask", "rt_sigpending", NULL};

/* What smcctl run and smcctl-supervise call. All of @system-service but seccomp and pidfd_getfd. */
static const char *const supervisor_calls[] = {"seccomp", "pidfd_open", "pidfd_getfd", "process_vm_readv",
	"process_vm_writev", "socket", "connect", "bind", "listen", "getsockopt", "setsockopt", "getsockname",
	"getpeername", "fcntl", "dup3", "ppoll", "openat", "fstat", "fstatfs", "fgetxattr", "mmap", "mremap", "munmap",
	"madvise", "close", "close_range", "geteuid", "clock_gettime", "rt_sigprocmask", "socketpair", "sendmsg",
	"recvmsg", "prctl", "prlimit64", "ioctl", "clone", "wait4", "setsid", "chdir", "umask", "execve", NULL};

static int read_families(const struct unit *unit, struct families *out)
{
	/* With our drop-in in the account the list would hold AF_SMC because we wrote it. */
	return unit_file_has_ours(unit) ? unit_file_families(unit, out) : families_of_unit(unit, out);
}

/*
 * Only an existing restriction is touched: a line of ours alone would be an allow-list of one family and end the service.
 * So that this stays true when an update of the unit drops its own, the whole list is written, not AF_SMC alone, and a
 * deny-list is written anew without it.
 */
static void judge_families(struct judgement *judgement)
{
	_cleanup_families_ struct families families = {.kind = FAMILIES_ALL};
	int r = read_families(judgement->unit, &families);

	if (r == -ENOMEM) {
		judgement->error = r;
		return;
	}
	if (r < 0) {
		judgement_add(judgement, REMARK_NEVER, "RestrictAddressFamilies", "the unit's files cannot be read: %s",
			strerror(-r));
		return;
	}
	if (families.kind == FAMILIES_ALL)
		return;
	if (!families_allow(&families, "AF_INET") && !families_allow(&families, "AF_INET6")) {
		judgement_add(judgement, REMARK_TCP, "RestrictAddressFamilies",
			"allows no internet sockets: there is nothing to accelerate, and AF_SMC would open the network "
			"to it");
		return;
	}
	if (families_allow(&families, "AF_SMC")) {
		judgement_add(judgement, REMARK_NOTE, "RestrictAddressFamilies", "allows AF_SMC already");
		return;
	}
	judgement_add(judgement, REMARK_HANDLED, "RestrictAddressFamilies",
		"refuses AF_SMC; the drop-in allows it (kernels before 6.11 have no IPPROTO_SMC, which needs only "
		"AF_INET)");
	if (families.kind == FAMILIES_ALLOW) {
		fprintf(judgement->lines, "RestrictAddressFamilies=%s AF_SMC\n", families.list);
		return;
	}
	/* AF_SMC is what the deny-list has to lose. */
	fputs("RestrictAddressFamilies=\n", judgement->lines);
	if (families_assign(&families, "AF_SMC") < 0)
		judgement->error = -ENOMEM;
	else if (families.list && *families.list)
		fprintf(judgement->lines, "RestrictAddressFamilies=~%s\n", families.list);
}

/* "NAME" or "NAME:ERRNO". */
static bool has_call(const char *list, const char *call)
{
	size_t length = strlen(call);

	for (const char *p = list; (p = strstr(p, call)); p += length) {
		bool begins = p == list || p[-1] == ' ';

		if (begins && (p[length] == '\0' || p[length] == ' ' || p[length] == ':'))
			return true;
	}
	return false;
}

static bool allows_call(const char *filter, const char *call)
{
	bool deny = filter[0] == '~';

	/* The filter is on what the C library really calls: fstat is newfstatat since glibc 2.33. */
	if (strcmp(call, "fstat") == 0)
		return has_call(filter + deny, call) != deny || has_call(filter + deny, "newfstatat") != deny;
	return has_call(filter + deny, call) != deny;
}

static void judge_calls(struct judgement *judgement)
{
	const char *filter = unit_get(judgement->unit, "SystemCallFilter");
	const char *const *call = judgement->supervise ? supervisor_calls : calls;
	char missing[512] = "";

	if (!unit_has(judgement->unit, "SystemCallFilter") || strcmp(filter, "~") == 0)
		return;
	if (!allows_call(filter, "socket") || !allows_call(filter, "connect")) {
		judgement_add(judgement, REMARK_TCP, "SystemCallFilter",
			"allows no sockets at all (socket, connect): there is nothing to accelerate");
		return;
	}
	for (; *call; call++) {
		size_t length = strlen(missing);

		if (!allows_call(filter, *call))
			(void)snprintf(missing + length, sizeof(missing) - length, "%s%s", length ? " " : "", *call);
	}
	/* Not ours to widen: what the filter does to a call outside of it may be to end the program. */
	if (missing[0])
		judgement_add(judgement, REMARK_NEVER, "SystemCallFilter",
			"refuses what the %s calls, which may end the program; if that is to be, add to the unit: "
			"SystemCallFilter=%s",
			judgement->supervise ? "supervisor" : "library", missing);
	else
		judgement_add(judgement, REMARK_NOTE, "SystemCallFilter", "allows all that the %s calls",
			judgement->supervise ? "supervisor" : "library");
}

static void judge_network(struct judgement *judgement)
{
	const struct unit *unit = judgement->unit;

	if (unit_is(unit, "PrivateNetwork", "yes"))
		judgement_add(judgement, REMARK_NOTE, "PrivateNetwork",
			"no peer outside is reached, by TCP or SMC; only its own processes can be each other's");
	else if (unit_sets(unit, "NetworkNamespacePath"))
		judgement_add(judgement, REMARK_NOTE, "NetworkNamespacePath",
			"pnet identifiers and net.smc.* are those of '%s' (smcctl pnet list --netns)",
			unit_get(unit, "NetworkNamespacePath"));
	if (unit_sets(unit, "IPAddressDeny"))
		judgement_add(judgement, REMARK_NOTE, "IPAddressDeny",
			"filters the handshake, which is TCP; data over SMC does not pass it");
	if (unit_sets(unit, "SystemCallArchitectures") && words_have(unit_get(unit, "SystemCallArchitectures"), "x86"))
		judgement_add(judgement, REMARK_NOTE, "SystemCallArchitectures",
			"has x86: RestrictAddressFamilies= does not hold for 32-bit programs, and the library is not "
			"in them");
}

void judge_sandbox(struct judgement *judgement)
{
	judge_families(judgement);
	judge_calls(judgement);
	judge_network(judgement);
}
