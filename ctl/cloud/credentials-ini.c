/* SPDX-License-Identifier: MIT */
/* The INI file of the vendor's SDKs, ~/.alibabacloud/credentials. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "ctl/cloud/credentials.h"
#include "ctl/cloud/secret.h"

struct piece {
	const char *at;
	size_t length;
};

static struct piece trimmed(const char *at, size_t length)
{
	while (length && strchr(" \t\r", *at)) {
		at++;
		length--;
	}
	while (length && strchr(" \t\r", at[length - 1]))
		length--;
	return (struct piece){at, length};
}

static bool is(struct piece piece, const char *text)
{
	return piece.length == strlen(text) && memcmp(piece.at, text, piece.length) == 0;
}

static char **field_of(struct credential_profile *profile, struct piece key)
{
	const struct {
		const char *name;
		char **field;
	} fields[] = {
		{"type", &profile->mode},
		{"access_key_id", &profile->id},
		{"access_key_secret", &profile->secret},
		{"role_name", &profile->role_name},
		{"role_arn", &profile->role_arn},
		{"role_session_name", &profile->session},
		{"policy", &profile->policy},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (is(key, fields[i].name))
			return fields[i].field;
	}
	return NULL;
}

static int take_pair(struct credential_profile *profile, struct piece line)
{
	const char *equals = memchr(line.at, '=', line.length);
	struct piece value;
	char **field;

	if (!equals)
		return -EINVAL;
	field = field_of(profile, trimmed(line.at, (size_t)(equals - line.at)));
	if (!field)
		return 0;
	value = trimmed(equals + 1, line.length - (size_t)(equals + 1 - line.at));
	if (memchr(value.at, '\0', value.length))
		return -EINVAL;
	secret_free(*field);
	*field = strndup(value.at, value.length);
	return *field ? 0 : -ENOMEM;
}

/* The names that the INI file has for the modes of a CLI profile. */
static int rename_mode(struct credential_profile *profile)
{
	static const char *const modes[][2] = {
		{"access_key", "AK"}, {"ecs_ram_role", "EcsRamRole"}, {"ram_role_arn", "RamRoleArn"}};

	for (size_t i = 0; profile->mode && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(profile->mode, modes[i][0]) == 0) {
			char *mode = strdup(modes[i][1]);

			if (!mode)
				return -ENOMEM;
			secret_free(profile->mode);
			profile->mode = mode;
			return 0;
		}
	}
	return 0;
}

int credentials_read_ini(const char *text, size_t size, const char *name, struct credential_profile *out,
	struct credential_problem *problem)
{
	_cleanup_credential_profile_ struct credential_profile made = {.mode = NULL};
	bool inside = false, found = false;
	unsigned number = 0;
	int r;

	name = name ? name : "default";
	for (const char *at = text, *end = text + size; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);
		struct piece line = trimmed(at, length);

		at += length + (newline != NULL);
		number++;
		if (!line.length || strchr("#;", *line.at))
			continue;
		if (line.length >= 2 && *line.at == '[' && line.at[line.length - 1] == ']') {
			inside = is(trimmed(line.at + 1, line.length - 2), name);
			found = found || inside;
			continue;
		}
		r = inside ? take_pair(&made, line) : memchr(line.at, '=', line.length) ? 0 : -EINVAL;
		if (r == -EINVAL)
			return credentials_problem(problem, r, "",
				"line %u is neither [SECTION] nor KEY = VALUE; its text is not shown, it may hold "
				"secrets",
				number);
		if (r < 0)
			return r;
	}
	if (!found)
		return credentials_problem(problem, -ENOENT, "", "has no section of the name that is asked for");
	r = rename_mode(&made);
	if (r < 0)
		return r;
	*out = made;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup attribute reads it */
	made = (struct credential_profile){.mode = NULL};
	return 0;
}
