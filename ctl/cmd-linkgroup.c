/* SPDX-License-Identifier: MIT */
/* smcctl linkgroup: what this host and its peers share, and the links in it. */
#include "config.h"

#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/smc/linkgroups.h"
#include "ctl/smc/netns.h"
#include "ctl/smc/open.h"

enum { LINKGROUP_LINKS, LINKGROUP_NETNS, LINKGROUP_JSON };

const struct ctl_option cmd_linkgroup_list_options[] = {
	[LINKGROUP_LINKS] = {"links", 0, NULL, "the links of SMC-R link groups too"},
	[LINKGROUP_NETNS] = CTL_OPTION_NETNS,
	[LINKGROUP_JSON] = CTL_OPTION_JSON,
	{NULL, 0, NULL, NULL},
};

static void put_number(struct out *out, const char *key, uint64_t value)
{
	if (value == SMC_UNKNOWN)
		out_null(out, key, NULL);
	else
		out_uint(out, key, NULL, value);
}

/* The word for a number of the kernel's, or the number where there is none. */
static void put_word(struct out *out, const char *key, const char *title, const char *word, uint64_t number)
{
	char text[24];

	if (!word && number == SMC_UNKNOWN) {
		out_null(out, key, title);
		return;
	}
	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	out_string(out, key, title, word ? word : text);
}

static void put_gid(struct out *out, const char *key, const uint64_t gid[static 2])
{
	char text[40];

	if (gid[1])
		(void)snprintf(text, sizeof(text), "%016" PRIx64 ":%016" PRIx64, gid[0], gid[1]);
	else
		(void)snprintf(text, sizeof(text), "%016" PRIx64, gid[0]);
	out_string(out, key, NULL, text);
}

static void put_link(struct out *out, const struct smc_link *link, bool here)
{
	char name[IF_NAMESIZE];
	char uid[12];

	/* An interface's number means something in its own network namespace only. */
	if (!here || !link->ifindex || !if_indextoname(link->ifindex, name))
		name[0] = '\0';
	out_object(out, NULL, NULL);
	out_uint(out, "id", NULL, link->id);
	put_word(out, "state", NULL, smc_link_state_text(link->state), link->state);
	out_string(out, "device", NULL, link->device);
	out_uint(out, "port", NULL, link->port);
	out_optional(out, "netdev", NULL, name);
	out_uint(out, "connections", NULL, link->connections);
	(void)snprintf(uid, sizeof(uid), "%08" PRIx32, link->uid);
	out_string(out, "uid", NULL, uid);
	(void)snprintf(uid, sizeof(uid), "%08" PRIx32, link->peer_uid);
	out_string(out, "peer_uid", NULL, uid);
	out_string(out, "gid", NULL, link->gid);
	out_string(out, "peer_gid", NULL, link->peer_gid);
	out_close(out);
}

static void put_links(struct out *out, const struct smc_linkgroup *group, bool here)
{
	for (size_t i = 0; i < group->links; i++) {
		const struct smc_link *link = &group->link[i];
		const char *state = smc_link_state_text(link->state);

		out_note(out, "link %u: %s port %u, %s, %" PRIu32 " connection%s, %s to %s", link->id, link->device,
			link->port, state ? state : "state unknown", link->connections,
			link->connections == 1 ? "" : "s", link->gid, link->peer_gid);
	}
	if (!out_is_json(out))
		return;
	out_list(out, "links", NULL);
	for (size_t i = 0; i < group->links; i++)
		put_link(out, &group->link[i], here);
	out_close(out);
}

static void put_smcr(struct out *out, const struct smc_linkgroup *group, bool links, bool here)
{
	put_number(out, "netns_cookie", group->netns_cookie);
	out_bool(out, "in_network_namespace", NULL, here);
	put_word(out, "buffer_type", NULL, smc_buffer_type_text(group->buffer_type), group->buffer_type);
	if (group->direct == SMC_UNKNOWN)
		out_null(out, "direct", NULL);
	else
		out_bool(out, "direct", NULL, group->direct != 0);
	put_number(out, "max_connections", group->max_connections);
	put_number(out, "max_links", group->max_links);
	if (links)
		put_links(out, group, here);
}

