/* SPDX-License-Identifier: MIT */
/* doctor: devices and what they serve, EIDs, pnet identifiers. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/doctor/doctor.h"
#include "ctl/smc/eid.h"
#include "ctl/smc/loopback.h"
#include "ctl/smc/serve.h"

/* What was found of one device. */
struct served {
	size_t devices;
	size_t useful;
};

/* v1_mode and v2_mode: what it makes the host offer. */
static void add_device(struct doctor *doctor, const char *name, const char *mode, const struct serve *serve,
	enum offer_mode v1_mode, enum offer_mode v2_mode, struct served *served)
{
	struct findings *findings = &doctor->findings;
	bool v1 = !serve->why[SERVE_V1][0];
	bool v2 = !serve->why[SERVE_V2][0];

	served->devices++;
	doctor->offer.can[v1_mode] = doctor->offer.can[v1_mode] || v1;
	doctor->offer.can[v2_mode] = doctor->offer.can[v2_mode] || v2;
	if (v1 || v2) {
		served->useful++;
		finding_add(findings, FINDING_OK, "device", NULL, "%s serves %s %s", name, mode,
			v1 && v2     ? "v1 and v2"
				: v2 ? "v2"
				     : "v1");
	} else if (strcmp(serve->why[SERVE_V1], serve->why[SERVE_V2]) == 0) {
		finding_add(
			findings, FINDING_WARNING, "device", NULL, "%s serves nothing: %s", name, serve->why[SERVE_V2]);
	} else {
		finding_add(findings, FINDING_WARNING, "device", NULL, "%s serves nothing: v1: %s; v2: %s", name,
			serve->why[SERVE_V1], serve->why[SERVE_V2]);
	}
}

static void add_ports(struct doctor *doctor, const struct smc_device *device, struct served *served)
{
	const struct inventory *smc = &doctor->smc;

	for (size_t i = 0; i < SMC_MAX_PORTS; i++) {
		struct serve serve;
		char name[SMC_DEVICE_NAME_SIZE + 16];

		if (!device->port[i].present)
			continue;
		(void)snprintf(name, sizeof(name), "%s port %zu", device->name, i + 1);
		serve_smcr(&smc->system, &smc->pnet, &device->port[i],
			rdma_port_find(&smc->ports, device->name, (uint32_t)i + 1), &serve);
		add_device(doctor, name, "SMC-R", &serve, OFFER_SMCR_V1, OFFER_SMCR_V2, served);
	}
}

static void add_ism(struct doctor *doctor, const struct smc_device *device, bool loopback, struct served *served)
{
	struct serve serve;

	serve_smcd(&doctor->smc.system, &doctor->smc.pnet, &device->port[0], loopback, &serve);
	if (loopback)
		add_device(doctor, device->name, "SMC-D within this machine", &serve, OFFER_LOOPBACK, OFFER_LOOPBACK,
			served);
	else
		add_device(doctor, device->name, "SMC-D", &serve, OFFER_SMCD_V1, OFFER_SMCD_V2, served);
}

static void look_at_devices(struct doctor *doctor)
{
	const struct inventory *smc = &doctor->smc;
	struct served served = {0};

	for (size_t i = 0; i < smc->devices.count; i++)
		if (smc->devices.item[i].ism)
			add_ism(doctor, &smc->devices.item[i], false, &served);
		else
			add_ports(doctor, &smc->devices.item[i], &served);
	if (smc->loopback) {
		struct smc_device device;

		inventory_loopback(smc, &device);
		add_ism(doctor, &device, true, &served);
	}
	if (smc->loopback_unknown)
		finding_add(&doctor->findings, FINDING_UNKNOWN, "device", NULL,
			"whether there is a loopback-ism too cannot be told");
	if (!served.devices)
		finding_add(&doctor->findings, FINDING_PROBLEM, "device",
			"it takes an RDMA device, an ISM device, or a kernel with loopback-ism (CONFIG_SMC_LO)",
			"SMC has no device: every connection falls back to TCP");
	else if (!served.useful)
		finding_add(&doctor->findings, FINDING_PROBLEM, "device", NULL,
			"no device serves anything here: every connection falls back to TCP");
}

