/* SPDX-License-Identifier: MIT */
/* doctor: the kernel and its modules. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "ctl/doctor/doctor.h"
#include "ctl/doctor/kernels.h"
#include "ctl/smc/diag.h"
#include "policy/table.h"

static void compare_version(struct findings *findings, const struct utsname *name)
{
	struct kernel_version version;
	const struct kernel_defect *defect;
	size_t next = 0;
	size_t found = 0;

	if (kernel_version_parse(name->release, name->version, &version) < 0) {
		finding_add(findings, FINDING_UNKNOWN, "kernel", NULL,
			"'%s' is no release that could be compared with the table of known defects", name->release);
		return;
	}
	if (version.alibaba && version.part[0] == 5 && version.part[1] == 10 &&
		(version.patch[0] < 17 || (version.patch[0] == 17 && version.patch[1] < 3)))
		finding_add(findings, FINDING_WARNING, "kernel", "update it to 5.10.134-17.3 or later",
			"Alibaba's kernels before 5.10.134-17.3 keep IPv4-mapped IPv6 addresses on TCP");
	if (!version.follows) {
		finding_add(findings, FINDING_NOTE, "kernel", "its distributor's list of security updates tells",
			"a release that its distributor mends without changing the number: not compared with the table "
			"of "
			"known defects");
		return;
	}
	while ((defect = kernel_defect_next(&version, &next))) {
		finding_add(findings, defect->ordinary ? FINDING_PROBLEM : FINDING_WARNING, "kernel",
			"update the kernel", "%s: %s", defect->name, defect->what);
		found++;
	}
	if (!found)
		finding_add(findings, FINDING_OK, "kernel", NULL, "none of the %zu defects in the table of known ones",
			kernel_defects());
}

void doctor_kernel(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	struct utsname name;
	char text[PROBE_TEXT];
	uint32_t kernel;

	probe_kernel(&doctor->probe);
	kernel = doctor->probe.kernel;
	probe_format(kernel, text);
	if (uname(&name) < 0)
		name = (struct utsname){.release = "?"};
	if (!doctor->probe.converts && doctor->probe.refused_af == -EAFNOSUPPORT && !(kernel & POLICY_KERNEL_SMC))
		finding_add(findings, FINDING_PROBLEM, "kernel", NULL, "Linux %s gives no SMC sockets", name.release);
	else if (doctor->probe.converts || !(kernel & POLICY_KERNEL_SMC))
		finding_add(findings, FINDING_PROBLEM, "kernel", NULL, "Linux %s: %s", name.release,
			probe_refusal(&doctor->probe));
	else if (doctor->probe.unmeasured)
		finding_add(findings, FINDING_UNKNOWN, "kernel", "ip link set lo up",
			"Linux %s: what it does to epoll registrations: no connection over lo", name.release);
	else if (!(kernel & POLICY_KERNEL_DOWNGRADE_EPOLL))
		finding_add(findings, FINDING_WARNING, "kernel", "a kernel from 5.17 on keeps them",
			"Linux %s: %s; connect rules are not followed, all that connects stays TCP", name.release,
			text);
	else
		finding_add(findings, FINDING_OK, "kernel", NULL, "Linux %s: %s", name.release, text);
	if (doctor->probe.converts || !(kernel & POLICY_KERNEL_SMC))
		return;
	if (!(kernel & (POLICY_KERNEL_IPPROTO_SMC | POLICY_KERNEL_IPPROTO_SMC6)))
		finding_add(findings, FINDING_NOTE, "kernel", NULL,
			"it has AF_SMC only: SO_REUSEPORT listeners stay TCP; kernels from 6.11 on have IPPROTO_SMC");
	compare_version(findings, &name);
}

/* Whether a line of the file holds text. */
static bool file_holds(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	while (file && getline(&line, &room, file) >= 0)
		if (strstr(line, text))
			return true;
	return false;
}

/* Whether a line of modprobe.d keeps the module smc from being loaded by itself: "blacklist smc", "install smc /bin/false". */
static bool line_forbids(char *line)
{
	char *rest;
	const char *verb = strtok_r(line, " \t\n", &rest);
	const char *module = verb ? strtok_r(NULL, " \t\n", &rest) : NULL;
	const char *command = module ? strtok_r(NULL, " \t\n", &rest) : NULL;

	if (!module || strcmp(module, "smc") != 0)
		return false;
	if (strcmp(verb, "blacklist") == 0)
		return true;
	return strcmp(verb, "install") == 0 && command &&
		(strcmp(path_base(command), "false") == 0 || strcmp(path_base(command), "true") == 0);
}