static void put_smcd(struct out *out, const struct smc_linkgroup *group)
{
	out_uint(out, "chid", NULL, group->chid);
	put_gid(out, "gid", group->gid);
	put_gid(out, "peer_gid", group->peer_gid);
}

static void put_group(struct out *out, const struct smc_linkgroup *group, bool links, uint64_t own_cookie)
{
	bool here = group->netns_cookie == own_cookie && own_cookie;
	char text[24];

	out_object(out, NULL, NULL);
	(void)snprintf(text, sizeof(text), "%08" PRIx32, group->id);
	out_string(out, "id", "ID", text);
	out_string(out, "kind", "KIND", group->smcd ? "smcd" : "smcr");
	out_uint(out, "version", "VERSION", group->version);
	out_uint(out, "release", NULL, group->release);
	put_word(out, "role", "ROLE", group->smcd ? NULL : smc_role_text(group->role),
		group->smcd ? SMC_UNKNOWN : group->role);
	put_word(out, "type", "TYPE", group->smcd ? NULL : smc_group_type_text(group->type),
		group->smcd ? SMC_UNKNOWN : group->type);
	out_uint(out, "connections", "CONNECTIONS", group->connections);
	if (group->smcd)
		out_string(out, NULL, "NETNS", "-");
	else
		out_string(out, NULL, "NETNS", here ? "this" : "other");
	(void)snprintf(text, sizeof(text), "chid %04" PRIx32, group->chid);
	if (group->smcd)
		out_string(out, "device", "DEVICE", group->chid == SMC_LOOPBACK_CHID ? SMC_LOOPBACK_NAME : text);
	else
		out_null(out, "device", "DEVICE");
	out_uint(out, "vlan_low_byte", NULL, group->vlan);
	out_optional(out, "pnetid", "PNETID", group->pnetid);
	put_word(out, "peer_os", NULL, smc_os_text(group->peer_os), group->peer_os ? group->peer_os : SMC_UNKNOWN);
	out_optional(out, "peer_host", "PEER", group->peer_host);
	out_optional(out, "eid", "EID", group->eid);
	put_number(out, "send_buffer_bytes", group->send_buffers);
	put_number(out, "receive_buffer_bytes", group->receive_buffers);
	if (group->smcd)
		put_smcd(out, group);
	else
		put_smcr(out, group, links, here);
	out_close(out);
}

static int print(
	struct ctl *ctl, const struct smc_linkgroups *smcr, const struct smc_linkgroups *smcd, bool links, bool json)
{
	uint64_t own_cookie = netns_cookie();
	struct out *out;
	int r = out_begin(ctl->out, json, &out);

	if (r < 0)
		return r;
	if (!smcr->count && !smcd->count)
		out_note(out, "there is no link group: nothing is connected over SMC, and has not been for minutes");
	out_list(out, "linkgroups", NULL);
	for (size_t i = 0; i < smcr->count; i++)
		put_group(out, &smcr->item[i], links, own_cookie);
	for (size_t i = 0; i < smcd->count; i++)
		put_group(out, &smcd->item[i], links, own_cookie);
	out_close(out);
	return out_end(out);
}

enum ctl_exit cmd_linkgroup_list(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_genl_ struct genl *genl = NULL;
	_cleanup_smc_linkgroups_ struct smc_linkgroups smcr = {.item = NULL};
	_cleanup_smc_linkgroups_ struct smc_linkgroups smcd = {.item = NULL};
	bool links = args->option[LINKGROUP_LINKS] != NULL;
	enum ctl_exit code = smc_open(ctl, args->option[LINKGROUP_NETNS], GENL_SMC, &genl);
	int r;

	if (code != CTL_OK)
		return code;
	r = smc_linkgroups_smcr(genl, links, &smcr);
	if (r == 0)
		r = smc_linkgroups_smcd(genl, &smcd);
	if (r < 0)
		return smc_refused(ctl, "link groups", NULL, genl, r);
	r = print(ctl, &smcr, &smcd, links, args->option[LINKGROUP_JSON] != NULL);
	return r < 0 ? ctl_error(ctl, CTL_FAILED, "link groups", NULL, "%s", strerror(-r)) : CTL_OK;
}
