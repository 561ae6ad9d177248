/* SPDX-License-Identifier: MIT */
/* Decides what a device can serve. */
#include "config.h"

#include "ctl/smc/serve.h"

#include <stdarg.h>
#include <stdio.h>

/* Both versions fail for the same reason, unless one has been given already. */
__attribute__((format(printf, 2, 3))) static void both(struct serve *out, const char *format, ...)
{
	for (int i = 0; i < SERVE_VERSIONS; i++) {
		va_list ap;

		if (out->why[i][0])
			continue;
		va_start(ap, format);
		/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above */
		(void)vsnprintf(out->why[i], sizeof(out->why[i]), format, ap);
		va_end(ap);
	}
}

__attribute__((format(printf, 3, 4))) static void one(struct serve *out, enum serve_version v, const char *format, ...)
{
	va_list ap;

	if (out->why[v][0])
		return;
	va_start(ap, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above */
	(void)vsnprintf(out->why[v], sizeof(out->why[v]), format, ap);
	va_end(ap);
}

/* Version 2 needs an EID that both ends have. */
static void need_eid(const struct smc_system *system, bool seid_helps, struct serve *out)
{
	if (!system->ueids && !(seid_helps && system->seid_enabled))
		one(out, SERVE_V2, "this host has no UEID; smcctl eid ensure NAME, the same on both hosts");
}

/*
 * The kernel goes from the interface to the port: over equal identifiers if the interface has one, else over the port's
 * own interface. Identifiers from the hardware of interfaces (s390) are not in the table, so one that a port has from
 * its hardware too is taken for equal.
 */
static void need_interface(
	const struct pnet_table *pnet, const struct smc_port *port, const struct rdma_port *rdma, struct serve *out)
{
	const char *own = rdma->netdev[0] ? pnet_interface_id(pnet, rdma->netdev) : NULL;

	if (rdma->netdev[0] && !own)
		return;
	if (port->pnetid[0] && (!port->pnetid_by_user || pnet_on_interface(pnet, port->pnetid)))
		return;
	if (port->pnetid[0])
		both(out, "its pnet identifier %s is that of no interface here", port->pnetid);
	else if (own)
		both(out, "its interface %s has the pnet identifier %s, the port has none", rdma->netdev, own);
	else
		both(out, "no interface here belongs to it, and it has no pnet identifier");
}

void serve_smcr(const struct smc_system *system, const struct pnet_table *pnet, const struct smc_port *port,
	const struct rdma_port *rdma, struct serve *out)
{
	*out = (struct serve){.why = {{0}}};
	if (!rdma) {
		both(out, "it is not in this network namespace; see \"rdma system\" and \"rdma dev set DEVICE netns\"");
		return;
	}
	if (!port->active)
		both(out, "the port is down");
	need_interface(pnet, port, rdma, out);
	if (!rdma_count_gids(rdma, RDMA_GID_V1))
		one(out, SERVE_V1, "no RoCE v1 GID");
	if (!system->smcr_v2)
		one(out, SERVE_V2, "this kernel has no SMC-R of version 2");
	if (!rdma_count_gids(rdma, RDMA_GID_V2_IPV4))
		one(out, SERVE_V2, "no RoCE v2 GID with an IPv4 address; give its interface one");
	need_eid(system, false, out);
}

void serve_smcd(const struct smc_system *system, const struct pnet_table *pnet, const struct smc_port *port,
	bool loopback, struct serve *out)
{
	*out = (struct serve){.why = {{0}}};
	if (loopback)
		one(out, SERVE_V1, "loopback-ism has version 2 only");
	else if (!port->pnetid[0])
		one(out, SERVE_V1, "it has no pnet identifier");
	else if (port->pnetid_by_user && !pnet_on_interface(pnet, port->pnetid))
		one(out, SERVE_V1, "its pnet identifier %s is that of no interface here", port->pnetid);
	/* For version 2 the kernel compares with the identifiers in the hardware of interfaces, not with its table. */
	if (port->pnetid[0] && port->pnetid_by_user)
		one(out, SERVE_V2, "its pnet identifier %s was set by hand; smcctl pnet del %s", port->pnetid,
			port->pnetid);
	if (!system->smcd_v2)
		one(out, SERVE_V2, "there is no SMC-D of version 2 on this machine");
	need_eid(system, true, out);
}
