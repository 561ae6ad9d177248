/* SPDX-License-Identifier: MIT */
/* The section "sysctl" of a profile: keys and values, exact or at least. */
#include "config.h"

#include <string.h>

#include "ctl/host/profile-parse.h"
#include "ctl/host/sysctl.h"

static bool is_whole(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((text[i] < '0' || text[i] > '9') && (i || text[i] != '-'))
			return false;
	}
	return true;
}

static bool read_value(
	struct parser *parser, const cJSON *value, struct json_token where, char out[static PROFILE_VALUE])
{
	char text[PROFILE_VALUE];

	if (cJSON_IsNumber(value)) {
		/* cJSON's number is a double; the text is exact. */
		if (where.length >= sizeof(text) || !is_whole(parser->text + where.position, where.length)) {
			policy_report_add(&parser->report, where, "value", "is no whole number; write digits");
			return false;
		}
		memcpy(out, parser->text + where.position, where.length);
		out[where.length] = '\0';
		return true;
	}
	if (!cJSON_IsString(value)) {
		parse_wrong_type(parser, value, where, "value",
			"write a number, a string, or { \"at_least\": ... } or { \"value\": ... }");
		return false;
	}
	if (!parse_string(parser, value, where, "value", text, sizeof(text)))
		return false;
	if (strchr(text, '\n') || !sysctl_value(text, out) || !*out) {
		policy_report_add(&parser->report, where, "value", "is no line of text; write one");
		return false;
	}
	return true;
}

static void read_exact(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	(void)!read_value(parser, value, where, ((struct profile_sysctl *)to)->value);
}

static void read_at_least(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	struct profile_sysctl *sysctl = to;
	int64_t number;

	sysctl->at_least = true;
	if (!read_value(parser, value, where, sysctl->value))
		return;
	for (unsigned i = 0; i < sysctl_fields(sysctl->value); i++) {
		if (!sysctl_number(sysctl->value, i, &number)) {
			policy_report_add(&parser->report, where, "value",
				"is not made of whole numbers, of which alone there is a larger one; write digits");
			return;
		}
	}
}

static void read_optional(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	parse_bool(parser, value, where, "optional", &((struct profile_sysctl *)to)->optional);
}

static const struct parse_key value_keys[] = {
	{"value", read_exact},
	{"at_least", read_at_least},
	{"optional", read_optional},
};

static const struct parse_object value_object = {
	"a value of \"sysctl\"", "value, at_least, optional", value_keys, sizeof(value_keys) / sizeof(*value_keys)};

static void read_key(
	struct parser *parser, void *to, const cJSON *member, struct json_token name, struct json_token where)
{
	struct profile *profile = to;
	struct profile_sysctl sysctl = {.at_least = false};
	const char *wrong;

	if (!sysctl_key(member->string, sysctl.key)) {
		policy_report_add(&parser->report, name, "key",
			"is not the name of a kernel parameter; write one, as in \"net.core.somaxconn\"");
		return;
	}
	if (cJSON_IsObject(member)) {
		unsigned seen = parse_object(parser, &value_object, &sysctl, member, where);

		if (!(seen & 1u) == !(seen & 2u))
			policy_report_add(&parser->report, (struct json_token){where.position, 1}, "sysctl",
				"has %s; write \"value\" or \"at_least\", one of them",
				seen & 1u ? "value and at_least" : "neither value nor at_least");
	} else {
		read_exact(parser, &sysctl, member, where);
	}
	for (size_t i = 0; i < profile->sysctl_count; i++) {
		/* The two notations of one key. */
		if (strcmp(profile->sysctls[i].key, sysctl.key) == 0) {
			policy_report_add(
				&parser->report, name, "key", "stands twice in one object; remove one of them");
			return;
		}
	}
	wrong = sysctl.value[0] ? sysctl_wrong(sysctl.key, sysctl.value) : NULL;
	if (wrong)
		policy_report_add(&parser->report, name, "value of key", "%s", wrong);
	if (profile->sysctl_count == PROFILE_SYSCTLS)
		policy_report_add(
			&parser->report, name, "key", "is one too many; at most %u are taken", PROFILE_SYSCTLS);
	else
		profile->sysctls[profile->sysctl_count++] = sysctl;
}

void profile_read_sysctl(struct parser *parser, void *to, const cJSON *value, struct json_token where)
{
	if (cJSON_IsObject(value))
		parse_map(parser, read_key, to, value, where);
	else
		parse_wrong_type(parser, value, where, "sysctl", "write { \"net.core.somaxconn\": 4096 }");
}