static bool directory_forbids(const char *directory, char *out, size_t size)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	bool forbids = false;

	while (dir && !forbids && (entry = readdir(dir))) {
		_cleanup_fclose_ FILE *file = NULL;
		_cleanup_free_ char *line = NULL;
		size_t room = 0;
		size_t length = strlen(entry->d_name);

		if (length < 5 || strcmp(entry->d_name + length - 5, ".conf") != 0)
			continue;
		(void)snprintf(out, size, "%s/%s", directory, entry->d_name);
		file = fopen(out, "re");
		while (file && !forbids && getline(&line, &room, file) >= 0)
			forbids = line_forbids(line);
	}
	if (dir)
		closedir(dir);
	return forbids;
}

/* The file that forbids it, as modprobe.d(5) lists the directories; false: none. */
static bool forbidden(char *out, size_t size)
{
	static const char *const directories[] = {"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
		"/usr/lib/modprobe.d", "/lib/modprobe.d"};

	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (directory_forbids(directories[i], out, size))
			return true;
	return false;
}

/* Where the module could come from: "builtin", "dep", or NULL. */
static const char *module_source(void)
{
	static const char *const lists[] = {"builtin", "dep"};
	struct utsname name;
	char path[sizeof(name.release) + 40];

	if (uname(&name) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		(void)snprintf(path, sizeof(path), "/lib/modules/%s/modules.%s", name.release, lists[i]);
		if (file_holds(path, "/smc.ko"))
			return lists[i];
	}
	return NULL;
}

static void missing_module(struct findings *findings, bool loaded, const char *forbidding)
{
	uint64_t disabled;

	if (loaded)
		finding_add(findings, FINDING_PROBLEM, "module", "use the kernel's own module",
			"a module smc is loaded that gives no SMC: another make's (MLNX_OFED), or one too old");
	else if (forbidding)
		finding_add(
			findings, FINDING_PROBLEM, "module", "take that line out", "%s forbids to load it", forbidding);
	else if (read_number("/proc/sys/kernel/modules_disabled", &disabled) == 0 && disabled)
		finding_add(findings, FINDING_PROBLEM, "module", "list smc in /etc/modules-load.d and boot again",
			"the kernel loads no modules any more (kernel.modules_disabled)");
	else if (!module_source())
		finding_add(findings, FINDING_PROBLEM, "module", "install the package with all modules of this kernel",
			"this kernel was built without smc, or the module is not installed");
	else
		finding_add(findings, FINDING_PROBLEM, "module", "modprobe smc", "it is installed and not loaded");
}

void doctor_module(struct doctor *doctor)
{
	struct findings *findings = &doctor->findings;
	char path[512];
	bool loaded = access("/sys/module/smc", F_OK) == 0;
	const char *forbidding = forbidden(path, sizeof(path)) ? path : NULL;

	if (doctor->probe.converts)
		return;
	if (!(doctor->probe.kernel & POLICY_KERNEL_SMC))
		missing_module(findings, loaded, forbidding);
	else if (forbidding)
		finding_add(findings, FINDING_WARNING, "module", "take that line out",
			"smc is loaded, but %s keeps the kernel from loading it by itself after the next boot",
			forbidding);
	else
		finding_add(findings, FINDING_OK, "module", NULL,
			"smc is there, and the kernel loads it by itself for the first socket");
}

void doctor_diagnosis(struct doctor *doctor)
{
	struct diag_smc_list list = {.item = NULL};
	int r;

	if (!doctor->genl)
		return;
	r = diag_dump_smc(&list);
	if (r == 0)
		finding_add(&doctor->findings, FINDING_OK, "diagnosis", NULL,
			"smc_diag answers: %zu SMC sockets in this network namespace", list.count);
	else if (r == -ENOENT)
		finding_add(&doctor->findings, FINDING_WARNING, "diagnosis", "modprobe smc_diag",
			"without the module smc_diag nobody can tell which connections fell back, and why");
	else
		finding_add(&doctor->findings, FINDING_UNKNOWN, "diagnosis", NULL, "the socket diagnosis: %s",
			strerror(-r));
	diag_smc_clear(&list);
}
