/* SPDX-License-Identifier: MIT */
/* host.json from text to a profile: its sections, and the short ones of them. */
#include "config.h"

#include "ctl/host/profile.h"

#include <errno.h>
#include <string.h>

#include "ctl/host/profile-parse.h"

void profile_free(struct profile **profile)
{
	if (!*profile)
		return;
	for (size_t i = 0; i < (*profile)->xps_count; i++)
		free((*profile)->xps[i].masks);
	free((*profile)->text);
	free(*profile);
	*profile = NULL;
}

bool profile_interface_valid(const char *name, bool pattern)
{
	size_t length = strlen(name);

	if (!length || length >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		/* The kernel would take more; quotes and the like would have to be escaped in every file of ours. */
		if (*p <= ' ' || *p >= 0x7f || strchr("/:\"'\\%$;,=", *p) || (!pattern && strchr("*?[]", *p)))
			return false;
	}
	return true;
}

static bool module_valid(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(name) &&
		name[0] != '-';
}

/* As the kernel and sysfs name it. */
static void dashes_to_underscores(char *name)
{
	for (; *name; name++) {
		if (*name == '-')
			*name = '_';
	}
}

static void read_module(struct parser *parser, struct profile *profile, const cJSON *value, struct json_token where)
{
	char *name = profile->modules[profile->module_count];

	if (!parse_string(parser, value, where, "module", name, PROFILE_NAME))
		return;
	if (!module_valid(name)) {
		policy_report_add(&parser->report, where, "module",
			"is not the name of a module; write letters, digits, '_' and '-', as in \"smc_diag\"");
		return;
	}
	dashes_to_underscores(name);
	for (size_t i = 0; i < profile->module_count; i++) {
		if (strcmp(profile->modules[i], name) == 0) {
			policy_report_add(&parser->report, where, "module", "stands twice in the list; remove it");
			return;
		}
	}
	profile->module_count++;
}

static void read_modules(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct json_cursor cursor = json_children(parser->text, parser->len, where);
	struct profile *profile = to;
	const cJSON *child;

	if (!cJSON_IsArray(value)) {
		parse_wrong_type(parser, value, where, "modules", "write a list of names, [ \"smc\", \"smc_diag\" ]");
		return;
	}
	cJSON_ArrayForEach(child, value)
	{
		struct json_token item = json_next(&cursor);

		if (profile->module_count == PROFILE_MODULES) {
			policy_report_add(&parser->report, item, "module", "is one too many; at most %u can be named",
				PROFILE_MODULES);
			return;
		}
		read_module(parser, profile, child, item);
	}
}

static void read_nic(
	struct parser *parser, void *to, const cJSON *member, struct json_token name, struct json_token where)
{
	struct profile *profile = to;
	const char *word = cJSON_GetStringValue(member);
	struct profile_nic *nic = &profile->nics[profile->nic_count];

	if (!profile_interface_valid(member->string, false)) {
		policy_report_add(&parser->report, name, "interface",
			"is not the name of an interface; write one, as in \"eth1\"");
		return;
	}
	if (profile->nic_count == PROFILE_NICS) {
		policy_report_add(
			&parser->report, name, "interface", "is one too many; at most %u can be named", PROFILE_NICS);
		return;
	}
	if (!word) {
		parse_wrong_type(parser, member, where, "nic", "write \"soft\" or \"strict\"");
		return;
	}
	if (strcmp(word, "soft") != 0 && strcmp(word, "strict") != 0) {
		policy_report_add(&parser->report, where, "nic", "is unknown; write \"soft\" or \"strict\"");
		return;
	}
	memcpy(nic->name, member->string, strlen(member->string) + 1);
	nic->strict = strcmp(word, "strict") == 0;
	profile->nic_count++;
}

void profile_read_nic(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	if (cJSON_IsObject(value))
		parse_map(parser, read_nic, to, value, where);
	else
		parse_wrong_type(parser, value, where, "nic", "write { \"eth1\": \"soft\" }");
}

static const struct parse_key profile_keys[] = {
	{"version", parse_version},
	{"modules", read_modules},
	{"sysctl", profile_read_sysctl},
	{"smc", profile_read_smc},
	{"xps", profile_read_xps},
	{"nic", profile_read_nic},
};

static const struct parse_object profile_object = {"a profile", "version, modules, sysctl, smc, xps, nic", profile_keys,
	sizeof(profile_keys) / sizeof(*profile_keys)};

static void read_profile(struct parser *parser, void *to, const cJSON *tree)
{
	struct json_token root = json_root(parser->text, parser->len);

	if (!cJSON_IsObject(tree))
		parse_wrong_type(parser, tree, root, "profile", "write { \"version\": 1, \"modules\": [ \"smc\" ] }");
	else if (!(parse_object(parser, &profile_object, to, tree, root) & 1u))
		policy_report_add(&parser->report, (struct json_token){root.position, 1}, "profile",
			"has no version; write \"version\": 1");
}

int profile_parse(const char *name, const char *text, size_t len, struct profile **out, struct policy_errors *errors)
{
	_cleanup_profile_ struct profile *profile = calloc(1, sizeof(*profile));
	struct parser parser = {.text = text, .len = len};
	int r;

	if (!profile)
		return -ENOMEM;
	r = parse_document(&parser, name, errors, read_profile, profile);
	if (r < 0)
		return r;
	profile->text = strndup(text, len);
	if (!profile->text)
		return -ENOMEM;
	profile->digest = policy_digest(text, len);
	*out = take(profile);
	return 0;
}
