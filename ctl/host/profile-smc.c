/* SPDX-License-Identifier: MIT */
/* The section "smc" of a profile: user EIDs, the system EID, pnet identifiers, the limit of handshakes. */
#include "config.h"

#include <string.h>

#include "ctl/host/profile-parse.h"

static void read_ueid(struct parser *parser, struct profile *profile, const cJSON *value, struct json_token where)
{
	char text[PROFILE_NAME];
	char *eid = profile->ueids[profile->ueid_count];

	if (!parse_string(parser, value, where, "EID", text, sizeof(text)))
		return;
	if (!eid_parse(text, eid)) {
		policy_report_add(&parser->report, where, "EID",
			"is not 1 to 32 of A-Z, 0-9, '.' and '-' with a letter or digit first; write upper case");
		return;
	}
	for (size_t i = 0; i < profile->ueid_count; i++) {
		if (strcmp(profile->ueids[i], eid) == 0) {
			policy_report_add(&parser->report, where, "EID", "stands twice in the list; remove it");
			return;
		}
	}
	profile->ueid_count++;
}

static void read_ueids(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	struct profile *profile = to;
	const cJSON *child;

	if (!cJSON_IsArray(value)) {
		parse_wrong_type(parser, value, where, "ueids", "write a list, [ \"RACK-7\" ]");
		return;
	}
	cJSON_ArrayForEach(child, value)
	{
		struct json_token item = json_next(&cursor);

		if (profile->ueid_count == 4) {
			policy_report_add(&parser->report, item, "EID",
				"is one too many; the kernel holds 4 (SMC_MAX_UEID), remove one");
			return;
		}
		read_ueid(parser, profile, child, item);
	}
}

static void read_switch(
	struct parser *parser, enum profile_switch *to, const cJSON *value, struct json_token where, const char *what)
{
	bool on = false;

	parse_bool(parser, value, where, what, &on);
	*to = on ? PROFILE_ON : PROFILE_OFF;
}

static void read_seid(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	read_switch(parser, &((struct profile *)to)->seid, value, where, "seid");
}

static void read_limit(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	read_switch(parser, &((struct profile *)to)->handshake_limit, value, where, "handshake_limit");
}

static void read_id(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct pnet_entry *entry = to;
	char text[PROFILE_NAME];

	if (parse_string(parser, value, where, "pnet identifier", text, sizeof(text)) &&
		!pnet_id_parse(text, entry->id))
		policy_report_add(&parser->report, where, "pnet identifier",
			"is not 1 to 16 letters and digits; write such a name, as in \"NET1\"");
}

static void read_interface(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct pnet_entry *entry = to;

	if (parse_string(parser, value, where, "interface", entry->interface, sizeof(entry->interface)) &&
		!profile_interface_valid(entry->interface, false))
		policy_report_add(&parser->report, where, "interface",
			"is not the name of an interface; write one, as in \"eth1\"");
}

static void read_device(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct pnet_entry *entry = to;

	if (parse_string(parser, value, where, "device", entry->device, sizeof(entry->device)) &&
		(strchr(entry->device, '/') || strchr(entry->device, ' ')))
		policy_report_add(&parser->report, where, "device",
			"is not the name of a device; write one that smcctl device list shows");
}

static void read_port(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	uint32_t port = 1;

	parse_number(parser, value, where, "port", 1, 255, &port);
	((struct pnet_entry *)to)->port = port;
}

static const struct parse_key pnet_keys[] = {
	{"id", read_id},
	{"interface", read_interface},
	{"device", read_device},
	{"port", read_port},
};

static const struct parse_object pnet_object = {
	"an entry of \"pnet\"", "id, interface, device, port", pnet_keys, sizeof(pnet_keys) / sizeof(*pnet_keys)};

static void read_pnet(struct parser *parser, struct profile *profile, const cJSON *value, struct json_token where)
{
	struct pnet_entry entry = {.port = 0};
	struct json_token open = {where.position, 1};
	unsigned seen;

	if (!cJSON_IsObject(value)) {
		parse_wrong_type(parser, value, where, "pnet", "write { \"id\": \"NET1\", \"interface\": \"eth1\" }");
		return;
	}
	seen = parse_object(parser, &pnet_object, &entry, value, where);
	if (!(seen & 1u))
		policy_report_add(&parser->report, open, "pnet", "has no id; write \"id\": \"NET1\"");
	if (!(seen & 2u) == !(seen & 4u))
		policy_report_add(&parser->report, open, "pnet",
			"names %s; write \"interface\" or \"device\", one of them",
			seen & 2u ? "interface and device" : "neither interface nor device");
	else if ((seen & 2u) && (seen & 8u))
		policy_report_add(&parser->report, open, "pnet", "has a port, which only a device has; remove it");
	if (entry.device[0] && !entry.port)
		entry.port = 1;
	for (size_t i = 0; i < profile->pnet_count; i++) {
		if (strcmp(profile->pnets[i].interface, entry.interface) == 0 &&
			strcmp(profile->pnets[i].device, entry.device) == 0 && profile->pnets[i].port == entry.port) {
			policy_report_add(&parser->report, open, "pnet",
				"is the second entry of one interface or device; it can have one identifier, remove "
				"the other");
			return;
		}
	}
	profile->pnets[profile->pnet_count++] = entry;
}

static void read_pnets(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	struct profile *profile = to;
	const cJSON *child;

	if (!cJSON_IsArray(value)) {
		parse_wrong_type(parser, value, where, "pnet",
			"write a list, [ { \"id\": \"NET1\", \"interface\": \"eth1\" } ]");
		return;
	}
	cJSON_ArrayForEach(child, value)
	{
		struct json_token item = json_next(&cursor);

		if (profile->pnet_count == PROFILE_PNETS) {
			policy_report_add(&parser->report, (struct json_token){item.position, 1}, "pnet",
				"is one entry too many; at most %u are taken", PROFILE_PNETS);
			return;
		}
		read_pnet(parser, profile, child, item);
	}
}

static const struct parse_key smc_keys[] = {
	{"ueids", read_ueids},
	{"seid", read_seid},
	{"pnet", read_pnets},
	{"handshake_limit", read_limit},
};

static const struct parse_object smc_object = {
	"\"smc\"", "ueids, seid, pnet, handshake_limit", smc_keys, sizeof(smc_keys) / sizeof(*smc_keys)};

void profile_read_smc(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	if (cJSON_IsObject(value))
		(void)parse_object(parser, &smc_object, to, value, where);
	else
		parse_wrong_type(parser, value, where, "smc", "write { \"ueids\": [ \"RACK-7\" ] }");
}
