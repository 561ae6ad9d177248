/* SPDX-License-Identifier: MIT */
/* doctor: the policy in force, and the library that follows it. */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ctl/apply.h"
#include "ctl/doctor/doctor.h"

#define AGE_TEXT 32u

/* "3 days", "2 hours", "5 minutes", "1 second". */
static const char *age(uint64_t published_ns, char out[static AGE_TEXT])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	struct timespec now;
	uint64_t seconds = 0;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if ((uint64_t)now.tv_sec > published_ns / 1000000000)
		seconds = (uint64_t)now.tv_sec - published_ns / 1000000000;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t number = seconds / units[i].seconds;

		if (number || i + 1 == sizeof(units) / sizeof(units[0])) {
			(void)snprintf(
				out, AGE_TEXT, "%" PRIu64 " %s%s", number, units[i].name, number == 1 ? "" : "s");
			break;
		}
	}
	return out;
}

static void look_at_file(struct findings *findings, const struct policy_info *info, const char *ago)
{
	uint64_t digest;
	int r = apply_digest(info->source, &digest);

	if (r < 0)
		finding_add(findings, FINDING_WARNING, "policy", "bring the file back, or apply another one",
			"the file %s, of which the policy in force was made: %s", info->source, strerror(-r));
	else if (digest != info->digest)
		finding_add(findings, FINDING_WARNING, "policy", "smcctl policy apply",
			"%s has changed since it was applied %s ago: the rules in force are the old ones", info->source,
			ago);
}

/* A reader that is in another network namespace may have measured another kernel's answers: sysctls differ there. */
static void look_at_table_kernel(struct doctor *doctor)
{
	if (!doctor->entered && doctor->info->kernel != doctor->probe.kernel && !doctor->probe.converts) {
		char then[PROBE_TEXT];
		char now[PROBE_TEXT];

		probe_format(doctor->info->kernel, then);
		probe_format(doctor->probe.kernel, now);
		finding_add(&doctor->findings, FINDING_PROBLEM, "policy", "smcctl policy apply",
			"it was applied when the kernel had %s; it has %s now", then, now);
	}
}

static void look_at_table(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	const struct policy_info *info = doctor->info;
	char text[AGE_TEXT];
	const char *ago = age(info->published_ns, text);

	if (info->state != POLICY_ON)
		finding_add(findings, FINDING_WARNING, "policy", "smcctl policy on",
			"the state is %s: every new connection stays TCP", apply_state_name(info->state));
	if (!(info->flags & (POLICY_HAS_CONNECT_SMC | POLICY_HAS_LISTEN_SMC)))
		finding_add(findings, FINDING_WARNING, "policy", "smc-policy(5) has examples",
			"no rule of %s says \"use\": \"smc\": every connection stays TCP", info->source);
	else if (info->state == POLICY_ON)
		finding_add(findings, FINDING_OK, "policy", NULL, "%" PRIu32 " rule%s of %s in force since %s",
			info->rules, info->rules == 1 ? "" : "s", info->source, ago);
	look_at_file(findings, info, ago);
	look_at_table_kernel(doctor);
}

void doctor_policy(struct doctor *doctor, const char *file)
{
	struct findings *findings = &doctor->findings;
	int r = paths_find(file, &doctor->paths);

	if (r < 0) {
		finding_add(findings, FINDING_PROBLEM, "policy", NULL, "%s: %s", file ? file : CTL_DEFAULT_POLICY,
			paths_strerror(r));
		return;
	}
	r = policy_store_open(doctor->paths.table, POLICY_STORE_READ, &doctor->store);
	if (r == 0)
		r = policy_store_info(policy_store_map(doctor->store), &doctor->info);
	if (r == 0 && doctor->info->sequence) {
		look_at_table(doctor);
		return;
	}
	if (r < 0 && r != -ENOENT)
		finding_add(findings, FINDING_PROBLEM, "policy", NULL, "table %s: %s", doctor->paths.table,
			policy_store_strerror(r));
	else if (access(doctor->paths.file, F_OK) < 0)
		finding_add(findings, FINDING_PROBLEM, "policy",
			"write one, see smc-policy(5); then smcctl policy apply",
			"there is no policy file %s: every connection stays TCP", doctor->paths.file);
	else
		finding_add(findings, FINDING_PROBLEM, "policy", "smcctl policy apply",
			"%s is not in force: every connection stays TCP", doctor->paths.file);
	free(doctor->info);
	doctor->info = NULL;
	policy_store_close(doctor->store);
	doctor->store = NULL;
}

/* Loads the library in a child of ours, for what it does as it starts; text gets why that failed. True if it loads. */
static bool loads(const char *library, char *text, size_t size)
{
	int pipes[2];
	ssize_t n;
	pid_t pid;

	(void)snprintf(text, size, "it could not be tried");
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		const char *error = dlopen(library, RTLD_NOW | RTLD_LOCAL) ? "" : dlerror();

		_exit(write(pipes[1], error, strlen(error) + 1) < 0);
	}
	close(pipes[1]);
	n = pid > 0 ? read(pipes[0], text, size - 1) : -1;
	close(pipes[0]);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	text[n > 0 ? n : 0] = '\0';
	return n == 1;
}

void doctor_library(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	_cleanup_free_ char *library = NULL;
	char text[512];
	struct stat status;
	int r = paths_library(&library);

	if (r < 0)
		finding_add(findings, FINDING_PROBLEM, "library", "install the package again",
			"the library that belongs to this smcctl: %s", strerror(-r));
	else if (stat(library, &status) < 0 || (status.st_mode & S_IROTH) == 0)
		finding_add(findings, FINDING_PROBLEM, "library", "chmod a+r",
			"%s is not readable for every user: their programs run without it", library);
	else if (!loads(library, text, sizeof(text)))
		finding_add(findings, FINDING_PROBLEM, "library", "install the package again",
			"the loader does not take it: %s", *text ? text : library);
	else
		finding_add(findings, FINDING_OK, "library", NULL, "%s can be loaded", library);
}
