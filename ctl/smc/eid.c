/* SPDX-License-Identifier: MIT */
/* Reads and changes the kernel's table of enterprise identifiers. */
#include "config.h"

#include "ctl/smc/eid.h"

#include <ctype.h>
#include <errno.h>
#include <linux/smc.h>
#include <stdio.h>
#include <string.h>

/* isalnum() without lower case, and the same in every locale. */
static bool is_letter_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static size_t length_without_blanks(const char *text)
{
	size_t length = strlen(text);

	while (length && isspace((unsigned char)text[length - 1]))
		length--;
	return length;
}

bool eid_parse(const char *text, char out[static EID_SIZE])
{
	size_t length = length_without_blanks(text);

	if (!length || length >= EID_SIZE || !is_letter_or_digit(text[0]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_letter_or_digit(text[i]) && text[i] != '.' && text[i] != '-')
			return false;
	memcpy(out, text, length);
	out[length] = '\0';
	return true;
}

static void copy_eid(const struct nlattr *attr, char out[static EID_SIZE])
{
	genl_copy_text(attr, out, EID_SIZE);
	out[length_without_blanks(out)] = '\0';
}

static void restart(void *arg)
{
	struct eid_table *table = arg;

	table->count = 0;
}

int eid_table_add(struct nlattr *const *attrs, void *arg)
{
	struct eid_table *table = arg;

	if (table->count == EID_ROOM)
		return -E2BIG;
	copy_eid(attrs[SMC_NLA_EID_TABLE_ENTRY], table->user[table->count++]);
	return 0;
}

static void restart_system(void *arg)
{
	(void)arg;
}

/* Without an ISM device of version 2 the answer has no attributes. */
int eid_table_set_system(struct nlattr *const *attrs, void *arg)
{
	struct eid_table *table = arg;

	copy_eid(attrs[SMC_NLA_SEID_ENTRY], table->system);
	table->system_on = genl_number(attrs[SMC_NLA_SEID_ENABLED], 0) != 0;
	return 0;
}

int eid_load(struct genl *genl, struct eid_table *out)
{
	int r;

	*out = (struct eid_table){.count = 0};
	r = genl_dump(genl, SMC_NETLINK_DUMP_UEID, restart, eid_table_add, out);
	return r < 0 ? r : genl_dump(genl, SMC_NETLINK_DUMP_SEID, restart_system, eid_table_set_system, out);
}

bool eid_has(const struct eid_table *table, const char *eid)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->user[i], eid) == 0)
			return true;
	return false;
}

/* eid may be NULL: a command without one. */
static int request(struct genl *genl, uint8_t command, const char *eid)
{
	struct nl_msg *message = genl_message(genl, command);
	char padded[EID_SIZE];

	if (!message)
		return -ENOMEM;
	(void)snprintf(padded, sizeof(padded), "%-*s", EID_SIZE - 1, eid ? eid : "");
	if (eid && nla_put_string(message, SMC_NLA_EID_TABLE_ENTRY, padded) < 0) {
		nlmsg_free(message);
		return -EMSGSIZE;
	}
	return genl_request(genl, message, NULL, NULL);
}

int eid_add(struct genl *genl, const char *eid)
{
	return request(genl, SMC_NETLINK_ADD_UEID, eid);
}

int eid_remove(struct genl *genl, const char *eid, bool *system_on)
{
	int r = request(genl, SMC_NETLINK_REMOVE_UEID, eid);

	*system_on = r == -EAGAIN;
	return r == -EAGAIN ? 0 : r;
}

int eid_flush(struct genl *genl)
{
	int r = request(genl, SMC_NETLINK_FLUSH_UEID, NULL);

	return r == -EAGAIN || r == -ENOENT ? 0 : r;
}

int eid_set_system(struct genl *genl, bool on)
{
	return request(genl, on ? SMC_NETLINK_ENABLE_SEID : SMC_NETLINK_DISABLE_SEID, NULL);
}
