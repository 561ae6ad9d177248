/* SPDX-License-Identifier: MIT */
/* What the kernel's SMC is told over netlink: EIDs, the limit of handshakes, pnet identifiers. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/host/item.h"
#include "ctl/smc/eid.h"
#include "ctl/smc/hs-limit.h"
#include "ctl/smc/pnet.h"

static int connect_smc(struct host *host)
{
	if (!host->asked) {
		host->asked = true;
		/* To connect would load the module, and to look is to change nothing. */
		if (access("/sys/module/smc", F_OK) < 0 && access("/proc/sys/net/smc", F_OK) < 0)
			return host->smc_error = -EPROTONOSUPPORT;
		host->smc_error = genl_open(GENL_SMC, &host->smc);
		if (host->smc_error == 0)
			host->smc_error = genl_open(GENL_PNET, &host->pnet);
	}
	return host->smc_error;
}

static int answer(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

/* "interface eth1" or "device mlx5_0 1". */
static int read_name(const char *name, struct pnet_entry *out)
{
	unsigned port = 0;

	*out = (struct pnet_entry){.port = 0};
	if (sscanf(name, "interface %15s", out->interface) == 1)
		return 0;
	if (sscanf(name, "device %63s %u", out->device, &port) != 2)
		return -EINVAL;
	out->port = port;
	return 0;
}

static int pnet_get(struct host *host, const char *name, char **out)
{
	_cleanup_pnet_table_ struct pnet_table table = {.count = 0};
	struct pnet_entry entry;
	const struct pnet_entry *found;
	int r = read_name(name, &entry);

	if (r == 0)
		r = pnet_load(host->pnet, &table);
	if (r < 0)
		return r;
	found = pnet_find(&table, &entry);
	return answer(found ? found->id : NULL, out);
}

/* The kernel removes by identifier only: what else has it gets it again. */
static int pnet_take(struct host *host, const struct pnet_entry *entry)
{
	_cleanup_pnet_table_ struct pnet_table table = {.count = 0};
	const struct pnet_entry *found;
	int r = pnet_load(host->pnet, &table);

	if (r < 0)
		return r;
	found = pnet_find(&table, entry);
	if (!found)
		return 0;
	r = pnet_del(host->pnet, found->id);
	for (size_t i = 0; i < table.count && r == 0; i++) {
		if (&table.entries[i] != found && strcmp(table.entries[i].id, found->id) == 0)
			r = pnet_add(host->pnet, &table.entries[i]);
	}
	return r;
}

static int pnet_set(struct host *host, const char *name, const char *value)
{
	struct pnet_entry entry;
	int r = read_name(name, &entry);

	if (r == 0)
		r = pnet_take(host, &entry);
	if (r < 0 || !value)
		return r;
	if (!pnet_id_parse(value, entry.id))
		return -EINVAL;
	return pnet_add(host->pnet, &entry);
}

int smc_item_get(struct host *host, enum host_kind kind, const char *name, char **out)
{
	struct eid_table table;
	bool on;
	int r = connect_smc(host);

	*out = NULL;
	if (r < 0)
		return r;
	if (kind == HOST_PNET)
		return pnet_get(host, name, out);
	if (kind == HOST_LIMIT) {
		r = hs_limit_get(host->smc, &on);
		return r < 0 ? r : answer(on ? "on" : "off", out);
	}
	r = eid_load(host->smc, &table);
	if (r < 0)
		return r;
	if (kind == HOST_UEID)
		return answer(eid_has(&table, name) ? "present" : NULL, out);
	return table.system[0] ? answer(table.system_on ? "on" : "off", out) : -EOPNOTSUPP;
}

int smc_item_set(struct host *host, enum host_kind kind, const char *name, const char *value)
{
	bool on = value && strcmp(value, "on") == 0;
	bool system_on;
	int r = connect_smc(host);

	if (r < 0)
		return r;
	switch (kind) {
	case HOST_PNET:
		return pnet_set(host, name, value);
	case HOST_LIMIT:
		return hs_limit_set(host->smc, on);
	case HOST_SEID:
		return eid_set_system(host->smc, on);
	default:
		r = value ? eid_add(host->smc, name) : eid_remove(host->smc, name, &system_on);
		return r == (value ? -EEXIST : -ENOENT) ? 0 : r;
	}
}