static void offer_eids(struct offer *offer, const struct eid_table *eids)
{
	for (size_t i = 0; i < eids->count; i++)
		memcpy(offer->eid[offer->eids++], eids->user[i], EID_SIZE);
	if (eids->system_on)
		memcpy(offer->eid[offer->eids++], eids->system, EID_SIZE);
}

static void look_at_eids(struct doctor *doctor)
{
	struct eid_table eids = {.count = 0};
	int r = eid_load(doctor->genl, &eids);

	offer_eids(&doctor->offer, &eids);

	if (r == -EOPNOTSUPP)
		finding_add(&doctor->findings, FINDING_NOTE, "eid", NULL,
			"this kernel has no EIDs: version 1 of SMC only, within one subnet");
	else if (r < 0)
		finding_add(&doctor->findings, FINDING_UNKNOWN, "eid", NULL, "the table of EIDs: %s", strerror(-r));
	else if (!eids.count && !eids.system_on)
		finding_add(&doctor->findings, FINDING_WARNING, "eid", "smcctl eid ensure NAME, the same on all hosts",
			"this machine has no EID: no version 2 of SMC, so no loopback-ism and no RoCE v2");
	else
		finding_add(&doctor->findings, FINDING_OK, "eid", NULL, "%zu of the user (%s%s), the system's is %s",
			eids.count, eids.count ? eids.user[0] : "none", eids.count > 1 ? ", ..." : "",
			eids.system_on           ? "on"
				: eids.system[0] ? "off"
						 : "not there");
}

/* A device has it, from the table, its hardware, or as a link group of loopback-ism shows it. */
static bool device_has(const struct inventory *smc, const char *pnetid)
{
	for (size_t i = 0; i < smc->pnet.count; i++)
		if (smc->pnet.entries[i].device[0] && strcmp(smc->pnet.entries[i].id, pnetid) == 0)
			return true;
	for (size_t i = 0; i < smc->devices.count; i++)
		for (size_t p = 0; p < SMC_MAX_PORTS; p++)
			if (strcmp(smc->devices.item[i].port[p].pnetid, pnetid) == 0)
				return true;
	return false;
}

static void look_at_pnetids(struct doctor *doctor)
{
	const struct inventory *smc = &doctor->smc;
	size_t alone = 0;

	for (size_t i = 0; i < smc->pnet.count; i++) {
		const struct pnet_entry *entry = &smc->pnet.entries[i];

		if (entry->interface[0] && !device_has(smc, entry->id)) {
			alone++;
			finding_add(&doctor->findings, FINDING_WARNING, "pnet",
				"smcctl pnet list shows both sides; smcctl pnet ensure gives a device the same",
				"interface %s has the pnet identifier %s, which no device has", entry->interface,
				entry->id);
		} else if (entry->device[0] && !pnet_on_interface(&smc->pnet, entry->id)) {
			alone++;
			finding_add(&doctor->findings, FINDING_WARNING, "pnet",
				"smcctl pnet list shows both sides; smcctl pnet ensure gives an interface the same",
				"device %s has the pnet identifier %s, which no interface here has", entry->device,
				entry->id);
		}
	}
	if (!smc->pnet.count)
		finding_add(&doctor->findings, FINDING_OK, "pnet", NULL,
			"no pnet identifiers: each RDMA device goes with its own interface");
	else if (!alone)
		finding_add(&doctor->findings, FINDING_OK, "pnet", NULL,
			"each pnet identifier has an interface and a device");
}

void doctor_devices(struct doctor *doctor)
{
	const char *what;
	int r;

	if (!doctor->genl)
		return;
	r = inventory_get(doctor->genl, doctor->entered, &doctor->smc, &what);
	if (r < 0) {
		finding_add(&doctor->findings, FINDING_UNKNOWN, "device", NULL, "%s: %s", what, strerror(-r));
		return;
	}
	look_at_devices(doctor);
	look_at_eids(doctor);
	look_at_pnetids(doctor);
}
