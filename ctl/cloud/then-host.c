/* SPDX-License-Identifier: MIT */
/* Hands a stack's interfaces over to smcctl host. */
#include "config.h"

#include "ctl/cloud/then-host.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/host/topology.h"
#include "ctl/paths.h"
#include "ctl/replace.h"
#include "ctl/smc/rdma.h"

#define PROFILE_MAX (1u << 20)
#define DIRECTORY "/etc/smc"
#define MAC_TEXT 18u
#define WAIT_MS 1000u

void then_host_clear(struct then_host *then)
{
	cJSON_Delete(then->profile);
}

enum ctl_exit then_host_open(struct then_host *then, const struct job *job, const char *path)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t size = 0;
	int r;

	if (job->stack->instance != STACK_THIS)
		return ctl_error(job->ctl, CTL_USAGE, "option", "--then-host",
			"the stack's instance is not \"this\"; run it there, or smcctl host apply");
	fd = open_read(path);
	r = fd < 0 ? fd : read_all(fd, PROFILE_MAX, &text, &size);
	if (r < 0)
		return ctl_error(job->ctl, CTL_BAD_INPUT, "profile", path, "%s", strerror(-r));
	then->path = path;
	then->profile = cJSON_ParseWithLength(text, size);
	if (!cJSON_IsObject(then->profile))
		return ctl_error(job->ctl, CTL_BAD_INPUT, "profile", path,
			"not a JSON object; smcctl host plan says where. Nothing was changed");
	return CTL_OK;
}

/* ---- the profile ---- */

/* The member of that name, made if it is missing; NULL without memory or where something else stands. */
static cJSON *member(cJSON *object, const char *name, cJSON *(*make)(void))
{
	cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);

	if (found)
		return found;
	found = make();
	if (found && !cJSON_AddItemToObject(object, name, found)) {
		cJSON_Delete(found);
		return NULL;
	}
	return found;
}

/* A pattern speaks of it too. */
static bool has_pattern(const cJSON *object, const char *interface)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object)
	{
		if (fnmatch(item->string, interface, 0) == 0)
			return true;
	}
	return false;
}

static int add_word(cJSON *profile, const char *section, const char *interface, const char *word)
{
	cJSON *object = member(profile, section, cJSON_CreateObject);

	if (!object)
		return -ENOMEM;
	/* What is no object is for smcctl host to refuse. */
	if (!cJSON_IsObject(object) || has_pattern(object, interface))
		return 0;
	return cJSON_AddStringToObject(object, interface, word) ? 0 : -ENOMEM;
}

static bool has_entry(const cJSON *list, const char *key, const char *value)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, key));

		if (text && strcmp(text, value) == 0)
			return true;
	}
	return false;
}

static int add_entry(cJSON *list, const char *id, const char *key, const char *value)
{
	cJSON *entry;

	if (has_entry(list, key, value))
		return 0;
	entry = cJSON_CreateObject();
	if (entry && cJSON_AddStringToObject(entry, "id", id) && cJSON_AddStringToObject(entry, key, value) &&
		cJSON_AddItemToArray(list, entry))
		return 0;
	cJSON_Delete(entry);
	return -ENOMEM;
}

int then_host_add(cJSON *profile, const char *interface, const char *mac, bool queues, const char *device)
{
	cJSON *smc = member(profile, "smc", cJSON_CreateObject);
	cJSON *list = cJSON_IsObject(smc) ? member(smc, "pnet", cJSON_CreateArray) : NULL;
	char id[MAC_TEXT];
	size_t length = 0;
	int r;

	if (!smc || (cJSON_IsObject(smc) && !list))
		return -ENOMEM;
	for (; *mac && length + 1 < sizeof(id); mac++) {
		if (*mac != ':')
			id[length++] = (char)toupper((unsigned char)*mac);
	}
	id[length] = '\0';
	r = add_word(profile, "nic", interface, "soft");
	if (r == 0 && queues)
		r = add_word(profile, "xps", interface, "irq");
	if (r == 0 && cJSON_IsArray(list))
		r = add_entry(list, id, "interface", interface);
	if (r == 0 && cJSON_IsArray(list) && device)
		r = add_entry(list, id, "device", device);
	return r;
}

/* ---- the interfaces ---- */

