/* SPDX-License-Identifier: MIT */
/* The table of reasons. smcctl-sockets(8) has the same texts: tests/unit/t-ctl-reasons.c compares. */
#include "config.h"

#include "ctl/smc/reasons.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct reason table[] = {
	{0x01010000, "MEM", "the kernel had no memory for the buffers of the connection",
		"use smaller buffers (net.smc.wmem, net.smc.rmem) or free memory"},
	{0x02010000, "TIMEOUT_CL", "the first RDMA link was not confirmed in time",
		"check that RDMA traffic passes between the devices of both hosts"},
	{0x02020000, "TIMEOUT_AL", "a further RDMA link was not added in time",
		"check that RDMA traffic passes between the devices of both hosts"},
	{0x03000000, "CNFERR", "the configuration does not allow SMC here",
		"check that the address of the connection belongs to a network interface that is up"},
	{0x03010000, "PEERNOSMC", "the peer did not say in the TCP handshake that it can SMC",
		"accelerate the program on the other side, or find what strips TCP option 254 on the way"},
	{0x03020000, "IPSEC", "the connection is protected by IPsec, which SMC would bypass",
		"except the connection from IPsec, or leave it on TCP"},
	{0x03030000, "NOSMCDEV", "there is no SMC device, neither RDMA nor ISM, for this connection",
		"give the device and the interface of the connection the same PNET ID, or load a device; SMC-R version "
		"2 "
		"needs the same UEID on both hosts"},
	{0x03030001, "NOSMCDDEV", "there is no ISM (SMC-D) device for this connection",
		"give the ISM device and the interface the same PNET ID"},
	{0x03030002, "NOSMCRDEV", "there is no RDMA (SMC-R) device for this connection",
		"give the RDMA device and the interface the same PNET ID"},
	{0x03030003, "NOISM2SUPP", "no ISM device of this host can do SMC-D version 2",
		"use a device that can, or SMC-R"},
	{0x03030004, "NOV2EXT", "the peer's proposal lacks the part of SMC version 2",
		"bring the peer's kernel up to date"},
	{0x03030005, "NOV2DEXT", "the peer's proposal lacks the part of SMC-D version 2",
		"bring the peer's kernel up to date"},
	{0x03030006, "NOSEID", "the peer sent no system EID", "add the same UEID on both hosts"},
	{0x03030007, "NOSMCD2DEV", "no ISM device of this host reaches one that the peer offered",
		"SMC-D works inside one machine only; use SMC-R between machines"},
	{0x03030008, "NOUEID", "the peer sent no EID that this host has", "add the same UEID on both hosts"},
	{0x03030009, "RELEASEERR", "the two hosts do not agree on the release of SMC version 2",
		"bring the older kernel up to date"},
	{0x0303000a, "MAXCONNERR", "the two hosts do not agree on the connections of a link group",
		"set net.smc.smcr_max_conns_per_lgr to 16 or more on both hosts"},
	{0x0303000b, "MAXLINKERR", "the two hosts do not agree on the links of a link group",
		"set net.smc.smcr_max_links_per_lgr to the same on both hosts"},
	{0x03040000, "MODEUNSUPP", "the peer chose a kind of SMC (SMC-R or SMC-D) that was not offered",
		"report it: one of the kernels is wrong"},
	{0x03050000, "RMBE_EC", "the peer wants eyecatchers in its buffers, or its first RDMA link message was wrong",
		"use a Linux peer of a current kernel"},
	{0x03060000, "OPTUNSUPP", "TCP Fast Open or an option of the same number was set before connect or listen",
		"nothing if the policy kept it on TCP by that; else switch TCP Fast Open off in the program"},
	{0x03070000, "DIFFPREFIX", "the two addresses are in different subnets, which SMC version 1 needs equal",
		"use SMC version 2: add the same UEID on both hosts"},
	{0x03080000, "GETVLANERR", "the VLAN of the interface could not be found",
		"check that the interface of the route still exists"},
	{0x03090000, "ISMVLANERR", "the VLAN could not be registered with the ISM device",
		"check that the ISM device allows that VLAN"},
	{0x030a0000, "NOACTLINK", "the link group has no active RDMA link",
		"check the state of the RDMA ports, then connect again"},
	{0x030b0000, "NOSRVLINK", "the RDMA link that the server named does not exist here",
		"connect again; a link has just gone down"},
	{0x030c0000, "VERSMISMAT", "the two hosts do not agree on the version of SMC",
		"bring the older kernel up to date"},
	{0x030d0000, "MAX_DMB", "the ISM device has no buffer left", "use fewer SMC-D connections at a time"},
	{0x030e0000, "NOROUTE", "there is no route to the peer's RDMA device",
		"add a route to the address of that device"},
	{0x030f0000, "NOINDIRECT", "the peer sees a gateway between the RDMA devices and this host sees none",
		"make the routes of both hosts agree"},
	{0x04000000, "SYNCERR", "the two hosts did not agree whether their link group still exists",
		"nothing: the next connection makes a new one"},
	{0x05000000, "PEERDECL", "the peer declined", "see the peer's reason"},
	{0x09990000, "INTERR", "an internal error of the kernel", "look into the kernel's log"},
	{0x09990001, "ERR_RTOK", "the peer's memory key could not be stored",
		"look into the kernel's log, then connect again"},
	{0x09990002, "ERR_RDYLNK", "the RDMA link could not be made ready",
		"look into the kernel's log; check the RDMA device"},
	{0x09990003, "ERR_REGBUF", "the buffer could not be registered with the RDMA device",
		"raise the limits of registered memory, or use smaller buffers"},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

const struct reason *reasons(size_t *count)
{
	*count = ROWS;
	return table;
}

const struct reason *reason_find(uint32_t code)
{
	for (size_t i = 0; i < ROWS; i++)
		if (table[i].code == code)
			return &table[i];
	return NULL;
}

int reason_parse(const char *text, uint32_t *code)
{
	static const char prefix[] = "SMC_CLC_DECL_";
	const char *name = starts_with(text, prefix) ? text + sizeof(prefix) - 1 : text;
	const char *digits = starts_with(text, "0x") ? text + 2 : text;
	size_t length = strspn(digits, "0123456789abcdefABCDEF");

	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(table[i].name, name) == 0) {
			*code = table[i].code;
			return 0;
		}
	}
	if (!length || length > 8 || digits[length])
		return -EINVAL;
	*code = (uint32_t)strtoul(digits, NULL, 16);
	return *code ? 0 : -EINVAL;
}
