/* SPDX-License-Identifier: MIT */
/* Queues, CPUs, NUMA nodes and interrupts, read from the kernel's trees. */
#include "config.h"

#include "ctl/host/topology.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#define LINE 4096 /* a list of 1,024 CPUs, every other one offline */
#define IRQS_MAX 131072u

void topology_clear(struct topology *topology)
{
	free(topology->irq);
	free(topology->irq_cpu);
	free(topology->shares);
	*topology = (struct topology){.transmit = 0};
}

__attribute__((format(printf, 4, 5))) static int read_at(int tree, char *out, size_t size, const char *format, ...)
{
	_cleanup_free_ char *path = NULL;
	va_list ap;
	int length;

	va_start(ap, format);
	length = vasprintf(&path, format, ap);
	va_end(ap);
	if (length < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return read_line_at(tree, path, out, size);
}

static DIR *open_at(int tree, const char *path)
{
	int fd = openat(tree, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

static int read_list(int tree, const char *path, struct cpus *out)
{
	_cleanup_free_ char *text = malloc(LINE);
	int r = text ? read_line_at(tree, path, text, LINE) : -ENOMEM;

	return r < 0 ? r : cpus_parse_list(text, out);
}

static int count_queues(int sys, const char *interface, struct topology *out)
{
	_cleanup_free_ char *path = NULL;
	const struct dirent *entry;
	DIR *dir;

	if (asprintf(&path, "class/net/%s", interface) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (faccessat(sys, path, F_OK, 0) < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	free(path);
	if (asprintf(&path, "class/net/%s/queues", interface) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	dir = open_at(sys, path);
	if (!dir)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	while ((entry = readdir(dir))) {
		out->transmit += starts_with(entry->d_name, "tx-");
		out->receive += starts_with(entry->d_name, "rx-");
	}
	closedir(dir);
	return out->transmit > TOPOLOGY_QUEUES ? -E2BIG : 0;
}

static void read_node(int sys, const char *interface, struct topology *out)
{
	char path[64];
	char node[32];

	out->local = out->online;
	if (read_at(sys, node, sizeof(node), "class/net/%s/device/numa_node", interface) < 0 || node[0] == '-')
		return;
	if (snprintf(path, sizeof(path), "devices/system/node/node%s/cpulist", node) >= (int)sizeof(path) ||
		read_list(sys, path, &out->local) < 0)
		out->local = out->online;
}

/* ---- interrupts ---- */

struct irq {
	unsigned number;
	unsigned queue;
	unsigned kind; /* the larger, the surer that it is of transmit queues */
};

/* "virtio1-output.3", "eth1-tx-3", "eth1-TxRx-3", "mlx5_comp3@pci:0000:00:05.0": a kind and the number behind it. */
static bool read_action(const char *text, struct irq *irq)
{
	static const char *const marks[] = {"comp", "TxRx-", "txrx-", "Tx-", "tx-", "-output."};

	for (unsigned kind = sizeof(marks) / sizeof(*marks); kind-- > 0;) {
		const char *found = strstr(text, marks[kind]);
		const char *digits = found ? found + strlen(marks[kind]) : NULL;

		if (!digits || !isdigit((unsigned char)*digits))
			continue;
		irq->queue = (unsigned)strtoul(digits, NULL, 10);
		irq->kind = kind + 1;
		return true;
	}
	return false;
}

/* Of a virtio device the interrupts belong to the PCI device above it. */
static DIR *open_irqs(int sys, const char *interface)
{
	static const char *const places[] = {"device/msi_irqs", "device/../msi_irqs"};
	DIR *dir = NULL;

	for (size_t i = 0; i < 2 && !dir; i++) {
		char path[64];

		if (snprintf(path, sizeof(path), "class/net/%s/%s", interface, places[i]) < (int)sizeof(path))
			dir = open_at(sys, path);
	}
	return dir;
}

static unsigned irq_cpu(int proc, unsigned number)
{
	struct cpus set = {.word = {0}};
	char path[64];

	snprintf(path, sizeof(path), "irq/%u/effective_affinity_list", number);
	if (read_list(proc, path, &set) < 0 || !cpus_count(&set)) {
		snprintf(path, sizeof(path), "irq/%u/smp_affinity_list", number);
		if (read_list(proc, path, &set) < 0)
			return TOPOLOGY_NO_CPU;
	}
	return cpus_next(&set, 0);
}

static void read_irqs(int sys, int proc, const char *interface, struct topology *out)
{
	_cleanup_free_ unsigned *kind = calloc(out->transmit + 1, sizeof(*kind));
	DIR *dir = open_irqs(sys, interface);
	const struct dirent *entry;

	while (dir && kind && (entry = readdir(dir))) {
		struct irq irq = {.number = 0};
		uint64_t number;
		char text[256];

		if (text_to_uint(entry->d_name, 1, IRQS_MAX, &number) < 0)
			continue;
		irq.number = (unsigned)number;
		if (read_at(sys, text, sizeof(text), "kernel/irq/%u/actions", irq.number) < 0 ||
			!read_action(text, &irq) || irq.queue >= out->transmit || kind[irq.queue] >= irq.kind)
			continue;
		kind[irq.queue] = irq.kind;
		out->irq[irq.queue] = irq.number;
		out->irq_cpu[irq.queue] = irq_cpu(proc, irq.number);
	}
	if (dir)
		closedir(dir);
}

/* The CPUs that share the outermost cache with the CPU; at least itself. */
static void read_shares(int sys, unsigned cpu, struct cpus *out)
{
	for (int level = 3; level >= 2; level--) {
		char path[80];

		snprintf(path, sizeof(path), "devices/system/cpu/cpu%u/cache/index%d/shared_cpu_list", cpu, level);
		if (read_list(sys, path, out) == 0 && cpus_has(out, cpu))
			return;
	}
	*out = (struct cpus){.word = {0}};
	cpus_add(out, cpu);
}

int topology_read(int sys, int proc, const char *interface, struct topology *out)
{
	int r = read_list(sys, "devices/system/cpu/online", &out->online);

	if (r == 0)
		r = read_list(sys, "devices/system/cpu/possible", &out->possible);
	if (r == 0)
		r = count_queues(sys, interface, out);
	if (r < 0)
		return r;
	out->irq = calloc(out->transmit + 1, sizeof(*out->irq));
	out->irq_cpu = calloc(out->transmit + 1, sizeof(*out->irq_cpu));
	out->shares = calloc(out->transmit + 1, sizeof(*out->shares));
	if (!out->irq || !out->irq_cpu || !out->shares)
		return -ENOMEM;
	for (size_t i = 0; i < out->transmit; i++)
		out->irq_cpu[i] = TOPOLOGY_NO_CPU;
	read_node(sys, interface, out);
	read_irqs(sys, proc, interface, out);
	out->irqs = true;
	for (size_t i = 0; i < out->transmit; i++) {
		if (out->irq_cpu[i] == TOPOLOGY_NO_CPU)
			out->irqs = false;
		else
			read_shares(sys, out->irq_cpu[i], &out->shares[i]);
	}
	return 0;
}