static void mac_text(const struct sockaddr_ll *address, char out[static MAC_TEXT])
{
	const uint8_t *a = address->sll_addr;

	snprintf(out, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int find_interface(const char *mac, char out[static IF_NAMESIZE])
{
	struct ifaddrs *list;
	int r = -ENODEV;

	if (getifaddrs(&list) < 0)
		return -errno;
	for (const struct ifaddrs *i = list; i && r < 0; i = i->ifa_next) {
		const struct sockaddr_ll *address = (const void *)i->ifa_addr;
		char text[MAC_TEXT];

		if (!address || address->sll_family != AF_PACKET || address->sll_hatype != ARPHRD_ETHER)
			continue;
		mac_text(address, text);
		if (strcasecmp(text, mac) != 0)
			continue;
		snprintf(out, IF_NAMESIZE, "%s", i->ifa_name);
		r = 0;
	}
	freeifaddrs(list);
	return r;
}

/* The RDMA device on that interface: its name, or "". Returns 0 or -errno. */
static int find_device(int sys, const char *interface, char out[static SMC_DEVICE_NAME_SIZE])
{
	_cleanup_rdma_ports_ struct rdma_ports ports = {.item = NULL};
	int r = rdma_ports_get(sys, &ports);

	out[0] = '\0';
	for (size_t i = 0; i < ports.count && !out[0]; i++) {
		if (strcmp(ports.item[i].netdev, interface) == 0)
			memcpy(out, ports.item[i].device, sizeof(ports.item[i].device));
	}
	return r;
}

/* What is needed of this host's trees to set an interface up. */
struct around {
	char device[SMC_DEVICE_NAME_SIZE]; /* "": none */
	bool queues;                       /* more than one to transmit by */
	bool interrupts;                   /* where those of all of them go is known */
};

static int look_around(const char *interface, bool erdma, struct around *out)
{
	_cleanup_topology_ struct topology topology = {.transmit = 0};
	_cleanup_close_ int sys = open("/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = sys < 0 || proc < 0 ? -errno : 0;

	*out = (struct around){.queues = false};
	if (r == 0)
		r = topology_read(sys, proc, interface, &topology);
	out->queues = topology.transmit > 1;
	out->interrupts = topology.irqs;
	if (r == -EOPNOTSUPP)
		r = 0;
	return r == 0 && erdma ? find_device(sys, interface, out->device) : r;
}

static enum ctl_exit add_interface(struct then_host *then, struct job *job, const struct stack_interface *interface)
{
	char resource[STATE_RESOURCE];
	char name[IF_NAMESIZE];
	const struct world_object *object;
	struct around around = {.queues = false};
	int r;

	snprintf(resource, sizeof(resource), "interface/%s", interface->name);
	object = world_find(&job->world, resource);
	if (!object || !object->mac[0])
		return ctl_error(
			job->ctl, CTL_PARTLY, resource, NULL, "the service does not say its MAC address; run it again");
	while ((r = find_interface(object->mac, name)) == -ENODEV) {
		if (!clock_wait(&job->cloud.net.clock, WAIT_MS))
			return ctl_error(job->ctl, CTL_PARTLY, resource, object->mac,
				"no network interface of this host has that MAC address; the stack is as the file "
				"says, run it "
				"again for the host");
	}
	if (r == 0)
		r = look_around(name, interface->erdma, &around);
	if (r < 0)
		return ctl_error(job->ctl, CTL_FAILED, resource, object->mac, "%s", strerror(-r));
	if (interface->erdma && !around.device[0])
		ctl_warn(job->ctl,
			"%s: no RDMA device on %s yet (module erdma); its pnet identifier is the interface's alone",
			resource, name);
	if (around.queues && !around.interrupts)
		ctl_warn(job->ctl,
			"%s: where the interrupts of %s go is not known; its transmit queues stay as they are",
			resource, name);
	if (then_host_add(then->profile, name, object->mac, around.queues && around.interrupts,
		    around.device[0] ? around.device : NULL) < 0)
		return cloud_no_memory(&job->cloud);
	fprintf(job->progress, "%s: %s%s%s\n", resource, name, around.device[0] ? ", RDMA device " : "", around.device);
	return CTL_OK;
}

/* ---- handing over ---- */

static enum ctl_exit write_profile(const struct then_host *then, struct job *job, char **path)
{
	_cleanup_free_ char *text = cJSON_Print(then->profile);
	_cleanup_close_ int at = -1;
	int r = 0;

	if (!text || asprintf(path, DIRECTORY "/host-%s.json", job->stack->name) < 0) {
		*path = NULL;
		return cloud_no_memory(&job->cloud);
	}
	if (mkdir(DIRECTORY, 0755) < 0 && errno != EEXIST)
		r = -errno;
	if (r == 0) {
		at = replace_directory(*path);
		r = at < 0 ? at : 0;
	}
	if (r == 0)
		r = replace_plain(at, path_base(*path), text, strlen(text));
	return r < 0 ? ctl_error(job->ctl, ctl_exit_of(r), "profile", *path, "%s", strerror(-r)) : CTL_OK;
}

enum ctl_exit then_host_run(struct then_host *then, struct job *job)
{
	static const char *const secrets[] = {
		"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"};
	_cleanup_free_ char *program = NULL;
	_cleanup_free_ char *path = NULL;
	enum ctl_exit code = CTL_OK;
	int r;

	for (size_t i = 0; i < job->stack->interface_count && code == CTL_OK; i++)
		code = add_interface(then, job, &job->stack->interfaces[i]);
	if (code == CTL_OK)
		code = write_profile(then, job, &path);
	if (code != CTL_OK)
		return code;
	r = paths_smcctl(&program);
	if (r < 0)
		return ctl_error(
			job->ctl, CTL_FAILED, "program", PATHS_SMCCTL, "not found beside its helper; reinstall");
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		(void)unsetenv(secrets[i]);
	fprintf(job->progress, "smcctl host apply %s:\n", path);
	/* The document is complete, and what follows is none. */
	if (fflush(job->ctl->out) == 0 && job->json && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return ctl_error(job->ctl, CTL_FAILED, "program", program, "%s", strerror(errno));
	/* What is blocked stays so across execv(), and nothing there would ever take it. */
	clock_release_signals();
	if (fflush(job->ctl->out) == 0)
		execv(program,
			(char *const[]){(char *)"smcctl", (char *)"host", (char *)"apply", (char *)"--", path, NULL});
	return ctl_error(job->ctl, CTL_FAILED, "program", program, "%s", strerror(errno));
}
